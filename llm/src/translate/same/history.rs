//! Earlier turns of a conversation that another provider answered, for one that speaks the client's
//! dialect and would refuse what it finds there.
//!
//! Ids of calls may hold signatures of Gemini's, which are longer than ids of OpenAI's may be, and
//! messages the signed thoughts of others, which OpenAI does not know; thoughts that came from OpenAI
//! have no signature, without which Anthropic takes none back. What holds none of these keeps its
//! bytes.

use memchr::memmem;

use crate::dialect::Dialect;
use crate::translate::chat::tools::SIGNED;
use crate::translate::json::{Json, Value};

/// Writes a message; tells whether that changes it.
type Write = fn(Value<'_>, &mut Json) -> bool;

/// The messages without what the provider would refuse; none if there is nothing of that.
///
/// # Cost
/// A search for a word, if there is nothing.
pub(super) fn clean(client: Dialect, messages: Value<'_>) -> Option<String> {
    let (words, write): (&[&str], Write) = match client {
        Dialect::OpenaiChat => (&[SIGNED, THOUGHTS], write_unsigned),
        Dialect::AnthropicMessages => (&["thinking"], write_thoughtless),
        _ => return None,
    };
    let text = messages.text().as_bytes();
    if words
        .iter()
        .all(|it| memmem::find(text, it.as_bytes()).is_none())
    {
        return None;
    }
    let mut json = Json::with_capacity(messages.text().len());
    let mut has_changed = false;
    json.open_array();
    for message in messages.items() {
        has_changed |= write(message, &mut json);
    }
    json.close_array();
    has_changed.then(|| json.into_text())
}

/// The member of a message that holds what another provider signed.
const THOUGHTS: &str = "thinking_blocks";

/// Whether another provider made the message: something in it is signed.
fn is_signed(message: Value<'_>) -> bool {
    let [thoughts, calls] = message.members([THOUGHTS, "tool_calls"]);
    let has_signature = |call: &Value<'_>| {
        let id = call.get("id").and_then(Value::spelled);
        id.is_some_and(|id| id.contains(SIGNED))
    };
    thoughts.is_some() || calls.is_some_and(|it| it.items().iter().any(has_signature))
}

/// Writes a message of OpenAI's with ids alone, and without the thoughts of another provider; tells
/// whether that changes it.
fn write_unsigned(message: Value<'_>, json: &mut Json) -> bool {
    let (mut has_changed, mut has_thoughts) = (false, false);
    let mut write_id = |key: &str, value: Value<'_>, json: &mut Json| {
        let id = value.string().unwrap_or_default();
        match id.split_once(SIGNED) {
            Some((id, _)) => {
                has_changed = true;
                json.member_string(key, id);
            }
            None => json.member(key, value.text()),
        }
    };
    if !message.is_object() {
        json.raw(message.text());
        return false;
    }
    let is_signed = is_signed(message);
    json.open_object();
    message.each(|key, value| {
        if is_signed && (key.is(THOUGHTS) || key.is("reasoning_content")) {
            has_thoughts = true;
        } else if key.is("tool_call_id") && value.is_string() {
            write_id("tool_call_id", value, json);
        } else if key.is("tool_calls") && value.is_array() {
            json.key("tool_calls");
            json.open_array();
            for call in value.items() {
                json.open_object();
                call.each(|key, value| match key.is("id") && value.is_string() {
                    true => write_id("id", value, json),
                    false => json.entry(key, value),
                });
                json.close_object();
            }
            json.close_array();
        } else {
            json.entry(key, value);
        }
    });
    json.close_object();
    has_changed || has_thoughts
}

/// Writes a message of Anthropic's without thoughts that nobody signed; tells whether that changes
/// it. A message of nothing else is none.
fn write_thoughtless(message: Value<'_>, json: &mut Json) -> bool {
    let content = message.get("content").map(Value::items).unwrap_or_default();
    let kept: Vec<_> = content.iter().filter(|it| !is_unsigned(**it)).collect();
    if kept.len() == content.len() {
        json.raw(message.text());
        return false;
    }
    if kept.is_empty() {
        return true;
    }
    json.open_object();
    message.each(|key, value| {
        if key.is("content") {
            json.key("content");
            json.open_array();
            for block in &kept {
                json.raw(block.text());
            }
            json.close_array();
        } else {
            json.entry(key, value);
        }
    });
    json.close_object();
    true
}

fn is_unsigned(block: Value<'_>) -> bool {
    let [of, signature] = block.members(["type", "signature"]);
    let is_signed = signature.is_some_and(|it| it.is_string() && !it.is_blank());
    of.is_some_and(|it| it.is("thinking")) && !is_signed
}
