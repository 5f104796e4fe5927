//! All that is looked for, in one pass: kinds, words, and an operator's own expressions.
//!
//! What begins first is found first; of what begins at one place the longest, then the earlier row.
//! Called on workers.

use regex_automata::meta;

use super::detect::{Detectors, Extent, Next};
use super::pattern::{MAX_COMPILED, Pattern, PatternError, Search};

/// Everything that is looked for.
#[derive(Debug)]
pub(super) struct Scanner {
    detectors: Detectors,
    patterns: Vec<Pattern>,
    /// Says quickly whether a whole text has matches of the patterns at all.
    any: Option<meta::Regex>,
}

/// Room for scanning, used again and again.
#[derive(Debug, Default)]
pub(super) struct Room {
    search: Search,
    /// What each source found last: the detectors, then the patterns.
    next: Vec<Option<Next>>,
}

impl Scanner {
    /// Looks for what `detectors` know, and for the matches of expressions, each told by its row.
    pub(super) fn new(
        detectors: Detectors,
        expressions: &[(usize, &str)],
    ) -> Result<Scanner, (usize, PatternError)> {
        let mut patterns = Vec::new();
        for &(row, regex) in expressions {
            patterns.push(Pattern::compile(regex, row).map_err(|error| (row, error))?);
        }
        let any = match expressions.last() {
            None => None,
            Some(&(row, _)) => {
                let all: Vec<_> = expressions.iter().map(|(_, regex)| *regex).collect();
                let limit = MAX_COMPILED.saturating_mul(all.len());
                let config = meta::Config::new().nfa_size_limit(Some(limit));
                let any = meta::Builder::new().configure(config).build_many(&all);
                Some(any.map_err(|_| (row, PatternError::TooLarge))?)
            }
        };
        Ok(Scanner {
            detectors,
            patterns,
            any,
        })
    }

    /// How many expressions there are.
    pub(super) fn patterns(&self) -> usize {
        self.patterns.len()
    }

    /// Begins to look at a text. `passed` has a place for each expression, and stays with a text that
    /// comes in pieces.
    pub(super) fn pass<'s>(
        &'s self,
        room: &'s mut Room,
        text: &'s str,
        extent: Extent,
        passed: &'s mut [usize],
    ) -> Pass<'s> {
        room.next.clear();
        room.next.resize(self.patterns.len() + 1, None);
        let any = self.any.as_ref().filter(|_| extent.is_whole());
        if any.is_some_and(|any| !any.is_match(text)) {
            room.next
                .iter_mut()
                .skip(1)
                .for_each(|it| *it = Some(Next::Nothing));
        }
        Pass {
            scanner: self,
            room,
            text,
            extent,
            passed,
        }
    }
}

/// One look at a text.
#[derive(Debug)]
pub(super) struct Pass<'s> {
    scanner: &'s Scanner,
    room: &'s mut Room,
    text: &'s str,
    extent: Extent,
    passed: &'s mut [usize],
}

impl Pass<'_> {
    /// What comes next at or behind `from`.
    pub(super) fn next(&mut self, from: usize) -> Next {
        let mut best = Next::Nothing;
        for source in 0..=self.scanner.patterns.len() {
            let next = self.source(source, from);
            best = earlier(best, next);
        }
        best
    }

    fn source(&mut self, source: usize, from: usize) -> Next {
        if let Some(Some(next)) = self.room.next.get(source)
            && next.start() >= from
        {
            return *next;
        }
        let next = match source.checked_sub(1) {
            None => self.scanner.detectors.next(self.text, from, self.extent),
            Some(index) => match (self.scanner.patterns.get(index), self.passed.get_mut(index)) {
                (Some(pattern), Some(passed)) => {
                    let search = &mut self.room.search;
                    pattern.next(search, self.text, from, self.extent, passed)
                }
                _ => Next::Nothing,
            },
        };
        if let Some(place) = self.room.next.get_mut(source) {
            *place = Some(next);
        }
        next
    }
}

/// Which of two comes first. At the same place, one that waits keeps the other waiting.
fn earlier(one: Next, other: Next) -> Next {
    if one.start() != other.start() {
        return if one.start() < other.start() {
            one
        } else {
            other
        };
    }
    match (one, other) {
        (Next::Found(left), Next::Found(right)) => {
            let wins = right.end > left.end || right.end == left.end && right.rule < left.rule;
            if wins { other } else { one }
        }
        (Next::Found(_), _) => other,
        _ => one,
    }
}
