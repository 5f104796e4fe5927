//! What bodies and streams are made of: JSON documents, events in both of their formats, codings.
//!
//! Everything here is a pure function or a state machine over bytes. It knows no HTTP, no templates and
//! no host; what it reads it leaves as it stands, so that what nobody edits keeps its bytes.
//!
//! ```
//! use formats::json::Document;
//!
//! let document = Document::parse(r#"{"model": "small", "n": 1.50}"#)?;
//! let n = document.root().get("n");
//! assert_eq!(n.map(|n| n.raw().to_owned()).as_deref(), Some("1.50"));
//! # Ok::<(), formats::json::ParseError>(())
//! ```

#![forbid(unsafe_code)]

pub mod coding;
pub mod events;
pub mod frames;
pub mod json;
