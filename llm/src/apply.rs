//! Where guards and masks meet dialects: which texts of a message they look at, and where their edits
//! stand.
//!
//! On the worker thread of an exchange, over the views of [`request`](crate::request) and
//! [`response`](crate::response). What nests too deeply to be looked into is refused: it could hold
//! anything.

mod foreign;
mod guard;
mod mask;

pub use foreign::ForeignError;
pub use guard::{PromptGuard, Verdict};
pub use mask::{Unmasked, Unseen, mask_request};
