//! The examples of the table of kinds in `docs/llm.md` are found, and left alone, as it says.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::path::Path;
use std::sync::Arc;

use llm::mask::{Action, Form, Kind, Masker, Settings};

/// What stands between backticks.
fn examples(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn every_example_of_a_kind_is_what_the_table_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/llm.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, table) = page.split_once("<!-- kinds -->\n").unwrap();
    let (table, _) = table.split_once("<!-- end of kinds -->").unwrap();
    let settings = Settings {
        detectors: Kind::ALL.map(|kind| (kind, Action::Mask)).to_vec(),
        ..Settings::default()
    };
    let masker = Arc::new(Masker::compile(&settings).unwrap());
    let found = |text: &str| {
        // In the middle of a text, and alone.
        let [inside, alone] = [format!("See {text}, please."), text.to_owned()].map(|text| {
            let mut masking = masker.open();
            masking.mask(&text, Form::Plain).unwrap();
            masking.found_kinds()
        });
        assert_eq!(inside, alone, "{text}");
        alone
    };
    let mut kinds = Vec::new();
    for row in table.lines().skip(2) {
        let cells: Vec<_> = row.split('|').collect();
        let [_, name, _, counts, others, _] = cells.as_slice() else {
            panic!("{row}");
        };
        let name = examples(name).next().unwrap();
        kinds.push(name);
        assert!(examples(counts).count() > 0 && examples(others).count() > 0);
        for text in examples(counts) {
            assert_eq!(found(text), format!("{name}=1"), "{text}");
        }
        for text in examples(others) {
            assert_eq!(found(text), "", "{text}");
        }
    }
    assert_eq!(kinds, Kind::ALL.map(Kind::name));
}
