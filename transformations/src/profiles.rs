//! Profiles: whole configurations with names, of which a policy chooses one.
//!
//! A policy of kgateway carries only its own fields. One that sets the reserved request header
//! `x-rustformations-profile` to a constant has the profile of that name under what it says itself. The
//! rule is taken out when the configuration is loaded; nobody ever sees the header.
//!
//! Read by whoever watches the file, and by the compiler on the main thread. Here is what a file holds; what
//! chooses is in `choice`, what becomes of both in `join`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::codes::Code;
use crate::config::fields::profiles as fields;
use crate::diagnostics::{Diagnostic, Diagnostics, nearest};

mod choice;
mod join;
mod parse;
mod text;

use choice::Choice;
use join::{Join, Origins};
pub(crate) use parse::{Parsed, parse};

/// The environment variable that names the file of profiles.
pub const PROFILES_VARIABLE: &str = "RUSTFORMATIONS_PROFILES";

/// The reserved header whose rule chooses a profile.
pub const PROFILE_HEADER: &str = "x-rustformations-profile";

/// The one field of the file.
const FIELD: &str = fields::PROFILES.name;

/// How long the name of a profile may be.
const LONGEST_NAME: usize = 64;

/// The profiles of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Profiles {
    /// Where they come from, as its author knows the file.
    file: String,
    named: BTreeMap<String, Map<String, Value>>,
}

impl Profiles {
    /// Reads the text of `file`: JSON if its name ends with `.json`, else YAML.
    ///
    /// Each profile is checked for what makes it one; whether it compiles is asked with
    /// [`Program::compile_with`](crate::Program::compile_with).
    ///
    /// # Errors
    /// Everything that is wrong with the file as such.
    pub fn parse(file: &str, text: &[u8]) -> Result<Profiles, Diagnostics> {
        let mut found = Vec::new();
        let mut profiles = Profiles {
            file: file.to_owned(),
            named: BTreeMap::new(),
        };
        match text::to_value(file, text) {
            Ok(Value::Object(root)) => profiles.take(root, &mut found),
            Ok(_) => found.push(problem("", "a file of profiles is one object").with_help(SHAPE)),
            Err(why) => found.push(problem("", why)),
        }
        if found.is_empty() {
            return Ok(profiles);
        }
        let named = found.into_iter().map(|it| it.inside(file));
        Err(Diagnostics::new(named.collect()))
    }

    fn take(&mut self, root: Map<String, Value>, found: &mut Vec<Diagnostic>) {
        if !root.contains_key(FIELD) {
            found.push(problem("", "there is no field \"profiles\"").with_help(SHAPE));
        }
        for (name, value) in root {
            let Value::Object(named) = value else {
                let message = "expected an object";
                found.push(problem(&shown(&name), message).with_help(SHAPE));
                continue;
            };
            if name != FIELD {
                let message = "this field is not known";
                found.push(problem(&shown(&name), message).with_help(SHAPE));
                continue;
            }
            for (name, profile) in named {
                self.add(name, profile, found);
            }
        }
    }

    fn add(&mut self, name: String, profile: Value, found: &mut Vec<Diagnostic>) {
        let path = format!("{FIELD}.{}", shown(&name));
        if !is_name(&name) {
            let message = format!(
                "the name of a profile is made of letters, digits, \"-\", \"_\" and \".\", at most {LONGEST_NAME}"
            );
            found.push(problem(&path, message));
            return;
        }
        let Value::Object(profile) = profile else {
            found.push(problem(&path, "a profile is a configuration: an object"));
            return;
        };
        for at in choice::mentions(&profile) {
            let message = format!("a profile cannot choose one: {PROFILE_HEADER} is for policies");
            found.push(problem(&format!("{path}.{at}"), message));
        }
        self.named.insert(name, profile);
    }

    /// Where they come from.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Their names in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(String::as_str)
    }

    /// Whether there is one of this name.
    pub fn has(&self, name: &str) -> bool {
        self.named.contains_key(name)
    }

    /// Whether both say the same under this name.
    pub fn agrees(&self, other: &Profiles, name: &str) -> bool {
        self.named.get(name) == other.named.get(name)
    }

    /// A configuration that chooses a profile and says nothing else.
    pub fn chooser(name: &str) -> String {
        let rule = serde_json::json!({"name": PROFILE_HEADER, "value": name});
        serde_json::json!({"request": {"set": [rule]}}).to_string()
    }

    fn unknown(&self, name: &str, path: &str) -> Diagnostic {
        let shown: String = name.chars().take(LONGEST_NAME).collect();
        let message = format!("{} has no profile {shown:?}", self.file);
        let problem = Diagnostic::error(Code::UNKNOWN_PROFILE, path, message);
        let known: Vec<_> = self.names().collect();
        problem.with_help(match (nearest(&shown, self.names()), known.is_empty()) {
            (_, true) => "it has none".to_owned(),
            (Some(near), _) => format!(
                "did you mean \"{near}\"? the profiles are {}",
                known.join(", ")
            ),
            (None, _) => format!("the profiles are {}", known.join(", ")),
        })
    }
}

/// Why there are no profiles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoProfiles {
    /// Nobody said where they are.
    Unset,
    /// The file that was named cannot be read, or is not valid.
    Broken {
        /// Its path.
        file: String,
        /// What is wrong with it.
        why: String,
    },
}

/// The profile that a configuration was joined with.
#[derive(Debug)]
pub(crate) struct Chosen {
    /// Its name.
    pub(crate) name: String,
    /// Where each part of the joined configuration stands.
    pub(crate) origins: Origins,
}

/// Joins a configuration with the profile that it chooses, if it chooses one; what is wrong with the choice is
/// added to `found`, and the rules that choose are gone in any case.
fn resolve(
    config: &mut Value,
    profiles: impl FnOnce() -> Result<Arc<Profiles>, NoProfiles>,
    found: &mut Vec<Diagnostic>,
) -> Option<Chosen> {
    let Value::Object(policy) = config else {
        return None;
    };
    let taken = choice::take(policy, found);
    let Choice { name, path } = taken.choice?;
    let profiles = match profiles() {
        Ok(profiles) => profiles,
        Err(why) => {
            found.push(no_profiles(why, &path));
            return None;
        }
    };
    let Some(profile) = profiles.named.get(&name) else {
        found.push(profiles.unknown(&name, &path));
        return None;
    };
    let mut join = Join::new(&profiles.file, &name, &taken.entries, found);
    *policy = join.configurations(profile, std::mem::take(policy));
    let origins = join.into_origins();
    Some(Chosen { name, origins })
}

fn no_profiles(why: NoProfiles, path: &str) -> Diagnostic {
    match why {
        NoProfiles::Unset => {
            let help =
                format!("name a file of them in {PROFILES_VARIABLE}, in Envoy's environment");
            let message = "no profiles are configured";
            Diagnostic::error(Code::UNKNOWN_PROFILE, path, message).with_help(help)
        }
        NoProfiles::Broken { file, why } => {
            let message = format!("there are no profiles, since {file} is not valid");
            Diagnostic::error(Code::UNKNOWN_PROFILE, path, message).with_help(why)
        }
    }
}

const SHAPE: &str =
    "write {\"profiles\": {\"chat\": {\"request\": {}, \"ai\": {}}}}, or the same in YAML";

fn problem(path: &str, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::BAD_PROFILES, path, message)
}

/// So much of a name as a diagnostic shows.
fn shown(name: &str) -> String {
    name.chars().take(LONGEST_NAME).collect()
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(allowed)
}
