//! A profile and what a policy says beside it, as one configuration.
//!
//! Within a direction, what both list is listed one after the other, the profile's first; of all else, the
//! policy's takes the place of the profile's. Where a profile has several transforms for a direction, each gets
//! the policy's rules, and where the last has a condition, the policy's rules alone are for the rest: they
//! hold for every message.
//!
//! What is said of the joined configuration later is told of the place where it was written.

use serde_json::{Map, Value};

use super::FIELD;
use super::choice::bad;
use crate::config::fields::{header, top, transform, when};
use crate::diagnostics::Diagnostic;

/// Where each part of a joined configuration was written.
#[derive(Debug, Default)]
pub(crate) struct Origins {
    file: String,
    /// Paths in the joined configuration, and where what stands there and below was written.
    places: Vec<(String, Place)>,
}

#[derive(Clone, Debug)]
enum Place {
    Profile(String),
    Policy(String),
}

impl Origins {
    /// The path where something was written: `profiles.NAME.…` for what the profile says.
    pub(crate) fn of(&self, path: &str) -> String {
        self.find(path).1
    }

    /// Tells a problem of the place where it was written, with the file for what the profile says.
    pub(crate) fn relocate(&self, problem: Diagnostic) -> Diagnostic {
        let (in_profile, path) = self.find(problem.path());
        let problem = problem.at(path);
        match in_profile {
            true => problem.inside(&self.file),
            false => problem,
        }
    }

    /// Whether it was written in the profile, and where. The longest place decides, of equal ones the last.
    fn find(&self, path: &str) -> (bool, String) {
        let inside = |place: &str| {
            let rest = path.strip_prefix(place)?;
            (rest.is_empty() || rest.starts_with(['.', '['])).then_some(rest)
        };
        let places = self.places.iter().rev();
        let places = places.filter_map(|(place, origin)| Some((inside(place)?, origin)));
        match places.min_by_key(|(rest, _)| rest.len()) {
            Some((rest, Place::Profile(origin))) => (true, format!("{origin}{rest}")),
            Some((rest, Place::Policy(origin))) => (false, format!("{origin}{rest}")),
            None => (false, path.to_owned()),
        }
    }
}

/// The joining of one policy with its profile.
pub(super) struct Join<'j> {
    /// `profiles.NAME`
    profile: String,
    /// Which entries the policy's `request.set` had and has no more.
    taken: &'j [usize],
    origins: Origins,
    found: &'j mut Vec<Diagnostic>,
}

