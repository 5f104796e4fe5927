//! Why a configuration is refused, told to the log.
//!
//! Called by the entry of each filter on Envoy's main thread. Envoy learns no more than that the
//! configuration is refused.

use std::fmt;

use anyhow::{Error, Result};
use envoy_proxy_dynamic_modules_rust_sdk::envoy_log_error;

/// Problems of one configuration that do not hang together. Each has a line of the log to itself.
#[derive(Debug)]
pub(crate) struct Problems(pub(crate) Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl std::error::Error for Problems {}

/// Tells the log why the configuration of the filter `name` is refused.
pub(crate) fn log_refusal<T>(name: &str, configured: Result<T>) -> Option<T> {
    configured
        .inspect_err(|error| {
            for line in lines(error) {
                envoy_log_error!("{name}: {line}");
            }
        })
        .ok()
}

/// What is to be told of an error: each of several [`Problems`], or the error with its causes.
fn lines(error: &Error) -> Vec<String> {
    match error.downcast_ref::<Problems>() {
        Some(Problems(problems)) => problems.clone(),
        None => vec![format!("{error:#}")],
    }
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;

    #[test]
    fn each_of_several_problems_is_told_alone() {
        let problems = Problems(vec!["a: is none".into(), "b: is none".into()]);
        assert_eq!(lines(&problems.into()), ["a: is none", "b: is none"]);
    }

    #[test]
    fn an_error_is_told_with_its_causes() {
        let error = Err::<(), _>(anyhow!("full")).context("no counter");
        assert_eq!(lines(&error.unwrap_err()), ["no counter: full"]);
    }

    #[test]
    fn what_is_refused_is_none() {
        assert_eq!(log_refusal("a", Ok(1)), Some(1));
    }
}
