//! A stream of OpenAI's chat as one of Anthropic's, chunk by chunk.
//!
//! Blocks of Anthropic's come one after the other, each of one kind, with rising numbers; chunks of
//! OpenAI's may speak of several calls in turns. The first call is passed on as it comes; what
//! belongs to others, and text behind calls, is held until the answer ends, up to the limit of an
//! event.

use formats::events::Format;

use super::answer::{stop_reason, write_usage};
use crate::dialect::Dialect;
use crate::translate::failure::Failure;
use crate::translate::json::{Json, Value};
use crate::translate::stream::MAX_EVENT_BYTES;
use crate::translate::{Asked, Step, reported};
use crate::usage::{Reported, Usage};

/// A stream that is being translated.
#[derive(Debug)]
pub(in crate::translate) struct FromChat {
    asked: Asked,
    id: String,
    is_started: bool,
    open: Option<Block>,
    /// The number of the next block.
    next: u64,
    /// The call that is passed on: OpenAI's number of it.
    live: Option<u64>,
    /// What waits for the end.
    held: Vec<Held>,
    late_text: String,
    held_bytes: usize,
    has_calls: bool,
    finish: Option<String>,
    reported: Option<Reported>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    Thinking,
    Text,
    Call,
}

/// A call that waits, with everything as it is spelled.
#[derive(Debug, Default)]
struct Held {
    number: u64,
    id: String,
    name: String,
    arguments: String,
}

impl FromChat {
    pub(in crate::translate) fn new(asked: Asked, id: String) -> FromChat {
        FromChat {
            asked,
            id,
            is_started: false,
            open: None,
            next: 0,
            live: None,
            held: Vec::new(),
            late_text: String::new(),
            held_bytes: 0,
            has_calls: false,
            finish: None,
            reported: None,
        }
    }

