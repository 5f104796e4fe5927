//! Masks values in texts, and puts them back: e-mail addresses, card numbers, keys, what an operator
//! describes.
//!
//! A [`Masker`] is compiled once, on the main thread. Each exchange opens a [`Masking`] for its
//! request, which becomes an [`Unmasking`] for its response; texts that come in pieces are a
//! [`Running`] each. All of it is over texts as they read; [`in_raw`] finds where an edit stands among
//! the escapes of a JSON string. Time is linear in the text. Memory of an exchange is bounded by
//! [`MAX_VALUES`] and [`MAX_VALUE_BYTES`], of a running text by [`MAX_WAITING`]. No value is printed
//! by `Debug` nor told in an error.
//!
//! ```
//! use std::sync::Arc;
//! use llm::mask::{Action, Form, HashKey, Kind, Masker, Returns, Settings, apply};
//!
//! let settings = Settings {
//!     detectors: vec![(Kind::Email, Action::Mask)],
//!     hash_key: HashKey::new(b"a secret"),
//!     ..Settings::default()
//! };
//! let masker = Arc::new(Masker::compile(&settings)?);
//!
//! let text = "Write to jo@example.com.";
//! let mut request = masker.open();
//! request.reserve(text);
//! let edits = request.mask(text, Form::Plain)?;
//! assert_eq!(apply(text, &edits), "Write to [EMAIL_1].");
//!
//! let mut response = request.into_response(Returns::Restore);
//! let reply = "I wrote to [EMAIL_1].";
//! let edits = response.edits(reply, Form::Plain);
//! assert_eq!(apply(reply, &edits), "I wrote to jo@example.com.");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::ops::Range;
use std::sync::Arc;

mod ahead;
mod counts;
mod detect;
mod edits;
mod escapes;
mod kind;
mod pattern;
mod placeholders;
mod request;
mod response;
mod running;
mod scan;
mod settings;
mod words;

pub(crate) use ahead::Ahead;
pub use escapes::{decode, escape_into, in_raw};
pub use kind::{Action, Kind};
pub(crate) use pattern::reason;
pub use pattern::{MAX_COMPILED, PatternError};
pub use placeholders::{HashKey, MAX_VALUE_BYTES, MAX_VALUES, MaskError, Originals};
pub use request::Masking;
pub use response::{Returns, Unmasking};
pub use running::{MAX_WAITING, Running};
pub(crate) use settings::is_findable;
pub use settings::{MAX_NAME, PatternSetting, Settings, SettingsError, WordsSetting};
pub use words::MAX_WORD;
pub(crate) use words::Words;

use detect::Detectors;
use scan::Scanner;

/// What a text is, beside text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Nothing else.
    Plain,
    /// A JSON document as text, such as the arguments of a tool call: its escapes are read as what they
    /// stand for, and what is put into it is escaped.
    Json,
}

/// A change of a text.
#[derive(Clone, PartialEq, Eq)]
pub struct Edit {
    /// The bytes of the text that go.
    pub range: Range<usize>,
    /// What comes in their place.
    pub replacement: String,
}

impl std::fmt::Debug for Edit {
    /// Does not print the replacement: it may be an original.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Edit({:?})", self.range)
    }
}

/// The text with its edits made. They are in order and do not overlap.
pub fn apply(text: &str, edits: &[Edit]) -> String {
    let mut edited = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        edited.push_str(text.get(at..edit.range.start).unwrap_or_default());
        edited.push_str(&edit.replacement);
        at = edit.range.end;
    }
    edited.push_str(text.get(at..).unwrap_or_default());
    edited
}

/// What is looked for, and what is done with it: compiled, shared by all exchanges.
#[derive(Debug)]
pub struct Masker {
    scanner: Scanner,
    rows: Vec<Row>,
    /// The names of rows, each once.
    names: Vec<Box<str>>,
    hash_key: HashKey,
}

#[derive(Debug)]
struct Row {
    action: Action,
    /// Which of the names it has.
    name: usize,
}

impl Masker {
    /// Compiles settings. Costs milliseconds.
    ///
    /// # Errors
    /// If a name, an expression or a word cannot be used; the error says which, and what would be right.
    pub fn compile(settings: &Settings) -> Result<Masker, SettingsError> {
        settings.compile()
    }

    /// Begins an exchange. Costs no allocation beyond a list of the names.
    pub fn open(self: &Arc<Masker>) -> Masking {
        Masking::new(Arc::clone(self))
    }

    /// The names that placeholders and counts may have, in the order of their rows.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|it| &**it)
    }

    fn row(&self, rule: usize) -> Option<(&Row, &str)> {
        let row = self.rows.get(rule)?;
        Some((row, self.names.get(row.name)?))
    }
}
