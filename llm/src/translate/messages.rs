//! Anthropic's Messages at OpenAI's chat: clients of Anthropic's on models of everybody else.

pub(super) mod answer;
mod blocks;
mod calls;
pub(super) mod request;
mod said;
pub(super) mod stream;
