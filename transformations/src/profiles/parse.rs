//! A configuration with the profile that it chooses, read.

use std::sync::Arc;

use super::{Chosen, NoProfiles, Profiles, resolve};
use crate::config::{self, Config};
use crate::diagnostics::Diagnostic;

/// A configuration that was read.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub(crate) config: Config,
    /// The profile that it was joined with.
    pub(crate) profile: Option<Chosen>,
    /// What is wrong with how it chooses a profile.
    pub(crate) chosen_badly: Vec<Diagnostic>,
    /// What is wrong with what came of it; the paths are those of the joined configuration.
    pub(crate) found: Vec<Diagnostic>,
}

/// Reads a configuration. Empty and blank input mean `{}`. `profiles` is asked if it chooses one.
///
/// Always answers what could be read, beside everything that was found; whether that refuses the
/// configuration is decided by the severities.
pub(crate) fn parse(
    bytes: &[u8],
    profiles: impl FnOnce() -> Result<Arc<Profiles>, NoProfiles>,
) -> Parsed {
    let mut parsed = Parsed::default();
    match config::to_json(bytes) {
        Ok(mut value) => {
            parsed.profile = resolve(&mut value, profiles, &mut parsed.chosen_badly);
            (parsed.config, parsed.found) = config::read(&value);
        }
        Err(problem) => parsed.found.push(*problem),
    }
    parsed
}
