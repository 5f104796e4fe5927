//! Every JSON example of the documentation is a configuration that loads without a warning.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::path::Path;

use transformations::files::read_prices;
use transformations::profiles::Profiles;
use transformations::testing::MemoryFiles;
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
        "docs/profiles.md",
    ] {
        let text = std::fs::read_to_string(root.join(page)).unwrap();
        let files = files(&text);
        for example in text.split("```json\n").skip(1) {
            let config = example.split("```").next().unwrap();
            let parts = ["\"request\"", "\"response\"", "\"ai\""];
            if !parts.iter().any(|part| config.contains(part)) {
                // The message of an example, not a configuration.
                continue;
            }
            examples += 1;
            match Program::compile_with(config.as_bytes(), &CompileOptions::default(), &files) {
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

/// The profiles that a page shows, and prices for whatever names a file of them.
fn files(page: &str) -> MemoryFiles {
    let yaml = page.split("```yaml\nprofiles:").nth(1);
    let yaml = yaml.and_then(|rest| rest.split("```").next());
    let prices = r#"{"*": {"input": "1", "output": "1"}}"#.to_owned();
    MemoryFiles {
        profiles: yaml.map(|text| ("profiles.yaml".to_owned(), format!("profiles:{text}"))),
        prices: [("/etc/rustformations/prices.json".to_owned(), prices)].into(),
    }
}

#[test]
fn every_profile_and_every_table_of_prices_on_the_page_is_valid() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = std::fs::read_to_string(root.join("docs/profiles.md")).unwrap();
    let files = files(&page);
    let (name, text) = files.profiles.clone().unwrap();
    let profiles = Profiles::parse(&name, text.as_bytes()).unwrap();
    assert_eq!(profiles.names().collect::<Vec<_>>(), ["chat", "embed"]);
    for name in profiles.names() {
        let chooser = Profiles::chooser(name);
        let options = CompileOptions::default();
        let program = Program::compile_with(chooser.as_bytes(), &options, &files);
        let program = program.unwrap_or_else(|problems| panic!("{name}: {problems}"));
        assert!(program.warnings().is_empty(), "{name}");
    }
    let tables = page.split("```json\n").skip(1);
    let tables = tables.filter_map(|it| it.split("```").next());
    let tables: Vec<_> = tables.filter(|it| it.contains("gpt-4o")).collect();
    assert_eq!(tables.len(), 2);
    for table in tables {
        let prices = read_prices(table.as_bytes()).unwrap();
        assert!(prices.find("gpt-4o").is_some(), "{table}");
    }
}
