//! `extraction`, and the extractors of a configuration that it reads.
//!
//! An extractor is a regular expression over a header or the body, and a group of it. Extractors are
//! compiled on the main thread; templates name them with constants, so that what they read is known
//! before any traffic.
//!
//! In a header the expression must match the whole value, as it must in the classic transformation
//! filter: that also checks the value. In a body, a text of many lines, it is looked for. What is not
//! found is an empty text.

use std::borrow::Cow;
use std::collections::BTreeMap;

use minijinja::{Error, State, Value};
use regex::Regex;

use super::{Configured, Function, function};
use crate::codes::Code;
use crate::config::{Extractor as Rule, ExtractorSource};
use crate::diagnostics::Diagnostic;
use crate::direction::Direction;
use crate::message::Message;
use crate::value::budget;
use crate::value::found;

pub(super) const FUNCTIONS: &[Function] = &[function!(
    "extraction",
    "extraction(name)",
    "What the extractor of this name, which must be a constant, finds in its header or in the body.",
    ("{{ extraction(\"version\") }}", "v1"),
    (1, 1),
    Extraction,
    |environment, name| environment.add_function(name, extraction),
)];

fn extraction(state: &State<'_, '_>, name: Cow<'_, str>) -> Result<Value, Error> {
    let extract = |configured: &Configured| {
        Message::with(state, |message| {
            Some(configured.extractors.extract(message, &name))
        })
    };
    Configured::with(state, extract)
        .flatten()
        .unwrap_or(Ok(Value::UNDEFINED))
}

/// The extractors of both directions, by name.
#[derive(Debug, Default)]
pub(crate) struct Extractors {
    request: BTreeMap<String, Extractor>,
    response: BTreeMap<String, Extractor>,
}

/// One compiled extractor.
#[derive(Debug)]
pub(crate) struct Extractor {
    pub(crate) source: ExtractorSource,
    regex: Regex,
    group: usize,
}

impl Extractors {
    /// Compiles the extractors of one direction. What is wrong with them is added to `found`.
    pub(crate) fn compile(
        &mut self,
        direction: Direction,
        rules: &[Rule],
        found: &mut Vec<Diagnostic>,
    ) {
        for rule in rules {
            if let Some(extractor) = compile(rule, found) {
                self.of_mut(direction).insert(rule.name.clone(), extractor);
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.request.is_empty() && self.response.is_empty()
    }

    /// The extractors of one direction.
    pub(crate) fn of(&self, direction: Direction) -> &BTreeMap<String, Extractor> {
        match direction {
            Direction::Request => &self.request,
            Direction::Response => &self.response,
        }
    }

    fn of_mut(&mut self, direction: Direction) -> &mut BTreeMap<String, Extractor> {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        }
    }

    fn extract(&self, message: &Message, name: &str) -> Result<Value, Error> {
        let Some(extractor) = self.of(message.direction()).get(name) else {
            return Ok(Value::UNDEFINED);
        };
        let extract = |text: &str| match budget::charge(text.len()) {
            Ok(()) => found::to_value(extractor.extract(text)),
            Err(overdrawn) => Value::from(overdrawn),
        };
        Ok(match &extractor.source {
            ExtractorSource::Header(name) => {
                let header = message.header(message.direction(), name);
                extract(header.unwrap_or_default())
            }
            ExtractorSource::Body => extract(message.body()?.as_str().unwrap_or_default()),
        })
    }
}

impl Extractor {
    fn extract<'t>(&self, text: &'t str) -> Option<&'t str> {
        let group = self.regex.captures(text)?.get(self.group)?;
        Some(group.as_str())
    }
}

fn compile(rule: &Rule, found: &mut Vec<Diagnostic>) -> Option<Extractor> {
    let regex = match super::regex::compile(&rule.regex) {
        // By itself first: an unbalanced parenthesis must not close the one around it.
        Ok(_) if matches!(rule.source, ExtractorSource::Header(_)) => {
            super::regex::compile(&format!("^(?:{})$", rule.regex))
        }
        compiled => compiled,
    };
    let regex = match regex {
        Ok(regex) => regex,
        Err(reason) => {
            let path = format!("{}.regex", rule.path);
            let message = format!("the regular expression is not valid: {reason}");
            found.push(Diagnostic::error(Code::BAD_PATTERN, &path, message));
            return None;
        }
    };
    if rule.subgroup >= regex.captures_len() {
        let path = format!("{}.subgroup", rule.path);
        let message = format!(
            "the last group of the expression is {}",
            regex.captures_len() - 1
        );
        let problem = Diagnostic::error(Code::BAD_EXTRACTOR, &path, message);
        found.push(problem.with_help("0 is the whole match, 1 the first group in parentheses"));
        return None;
    }
    Some(Extractor {
        source: rule.source.clone(),
        regex,
        group: rule.subgroup,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extractor(
        source: ExtractorSource,
        regex: &str,
        subgroup: usize,
    ) -> Result<Extractor, String> {
        let rule = Rule {
            name: "x".into(),
            source,
            regex: regex.into(),
            subgroup,
            path: "request.extractors.x".into(),
        };
        let mut found = Vec::new();
        let compiled = compile(&rule, &mut found);
        compiled.ok_or_else(|| found.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_expression_must_match_the_whole_header() {
        for (regex, group, text, found) in [
            ("/(v[0-9]+)/.*", 1, "/v1/chat", Some("v1")),
            ("/(v[0-9]+)/.*", 0, "/v1/chat", Some("/v1/chat")),
            ("v[0-9]+", 0, "/v1/chat", None),
            ("a|b", 0, "b", Some("b")),
            ("a|b", 0, "bb", None),
            ("(x)?y", 1, "y", None),
            ("(x*)y", 1, "y", Some("")),
        ] {
            let header = ExtractorSource::Header(":path".into());
            let extractor = extractor(header, regex, group).unwrap();
            assert_eq!(extractor.extract(text), found, "{regex} {text}");
        }
    }

    #[test]
    fn the_expression_is_looked_for_in_a_body() {
        let body = "Dear all,\norder: 7781\nbye\n";
        for (regex, group, found) in [
            ("order: ([0-9]+)", 1, Some("7781")),
            ("order: [0-9]+", 0, Some("order: 7781")),
            ("(?s).*order: ([0-9]+).*", 1, Some("7781")),
            ("^order: ([0-9]+)", 1, None),
            ("(?m)^order: ([0-9]+)$", 1, Some("7781")),
            ("(?s)^.*order: ([0-9]+).*$", 1, Some("7781")),
        ] {
            let extractor = extractor(ExtractorSource::Body, regex, group).unwrap();
            assert_eq!(extractor.extract(body), found, "{regex}");
        }
    }

    #[test]
    fn what_cannot_be_compiled_is_explained() {
        for (regex, group, explanation) in [
            ("(", 0, "unclosed group"),
            (")(", 0, "unopened group"),
            ("(a)", 2, "the last group of the expression is 1"),
        ] {
            let problem = extractor(ExtractorSource::Body, regex, group).unwrap_err();
            assert!(problem.contains(explanation), "{problem}");
        }
    }
}
