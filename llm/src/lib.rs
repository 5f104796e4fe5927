//! What LLM traffic says, and what may be done to it.
//!
//! Documents, events and bytes in; facts and edits out. The crate knows the dialects that clients and
//! providers speak, and neither HTTP nor Envoy, neither templates nor the text of configurations. It is
//! called on workers; what can be made once is made once, when a configuration is compiled.

#![forbid(unsafe_code)]

pub mod apply;
pub mod count;
pub mod dialect;
pub mod facts;
pub mod guard;
pub mod limits;
pub mod mask;
pub mod model;
pub mod pattern;
pub mod place;
pub mod price;
pub mod prompt;
pub mod refusal;
pub mod request;
pub mod response;
pub mod stats;
pub mod text;
mod tokens;
pub mod translate;
pub mod usage;
