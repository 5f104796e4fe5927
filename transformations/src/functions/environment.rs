//! `env`, and the rule that says which variables it may read.
//!
//! Variables are read once, when a configuration that asks for any is compiled: looking them up on a
//! worker would take the process-wide lock of the environment, and race with whoever changes it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use minijinja::{State, Value};
use once_cell::sync::OnceCell;

use super::{Configured, Function, function};
use crate::options::ENV_ALLOW_VARIABLE;
use crate::value::found;

pub(super) const FUNCTIONS: &[Function] = &[function!(
    "env",
    "env(name)",
    "The environment variable of the proxy, read when the configuration was loaded; empty if it is not set.",
    ("{{ env(\"RUSTFORMATIONS_NOT_SET\") }}", ""),
    (1, 1),
    Environment,
    |environment, private| environment.add_function(private, env),
)];

fn env(state: &State<'_, '_>, name: Cow<'_, str>) -> Value {
    let value = Configured::with(state, |configured| {
        found::to_value(configured.env.find(&name))
    });
    value.unwrap_or_else(|| found::to_value(None::<&str>))
}

/// How to end that every name may be read.
pub(crate) const OPEN_HELP: &str =
    "list the names in \"envAllow\", or in RUSTFORMATIONS_ENV_ALLOW in Envoy's environment";

/// The variables that templates of one configuration may read, with their values.
#[derive(Debug)]
pub(crate) struct EnvAccess {
    /// `None`: every name may be read.
    allowed: Option<Box<[String]>>,
    /// Empty until a template is compiled that asks for one.
    values: OnceCell<BTreeMap<String, String>>,
}

impl EnvAccess {
    /// A name may be read if no list there is leaves it out: the host's list is a ceiling that a
    /// configuration can narrow but not widen.
    pub(crate) fn new(host: Option<&[String]>, config: Option<&[String]>) -> EnvAccess {
        let allowed: Option<Box<[String]>> = match (host, config) {
            (None, None) => None,
            (Some(names), None) | (None, Some(names)) => Some(names.into()),
            (Some(host), Some(config)) => Some(
                config
                    .iter()
                    .filter(|name| host.contains(name))
                    .cloned()
                    .collect(),
            ),
        };
        EnvAccess {
            allowed,
            values: OnceCell::new(),
        }
    }

    /// Reads the variables, once. The compiler asks for this where a template asks for one.
    pub(crate) fn read(&self) {
        self.values.get_or_init(|| match &self.allowed {
            Some(names) => names
                .iter()
                // An empty name, or one with '=' or NUL, is no variable.
                .filter(|name| !name.is_empty() && !name.contains(['=', '\0']))
                .filter_map(|name| Some((name.clone(), std::env::var(name).ok()?)))
                .collect(),
            None => std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
        });
    }

    /// Whether any template asks for variables.
    pub(crate) fn is_read(&self) -> bool {
        self.values.get().is_some()
    }

    pub(crate) fn allows(&self, name: &str) -> bool {
        self.allowed
            .as_ref()
            .is_none_or(|names| names.iter().any(|allowed| allowed == name))
    }

    /// Whether there is no list at all, so that every name may be read.
    pub(crate) fn is_open(&self) -> bool {
        self.allowed.is_none()
    }

    /// The value, if there is such a variable among those that were [read](Self::read).
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.values.get()?.get(name).map(String::as_str)
    }

    /// What to do about a name that is not allowed.
    pub(crate) fn help(&self) -> String {
        format!("add it to \"envAllow\", and to {ENV_ALLOW_VARIABLE} where that is set")
    }
}
