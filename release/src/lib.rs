//! What a release holds beside the module and the tool: which crates are linked into them, and the texts of
//! licences that must go with a binary. Used by the program `third-party`, and by the tests in `tests/`,
//! which hold all that a release is made of to its rules; nothing here is part of the module.
//!
//! - [`linked`]: the crates, as cargo tells them.
//! - [`licences`]: what is asked of who passes them on.
#![forbid(unsafe_code)]

pub mod licences;
pub mod linked;
