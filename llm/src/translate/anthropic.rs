//! OpenAI's chat at Anthropic's Messages: at Anthropic itself, in Vertex AI and in Bedrock.

pub(super) mod answer;
pub(super) mod effort;
mod messages;
pub(super) mod request;
pub(super) mod stream;
mod tools;
