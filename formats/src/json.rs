//! JSON documents that are read in place and edited as bytes.
//!
//! A [`Document`] keeps the text it was parsed from. Parsing checks the whole text once and builds no
//! value tree; a [`Node`] is a place in that text, and a container is looked into only when somebody
//! asks for one of its members. What nobody touches is never decoded, so key order, number spellings,
//! unknown fields and whitespace survive every edit made through a [`patch`] or a session of [`Edits`].
//!
//! Template contexts, metadata extraction and body patches call this on a worker thread, once per
//! buffered body or stream event; patches are compiled on the main thread.
//!
//! What is refused: text that is not JSON by RFC 8259, and text in another encoding than UTF-8. What
//! nobody reads cannot matter: numbers of any size are accepted, since they are kept as text, and so are
//! half surrogate pairs in `\u` escapes and any depth of nesting. A byte order mark is stepped over.

mod compare;
mod container;
mod document;
mod edit;
mod error;
mod node;
mod number;
mod outline;
pub mod patch;
mod pointer;
mod reader;
mod repeats;
mod scan;
mod spaced;
mod span;
mod splice;
mod string;

pub use document::Document;
pub use edit::{EditError, Edits};
pub use error::{ParseError, ParseErrorKind};
pub use node::{Kind, Node};
pub use pointer::{Pointer, PointerError};
pub use reader::{Fault, Raw, Reader, read};
pub use scan::MAX_DEPTH;
pub use spaced::write_spaced;
pub use splice::Edited;
pub use string::{is_plain, quote, write_escaped};

#[cfg(test)]
mod tests;
