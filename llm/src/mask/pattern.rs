//! An operator's own regular expression, found in whole texts and in texts that come in pieces.
//!
//! It means what it means to the regex crate: the leftmost match, of those that begin there the one
//! that the expression prefers. That crate cannot tell whether a text that ends here could still become
//! a match; the [search](pike) below can, over the same automaton, in time linear in the text.
//! Compiled on the main thread, read on workers.

use regex_automata::nfa::thompson::{self, NFA, State, WhichCaptures};
use regex_automata::util::syntax;

use super::detect::{Extent, Next};

mod pike;

pub(super) use pike::Search;

/// The most memory that the automaton of one expression may take.
pub const MAX_COMPILED: usize = 1 << 20;

/// A compiled expression.
#[derive(Debug)]
pub(super) struct Pattern {
    nfa: NFA,
    /// The bytes that a match may begin with.
    first: Box<[bool; 256]>,
    row: usize,
}

/// Why an expression is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It is no regular expression.
    #[error("is no regular expression: {0}")]
    Syntax(String),
    /// It matches where there is no text.
    #[error("matches the empty text, which would be found everywhere; let it ask for a character")]
    Empty,
    /// Its automaton is too large.
    #[error(
        "is too large when compiled (above {MAX_COMPILED} bytes); make its repetitions shorter"
    )]
    TooLarge,
}

impl Pattern {
    /// Compiles an expression of a row.
    pub(super) fn compile(regex: &str, row: usize) -> Result<Pattern, PatternError> {
        let hir = syntax::parse(regex)
            .map_err(|error| PatternError::Syntax(reason(&error.to_string())))?;
        if hir.properties().minimum_len().is_none_or(|it| it == 0) {
            return Err(PatternError::Empty);
        }
        let config = thompson::Config::new()
            .nfa_size_limit(Some(MAX_COMPILED))
            .which_captures(WhichCaptures::None);
        let nfa = thompson::Compiler::new()
            .configure(config)
            .build_from_hir(&hir);
        let nfa = nfa.map_err(|_| PatternError::TooLarge)?;
        Ok(Pattern {
            first: first_bytes(&nfa),
            nfa,
            row,
        })
    }

    /// The first match at or behind `from`, and behind what was `passed`: where a match was given up,
    /// because it was too long to wait for.
    pub(super) fn next(
        &self,
        search: &mut Search,
        text: &str,
        from: usize,
        extent: Extent,
        passed: &mut usize,
    ) -> Next {
        search.next(self, text, from, extent, passed)
    }
}

/// What the parser says, without its drawing of the expression.
pub(crate) fn reason(error: &str) -> String {
    let last = error.lines().rfind(|it| !it.trim().is_empty());
    let last = last.unwrap_or_default().trim();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// The bytes that lead out of the automaton's beginning, assertions taken for true.
fn first_bytes(nfa: &NFA) -> Box<[bool; 256]> {
    let mut first = Box::new([false; 256]);
    let mut seen = vec![false; nfa.states().len()];
    let mut stack = vec![nfa.start_anchored()];
    while let Some(id) = stack.pop() {
        match seen.get_mut(id.as_usize()) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        match nfa.state(id) {
            State::Union { alternates } => stack.extend(alternates.iter()),
            State::BinaryUnion { alt1, alt2 } => stack.extend([*alt1, *alt2]),
            State::Look { next, .. } | State::Capture { next, .. } => stack.push(*next),
            state => {
                for byte in 0..=u8::MAX {
                    if pike::step(state, byte).is_some() {
                        first[usize::from(byte)] = true;
                    }
                }
            }
        }
    }
    first
}

#[cfg(test)]
mod tests;
