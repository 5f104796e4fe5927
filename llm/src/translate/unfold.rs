//! A whole answer, told as the stream that was asked for: some providers, and gateways before them,
//! answer in one document whatever the request says.
//!
//! Reads a document of the client's own dialect, and says the same in its events, each text in one
//! piece. On the worker thread of the exchange.

use std::borrow::Cow;

use formats::events::Format;

use super::Asked;
use super::chat::chunks::Chunks;
use super::json::{Json, Value};
use super::reported;
use crate::dialect::Dialect;

/// The events of an answer of OpenAI's chat; none if it is none.
pub(super) fn chunks(answer: Value<'_>, asked: &Asked) -> Option<String> {
    let [id, model, created, choices, usage] =
        answer.members(["id", "model", "created", "choices", "usage"]);
    let created = created.and_then(|it| it.text().parse().ok());
    let created = created.unwrap_or_default();
    let mut chunks = Chunks::new(&text(id), &text(model), created, asked.wants_usage);
    let mut out = Vec::new();
    for (index, choice) in (0..).zip(choices?.items()) {
        let [message, finish] = choice.members(["message", "finish_reason"]);
        chunks.whole(index, &delta(message?), &text(finish), &mut out);
    }
    let usage = usage.and_then(reported);
    let usage = usage.and_then(|it| it.usage(Dialect::OpenaiChat));
    chunks.done(usage, &mut out);
    String::from_utf8(out).ok()
}

fn text(value: Option<Value<'_>>) -> Cow<'_, str> {
    value.and_then(Value::string).unwrap_or_default()
}

/// The members of a message that come in several pieces.
const LISTS: [&str; 3] = ["tool_calls", "thinking_blocks", "images"];

/// A message as a delta: what is put together from several has a number in its list.
fn delta(message: Value<'_>) -> String {
    let mut json = Json::with_capacity(message.text().len() + 32);
    json.open_object();
    message.each(|key, value| {
        if !LISTS.iter().any(|list| key.is(list)) {
            return json.entry(key, value);
        }
        json.raw(key.text());
        json.colon();
        json.open_array();
        for (index, item) in (0..).zip(value.items()) {
            json.open_object();
            json.member_number("index", index);
            item.each(|key, value| json.entry(key, value));
            json.close_object();
        }
        json.close_array();
    });
    json.close_object();
    json.into_text()
}

/// The events of an answer of Anthropic's; none if it is none.
pub(super) fn events(answer: Value<'_>) -> Option<String> {
    let [content, reason, sequence, usage] =
        answer.members(["content", "stop_reason", "stop_sequence", "usage"]);
    let mut out = Vec::new();
    let mut say = |kind: &str, write: &dyn Fn(&mut Json)| {
        let mut json = Json::with_capacity(256);
        json.open_object();
        json.member_string("type", kind);
        write(&mut json);
        json.close_object();
        Format::Sse.write(Some(kind), json.text().as_bytes(), &mut out);
    };
    say("message_start", &|json| {
        json.key("message");
        json.open_object();
        answer.each(|key, value| match () {
            () if key.is("content") => json.member("content", "[]"),
            () if key.is("stop_reason") => json.member("stop_reason", "null"),
            () if key.is("stop_sequence") => json.member("stop_sequence", "null"),
            () => json.entry(key, value),
        });
        json.close_object();
    });
    for (index, block) in (0..).zip(content?.items()) {
        let pieces = pieces(block);
        say("content_block_start", &|json| {
            json.member_number("index", index);
            json.key("content_block");
            json.open_object();
            block.each(|key, value| {
                let piece = pieces.iter().find(|piece| key.is(piece.member));
                match piece {
                    Some(piece) => json.member(piece.member, piece.empty),
                    None => json.entry(key, value),
                }
            });
            json.close_object();
        });
        for piece in &pieces {
            say("content_block_delta", &|json| {
                json.member_number("index", index);
                json.key("delta");
                json.open_object();
                json.member_string("type", piece.delta);
                match piece.empty {
                    "{}" => json.member_string(piece.key, piece.value.text()),
                    _ => json.member(piece.key, piece.value.text()),
                }
                json.close_object();
            });
        }
        say("content_block_stop", &|json| {
            json.member_number("index", index);
        });
    }
    say("message_delta", &|json| {
        json.key("delta");
        json.open_object();
        json.member("stop_reason", reason.map_or("null", Value::text));
        json.member("stop_sequence", sequence.map_or("null", Value::text));
        json.close_object();
        json.member_if("usage", usage);
    });
    say("message_stop", &|_| {});
    String::from_utf8(out).ok()
}

/// A member of a block that comes in deltas.
struct Piece<'v> {
    member: &'static str,
    value: Value<'v>,
    /// What stands for it where the block begins.
    empty: &'static str,
    delta: &'static str,
    /// The member of the delta.
    key: &'static str,
}

/// Those of a block; of a kind that is not known, none, so that it comes as a whole.
fn pieces(block: Value<'_>) -> Vec<Piece<'_>> {
    const TEXT: &str = "\"\"";
    let [kind] = block.members(["type"]);
    let table: &[[&'static str; 4]] = match kind.and_then(Value::string).as_deref() {
        Some("text") => &[["text", TEXT, "text_delta", "text"]],
        Some("tool_use" | "server_tool_use") => {
            &[["input", "{}", "input_json_delta", "partial_json"]]
        }
        Some("thinking") => &[
            ["thinking", TEXT, "thinking_delta", "thinking"],
            ["signature", TEXT, "signature_delta", "signature"],
        ],
        _ => &[],
    };
    let piece = |[member, empty, delta, key]: [&'static str; 4]| {
        let value = block.get(member)?;
        Some(Piece {
            member,
            value,
            empty,
            delta,
            key,
        })
    };
    table.iter().filter_map(|row| piece(*row)).collect()
}
