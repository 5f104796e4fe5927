//! Regular expressions: `regex_match` and `regex_replace`.
//!
//! Expressions are constants of the configuration. They are compiled on the main thread, where a bad
//! one is a diagnostic, and shared by all workers; an expression that a template computes is refused,
//! since compiling one per message is slow and lets a message choose how slow.
//!
//! Matching takes time linear in the text (there are no look-around and no back-references), and
//! [`MAX_COMPILED_BYTES`] bounds the factor.

use std::borrow::Cow;
use std::collections::HashMap;

use minijinja::{Error, State};
use regex::{Captures, Regex, RegexBuilder};

use super::{Configured, Function, function};
use crate::value::Fault;
use crate::value::budget;

pub(super) const FUNCTIONS: &[Function] = &[
    function!(
        "regex_match",
        "regex_match(text, pattern)",
        "Whether a regular expression, which must be a constant, matches anywhere in a text.",
        ("{{ regex_match(request.path, \"^/v[0-9]+/\") }}", "true"),
        (2, 2),
        Pattern,
        |environment, name| environment.add_function(name, matching),
        filter "text | regex_match(pattern)",
        |environment, name| environment.add_filter(name, matching),
    ),
    function!(
        "regex_replace",
        "regex_replace(text, pattern, replacement)",
        "The text with every match of a constant regular expression replaced; $1 and ${name} stand for groups, $0 for the match, $$ for a dollar sign.",
        ("{{ regex_replace(\"2026-11-21\", \"(\\\\d+)-(\\\\d+)-(\\\\d+)\", \"$3.$2.$1\") }}", "21.11.2026"),
        (3, 3),
        Replacement,
        |environment, name| environment.add_function(name, replacing),
        filter "text | regex_replace(pattern, replacement)",
        |environment, name| environment.add_filter(name, replacing),
    ),
];

fn matching(
    state: &State<'_, '_>,
    text: Cow<'_, str>,
    pattern: Cow<'_, str>,
) -> Result<bool, Error> {
    budget::charge(text.len() / 2)?;
    with_patterns(state, |patterns| Ok(patterns.matches(&pattern, &text)?))
}

fn replacing(
    state: &State<'_, '_>,
    text: Cow<'_, str>,
    pattern: Cow<'_, str>,
    replacement: Cow<'_, str>,
) -> Result<String, Error> {
    budget::charge_reading(text.len())?;
    with_patterns(state, |patterns| {
        budget::within(|limit| patterns.replace(&pattern, &text, &replacement, limit))
    })
}

fn with_patterns<T>(
    state: &State<'_, '_>,
    run: impl FnOnce(&Patterns) -> Result<T, Error>,
) -> Result<T, Error> {
    Configured::with(state, |configured| run(&configured.patterns))
        .unwrap_or_else(|| Err(Fault::UnknownPattern.into()))
}

/// The memory that one compiled expression may take, and also what one thread may cache for it.
/// Enough for hundreds of alternatives.
pub(crate) const MAX_COMPILED_BYTES: usize = 1 << 20;

/// The expressions of one configuration, found by their text.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    compiled: HashMap<Box<str>, Regex>,
}

impl Patterns {
    pub(crate) fn is_empty(&self) -> bool {
        self.compiled.is_empty()
    }

    /// Compiles an expression, once if it is added repeatedly.
    ///
    /// # Errors
    ///
    /// One line that says what is wrong with it.
    pub(crate) fn add(&mut self, pattern: &str) -> Result<&Regex, String> {
        if !self.compiled.contains_key(pattern) {
            let compiled = compile(pattern)?;
            self.compiled.insert(pattern.into(), compiled);
        }
        self.compiled.get(pattern).ok_or_else(String::new)
    }

    /// Whether the expression matches anywhere in `text`.
    ///
    /// # Errors
    ///
    /// An expression that was not [added](Self::add).
    pub(crate) fn matches(&self, pattern: &str, text: &str) -> Result<bool, Fault> {
        Ok(self
            .compiled
            .get(pattern)
            .ok_or(Fault::UnknownPattern)?
            .is_match(text))
    }

