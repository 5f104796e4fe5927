//! What `tests/all.sh` makes of the output of cargo: the total, and what was skipped.

#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use rustformations_tests::workspace;

/// Runs the script with a cargo that carries out `body`.
fn run(folder: &Path, body: &str) -> Output {
    let cargo = folder.join("cargo");
    fs::write(&cargo, format!("#!/bin/sh\n{body}")).unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    Command::new(workspace::root().join("tests/all.sh"))
        .arg("--quiet")
        .env("CARGO", cargo)
        .env("SKIPPED_TESTS", folder.join("skipped"))
        .output()
        .unwrap()
}

fn printed(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(str::to_owned).collect()
}

#[test]
fn the_last_line_is_the_total_over_all_programs() {
    let folder = tempfile::tempdir().unwrap();
    let body = "echo \"$@\"\necho Running >&2\n\
        echo 'test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 9 filtered out; finished in 0.01s'\n\
        echo 'test result: FAILED. 40 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out'\nexit 101";
    let output = run(folder.path(), body);
    let lines = printed(&output);
    assert_eq!(lines[0], "test --workspace --no-fail-fast --quiet");
    assert_eq!(lines[1], "Running");
    assert_eq!(lines[lines.len() - 2], "Nothing was skipped.");
    assert_eq!(lines[lines.len() - 1], "43 passed, 2 failed");
    assert_eq!(output.status.code(), Some(101));
}

#[test]
fn what_was_skipped_is_said_once_and_why() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("skipped"), "lint: before\n").unwrap();
    let body = "echo 'policies a: no kubectl' >>\"$SKIPPED_TESTS\"\n\
        echo 'policies a: no kubectl' >>\"$SKIPPED_TESTS\"\n\
        echo 'test slow::one ... ignored, takes an hour'\n\
        echo 'test src/lib.rs - (line 6) ... ignored'\n\
        echo 'test result: ok. 1 passed; 0 failed; 2 ignored'";
    let output = run(folder.path(), body);
    assert!(output.status.success());
    let lines = printed(&output);
    let said = lines.iter().position(|line| line == "Skipped:").unwrap();
    assert_eq!(
        lines[said + 1..],
        [
            "  lint: before",
            "  policies a: no kubectl",
            "  slow::one: takes an hour",
            "  src/lib.rs - (line 6): ignored",
            "1 passed, 0 failed",
        ]
    );
}

#[test]
fn what_does_not_compile_is_no_success() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), "echo 'error: no' >&2\nexit 7");
    assert_eq!(output.status.code(), Some(7));
    let lines = printed(&output);
    assert_eq!(
        lines[lines.len() - 2..],
        [
            "cargo ended with status 7, though no test failed: see above",
            "0 passed, 0 failed"
        ]
    );
}

/// Run by the test below, as a program of its own with a file for what is skipped.
#[test]
fn skipping_itself() {
    if std::env::var_os("SKIP_ITSELF").is_some() {
        rustformations_tests::tools::skip("there is\nno moon").unwrap();
    }
}

#[test]
fn a_test_that_skips_itself_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("skipped");
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "skipping_itself", "--test-threads=2"])
        .env("SKIP_ITSELF", "1")
        .env("SKIPPED_TESTS", &file)
        .output()
        .unwrap();
    let line = "all skipping_itself: there is no moon\n";
    assert_eq!(fs::read_to_string(file).unwrap(), line);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&format!("SKIPPED {line}")), "{said}");
}
