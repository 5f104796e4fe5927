//! The targets under libFuzzer, which learns from the branches that inputs take. `fuzz/libfuzzer.sh`
//! builds and runs this; `FUZZ_TARGET` names the target.

#![no_main]

use std::process::exit;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use rustformations_fuzz::targets::{TARGETS, Target};

static TARGET: OnceLock<&Target> = OnceLock::new();

fn target() -> &'static Target {
    TARGET.get_or_init(|| {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        match TARGETS.iter().find(|target| target.name == name) {
            Some(target) => target,
            // Nothing to fuzz, and libFuzzer would take a panic for a find.
            None => exit(2),
        }
    })
}

fuzz_target!(|input: &[u8]| {
    let _ = (target().run)(input);
});
