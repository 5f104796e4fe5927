//! Every seed and every file of the corpus goes through its target, each target in a process of its
//! own: what was once found does not come back.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::process::Command;

use rustformations_fuzz::targets::TARGETS;

#[test]
fn seeds_and_corpus_keep_every_promise() {
    for target in TARGETS {
        let replay = Command::new(env!("CARGO_BIN_EXE_fuzz"))
            .args(["replay", target.name])
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&replay.stderr);
        let end = told.char_indices().rev().nth(4000).map_or(0, |(at, _)| at);
        assert!(replay.status.success(), "{}: {}", target.name, &told[end..]);
        let stdout = String::from_utf8_lossy(&replay.stdout);
        let count: usize = stdout.split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!(count > 0, "{} starts from nothing", target.name);
    }
}
