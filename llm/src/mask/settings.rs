//! What a masker is made of. The caller reads it from its configuration, on the main thread.

use super::pattern::PatternError;
use super::words::{MAX_WORD, Words};
use super::{Action, Detectors, HashKey, Kind, Masker, Row, Scanner};

/// The longest name of an operator's own row.
pub const MAX_NAME: usize = 48;

/// What is looked for, and what is done with it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Kinds with recognisers of their own. A kind that is named twice has the action named last.
    pub detectors: Vec<(Kind, Action)>,
    /// Regular expressions.
    pub patterns: Vec<PatternSetting>,
    /// Lists of words.
    pub words: Vec<WordsSetting>,
    /// The key of digests.
    pub hash_key: HashKey,
}

impl Default for Settings {
    /// Nothing, and an empty key.
    fn default() -> Settings {
        Settings {
            detectors: Vec::new(),
            patterns: Vec::new(),
            words: Vec::new(),
            hash_key: HashKey::new(b""),
        }
    }
}

/// A regular expression to look for.
#[derive(Clone, Debug)]
pub struct PatternSetting {
    /// The name in placeholders: `EMPLOYEE`.
    pub name: String,
    /// The expression, in the syntax of the regex crate.
    pub regex: String,
    /// What is done with its matches.
    pub action: Action,
}

/// Words to look for.
#[derive(Clone, Debug)]
pub struct WordsSetting {
    /// The name in placeholders: `CODENAME`.
    pub name: String,
    /// The words.
    pub words: Vec<String>,
    /// Whether case counts.
    pub case_sensitive: bool,
    /// What is done with them.
    pub action: Action,
}

/// Why settings are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A name that placeholders cannot have.
    #[error(
        "{name:?} is no name: it has 1 to {MAX_NAME} letters, digits and underscores, and begins with a letter, such as EMPLOYEE"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// An expression that cannot be used.
    #[error("the regex of {name} {error}")]
    Pattern {
        /// The name of its row.
        name: String,
        /// Its place among the patterns.
        index: usize,
        /// What is wrong with it.
        error: PatternError,
    },
    /// A word that cannot be found.
    #[error("words of {name} have 1 to {MAX_WORD} bytes, with no blank at either end")]
    Word {
        /// The name of its row.
        name: String,
        /// Its place among the lists of words.
        index: usize,
    },
}

impl Settings {
    /// The rows are the kinds in their order, then patterns, then words.
    pub(super) fn compile(&self) -> Result<Masker, SettingsError> {
        let mut table = Table::default();
        let mut kinds = Vec::new();
        for kind in Kind::ALL {
            let named = self.detectors.iter().rev().find(|(it, _)| *it == kind);
            if let Some(&(kind, action)) = named {
                kinds.push((kind, table.add(kind.name(), action)));
            }
        }
        let first = table.rows.len();
        let mut expressions = Vec::new();
        for pattern in &self.patterns {
            check_name(&pattern.name)?;
            let row = table.add(&pattern.name, pattern.action);
            expressions.push((row, pattern.regex.as_str()));
        }
        let mut words = Words::default();
        for (index, list) in self.words.iter().enumerate() {
            check_name(&list.name)?;
            if !list.words.iter().all(|it| is_findable(it)) {
                let name = list.name.clone();
                return Err(SettingsError::Word { name, index });
            }
            let row = table.add(&list.name, list.action);
            words.add(row, &list.words, list.case_sensitive);
        }
        words.sort();
        let detectors = Detectors::new(&kinds, words);
        let scanner = Scanner::new(detectors, &expressions).map_err(|(row, error)| {
            let index = row - first;
            let name = self.patterns.get(index).map(|it| it.name.clone());
            let name = name.unwrap_or_default();
            SettingsError::Pattern { name, index, error }
        })?;
        Ok(Masker {
            scanner,
            rows: table.rows,
            names: table.names,
            hash_key: self.hash_key.clone(),
        })
    }
}

#[derive(Default)]
struct Table {
    rows: Vec<Row>,
    names: Vec<Box<str>>,
}

impl Table {
    fn add(&mut self, name: &str, action: Action) -> usize {
        let known = self.names.iter().position(|it| **it == *name);
        let name = known.unwrap_or_else(|| {
            self.names.push(name.into());
            self.names.len() - 1
        });
        self.rows.push(Row { action, name });
        self.rows.len() - 1
    }
}

fn check_name(name: &str) -> Result<(), SettingsError> {
    let letters = name
        .bytes()
        .all(|it| it.is_ascii_alphanumeric() || it == b'_');
    let begins = name
        .bytes()
        .next()
        .is_some_and(|it| it.is_ascii_alphabetic());
    match letters && begins && name.len() <= MAX_NAME {
        true => Ok(()),
        false => Err(SettingsError::Name { name: name.into() }),
    }
}

/// Whether a word can be found: that is not empty, not too long, and has no blanks around it.
pub(crate) fn is_findable(word: &str) -> bool {
    (1..=MAX_WORD).contains(&word.len()) && word.trim() == word
}
