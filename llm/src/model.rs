//! The model of a request: what it is called upstream, and whether it may be asked.
//!
//! Compiled with a configuration; asked on the worker thread of an exchange, once a request. Where
//! the name stands is for others: in the body it is a place of [`Request`] or of a [`ModelScan`],
//! in a path a [`PathModel`](crate::dialect::path::PathModel).
//!
//! What is refused: targets that cannot be filled.

use std::borrow::Cow;
use std::fmt;

use formats::json::quote;

use crate::pattern::{EmptyPattern, Pattern, Patterns};
use crate::place::Edits;
use crate::refusal::Refusal;
use crate::request::Request;

mod scan;

pub use scan::{MAX_NESTING, ModelScan, NamedModel, ScanFault, ScannedModel};

/// Other names for models, and the list of those that may be asked.
///
/// ```
/// use llm::model::{Alias, Models};
/// use llm::pattern::Pattern;
///
/// let aliases = vec![
///     Alias::new("fast", "gpt-4o-mini")?,
///     Alias::new("eu/*", "eu.anthropic.*")?,
/// ];
/// let models = Models::new(aliases, Some(vec![Pattern::new("gpt-*")?]));
/// assert_eq!(models.resolve("fast"), "gpt-4o-mini");
/// assert_eq!(models.resolve("eu/claude"), "eu.anthropic.claude");
/// assert!(models.allows(Some("gpt-4o-mini")) && !models.allows(Some("eu.anthropic.claude")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Models {
    aliases: Patterns<String>,
    allow: Option<Patterns<()>>,
}

/// Another name, or a pattern of names, and what goes upstream in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    pattern: Pattern,
    target: String,
}

/// An alias that cannot be filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliasError {
    /// The name has no character.
    EmptyName,
    /// The target has no character.
    EmptyTarget,
    /// The target has several `*`.
    SeveralRuns,
    /// The target has a `*`, and the name has none, or several.
    NothingToFill,
}

impl fmt::Display for AliasError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptyName => "an alias must have a name; `*` matches every name",
            Self::EmptyTarget => "an alias must name the model that goes upstream",
            Self::SeveralRuns => "the model of an alias may have one `*`",
            Self::NothingToFill => {
                "the model of an alias may have a `*` only where its name has exactly one"
            }
        })
    }
}

impl std::error::Error for AliasError {}

impl From<EmptyPattern> for AliasError {
    fn from(_: EmptyPattern) -> Self {
        Self::EmptyName
    }
}

impl Alias {
    /// Compiles an alias; a `*` in `target` stands for what the one in `name` matches.
    ///
    /// # Errors
    /// See [`AliasError`].
    pub fn new(name: &str, target: &str) -> Result<Alias, AliasError> {
        let pattern = Pattern::new(name)?;
        match target.matches('*').count() {
            _ if target.is_empty() => Err(AliasError::EmptyTarget),
            0 => Ok(()),
            1 if pattern.runs() == 1 => Ok(()),
            1 => Err(AliasError::NothingToFill),
            _ => Err(AliasError::SeveralRuns),
        }?;
        let target = target.to_owned();
        Ok(Alias { pattern, target })
    }
}

impl Models {
    /// `allow` of none lets every model be asked; an empty list lets none.
    pub fn new(aliases: Vec<Alias>, allow: Option<Vec<Pattern>>) -> Models {
        let entries = aliases.into_iter();
        let with_nothing = |pattern| (pattern, ());
        Models {
            aliases: entries.map(|alias| (alias.pattern, alias.target)).collect(),
            allow: allow.map(|patterns| patterns.into_iter().map(with_nothing).collect()),
        }
    }

    /// What the model that a client calls `name` is called upstream. Targets are not looked up
    /// again.
    ///
    /// # Cost
    /// That of [`Patterns::find`].
    pub fn resolve<'n>(&'n self, name: &'n str) -> Cow<'n, str> {
        let Some((pattern, target)) = self.aliases.find(name) else {
            return Cow::Borrowed(name);
        };
        match (target.split_once('*'), pattern.run(name)) {
            (Some((before, behind)), Some(run)) => Cow::Owned(format!("{before}{run}{behind}")),
            _ => Cow::Borrowed(target),
        }
    }

    /// Whether the model that goes upstream may be asked. A request that names none may not, if
    /// there is a list: some provider may know the model from elsewhere.
    pub fn allows(&self, model: Option<&str>) -> bool {
        let Some(allow) = &self.allow else {
            return true;
        };
        model.is_some_and(|model| allow.find(model).is_some())
    }

    /// The names that can be told beforehand: labels of statistics. Those of the aliases, of what
    /// they stand for, and of the list, as far as they are no patterns.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let targets = self.aliases.values().map(String::as_str);
        let targets = targets.filter(|target| !target.contains('*'));
        let allowed = self.allow.iter().flat_map(Patterns::names);
        self.aliases.names().chain(targets).chain(allowed)
    }
}

