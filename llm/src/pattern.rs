//! Patterns of model names: `*` stands for any run of characters, everything else for itself.
//!
//! Compiled once with a configuration or a price file; asked on the worker thread of an exchange.
//! What is refused: a pattern without a character.

use std::collections::HashMap;

/// A pattern of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
}

/// A pattern that could match nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmptyPattern;

impl std::fmt::Display for EmptyPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a pattern must have a character; `*` matches every name")
    }
}

impl std::error::Error for EmptyPattern {}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// An empty one.
    pub fn new(text: impl Into<String>) -> Result<Pattern, EmptyPattern> {
        let text = text.into();
        match text.is_empty() {
            true => Err(EmptyPattern),
            false => Ok(Pattern { text }),
        }
    }

    /// The pattern as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it matches one name alone.
    pub fn is_exact(&self) -> bool {
        !self.text.contains('*')
    }

    /// How many runs it has.
    pub fn runs(&self) -> usize {
        self.text.matches('*').count()
    }

    /// Whether it matches `name`. Upper and lower case differ.
    ///
    /// # Cost
    /// Linear in the name for each run.
    pub fn matches(&self, name: &str) -> bool {
        let Some((before, after)) = self.text.split_once('*') else {
            return self.text == name;
        };
        let Some(mut rest) = name.strip_prefix(before) else {
            return false;
        };
        let mut parts = after.split('*').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return rest.ends_with(part);
            }
            // The first place leaves most for what comes behind.
            match rest.split_once(part) {
                Some((_, behind)) => rest = behind,
                None => return false,
            }
        }
        true
    }

    /// What the only run of a pattern stands for in a name that it matches.
    pub fn run<'n>(&self, name: &'n str) -> Option<&'n str> {
        let (before, after) = self.text.split_once('*')?;
        name.strip_prefix(before)?.strip_suffix(after)
    }

    /// How many bytes stand for themselves.
    fn weight(&self) -> usize {
        self.text.len() - self.runs()
    }
}

/// Values by pattern: exact names first, then the pattern of which most stands for itself, then the
/// one that was given first.
#[derive(Clone, Debug)]
pub struct Patterns<T> {
    exact: HashMap<String, (Pattern, T)>,
    /// Sorted by weight, the heaviest first.
    runs: Vec<(Pattern, T)>,
}

impl<T> Default for Patterns<T> {
    fn default() -> Self {
        Self {
            exact: HashMap::new(),
            runs: Vec::new(),
        }
    }
}

impl<T> FromIterator<(Pattern, T)> for Patterns<T> {
    fn from_iter<I: IntoIterator<Item = (Pattern, T)>>(entries: I) -> Self {
        let mut patterns = Self::default();
        for (pattern, value) in entries {
            if pattern.is_exact() {
                let name = pattern.text.clone();
                patterns.exact.entry(name).or_insert((pattern, value));
            } else {
                patterns.runs.push((pattern, value));
            }
        }
        // Sorting keeps the order of those that weigh the same.
        patterns
            .runs
            .sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.weight()));
        patterns
    }
}

impl<T> Patterns<T> {
    /// The pattern that decides about `name`, and its value.
    ///
    /// # Cost
    /// A look into a table, then a match of each pattern with runs.
    pub fn find(&self, name: &str) -> Option<(&Pattern, &T)> {
        let run = || self.runs.iter().find(|(pattern, _)| pattern.matches(name));
        let found = self.exact.get(name).or_else(run);
        found.map(|(pattern, value)| (pattern, value))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.runs.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.exact.len() + self.runs.len()
    }

    /// The exact names, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.exact.keys().map(String::as_str)
    }

    /// The values, in no order.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        let entries = self.exact.values().chain(&self.runs);
        entries.map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::new(text).unwrap()
    }

    #[test]
    fn runs_match_anything_and_the_rest_itself() {
        let table = [
            ("gpt-4", "gpt-4", true),
            ("gpt-4", "gpt-4o", false),
            ("gpt-4", "GPT-4", false),
            ("*", "", true),
            ("*", "anything", true),
            ("gpt-*", "gpt-", true),
            ("gpt-*", "gpt-4o", true),
            ("gpt-*", "xgpt-4o", false),
            ("*-mini", "o3-mini", true),
            ("*-mini", "o3-mini-x", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*a", "aba", true),
            ("*4*-mini*", "gpt-4o-mini-2024", true),
            ("*4*-mini*", "gpt-mini-4", false),
            ("a*b*b", "ab", false),
            ("a*b*b", "abb", true),
            ("a*b*b", "axbyb", true),
            ("a**b", "ab", true),
            ("*ß*", "groß", true),
        ];
        for (text, name, expected) in table {
            assert_eq!(pattern(text).matches(name), expected, "{text} {name}");
        }
        assert_eq!(Pattern::new(""), Err(EmptyPattern));
    }

    #[test]
    fn a_run_is_what_stands_in_its_place() {
        assert_eq!(
            pattern("claude-*-latest").run("claude-x-y-latest"),
            Some("x-y")
        );
        assert_eq!(pattern("*").run("all"), Some("all"));
        assert_eq!(pattern("gpt-*").run("gpt-"), Some(""));
        assert_eq!(pattern("gpt-4").run("gpt-4"), None);
        assert_eq!(pattern("a*a").run("a"), None);
    }

    #[test]
    fn exact_names_go_first_then_the_heaviest_then_the_first() {
        let texts = [
            "*",
            "gpt-*",
            "gpt-4o-mini",
            "gpt-4*",
            "gpt-*o",
            "gpt-4o-mini",
            "x*",
            "*y",
        ];
        let entries = texts.into_iter().enumerate();
        let patterns: Patterns<usize> = entries
            .map(|(index, text)| (pattern(text), index))
            .collect();
        let find = |name| patterns.find(name).map(|(_, index)| *index);
        assert_eq!(find("gpt-4o-mini"), Some(2));
        assert_eq!(find("gpt-4o"), Some(3));
        assert_eq!(find("gpt-5o"), Some(4));
        assert_eq!(find("gpt-5"), Some(1));
        assert_eq!(find("xy"), Some(6));
        assert_eq!(find("other"), Some(0));
        assert_eq!(patterns.len(), 7);
        assert!(Patterns::<()>::default().find("a").is_none());
    }

    proptest! {
        #[test]
        fn matching_is_that_of_the_regular_expression(text in "[ab*]{1,6}", name in "[ab]{0,8}") {
            fn slow(text: &[u8], name: &[u8]) -> bool {
                match text.split_first() {
                    None => name.is_empty(),
                    Some((b'*', rest)) => {
                        (0..=name.len()).any(|skipped| slow(rest, &name[skipped..]))
                    }
                    Some((byte, rest)) => name.first() == Some(byte) && slow(rest, &name[1..]),
                }
            }
            let expected = slow(text.as_bytes(), name.as_bytes());
            prop_assert_eq!(pattern(&text).matches(&name), expected);
        }
    }
}
