//! The configuration of the filter `http-acl` as its author wrote it, checked for shape.

use super::{bytes, read};
use crate::diagnostics::Diagnostic;
use crate::network::Network;

/// Who is let in, and how others are turned away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRules {
    /// Where no rule matches.
    pub default_action: Action,
    /// The rules, in the order of the text.
    pub rules: Vec<AccessRule>,
    /// How others are turned away.
    pub denial: Denial,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It goes on.
    Allow,
    /// It is answered.
    Deny,
}

/// What happens to clients of some networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRule {
    /// What is reported of it.
    pub name: Option<String>,
    /// What happens.
    pub action: Action,
    /// To whom.
    pub networks: Vec<Network>,
}

/// What those get who are turned away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The status.
    pub status: u32,
    /// Headers, fit to be sent.
    pub headers: Vec<(String, String)>,
    /// The header that says what denied.
    pub blocked_by: Option<String>,
}

impl AccessRules {
    /// Reads a configuration. There are rules unless something is wrong with them.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn parse(bytes: &[u8]) -> Result<AccessRules, Vec<Diagnostic>> {
        match bytes::to_strict_json(bytes) {
            Ok(value) => read::access::list(&value),
            Err(problem) => Err(vec![*problem]),
        }
    }
}