    /// Translates a chunk.
    pub(in crate::translate) fn event(&mut self, chunk: Value<'_>, out: &mut Vec<u8>) -> Step {
        let [error, id, model, choices, usage] =
            chunk.members(["error", "id", "model", "choices", "usage"]);
        if error.is_some() {
            return Step::Fail(Failure::of_event(chunk));
        }
        if let Some(later) = usage.and_then(reported) {
            self.reported.get_or_insert_default().update(later);
        }
        let choices = choices.map(Value::items).unwrap_or_default();
        let choices = choices.iter();
        let mut choices = choices.map(|it| it.members(["index", "delta", "finish_reason"]));
        let is_first = |[index, ..]: &[Option<Value<'_>>; 3]| {
            let index = index.and_then(Value::count);
            index.unwrap_or_default() == 0
        };
        let Some([_, delta, finish]) = choices.find(is_first) else {
            return Step::More;
        };
        if !self.is_started {
            let full = |it: Option<Value<'_>>| {
                it.and_then(Value::string)
                    .filter(|it| !it.is_empty())
                    .map(|it| it.into_owned())
            };
            self.id = full(id).unwrap_or_else(|| std::mem::take(&mut self.id));
            if let Some(model) = full(model) {
                self.asked.model = model;
            }
            self.start(out);
        }
        if let Some(delta) = delta {
            self.delta(delta, out);
        }
        if let Some(finish) = finish.and_then(Value::string) {
            self.finish = Some(finish.into_owned());
        }
        match self.held_bytes > MAX_EVENT_BYTES {
            true => Step::Fail(Failure::unreadable()),
            false => Step::More,
        }
    }

    /// `[DONE]`, or the upstream's end.
    pub(in crate::translate) fn finish(&mut self, is_done: bool, out: &mut Vec<u8>) -> Step {
        if !self.is_started || (self.finish.is_none() && !is_done) {
            return Step::Fail(Failure::early());
        }
        self.close(out);
        for call in std::mem::take(&mut self.held) {
            self.start_call(&call.id, &call.name, out);
            self.fragment(&call.arguments, out);
            self.close(out);
        }
        let text = std::mem::take(&mut self.late_text);
        self.text(Block::Text, &text, out);
        self.close(out);
        let finish = self.finish.take().unwrap_or_default();
        let mut json = Json::default();
        json.open_object();
        json.member_string("type", "message_delta");
        json.key("delta");
        json.open_object();
        json.member_string("stop_reason", stop_reason(&finish, self.has_calls));
        json.member("stop_sequence", "null");
        json.close_object();
        json.key("usage");
        let usage = self.reported.and_then(|it| it.usage(Dialect::OpenaiChat));
        write_usage(&usage.unwrap_or_else(|| self.estimated()), &mut json);
        json.close_object();
        event("message_delta", &json, out);
        let mut json = Json::default();
        json.raw(r#"{"type":"message_stop"}"#);
        event("message_stop", &json, out);
        Step::End
    }

    /// What clients are told before anything is known.
    fn estimated(&self) -> Usage {
        Usage {
            input_tokens: self.asked.estimated_input_tokens,
            ..Usage::default()
        }
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        self.is_started = true;
        let mut json = Json::default();
        json.open_object();
        json.member_string("type", "message_start");
        json.key("message");
        json.open_object();
        json.member_string("id", &self.id);
        json.member_string("type", "message");
        json.member_string("role", "assistant");
        json.member_string("model", &self.asked.model);
        json.member("content", "[]");
        json.member("stop_reason", "null");
        json.member("stop_sequence", "null");
        json.key("usage");
        write_usage(&self.estimated(), &mut json);
        json.close_object();
        json.close_object();
        event("message_start", &json, out);
    }

    fn delta(&mut self, delta: Value<'_>, out: &mut Vec<u8>) {
        let [content, refusal, reasoning, elder, calls] = delta.members([
            "content",
            "refusal",
            "reasoning_content",
            "reasoning",
            "tool_calls",
        ]);
        for (block, said) in [
            (Block::Thinking, reasoning.or(elder)),
            (Block::Text, content),
            (Block::Text, refusal),
        ] {
            let spelled = said.and_then(Value::spelled);
            self.text(block, spelled.unwrap_or_default(), out);
        }
        for call in calls.map(Value::items).unwrap_or_default() {
            self.call(call, out);
        }
    }

    fn text(&mut self, block: Block, spelled: &str, out: &mut Vec<u8>) {
        if spelled.is_empty() {
            return;
        }
        if self.open == Some(Block::Call) {
            // Thoughts that come so late are of no use to anybody.
            if block == Block::Text {
                self.held_bytes += spelled.len();
                self.late_text.push_str(spelled);
            }
            return;
        }
        let (of, key) = match block {
            Block::Thinking => ("thinking_delta", "thinking"),
            _ => ("text_delta", "text"),
        };
        if self.open != Some(block) {
            self.close(out);
            let empty = match block {
                Block::Thinking => r#"{"type":"thinking","thinking":"","signature":""}"#,
                _ => r#"{"type":"text","text":""}"#,
            };
            self.start_block(block, empty, out);
        }
        self.block_delta(of, key, spelled, out);
    }

    fn call(&mut self, call: Value<'_>, out: &mut Vec<u8>) {
        let [index, id, function] = call.members(["index", "id", "function"]);
        let number = index.and_then(Value::count).unwrap_or_default();
        let [name, arguments] = function.map_or([None; 2], |it| it.members(["name", "arguments"]));
        let [id, name, arguments] =
            [id, name, arguments].map(|it| it.and_then(Value::spelled).unwrap_or_default());
        self.has_calls = true;
        if self.live.is_none() {
            self.live = Some(number);
            self.close(out);
            self.start_call(id, name, out);
        }
        if self.live == Some(number) {
            self.fragment(arguments, out);
            return;
        }
        self.held_bytes += id.len() + name.len() + arguments.len() + size_of::<Held>();
        let place = match self.held.iter().position(|it| it.number == number) {
            Some(place) => place,
            None => {
                self.held.push(Held {
                    number,
                    ..Held::default()
                });
                self.held.len() - 1
            }
        };
        if let Some(held) = self.held.get_mut(place) {
            held.id.push_str(id);
            held.name.push_str(name);
            held.arguments.push_str(arguments);
        }
    }

    fn start_call(&mut self, id: &str, name: &str, out: &mut Vec<u8>) {
        let mut block = Json::default();
        block.open_object();
        block.member_string("type", "tool_use");
        block.member_spelled("id", id);
        block.member_spelled("name", name);
        block.member("input", "{}");
        block.close_object();
        self.start_block(Block::Call, block.text(), out);
    }

    /// Some of the arguments of the call that is open.
    fn fragment(&mut self, spelled: &str, out: &mut Vec<u8>) {
        if !spelled.is_empty() {
            self.block_delta("input_json_delta", "partial_json", spelled, out);
        }
    }

    fn start_block(&mut self, block: Block, content: &str, out: &mut Vec<u8>) {
        let mut json = Json::default();
        json.open_object();
        json.member_string("type", "content_block_start");
        json.member_number("index", self.next);
        json.member("content_block", content);
        json.close_object();
        event("content_block_start", &json, out);
        self.open = Some(block);
    }

    fn block_delta(&mut self, of: &str, key: &str, spelled: &str, out: &mut Vec<u8>) {
        let mut json = Json::with_capacity(spelled.len() + 128);
        json.open_object();
        json.member_string("type", "content_block_delta");
        json.member_number("index", self.next);
        json.key("delta");
        json.open_object();
        json.member_string("type", of);
        json.member_spelled(key, spelled);
        json.close_object();
        json.close_object();
        event("content_block_delta", &json, out);
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if self.open.take().is_none() {
            return;
        }
        let mut json = Json::default();
        json.open_object();
        json.member_string("type", "content_block_stop");
        json.member_number("index", self.next);
        json.close_object();
        event("content_block_stop", &json, out);
        self.next += 1;
    }
}

fn event(name: &str, json: &Json, out: &mut Vec<u8>) {
    Format::Sse.write(Some(name), json.text().as_bytes(), out);
}
