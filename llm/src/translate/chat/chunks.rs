//! A streamed answer in OpenAI's chat: chunks as Server-Sent Events.
//!
//! What every chunk of an answer begins with is written once; a chunk is that, a delta, and an end.

use super::answer::{Finish, write_image, write_usage};
use crate::translate::json::Json;
use crate::usage::Usage;

/// Writes one stream.
#[derive(Debug)]
pub(in crate::translate) struct Chunks {
    /// Up to the choices.
    head: String,
    /// `usage` of a chunk that tells none.
    no_usage: &'static str,
    delta: Json,
}

impl Chunks {
    /// A stream of an answer. With `wants_usage`, a chunk at its end tells usage.
    pub(in crate::translate) fn new(
        id: &str,
        model: &str,
        created: u64,
        wants_usage: bool,
    ) -> Chunks {
        let mut head = Json::default();
        head.open_object();
        head.member_string("id", id);
        head.member_string("object", "chat.completion.chunk");
        head.member_number("created", created);
        head.member_string("model", model);
        head.key("choices");
        Chunks {
            head: head.into_text(),
            no_usage: if wants_usage { r#","usage":null"# } else { "" },
            delta: Json::default(),
        }
    }

    /// The first chunk of a choice.
    pub(in crate::translate) fn role(&mut self, choice: u64, out: &mut Vec<u8>) {
        let role = r#"{"role":"assistant","content":""}"#;
        self.chunk(choice, role, None, out);
    }

    /// A delta without anything, which keeps a connection open.
    pub(in crate::translate) fn nothing(&mut self, out: &mut Vec<u8>) {
        self.chunk(0, "{}", None, out);
    }

    /// Text, as it is spelled inside of a JSON string.
    pub(in crate::translate) fn text(&mut self, choice: u64, spelled: &str, out: &mut Vec<u8>) {
        self.delta(choice, out, |json| json.member_spelled("content", spelled));
    }

    /// What was thought, without a signature to come.
    pub(in crate::translate) fn reasoning(
        &mut self,
        choice: u64,
        spelled: &str,
        out: &mut Vec<u8>,
    ) {
        self.delta(choice, out, |json| {
            json.member_spelled("reasoning_content", spelled);
        });
    }

    /// What was thought in a block, which is signed at its end.
    pub(in crate::translate) fn thinking(&mut self, block: u64, spelled: &str, out: &mut Vec<u8>) {
        self.delta(0, out, |json| {
            json.member_spelled("reasoning_content", spelled);
            write_block(json, block, "thinking", "thinking", spelled);
        });
    }

    pub(in crate::translate) fn signature(&mut self, block: u64, spelled: &str, out: &mut Vec<u8>) {
        self.delta(0, out, |json| {
            write_block(json, block, "thinking", "signature", spelled);
        });
    }

    /// Thoughts that nobody may read.
    pub(in crate::translate) fn redacted(&mut self, block: u64, spelled: &str, out: &mut Vec<u8>) {
        self.delta(0, out, |json| {
            write_block(json, block, "redacted_thinking", "data", spelled);
        });
    }

    /// The image at this place among those of the choice; its type and its base64 are spelled.
    pub(in crate::translate) fn image(
        &mut self,
        choice: u64,
        image: u64,
        (media_type, data): (&str, &str),
        out: &mut Vec<u8>,
    ) {
        self.delta(choice, out, |json| {
            json.key("images");
            json.open_array();
            json.open_object();
            json.member_number("index", image);
            write_image(json, media_type, data);
            json.close_object();
            json.close_array();
        });
    }

    /// The beginning of the call at this place among the calls of the answer. The id is not spelled
    /// yet; the name is.
    pub(in crate::translate) fn call(
        &mut self,
        choice: u64,
        call: u64,
        (id, name): (&str, &str),
        arguments: &str,
        out: &mut Vec<u8>,
    ) {
        self.delta(choice, out, |json| {
            open_call(json, call);
            json.member_string("id", id);
            json.member_string("type", "function");
            json.key("function");
            json.open_object();
            json.member_spelled("name", name);
            json.member_spelled("arguments", arguments);
            close_call(json);
        });
    }

    /// More of the arguments of a call.
    pub(in crate::translate) fn arguments(&mut self, call: u64, spelled: &str, out: &mut Vec<u8>) {
        self.delta(0, out, |json| {
            open_call(json, call);
            json.key("function");
            json.open_object();
            json.member_spelled("arguments", spelled);
            close_call(json);
        });
    }

    /// The last chunk of a choice.
    pub(in crate::translate) fn finish(&mut self, choice: u64, finish: Finish, out: &mut Vec<u8>) {
        self.chunk(choice, "{}", Some(finish.name()), out);
    }

    /// A choice that is known already: a message as a delta, and why it ended.
    pub(in crate::translate) fn whole(
        &mut self,
        choice: u64,
        delta: &str,
        finish: &str,
        out: &mut Vec<u8>,
    ) {
        self.chunk(choice, delta, None, out);
        self.chunk(choice, "{}", Some(finish), out);
    }

    /// What follows the last chunk of all choices.
    pub(in crate::translate) fn done(&mut self, usage: Option<Usage>, out: &mut Vec<u8>) {
        if let (Some(usage), false) = (usage, self.no_usage.is_empty()) {
            let mut json = Json::default();
            write_usage(&usage, &mut json);
            out.extend_from_slice(b"data: ");
            out.extend_from_slice(self.head.as_bytes());
            out.extend_from_slice(b"[],\"usage\":");
            out.extend_from_slice(json.text().as_bytes());
            out.extend_from_slice(b"}\n\n");
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn delta(&mut self, choice: u64, out: &mut Vec<u8>, write: impl FnOnce(&mut Json)) {
        let mut delta = std::mem::take(&mut self.delta);
        delta.clear();
        delta.open_object();
        write(&mut delta);
        delta.close_object();
        self.chunk(choice, delta.text(), None, out);
        self.delta = delta;
    }

    fn chunk(&self, choice: u64, delta: &str, finish: Option<&str>, out: &mut Vec<u8>) {
        let (quote, finish) = match finish {
            Some(finish) => ("\"", finish),
            None => ("", "null"),
        };
        let mut index = [0; 20];
        for part in [
            "data: ",
            &self.head,
            r#"[{"index":"#,
            digits(choice, &mut index),
            r#","delta":"#,
            delta,
            r#","logprobs":null,"finish_reason":"#,
            quote,
            finish,
            quote,
            "}]",
            self.no_usage,
            "}\n\n",
        ] {
            out.extend_from_slice(part.as_bytes());
        }
    }
}

fn write_block(json: &mut Json, block: u64, of: &str, key: &str, spelled: &str) {
    json.key("thinking_blocks");
    json.open_array();
    json.open_object();
    // Clients put lists together by this number.
    json.member_number("index", block);
    json.member_string("type", of);
    json.member_spelled(key, spelled);
    json.close_object();
    json.close_array();
}

fn open_call(json: &mut Json, call: u64) {
    json.key("tool_calls");
    json.open_array();
    json.open_object();
    json.member_number("index", call);
}

fn close_call(json: &mut Json) {
    json.close_object();
    json.close_object();
    json.close_array();
}

/// A number in decimal.
fn digits(mut number: u64, buffer: &mut [u8; 20]) -> &str {
    let mut start = buffer.len();
    for (at, place) in buffer.iter_mut().enumerate().rev() {
        // A remainder of ten is a digit.
        *place = b'0' + (number % 10) as u8;
        number /= 10;
        start = at;
        if number == 0 {
            break;
        }
    }
    std::str::from_utf8(buffer.get(start..).unwrap_or_default()).unwrap_or("0")
}
