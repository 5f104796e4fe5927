//! Keeps the tables of `docs/diagnostics.md` in step with the registries of codes and error kinds.
//!
//! With `UPDATE_DOCS=1` the test rewrites them.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::fmt::Write;
use std::path::Path;

use transformations::{Code, Direction, TransformErrorKind};

const MARKER: &str = "<!-- Everything below is generated from the code: UPDATE_DOCS=1 cargo test -p transformations --test diagnostics_reference -->\n";

#[test]
fn the_reference_lists_every_code_and_every_kind() {
    let mut tables = String::from(
        "\n## Kinds of errors\n\n| kind | of a request | of a response | details |\n|---|---|---|---|\n",
    );
    for kind in TransformErrorKind::ALL {
        let (name, details) = (kind.name(), kind.details());
        let (request, response) = (
            kind.status(Direction::Request),
            kind.status(Direction::Response),
        );
        writeln!(
            tables,
            "| `{name}` | {request} | {response} | `{details}` |"
        )
        .unwrap();
    }
    tables.push_str("\n## Codes\n\n| code | what it means | what to do |\n|---|---|---|\n");
    for (code, title) in Code::ALL {
        let remedy = code.explained().unwrap().remedy.replace('|', "\\|");
        writeln!(tables, "| {code} | {title} | {remedy} |").unwrap();
    }

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/diagnostics.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (written, listed) = page.split_once(MARKER).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{written}{MARKER}{tables}")).unwrap();
    } else {
        assert!(
            listed == tables,
            "run with UPDATE_DOCS=1, then read the difference"
        );
    }
}
