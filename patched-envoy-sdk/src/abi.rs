//! The names of Envoy's C ABI that filter code mentions: statuses, results, reasons, ids.
//!
//! Spelling is Envoy's, letter by letter, because filters written for the official crate spell them
//! so. Nothing here calls anything. Integers that come from the host become these enums only
//! through `from_raw`, which refuses values this crate does not know.
#![allow(non_camel_case_types)]

mod attributes;
mod enums;
mod types;

pub use attributes::*;
pub use enums::*;
pub use types::*;
