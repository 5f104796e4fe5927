//! The reserved rule in a configuration: found, taken out, and read as the name of a profile.

use serde_json::{Map, Value};

use super::PROFILE_HEADER;
use crate::codes::Code;
use crate::config::fields::{header, top, transform, when};
use crate::config::has_markers;
use crate::diagnostics::Diagnostic;

/// The profile that a configuration chooses.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Its name, as it was written.
    pub(crate) name: String,
    /// Where the rule stands.
    pub(crate) path: String,
}

/// What was taken out of a configuration.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// What is chosen, if something is and can be read.
    pub(crate) choice: Option<Choice>,
    /// Which entries of `request.set` are gone, in ascending order.
    pub(crate) entries: Vec<usize>,
}

/// Takes the rules that choose a profile out of a configuration. Of several, the last counts, as for every
/// header; what is wrong with any is added to `found`.
pub(crate) fn take(config: &mut Map<String, Value>, found: &mut Vec<Diagnostic>) -> Taken {
    let taken = match config.get_mut(top::REQUESTS.name) {
        Some(Value::Object(request)) => {
            let path = format!("{}.{}", top::REQUESTS.name, transform::SET.name);
            take_from(request, &path, found)
        }
        _ => Taken::default(),
    };
    for path in mentions(config) {
        let message =
            format!("{PROFILE_HEADER} chooses a profile, which only a rule of request.set can");
        found.push(bad(&path, message).with_help(HELP));
    }
    taken
}

/// Where the reserved header is named by rules that would give it a value.
pub(crate) fn mentions(config: &Map<String, Value>) -> Vec<String> {
    let mut places = Vec::new();
    for direction in [top::REQUESTS.name, top::RESPONSES.name] {
        match config.get(direction) {
            Some(Value::Object(fields)) => mentions_in(fields, direction, &mut places),
            Some(Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    if let Value::Object(fields) = item {
                        mentions_in(fields, &format!("{direction}[{index}]"), &mut places);
                    }
                }
            }
            _ => {}
        }
    }
    places
}

fn mentions_in(transform: &Map<String, Value>, parent: &str, places: &mut Vec<String>) {
    for list in [
        transform::SET.name,
        transform::ADD.name,
        transform::EDIT.name,
    ] {
        match transform.get(list) {
            Some(Value::Array(rules)) => {
                for (index, rule) in rules.iter().enumerate() {
                    if is_reserved(rule.get(header::NAME.name)) {
                        places.push(format!("{parent}.{list}[{index}]"));
                    }
                }
            }
            Some(Value::Object(rules)) => {
                let reserved = rules.keys().filter(|name| is_header(name));
                places.extend(reserved.map(|name| format!("{parent}.{list}[{name:?}]")));
            }
            _ => {}
        }
    }
}

/// Takes the rules out of the `set` of a request, in either shape.
fn take_from(request: &mut Map<String, Value>, path: &str, found: &mut Vec<Diagnostic>) -> Taken {
    let mut taken = Taken::default();
    match request.get_mut(transform::SET.name) {
        Some(Value::Array(rules)) => {
            let is_chooser = |rule: &Value| is_reserved(rule.get(header::NAME.name));
            let choosers = rules
                .iter()
                .enumerate()
                .filter(|(_, rule)| is_chooser(rule));
            for (index, rule) in choosers {
                let path = format!("{path}[{index}]");
                taken.entries.push(index);
                if rule.get(when::WHEN.name).is_some_and(|it| !it.is_null()) {
                    let path = format!("{path}.{}", when::WHEN.name);
                    found.push(bad(&path, "a profile is chosen for all requests").with_help(HELP));
                }
                let value = rule.get(header::VALUE.name);
                taken.choice = name(value, format!("{path}.{}", header::VALUE.name), found);
            }
            rules.retain(|rule| !is_chooser(rule));
        }
        Some(Value::Object(rules)) => {
            let reserved: Vec<_> = rules.keys().filter(|it| is_header(it)).cloned().collect();
            for key in reserved {
                let value = rules.shift_remove(&key);
                taken.choice = name(value.as_ref(), format!("{path}[{key:?}]"), found);
            }
        }
        _ => {}
    }
    taken
}

/// Reads a value as the name of a profile, which it must be as it stands.
fn name(value: Option<&Value>, path: String, found: &mut Vec<Diagnostic>) -> Option<Choice> {
    let name = match value {
        Some(Value::String(name)) => name.trim(),
        None | Some(Value::Null) => "",
        Some(_) => {
            found.push(bad(&path, "the name of a profile is a string").with_help(HELP));
            return None;
        }
    };
    if name.is_empty() {
        found.push(bad(&path, "this names no profile").with_help(HELP));
        return None;
    }
    if has_markers(name) || name.contains('%') {
        let message =
            "the name of a profile is no template: it is read when the configuration is loaded";
        found.push(bad(&path, message).with_help(HELP));
        return None;
    }
    let name = name.to_owned();
    Some(Choice { name, path })
}

fn is_reserved(name: Option<&Value>) -> bool {
    name.and_then(Value::as_str).is_some_and(is_header)
}

fn is_header(name: &str) -> bool {
    name.eq_ignore_ascii_case(PROFILE_HEADER)
}

const HELP: &str = "write {\"request\": {\"set\": [{\"name\": \"x-rustformations-profile\", \"value\": \"chat\"}]}}, \
                    with the name of a profile";

pub(super) fn bad(path: &str, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::BAD_PROFILE_CHOICE, path, message)
}
