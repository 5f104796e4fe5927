//! Workflows are what actionlint and shellcheck take, ask for few permissions, and pin what they run.
#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustformations_tests::{tools, workspace};

const PROGRAM: &str = "github.com/rhysd/actionlint/cmd/actionlint";
const VERSION: &str = "v1.7.12";

/// What actionlint says of a workflow, and whether it takes it; `None` where it or shellcheck cannot be had.
fn actionlint(workflow: &Path) -> Option<(bool, String)> {
    let program = match tools::by_go(PROGRAM, VERSION) {
        Ok(program) => program,
        Err(error) => {
            tools::skip_outside_ci(&format!("{error:#}")).unwrap();
            return None;
        }
    };
    let output = Command::new(program)
        .args(["-no-color", "-pyflakes=", "-shellcheck"])
        .arg(tools::by_pip("shellcheck").unwrap()?)
        .arg(workflow)
        .current_dir(workspace::root())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    Some((output.status.success(), said))
}

fn workflows() -> Vec<PathBuf> {
    let folder = workspace::root().join(".github/workflows");
    let files = fs::read_dir(folder).unwrap();
    let files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 1, "{files:?}");
    files
}

#[test]
fn they_are_clean_for_actionlint() {
    for workflow in workflows() {
        if let Some((is_clean, said)) = actionlint(&workflow) {
            assert!(is_clean, "{said}");
        }
    }
}

#[test]
fn actionlint_finds_what_is_wrong_in_expressions_and_scripts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.yml");
    let bad = "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      \
               - run: echo $HOME\n      - run: echo '${{ steps.none.outputs.x }}'\n";
    fs::write(&file, bad).unwrap();
    if let Some((_, said)) = actionlint(&file) {
        for wrong in ["SC2086", "\"none\" is not defined"] {
            assert!(said.contains(wrong), "{wrong}: {said}");
        }
    }
}

#[test]
fn actions_are_pinned_by_commit_and_say_which_version_that_is() {
    for workflow in workflows() {
        let text = fs::read_to_string(&workflow).unwrap();
        let uses = text.lines().filter_map(|line| line.split_once("uses: "));
        for (_, action) in uses {
            let (_, pin) = action.split_once('@').unwrap();
            let (commit, version) = pin.split_once(" # v").unwrap_or((pin, ""));
            let is_commit = commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
            let says_version = version.split('.').count() == 3;
            assert!(
                is_commit && says_version,
                "{}: {action}",
                workflow.display()
            );
        }
    }
}

/// Each job that may write says so itself, and none keeps the token for what it runs.
#[test]
fn workflows_may_read_and_no_more() {
    for workflow in workflows() {
        let text = fs::read_to_string(&workflow).unwrap();
        let name = workflow.display();
        let top = "\npermissions:\n  contents: read\n\n";
        assert!(text.contains(top), "{name}");
        assert!(!text.contains("write-all"), "{name}");
        let checkouts = text.matches("actions/checkout@").count();
        let forgotten = text.matches("persist-credentials: false").count();
        assert_eq!(checkouts, forgotten, "{name}");
    }
}
