//! What can go wrong between a filter and its host.
//!
//! Returned by the `try_*` methods, on whatever thread they are called. The methods that keep the
//! official signatures report the same outcomes as `false` or `None`.

use std::error::Error;
use std::fmt;

use crate::capabilities::{Capability, EnvoyVersion};

/// A request to the host that was not carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AbiError {
    /// This Envoy has no such callback, and no honest substitute exists.
    Unsupported {
        /// What was asked for.
        capability: Capability,
        /// The host that lacks it; `None` when the code runs outside any Envoy.
        host: Option<EnvoyVersion>,
    },
    /// Envoy has the callback and answered no: for headers, the map does not exist at this point of
    /// the stream or the name cannot be changed this way.
    Refused {
        /// The operation, in the words of this crate's API.
        operation: &'static str,
    },
    /// The stream is over; nothing can be asked of it any more.
    StreamGone,
}

impl fmt::Display for AbiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported {
                capability,
                host: Some(host),
            } => write!(
                f,
                "{capability} needs Envoy {} or later; this is Envoy {host}",
                capability.since()
            ),
            Self::Unsupported {
                capability,
                host: None,
            } => write!(
                f,
                "{capability} needs Envoy {} or later; there is no Envoy here",
                capability.since()
            ),
            Self::Refused { operation } => write!(f, "Envoy refused: {operation}"),
            Self::StreamGone => f.write_str("the stream is already over"),
        }
    }
}

impl Error for AbiError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unsupported_call_names_capability_host_and_first_envoy() {
        let error = AbiError::Unsupported {
            capability: Capability::AddHeader,
            host: Some(EnvoyVersion::V1_36),
        };
        assert_eq!(
            error.to_string(),
            "adding a header line needs Envoy 1.37 or later; this is Envoy 1.36"
        );
    }
}
