//! Envoys for tests: as `envoys` brings and runs them, asked through their admin interface.
//!
//! Called by every end-to-end test and by the lab's programs, on whatever thread they use.

mod admin;
mod process;

use std::path::PathBuf;

use anyhow::Result;

pub use envoys::{Envoy, PATCH_RELEASES, Settings, VERSIONS, Version};
pub use process::{EnvoyProcess, Refusal};

/// Where unpacked Envoys are kept: `ENVOY_CACHE`, else `target/envoy` of this workspace (whatever
/// `CARGO_TARGET_DIR` says, so that a second target directory does not mean a second download).
fn cache() -> PathBuf {
    let own = || crate::workspace::root().join("target/envoy");
    envoys::cache_of_environment().unwrap_or_else(own)
}

/// The Envoy of `version`, as [`Envoy::bring`] brings it.
///
/// # Errors
/// As [`Envoy::bring`].
pub fn bring(version: Version) -> Result<Envoy> {
    Envoy::bring(version, &cache())
}

/// The Envoy that the environment asks for, as [`Envoy::chosen`] has it.
///
/// # Errors
/// As [`Envoy::bring`].
pub fn chosen() -> Result<Envoy> {
    Envoy::chosen(&cache())
}
