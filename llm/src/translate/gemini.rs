//! OpenAI's chat at Google's Gemini: at the Gemini API and in Vertex AI.
//!
//! Neither has ids of calls everywhere, nor keeps what was thought: an id is made for every call,
//! and the signature that the provider wants back with a call travels in it.

pub(super) mod answer;
mod contents;
pub(super) mod request;
pub(super) mod stream;
