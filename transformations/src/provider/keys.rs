//! Keys: where a host gets them, and what holds them meanwhile.
//!
//! Asked for on the main thread, read by workers. Nothing here prints a key: its `Debug` says that
//! there is one, and what cannot be read is told without its content.

use std::fmt;
use std::sync::Arc;

use crate::http;
use crate::live::Live;

/// A key, fit to be the value of a header.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// There is nothing but white space.
    Empty,
    /// It holds what no header may hold.
    NoText,
}

impl Key {
    /// A key from the content of a file or a variable, without the white space around it.
    ///
    /// # Errors
    /// If nothing is left, or something that a header cannot hold.
    pub fn read(content: &[u8]) -> Result<Key, KeyError> {
        let text = str::from_utf8(content)
            .map_err(|_| KeyError::NoText)?
            .trim();
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        if text.chars().any(char::is_control) || *http::clean(text) != *text {
            return Err(KeyError::NoText);
        }
        Ok(Key(text.to_owned()))
    }

    /// The key itself: for a header, and for nothing else.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyError::Empty => "there is no key in it",
            KeyError::NoText => "what is in it cannot be the value of a header",
        })
    }
}

/// The keys of a host.
pub trait Keys {
    /// The key in the file at `path`, as it is at any later time.
    ///
    /// # Errors
    /// Why there is none, without a word of the content.
    fn file(&self, path: &str) -> Result<Arc<dyn Live<Key>>, String>;

    /// What an environment variable holds; none if it is not set.
    fn variable(&self, name: &str) -> Option<Vec<u8>>;
}

/// No keys at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoKeys;

impl Keys for NoKeys {
    fn file(&self, _path: &str) -> Result<Arc<dyn Live<Key>>, String> {
        Err("files of keys cannot be read here".to_owned())
    }

    fn variable(&self, _name: &str) -> Option<Vec<u8>> {
        None
    }
}
