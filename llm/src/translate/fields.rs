//! What becomes of every field of a request, by pair: the tables that translations obey, each in a file below.
//!
//! Members at the top of a request are looked up here on the worker thread of the request; what is
//! further in is named by the code that reads it, with the names of these tables. Documentation is
//! made of them, and tests go through every row.

mod chat_to_anthropic;
mod chat_to_converse;
mod chat_to_gemini;
mod messages_to_chat;

use formats::json::Kind;

pub use chat_to_anthropic::CHAT_TO_ANTHROPIC;
pub use chat_to_converse::CHAT_TO_CONVERSE;
pub use chat_to_gemini::CHAT_TO_GEMINI;
pub use messages_to_chat::MESSAGES_TO_CHAT;

use super::json::Value;
use super::{Provider, Translation};
use crate::dialect::Dialect;

/// A field of a client's request, and what becomes of it at a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it stands in the request.
    pub field: &'static str,
    /// What becomes of it.
    pub becomes: Becomes,
}

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Becomes {
    /// This at the target.
    Field(&'static str),
    /// Nothing, and why that changes no answer.
    Nothing(&'static str),
    /// Nothing, which is counted, whatever is done with others: clients send it whether they need it
    /// or not. Why the target cannot have it.
    Dropped(&'static str),
    /// Nothing: the target has no such thing, and says so, or leaves it out where that is
    /// configured. Values that ask for nothing are fine.
    Refused,
}

const fn row(field: &'static str, becomes: Becomes) -> Row {
    Row { field, becomes }
}

/// The tables, each with a pair that obeys it.
pub const TABLES: &[(Dialect, Provider, &[Row])] = &[
    (Dialect::OpenaiChat, Provider::Anthropic, CHAT_TO_ANTHROPIC),
    (Dialect::OpenaiChat, Provider::Gemini, CHAT_TO_GEMINI),
    (Dialect::OpenaiChat, Provider::Bedrock, CHAT_TO_CONVERSE),
    (
        Dialect::AnthropicMessages,
        Provider::Openai,
        MESSAGES_TO_CHAT,
    ),
];

/// The table of a pair; none where both speak the same.
pub fn of(translation: &Translation) -> Option<&'static [Row]> {
    translation.pair.rows()
}

/// What becomes of a member at the top; none if the table does not know it.
pub(super) fn becomes(rows: &'static [Row], name: &str) -> Option<Row> {
    rows.iter().copied().find(|row| row.field == name)
}

/// Whether a value asks for what is done anyway, so that it is no loss to leave it out.
pub(super) fn asks_for_nothing(name: &str, value: Value<'_>) -> bool {
    let is_number = |number: f64| value.float() == Some(number);
    match value.kind() {
        Kind::Null => return true,
        Kind::Array | Kind::Object if is_empty(value) => return true,
        _ => {}
    }
    match name {
        "n" => is_number(1.0),
        "presence_penalty" | "frequency_penalty" | "top_logprobs" => is_number(0.0),
        "logprobs" | "store" => value.bool() == Some(false),
        "modalities" => value.items().iter().all(|it| it.is("text")),
        "service_tier" => value.is("auto") || value.is("default"),
        "verbosity" => value.is("medium"),
        "function_call" => value.is("none") || value.is("auto"),
        // That calls come one by one is lost by who writes the tools: without any, nothing is.
        "parallel_tool_calls" => value.bool().is_some(),
        _ => false,
    }
}

fn is_empty(value: Value<'_>) -> bool {
    let mut is_empty = value.items().is_empty();
    value.each(|_, _| is_empty = false);
    is_empty
}
