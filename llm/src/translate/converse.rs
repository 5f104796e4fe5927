//! OpenAI's chat at Amazon Bedrock's Converse API, whatever the model behind it.

pub(super) mod answer;
mod messages;
pub(super) mod names;
pub(super) mod request;
pub(super) mod stream;
