//! Every JSON example of the documentation is a configuration that loads without a warning.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::path::Path;

use transformations::{CompileOptions, Program};

#[test]
fn every_example_configuration_loads() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut examples = 0;
    for page in [
        "docs/configuration.md",
        "docs/llm.md",
        "docs/templates.md",
        "docs/neighbours.md",
    ] {
        let text = std::fs::read_to_string(root.join(page)).unwrap();
        for example in text.split("```json\n").skip(1) {
            let config = example.split("```").next().unwrap();
            let parts = ["\"request\"", "\"response\"", "\"ai\""];
            if !parts.iter().any(|part| config.contains(part)) {
                // The message of an example, not a configuration.
                continue;
            }
            examples += 1;
            match Program::compile(config.as_bytes(), &CompileOptions::default()) {
                Ok(program) => {
                    let warnings: Vec<_> =
                        program.warnings().iter().map(ToString::to_string).collect();
                    assert_eq!(warnings, [""; 0], "{page}:\n{config}");
                }
                Err(problems) => panic!("{page}:\n{config}\n{problems}"),
            }
        }
    }
    assert!(examples >= 4, "only {examples} examples were found");
}