    /// `text` with every match replaced. See [`check_replacement`] for what a replacement may hold.
    ///
    /// # Errors
    ///
    /// An expression that was not added, a bad replacement, or a result of more than `limit` bytes:
    /// a replacement that repeats a long match can make any length out of little.
    pub(crate) fn replace(
        &self,
        pattern: &str,
        text: &str,
        replacement: &str,
        limit: usize,
    ) -> Result<String, Fault> {
        let regex = self.compiled.get(pattern).ok_or(Fault::UnknownPattern)?;
        let pieces = parse_replacement(regex, replacement)?;
        let mut replaced = String::new();
        let mut push = |piece: &str| {
            if piece.len() > limit.saturating_sub(replaced.len()) {
                return Err(Fault::TooLarge);
            }
            replaced.push_str(piece);
            Ok(())
        };
        let mut done = 0;
        for captures in regex.captures_iter(text) {
            let matched = captures.get_match();
            push(text.get(done..matched.start()).unwrap_or_default())?;
            for piece in &pieces {
                push(piece.of(&captures))?;
            }
            done = matched.end();
        }
        push(text.get(done..).unwrap_or_default())?;
        Ok(replaced)
    }
}

/// Compiles one expression.
///
/// # Errors
///
/// One line that says what is wrong with it.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .size_limit(MAX_COMPILED_BYTES)
        .dfa_size_limit(MAX_COMPILED_BYTES)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                format!("it needs more than {MAX_COMPILED_BYTES} bytes when compiled")
            }
            // The last line has the reason; those before it draw the expression.
            other => {
                let text = other.to_string();
                let reason = text.lines().last().unwrap_or_default();
                reason.strip_prefix("error: ").unwrap_or(reason).to_owned()
            }
        })
}

/// Checks a replacement: text with `$1` or `${1}` for a numbered group, `${name}` for a named one,
/// `$0` for the whole match and `$$` for a dollar sign.
///
/// # Errors
///
/// A group that `regex` does not have, or a `$` that starts none of these.
pub(crate) fn check_replacement(regex: &Regex, replacement: &str) -> Result<(), Fault> {
    parse_replacement(regex, replacement).map(drop)
}

/// A part of a replacement.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Literal(&'a str),
    Group(usize),
}

impl<'a> Piece<'a> {
    /// What this puts in the place of a match. A group that did not take part is empty.
    fn of<'t: 'a>(&self, captures: &Captures<'t>) -> &'a str {
        match *self {
            Piece::Literal(text) => text,
            Piece::Group(group) => captures.get(group).map_or("", |matched| matched.as_str()),
        }
    }
}

fn parse_replacement<'a>(regex: &Regex, replacement: &'a str) -> Result<Vec<Piece<'a>>, Fault> {
    let mut pieces = Vec::new();
    let mut rest = replacement;
    while let Some((literal, after)) = rest.split_once('$') {
        pieces.push(Piece::Literal(literal));
        if let Some(after) = after.strip_prefix('$') {
            pieces.push(Piece::Literal("$"));
            rest = after;
            continue;
        }
        let (name, after) = match after.strip_prefix('{') {
            Some(braced) => braced.split_once('}').ok_or(Fault::Replacement)?,
            None => {
                let digits = after.bytes().take_while(u8::is_ascii_digit).count();
                after.split_at_checked(digits).ok_or(Fault::Replacement)?
            }
        };
        if name.is_empty() {
            return Err(Fault::Replacement);
        }
        pieces.push(Piece::Group(group(regex, name).ok_or(Fault::UnknownGroup)?));
        rest = after;
    }
    pieces.push(Piece::Literal(rest));
    Ok(pieces)
}

fn group(regex: &Regex, name: &str) -> Option<usize> {
    match name.parse() {
        Ok(number) => (number < regex.captures_len()).then_some(number),
        Err(_) => regex.capture_names().position(|known| known == Some(name)),
    }
}

#[cfg(test)]
mod tests;