/// Puts another name in the place of the one in the body; nothing else changes. False if the body
/// names none.
pub fn rename(request: &Request, name: &str, edits: &mut Edits) -> bool {
    let model = request.model;
    model.is_some_and(|place| edits.replace(place, quote(name)))
}

/// Whether a name can stand in a header and be found there as it is: no control characters, no
/// blanks at its ends, not empty.
pub fn fits_header(name: &str) -> bool {
    !name.is_empty() && name.trim() == name && !name.contains(char::is_control)
}

/// What a client is told whose model may not be asked.
pub fn not_found() -> Refusal {
    Refusal::new(
        404,
        "The model does not exist or you do not have access to it.",
    )
    .with_code("model_not_found")
    .with_param("model")
}

/// What a client is told whose body names its model twice.
pub fn repeated() -> Refusal {
    Refusal::new(400, "The request names its model more than once.").with_param("model")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models(aliases: &[(&str, &str)], allow: Option<&[&str]>) -> Models {
        let aliases = aliases.iter();
        let patterns = |texts: &[&str]| {
            let texts = texts.iter();
            texts.map(|text| Pattern::new(*text).unwrap()).collect()
        };
        let aliases = aliases.map(|(name, target)| Alias::new(name, target).unwrap());
        Models::new(aliases.collect(), allow.map(patterns))
    }

    #[test]
    fn names_are_resolved_once_and_the_closest_alias_counts() {
        let models = models(
            &[
                ("fast", "gpt-4o-mini"),
                ("gpt-4o-mini", "other"),
                ("claude-*", "claude-sonnet-4-5"),
                ("claude-opus*", "opus"),
                ("eu/*", "eu.*-v1"),
                ("*-latest", "*"),
            ],
            None,
        );
        for (name, expected) in [
            ("fast", "gpt-4o-mini"),
            ("gpt-4o-mini", "other"),
            ("claude-3", "claude-sonnet-4-5"),
            ("claude-opus-4", "opus"),
            ("eu/x", "eu.x-v1"),
            ("eu/", "eu.-v1"),
            ("a*b-latest", "a*b"),
            ("unknown", "unknown"),
            ("Fast", "Fast"),
        ] {
            assert_eq!(models.resolve(name), expected, "{name}");
        }
    }

    #[test]
    fn a_list_closes_and_its_absence_does_not() {
        let open = models(&[], None);
        assert!(open.allows(Some("any")) && open.allows(None));
        let closed = models(&[], Some(&[]));
        assert!(!closed.allows(Some("any")) && !closed.allows(None));
        let some = models(&[], Some(&["gpt-*", "o3"]));
        assert!(some.allows(Some("gpt-4o")) && some.allows(Some("o3")));
        assert!(!some.allows(Some("o3-pro")) && !some.allows(None));
    }

    #[test]
    fn aliases_that_cannot_be_filled_are_refused() {
        for (name, target, error) in [
            ("", "a", AliasError::EmptyName),
            ("a", "", AliasError::EmptyTarget),
            ("a*", "b*c*", AliasError::SeveralRuns),
            ("a", "b*", AliasError::NothingToFill),
            ("a*b*", "c*", AliasError::NothingToFill),
        ] {
            assert_eq!(Alias::new(name, target), Err(error), "{name} {target}");
        }
    }

    #[test]
    fn labels_are_the_names_that_are_no_patterns() {
        let models = models(
            &[
                ("fast", "gpt-4o-mini"),
                ("claude-*", "sonnet"),
                ("eu/*", "eu.*"),
            ],
            Some(&["o3", "gpt-*"]),
        );
        let mut names: Vec<&str> = models.names().collect();
        names.sort_unstable();
        assert_eq!(names, ["fast", "gpt-4o-mini", "o3", "sonnet"]);
    }

    #[test]
    fn another_name_takes_the_place_of_the_models_bytes() {
        let renamed = |body: &str| {
            let request = Request::read(crate::dialect::Dialect::OpenaiChat, body).unwrap();
            let mut edits = Edits::new();
            rename(&request, "a \"b\"", &mut edits).then(|| edits.write(body))
        };
        assert_eq!(
            renamed(r#"{"n": 1.0, "model" : "f\u0061st" }"#).as_deref(),
            Some(r#"{"n": 1.0, "model" : "a \"b\"" }"#)
        );
        assert_eq!(renamed(r#"{"model":null}"#), None);
    }

    #[test]
    fn headers_hold_plain_names_alone() {
        assert!(fits_header("anthropic/claude:beta grün"));
        for name in ["", " a", "a ", "a\nb", "a\0", "\u{7f}"] {
            assert!(!fits_header(name), "{name:?}");
        }
    }
}
