//! Fuzzing: what must hold whatever bytes come.
//!
//! A [target](targets) is a plain function over bytes that panics when a promise is broken: it
//! compares us with others (serde_json, another JSON Patch, a plain access list), or with ourselves
//! (other chunks, same bytes), or asks what no configuration and no message may bring about. The
//! binary `fuzz` tries targets with mutations of [seeds] on any stable toolchain; `make fuzz` runs it
//! for a bounded time, and libFuzzer where it can be built. Inputs that once broke something stay in
//! `fuzz/corpus` and are tried again by every `make test`.

#![forbid(unsafe_code)]

pub mod goldens;
pub mod mutate;
pub mod scene;
pub mod seeds;
pub mod targets;
