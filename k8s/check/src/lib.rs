//! Checks of what this repository ships beside the module: the container image and the Kubernetes
//! manifests. Used by the tests in `tests/*.rs` only; nothing here is part of the module.
//!
//! - [`tree`]: where things are, and what every overlay renders to.
//! - [`schema`]: resource definitions, and whether an object obeys them.
//! - [`references`]: whether objects that name each other find each other.
//! - [`dockerfile`]: the Dockerfile as instructions, rules for it, and what its context leaves out.
//!
//! Tools (kubectl, shellcheck, hadolint) are found by `rustformations_tests::tools`. Resource definitions are
//! never fetched: a test without them says loudly that it was skipped.
#![forbid(unsafe_code)]

pub mod dockerfile;
pub mod references;
pub mod schema;
pub mod tree;
