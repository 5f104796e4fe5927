//! The prelude has a short name for everything that hooks and Envoy's methods speak of.

use std::collections::BTreeSet;
use std::path::Path;

const PRELUDE: &str = include_str!("../src/prelude.rs");
const PREFIX: &str = "envoy_dynamic_module_type_";

/// The names of the ABI in a source file.
fn abi_names(source: &str) -> BTreeSet<&str> {
    let ends = |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_');
    let found = source.match_indices(PREFIX);
    found
        .map(|(at, _)| {
            let rest = &source[at..];
            &rest[..ends(rest).unwrap_or(rest.len())]
        })
        .collect()
}

#[test]
fn every_abi_type_in_a_signature_has_a_short_name() {
    let short = abi_names(PRELUDE);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http");
    let mut missing = BTreeSet::new();
    for file in std::fs::read_dir(folder).expect("the traits are there") {
        let source = std::fs::read_to_string(file.expect("a file").path()).expect("it is text");
        let long = abi_names(&source);
        missing.extend(long.difference(&short).map(|name| (*name).to_owned()));
    }
    assert!(missing.is_empty(), "no short names for {missing:#?}");
    assert!(short.len() > 15, "the names are found: {short:#?}");
}

#[test]
fn every_public_item_of_the_traits_is_in_the_prelude() {
    let http = include_str!("../src/http.rs");
    // Reading a whole body is a method, too; panics are caught without a wrapper.
    let only_for_old_code = [
        "CatchUnwind",
        "read_whole_request_body",
        "read_whole_response_body",
    ];
    for line in http.lines().filter(|line| !line.starts_with("//!")) {
        let names = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        let public = names.filter(|name| {
            name.starts_with("Envoy") || name.starts_with("Http") || name.starts_with("Cluster")
        });
        for name in public.filter(|name| !only_for_old_code.contains(name)) {
            assert!(PRELUDE.contains(name), "no {name}");
        }
    }
}
