//! Where guards and masks meet dialects: which texts of a message they look at, and where their edits
//! stand.
//!
//! On the worker thread of an exchange, over the views of [`request`](crate::request) and
//! [`response`](crate::response). What nests too deeply to be looked into is refused: it could hold
//! anything.

use formats::json::read;

mod foreign;
mod guard;
mod mask;

pub use foreign::ForeignError;
pub use guard::{PromptGuard, Verdict};
pub use mask::{Unmasked, Unseen, mask_request};

/// Whether a text is a document of JSON with escapes: what programs give to a model. It says what its escapes
/// stand for. Costs a look for a backslash, and that of [`is_json`] where there is one.
fn spells_json(text: &str) -> bool {
    memchr::memchr(b'\\', text.as_bytes()).is_some() && is_json(text)
}

/// Whether a text is a document of JSON. Costs a pass over what begins as one.
fn is_json(text: &str) -> bool {
    let begins = text.trim_ascii_start().starts_with(['{', '[', '"']);
    begins && read(text, |_| Ok(())).is_ok()
}
