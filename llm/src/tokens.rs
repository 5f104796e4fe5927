//! Numbers of tokens: as a provider reports them, and in one way for all dialects.
//!
//! What responses are read into, and usage is made of: [`usage`](crate::usage) says it to callers. On the
//! worker thread of a response; nothing of it can fail.

mod reported;

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
