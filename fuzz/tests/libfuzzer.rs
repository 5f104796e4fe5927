//! The script that runs libFuzzer takes every target.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use rustformations_fuzz::targets::TARGETS;

#[test]
fn libfuzzer_takes_every_target() {
    let script = include_str!("../libfuzzer.sh");
    let listed = script.lines().find_map(|line| {
        let names = line.strip_prefix("for target in ")?;
        names.strip_suffix("; do")
    });
    let listed: Vec<_> = listed.unwrap().split(' ').collect();
    let targets: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(listed, targets);
}
