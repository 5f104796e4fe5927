//! A project outside the workspace, and cargo in it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustformations_tests::workspace;

/// What is built of examples: one folder for all, so that what they share is built once.
pub(crate) fn target() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    // target/<profile>/deps/<test>
    let own = test.ancestors().nth(3);
    own.unwrap().join("examples")
}

/// Runs cargo for the project in `folder`, and returns what it printed.
pub(crate) fn cargo(folder: &Path, arguments: &[&str], environment: &[(&str, &OsStr)]) -> String {
    let mut cargo = Command::new(workspace::root().join("examples/cargo.sh"));
    let (command, rest) = arguments.split_first().unwrap();
    cargo.env("CARGO", env!("CARGO")).arg(command);
    cargo.arg("--manifest-path").arg(folder.join("Cargo.toml"));
    cargo.arg("--target-dir").arg(target()).args(rest);
    cargo.envs(environment.iter().copied());
    let output = cargo.output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    assert!(output.status.success(), "{cargo:?}\n{printed}");
    printed
}
