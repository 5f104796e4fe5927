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
mod reported;

pub use force::{Hidden, ask, hide};
pub use meter::{Ending, Meter, Metered};
pub use reported::Reported;

use crate::count::sum;

/// What an exchange took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// All tokens of the input, cached ones included.
    pub input_tokens: u64,
    /// All tokens of the output, thoughts included.
    pub output_tokens: u64,
    /// How many of the input were read from a cache; none if that was not told.
    pub cached_tokens: Option<u64>,
    /// How many of the input were written to a cache; none if that was not told.
    pub cache_creation_tokens: Option<u64>,
    /// How many of the output were thought; none if that was not told.
    pub reasoning_tokens: Option<u64>,
}

impl Usage {
    /// Input and output together.
    pub fn total_tokens(&self) -> u64 {
        sum([self.input_tokens, self.output_tokens])
    }
}

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
