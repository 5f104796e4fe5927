//! Usage: how many tokens an exchange took, in one way for all dialects.
//!
//! Providers differ in what they count together: OpenAI's and Gemini's input holds what was cached,
//! Anthropic's does not; Gemini's output does not hold thoughts. Here input and output hold everything,
//! and the rest says how much of it was cached or thought.
//!
//! Nothing of it can fail: what is no number of tokens was [not told](crate::count), and what was not
//! told is none, never 0. On the worker thread of a response.

mod force;
mod meter;

pub use crate::tokens::{Reported, Usage};
pub use force::{Hidden, ask, hide};
pub use meter::{Ending, Meter, Metered};

/// How far a [`Usage`] can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UsageStatus {
    /// Everything was told.
    Complete,
    /// The answer ended early; what was told until then.
    Partial,
    /// Nothing was told: a fourth of the bytes of text.
    Estimated,
    /// Nothing was told, and nothing is guessed.
    Missing,
    /// The answer was an error, or of no known shape.
    Error,
}

impl UsageStatus {
    /// The name in what is published.
    pub const fn name(self) -> &'static str {
        match self {
            UsageStatus::Complete => "complete",
            UsageStatus::Partial => "partial",
            UsageStatus::Estimated => "estimated",
            UsageStatus::Missing => "missing",
            UsageStatus::Error => "error",
        }
    }
}

/// How many tokens a text of so many bytes is taken for: a fourth, rounded up.
pub fn estimate(bytes: u64) -> u64 {
    bytes.div_ceil(4)
}
