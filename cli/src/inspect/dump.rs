//! What `/config_dump` says of this module, and of what Envoy did not take.

use anyhow::{Context, Result};
use serde_json::Value;
use transformations::profiles::PROFILE_HEADER;

use crate::find::path::{Path, Segment};
use crate::find::{Found, What, find};
use crate::source::Source;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Dump {
    pub(super) configurations: Vec<Configuration>,
    pub(super) refused: Vec<Refused>,
}

/// A configuration of this module.
#[derive(Debug)]
pub(super) struct Configuration {
    /// The names on the way to it, from the outside to the inside.
    pub(super) place: Vec<String>,
    /// Where it stands in the dump.
    pub(super) path: String,
    /// The filter, or why there is none.
    pub(super) filter: Result<&'static str, String>,
    pub(super) profile: Option<String>,
    pub(super) bytes: usize,
}

/// Something that Envoy did not take.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) what: String,
    pub(super) why: String,
}

impl Dump {
    /// # Errors
    /// If it is no JSON.
    pub(super) fn read(text: &str) -> Result<Dump> {
        let all: Value = serde_json::from_str(text).context("/config_dump is no JSON")?;
        let source = Source {
            name: "config_dump".to_owned(),
            is_named: false,
            bytes: Ok(text.as_bytes().to_vec()),
        };
        let configurations = find(&source)
            .iter()
            .filter_map(|found| configuration(found, &all))
            .collect();
        let mut refused = Vec::new();
        errors(&all, &Path::default(), &all, &mut refused);
        Ok(Dump {
            configurations,
            refused,
        })
    }
}

fn configuration(found: &Found, all: &Value) -> Option<Configuration> {
    // What is in the bootstrap stands once more among what came of it.
    let is_in_bootstrap = found
        .spot
        .outermost()
        .segments()
        .iter()
        .any(|it| matches!(it, Segment::Name(name) if name == "bootstrap"));
    if is_in_bootstrap {
        return None;
    }
    let (filter, text) = match &found.what {
        What::Config(filter, text) => (Ok(filter.name()), text.as_slice()),
        What::Wrong(problem) => (Err(problem.message().to_owned()), &[][..]),
        _ => return None,
    };
    Some(Configuration {
        place: names(all, found.spot.outermost()),
        path: found.place.clone(),
        filter,
        profile: profile(text),
        bytes: text.len(),
    })
}

/// The profile that a configuration chooses.
fn profile(text: &[u8]) -> Option<String> {
    let config: Value = serde_json::from_slice(text).ok()?;
    let rules = config.pointer("/request/set")?.as_array()?;
    let rule = rules.iter().find(|rule| {
        let name = rule.get("name").and_then(Value::as_str);
        name.is_some_and(|it| it.eq_ignore_ascii_case(PROFILE_HEADER))
    });
    Some(rule?.get("value")?.as_str()?.to_owned())
}

/// What has a name on the way, each with what it is one of: `virtual_hosts all`; a list's items without a name have
/// their number.
fn names(all: &Value, path: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let (mut value, mut last) = (all, "");
    for segment in path.segments() {
        let next = match segment {
            Segment::Name(name) => value.get(name),
            Segment::Number(number) => value.get(number),
        };
        let Some(next) = next else { break };
        value = next;
        let named = value.get("name").and_then(Value::as_str);
        match segment {
            // The dump's own lists say nothing.
            Segment::Number(number) if last != "configs" => match named {
                Some(name) => names.push(format!("{last} {name}")),
                None if last == "routes" => names.push(format!("{last}[{number}]{}", on(value))),
                None => {}
            },
            Segment::Number(_) => {}
            Segment::Name(name) => {
                last = name;
                if let Some(found) = named
                    .filter(|_| matches!(name.as_str(), "listener" | "route_config" | "cluster"))
                {
                    names.push(format!("{last} {found}"));
                }
            }
        }
    }
    names
}

/// What a route matches, if that can be said in a word.
fn on(route: &Value) -> String {
    let matched = ["prefix", "path", "path_separated_prefix"].into_iter();
    let mut found = matched.filter_map(|it| route.get("match")?.get(it)?.as_str());
    found.next().map_or(String::new(), |it| format!(" {it}"))
}

/// Every `error_state`, wherever it stands.
fn errors(value: &Value, path: &Path, all: &Value, refused: &mut Vec<Refused>) {
    match value {
        Value::Object(fields) => {
            if let Some(state) = fields.get("error_state") {
                let why = state.get("details").and_then(Value::as_str);
                let named = fields.get("name").and_then(Value::as_str);
                let failed = || state.get("failed_configuration")?.get("name")?.as_str();
                let name = named.or_else(failed).map(str::to_owned);
                refused.push(Refused {
                    what: name.unwrap_or_else(|| names(all, path).join(", ")),
                    why: why.unwrap_or_default().to_owned(),
                });
            }
            for (name, value) in fields {
                errors(value, &path.name(name), all, refused);
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                errors(item, &path.number(number), all, refused);
            }
        }
        _ => {}
    }
}
