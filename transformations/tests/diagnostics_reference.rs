//! Keeps the tables of `docs/diagnostics.md` in step with the registries of codes and error kinds.
//!
//! With `UPDATE_DOCS=1` the test rewrites them.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::fmt::Write;
use std::path::Path;

use transformations::codes::Example;
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
    tables.push_str("\n## Codes\n");
    for (code, title) in Code::ALL {
        let explained = code.explained().unwrap();
        let (title, remedy) = (sentence(title), sentence(explained.remedy));
        writeln!(tables, "\n### {code}\n\n{title} {remedy}").unwrap();
        if let Some(example) = shown(explained.example) {
            // Not as JSON or YAML: what looks for configurations on pages must not find these.
            writeln!(tables, "\n```text\n{}\n```", example.trim_end()).unwrap();
        }
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

/// As a sentence of its own.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().unwrap();
    format!("{}{}.", first.to_uppercase(), letters.as_str())
}

/// What can be printed of an example.
fn shown(example: Example) -> Option<String> {
    let text = match example {
        Example::Config(text) => String::from_utf8_lossy(text).into_owned(),
        Example::Profiles(text)
        | Example::Policy(text)
        | Example::File(text)
        | Example::Provider(text) => text.to_owned(),
        // Too long to show.
        _ => return None,
    };
    Some(text.replace(|it: char| it.is_control() && it != '\n', "\u{fffd}"))
}
