//! The prompt guard: which of an operator's rules a text matches.
//!
//! Rules are compiled once, on the main thread; texts are looked at on workers, each in one pass
//! whatever the number of rules. Roles and what a match means (refuse, count) are the caller's.
//!
//! ```
//! use llm::guard::{Guard, Rule, Terms};
//!
//! let guard = Guard::compile(&[
//!     Rule { name: "jailbreak".into(), terms: Terms::Regex("(?i)ignore all previous".into()) },
//!     Rule { name: "projects".into(), terms: Terms::words(["Bluebird"]) },
//! ])?;
//! let first = guard.first_match("Tell me of BLUEBIRD.", |_| true);
//! assert_eq!(first.and_then(|it| guard.name(it)), Some("projects"));
//! # Ok::<(), llm::guard::GuardError>(())
//! ```

use regex_automata::meta::{Builder, Config, Regex};
use regex_automata::{Input, MatchKind, PatternSet};

use crate::mask::{Ahead, MAX_COMPILED, MAX_WORD, Words, is_findable};

/// What is told in the place of a rule where none of those that allow matches.
pub const NOT_ALLOWED: &str = "not_allowed";

/// How much memory the states of all expressions may take that a worker has met. What does not fit is
/// made again.
const MAX_CACHE: usize = 16 << 20;

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What logs and metrics call it.
    pub name: String,
    /// What it looks for.
    pub terms: Terms,
}

/// What a rule looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Terms {
    /// A match of a regular expression, in the syntax of the regex crate.
    Regex(String),
    /// One of these words, as a whole word.
    Words {
        /// The words.
        words: Vec<String>,
        /// Whether case counts.
        case_sensitive: bool,
    },
}

impl Terms {
    /// Words in any case.
    pub fn words<I: IntoIterator<Item: Into<String>>>(words: I) -> Terms {
        Terms::Words {
            words: words.into_iter().map(Into::into).collect(),
            case_sensitive: false,
        }
    }
}

/// Why a rule is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// Its expression cannot be used.
    #[error("the regex of {name} is no regular expression: {reason}")]
    Syntax {
        /// The rule's name.
        name: String,
        /// Its place.
        index: usize,
        /// What the parser says.
        reason: String,
    },
    /// Its automaton, or that of all rules, is too large.
    #[error(
        "the regex of {name} is too large when compiled (above {MAX_COMPILED} bytes); make its repetitions shorter"
    )]
    TooLarge {
        /// The rule's name.
        name: String,
        /// Its place.
        index: usize,
    },
    /// A word that cannot be found.
    #[error("words of {name} have 1 to {MAX_WORD} bytes, with no blank at either end")]
    Word {
        /// The rule's name.
        name: String,
        /// Its place.
        index: usize,
    },
}

/// Compiled rules.
#[derive(Debug)]
pub struct Guard {
    names: Vec<Box<str>>,
    /// All expressions as one automaton, which says quickly whether any matches.
    any: Option<Regex>,
    /// The same, and it says which.
    regexes: Option<Regex>,
    /// The rule of each expression.
    rules: Vec<usize>,
    words: Words,
    /// The bytes that words begin with.
    first: Box<[bool; 256]>,
}

