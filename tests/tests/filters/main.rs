//! Filters of others: the project in `examples/my-filter` and the one that `docs/filters.md` prints, built as
//! strangers build them, but with the SDK of this tree; and what their pages say, done in an Envoy.
#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

mod curl;
mod page;
mod project;
mod template;

use rustformations_tests::workspace;

/// The address of the repository, which is written in one place.
fn repository() -> String {
    let manifest = std::fs::read_to_string(workspace::root().join("Cargo.toml")).unwrap();
    let mut lines = manifest.lines();
    let found = lines.find_map(|line| line.strip_prefix("repository = \"")?.strip_suffix('"'));
    found.unwrap().to_owned()
}
