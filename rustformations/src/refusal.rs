//! Why a configuration is refused, told to the log.
//!
//! Called by the entry of each filter on Envoy's main thread. Envoy learns no more than that the
//! configuration is refused.

use anyhow::{Result, anyhow};
use envoy_proxy_dynamic_modules_rust_sdk::envoy_log_error;
use transformations::Diagnostics;

/// Tells the log why the configuration of the filter `name` is refused.
pub(crate) fn log_refusal<T>(name: &str, configured: Result<T>) -> Option<T> {
    configured
        .inspect_err(|error| envoy_log_error!("{name}: {error:#}"))
        .ok()
}

/// What is wrong with the text of a configuration, as an error.
pub(crate) fn refused(problems: Diagnostics) -> anyhow::Error {
    anyhow!("the configuration is refused\n{problems}")
}