impl Guard {
    /// Compiles rules, which keep their order. Costs milliseconds.
    ///
    /// # Errors
    /// If a rule's expression or word cannot be used; the error names the rule.
    pub fn compile(rules: &[Rule]) -> Result<Guard, GuardError> {
        let (mut expressions, mut words, mut of) = (Vec::new(), Words::default(), Vec::new());
        for (index, rule) in rules.iter().enumerate() {
            let name = || rule.name.clone();
            match &rule.terms {
                Terms::Regex(regex) => {
                    compile(&[regex], MatchKind::LeftmostFirst)
                        .map_err(|failure| failure.of(name(), index))?;
                    expressions.push(regex.as_str());
                    of.push(index);
                }
                Terms::Words {
                    words: list,
                    case_sensitive,
                } => {
                    if !list.iter().all(|it| is_findable(it)) {
                        let name = name();
                        return Err(GuardError::Word { name, index });
                    }
                    words.add(index, list, *case_sensitive);
                }
            }
        }
        words.sort();
        let mut first = Box::new([false; 256]);
        for byte in words.first_bytes() {
            first[usize::from(byte)] = true;
        }
        let together = |kind| match of.last() {
            None => Ok(None),
            Some(&index) => {
                let name = rules
                    .get(index)
                    .map_or_else(String::new, |it| it.name.clone());
                let compiled = compile(&expressions, kind);
                compiled
                    .map(Some)
                    .map_err(|failure| failure.of(name, index))
            }
        };
        Ok(Guard {
            names: rules.iter().map(|it| it.name.as_str().into()).collect(),
            any: together(MatchKind::LeftmostFirst)?,
            regexes: together(MatchKind::All)?,
            rules: of,
            words,
            first,
        })
    }

    /// The first rule, in the order of configuration, that applies and that a text matches. Costs one
    /// pass of all expressions and one of all words.
    pub fn first_match(&self, text: &str, applies: impl Fn(usize) -> bool) -> Option<usize> {
        let regex = self.first_regex(text, &applies);
        let word = self.first_word(text, &applies);
        match (regex, word) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// The name of a rule.
    pub fn name(&self, rule: usize) -> Option<&str> {
        self.names.get(rule).map(|it| &**it)
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    fn first_regex(&self, text: &str, applies: impl Fn(usize) -> bool) -> Option<usize> {
        let (any, regexes) = (self.any.as_ref()?, self.regexes.as_ref()?);
        if !self.rules.iter().any(|&it| applies(it)) || !any.is_match(text) {
            return None;
        }
        let mut matched = PatternSet::new(self.rules.len());
        regexes.which_overlapping_matches(&Input::new(text), &mut matched);
        let rules = matched
            .iter()
            .filter_map(|it| self.rules.get(it.as_usize()));
        rules.copied().find(|&it| applies(it))
    }

    fn first_word(&self, text: &str, applies: impl Fn(usize) -> bool) -> Option<usize> {
        if self.words.is_empty() {
            return None;
        }
        let bytes = text.as_bytes();
        let mut first: Option<usize> = None;
        for at in (0..bytes.len()).filter(|&it| self.begins(bytes, it)) {
            // A whole text leaves nothing open.
            let _ = self.words.each(Ahead::new(text, at, true), |_, rule| {
                if applies(rule) && first.is_none_or(|it| rule < it) {
                    first = Some(rule);
                }
            });
        }
        first
    }

    /// Whether a word may begin here, by a look at two bytes.
    fn begins(&self, bytes: &[u8], at: usize) -> bool {
        let here = bytes.get(at).copied().unwrap_or_default();
        let before = at.checked_sub(1).and_then(|it| bytes.get(it));
        let inside = before.is_some_and(u8::is_ascii_alphanumeric);
        self.first.get(usize::from(here)) == Some(&true)
            && !(inside && here.is_ascii_alphanumeric())
    }
}

enum Failure {
    Syntax(String),
    TooLarge,
}

impl Failure {
    fn of(self, name: String, index: usize) -> GuardError {
        match self {
            Failure::Syntax(reason) => GuardError::Syntax {
                name,
                index,
                reason,
            },
            Failure::TooLarge => GuardError::TooLarge { name, index },
        }
    }
}

fn compile(expressions: &[impl AsRef<str>], kind: MatchKind) -> Result<Regex, Failure> {
    let config = Config::new()
        .match_kind(kind)
        .hybrid_cache_capacity(MAX_CACHE)
        .nfa_size_limit(Some(MAX_COMPILED.saturating_mul(expressions.len().max(1))));
    let built = Builder::new().configure(config).build_many(expressions);
    built.map_err(|error| match error.syntax_error() {
        Some(error) => Failure::Syntax(crate::mask::reason(&error.to_string())),
        None => Failure::TooLarge,
    })
}

#[cfg(test)]
mod tests;