impl<'j> Join<'j> {
    pub(super) fn new(
        file: &str,
        name: &str,
        taken: &'j [usize],
        found: &'j mut Vec<Diagnostic>,
    ) -> Join<'j> {
        Join {
            profile: format!("{FIELD}.{name}"),
            taken,
            origins: Origins {
                file: file.to_owned(),
                places: Vec::new(),
            },
            found,
        }
    }

    pub(super) fn into_origins(self) -> Origins {
        self.origins
    }

    /// Joins whole configurations.
    pub(super) fn configurations(
        &mut self,
        profile: &Map<String, Value>,
        policy: Map<String, Value>,
    ) -> Map<String, Value> {
        let mut joined = Map::new();
        for (name, value) in profile {
            self.is_of_profile(name, name);
            joined.insert(name.clone(), value.clone());
        }
        for (name, value) in policy {
            if value.is_null() {
                continue;
            }
            let is_direction = name == top::REQUESTS.name || name == top::RESPONSES.name;
            let value = match (is_direction, value) {
                (true, Value::Object(policy)) => {
                    self.direction(&name, joined.shift_remove(&name), policy)
                }
                (true, Value::Array(_)) => {
                    self.refuse(&name, "several transforms");
                    continue;
                }
                (_, value) => {
                    self.is_of_policy(&name, &name);
                    value
                }
            };
            joined.insert(name, value);
        }
        joined
    }

    /// Joins what both say of a direction.
    fn direction(&mut self, at: &str, profile: Option<Value>, policy: Map<String, Value>) -> Value {
        if policy.get(when::WHEN.name).is_some_and(|it| !it.is_null()) {
            let path = format!("{at}.{}", when::WHEN.name);
            self.refuse(&path, "a condition");
        }
        let is_silent =
            |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        match profile {
            Some(profile) if policy.values().all(is_silent) => profile,
            Some(Value::Object(profile)) => self.transform(at, at, profile, policy).into(),
            Some(Value::Array(profiles)) => self.transforms(at, profiles, policy).into(),
            // Whatever else stands there is refused by its reader.
            Some(wrong) if !wrong.is_null() => wrong,
            _ => {
                self.is_of_policy(at, at);
                self.transform(at, at, Map::new(), policy).into()
            }
        }
    }

    fn transforms(
        &mut self,
        at: &str,
        profiles: Vec<Value>,
        policy: Map<String, Value>,
    ) -> Vec<Value> {
        let has_condition = |it: &Value| it.get(when::WHEN.name).is_some_and(|it| !it.is_null());
        let leaves_some = profiles.last().is_none_or(has_condition);
        let mut joined = Vec::new();
        for profile in profiles {
            let place = format!("{at}[{}]", joined.len());
            joined.push(match profile {
                Value::Object(profile) => {
                    self.transform(&place, at, profile, policy.clone()).into()
                }
                wrong => wrong,
            });
        }
        if leaves_some {
            let place = format!("{at}[{}]", joined.len());
            self.is_of_policy(&place, at);
            joined.push(self.transform(&place, at, Map::new(), policy).into());
        }
        joined
    }

    /// Joins a transform of the profile, which is to stand at `at`, with the policy's, which stood at
    /// `policy_at`.
    fn transform(
        &mut self,
        at: &str,
        policy_at: &str,
        profile: Map<String, Value>,
        policy: Map<String, Value>,
    ) -> Map<String, Value> {
        let mut joined = profile;
        for (name, value) in policy {
            if value.is_null() {
                continue;
            }
            let place = format!("{at}.{name}");
            let written = format!("{policy_at}.{name}");
            let before = joined.shift_remove(&name).filter(|it| !it.is_null());
            let before = before.unwrap_or_else(|| Value::Array(Vec::new()));
            let value = match (listed(&name, before), listed(&name, value)) {
                (Ok(mut all), Ok(more)) => {
                    for (index, (key, _)) in all.iter().enumerate() {
                        let key = key.clone();
                        self.is_of_profile(&format!("{place}[{index}]"), &format!("{place}{key}"));
                    }
                    let is_thinned =
                        written == format!("{}.{}", top::REQUESTS.name, transform::SET.name);
                    let taken = if is_thinned { self.taken } else { &[] };
                    let mut indices = (0..).filter(|index| !taken.contains(index));
                    for (key, item) in more {
                        let key = match key.starts_with("[\"") {
                            true => key,
                            false => format!("[{}]", indices.next().unwrap_or_default()),
                        };
                        let place = format!("{place}[{}]", all.len());
                        self.is_of_policy(&place, &format!("{written}{key}"));
                        all.push((key, item));
                    }
                    all.into_iter().map(|(_, item)| item).collect()
                }
                (_, Ok(items)) => {
                    self.is_of_policy(&place, &written);
                    items.into_iter().map(|(_, item)| item).collect()
                }
                (_, Err(value)) => {
                    self.is_of_policy(&place, &written);
                    value
                }
            };
            joined.insert(name, value);
        }
        joined
    }

    /// What stands at `place` was written in the profile, at `path` of it.
    fn is_of_profile(&mut self, place: &str, path: &str) {
        let origin = Place::Profile(format!("{}.{path}", self.profile));
        self.origins.places.push((place.to_owned(), origin));
    }

    /// What stands at `place` was written in the policy, at `path` of it.
    fn is_of_policy(&mut self, place: &str, path: &str) {
        let origin = Place::Policy(path.to_owned());
        self.origins.places.push((place.to_owned(), origin));
    }

    fn refuse(&mut self, path: &str, what: &str) {
        let message = format!("beside a profile there cannot be {what} for a direction");
        let help = "write it into the profile; what stands beside it is for every message";
        self.found.push(bad(path, message).with_help(help));
    }
}

/// The items of a list, each with its place in it; `set` and `add` may be maps. What is no list is given back.
fn listed(name: &str, value: Value) -> Result<Vec<(String, Value)>, Value> {
    let may_be_map = name == transform::SET.name || name == transform::ADD.name;
    match value {
        Value::Array(items) => {
            let items = items.into_iter().enumerate();
            Ok(items
                .map(|(index, item)| (format!("[{index}]"), item))
                .collect())
        }
        Value::Object(rules) if may_be_map => {
            let rule = |(name, value): (String, Value)| {
                let place = format!("[{name:?}]");
                let mut rule = Map::new();
                rule.insert(header::NAME.name.to_owned(), name.into());
                rule.insert(header::VALUE.name.to_owned(), value);
                (place, rule.into())
            };
            Ok(rules.into_iter().map(rule).collect())
        }
        other => Err(other),
    }
}
