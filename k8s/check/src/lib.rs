//! Checks of what this repository ships beside the module: the container image and the Kubernetes
//! manifests. Used by the tests in `tests/*.rs` only; nothing here is part of the module.
//!
//! - [`tree`]: where things are, and what every overlay renders to.
//! - [`schema`]: resource definitions, and whether an object obeys them.
//! - [`references`]: whether objects that name each other find each other.
//! - [`dockerfile`]: the Dockerfile as instructions, rules for it, and what its context leaves out.
//! - [`hadolint`]: the linter of Dockerfiles, pinned by hash and brought by pip.
//!
//! Other tools (kubectl, shellcheck) and resource definitions are never fetched: a test says loudly
//! that it was skipped, and, for a tool, fails instead where `CI` is set.
#![forbid(unsafe_code)]

pub mod dockerfile;
pub mod hadolint;
pub mod references;
pub mod schema;
pub mod tree;
