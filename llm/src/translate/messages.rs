//! Anthropic's Messages at OpenAI's chat: clients of Anthropic's on models of everybody else.

pub(super) mod answer;
mod blocks;
pub(super) mod request;
pub(super) mod stream;
