//! What kgateway's control plane writes and its users were promised, as tables: `cases/kgateway.json`
//! always, and the table of the folder that `CASES_DIR` names where there is one.
//!
//! A table has configurations to load (`load`), routes with requests (`e2e_routes`, `e2e_tests`), single
//! configurations with one message (`unit`), and access lists (`acl`). All configurations of a table are
//! in one Envoy, as a gateway has them.
#![forbid(unsafe_code)]

mod access;
mod backend;
mod behaviour;
mod expected;
mod loading;

use std::path::Path;

use rustformations_tests::tools;
use serde_json::Value;

/// Cases of kgateway's that rightly end otherwise here; each is in `docs/differences.md`.
const OTHERWISE: &[(&str, &str)] = &[
    (
        "v2.1 test_injected_functions (setter shape, substring end index)",
        "the fields of kgateway 2.0 and 2.1 are ignored with a warning",
    ),
    (
        "dont pull info if we dont parse json",
        "a response never becomes a 400: what reads the field is left out",
    ),
];

fn is_otherwise(name: &str) -> bool {
    OTHERWISE.iter().any(|(otherwise, _)| *otherwise == name)
}

/// The tables, ours first.
fn tables() -> Vec<Value> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/kgateway.json");
    let mut files = vec![own];
    match std::env::var_os("CASES_DIR").filter(|folder| !folder.is_empty()) {
        Some(folder) => files.push(Path::new(&folder).join("kgateway.json")),
        None => tools::skip("CASES_DIR names no folder with the cases of kgateway's own suites")
            .unwrap_or_else(|error| panic!("{error}")),
    }
    files
        .iter()
        .map(|file| {
            let text = std::fs::read_to_string(file)
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()))
        })
        .collect()
}

/// The entries of a part of a table; none if the table lacks it.
fn entries<'a>(table: &'a Value, part: &str) -> &'a [Value] {
    table[part]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}
