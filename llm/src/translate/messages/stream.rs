//! A stream of OpenAI's chat as one of Anthropic's, chunk by chunk.
//!
//! Blocks of Anthropic's come one after the other, each of one kind, with rising numbers; chunks of
//! OpenAI's may speak of several calls in turns, which [`Calls`] puts one behind the other. What is
//! said or thought behind calls is held until the answer ends, up to the limit of an event.

use std::borrow::Cow;

use formats::events::Format;

use super::answer::{Ending, write_usage};
use super::calls::{Calls, Told};
use super::said::{Said, each};
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
    calls: Calls,
    /// What waits for the end, as it is spelled.
    late: Vec<(Said, String)>,
    late_bytes: usize,
    is_refused: bool,
    finish: Option<String>,
    reported: Option<Reported>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    Said(Said),
    Call,
}

impl FromChat {
    pub(in crate::translate) fn new(asked: Asked, id: String) -> FromChat {
        FromChat {
            asked,
            id,
            is_started: false,
            open: None,
            next: 0,
            calls: Calls::default(),
            late: Vec::new(),
            late_bytes: 0,
            is_refused: false,
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
        let is_read = delta.is_none_or(|it| self.delta(it, out));
        let finish = finish.and_then(Value::string);
        if let Some(finish) = finish.filter(|it| !it.is_empty()) {
            self.finish = Some(finish.into_owned());
        }
        match is_read && self.late_bytes <= MAX_EVENT_BYTES {
            true => Step::More,
            false => Step::Fail(Failure::unreadable()),
        }
    }

    /// `[DONE]`, or the upstream's end. It is one of the answer only if the answer said so.
    pub(in crate::translate) fn finish(&mut self, out: &mut Vec<u8>) -> Step {
        let Some(finish) = self.finish.take() else {
            return Step::Fail(Failure::early());
        };
        self.tell_calls(true, out);
        for (of, spelled) in std::mem::take(&mut self.late) {
            self.say(of, &spelled, out);
        }
        self.close(out);
        let ending = Ending {
            has_calls: !self.calls.is_empty(),
            is_refused: self.is_refused,
        };
        let mut json = Json::default();
        json.open_object();
        json.member_string("type", "message_delta");
        json.key("delta");
        json.open_object();
        json.member_string("stop_reason", ending.stop_reason(&finish));
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

    /// Translates a delta, unless it cannot be read.
    fn delta(&mut self, delta: Value<'_>, out: &mut Vec<u8>) -> bool {
        let [content, refusal, reasoning, elder, calls] = delta.members([
            "content",
            "refusal",
            "reasoning_content",
            "reasoning",
            "tool_calls",
        ]);
        if let Some(thought) = reasoning.or(elder).and_then(Value::spelled) {
            self.say(Said::Thought, thought, out);
        }
        if let Some(content) = content {
            each(content, &mut |of, spelled| self.say(of, spelled, out));
        }
        if let Some(refusal) = refusal.and_then(Value::spelled) {
            self.is_refused |= !refusal.is_empty();
            self.say(Said::Text, refusal, out);
        }
        for call in calls.map(Value::items).unwrap_or_default() {
            if self.calls.push(call).is_err() {
                return false;
            }
            self.tell_calls(false, out);
        }
        true
    }

    fn say(&mut self, of: Said, spelled: &str, out: &mut Vec<u8>) {
        if spelled.is_empty() {
            return;
        }
        if self.calls.is_open() {
            self.late_bytes += spelled.len();
            match self.late.last_mut() {
                Some((last, text)) if *last == of => text.push_str(spelled),
                _ => self.late.push((of, spelled.to_owned())),
            }
            return;
        }
        let (delta, key, empty) = match of {
            Said::Thought => (
                "thinking_delta",
                "thinking",
                r#"{"type":"thinking","thinking":"","signature":""}"#,
            ),
            Said::Text => ("text_delta", "text", r#"{"type":"text","text":""}"#),
        };
        if self.open != Some(Block::Said(of)) {
            self.close(out);
            self.start_block(Block::Said(of), empty, out);
        }
        self.block_delta(delta, key, spelled, out);
    }

    /// Tells of calls what can be told; at the end, everything.
    fn tell_calls(&mut self, is_end: bool, out: &mut Vec<u8>) {
        while let Some(told) = self.calls.next(is_end) {
            match told {
                Told::Begin { id, name } => {
                    self.close(out);
                    self.start_call(&id, &name, out);
                }
                Told::Arguments(spelled) => {
                    self.block_delta("input_json_delta", "partial_json", &spelled, out);
                }
                Told::End => self.close(out),
            }
        }
    }

    fn start_call(&mut self, id: &str, name: &str, out: &mut Vec<u8>) {
        let mut block = Json::default();
        block.open_object();
        block.member_string("type", "tool_use");
        block.member_spelled("id", id);
        // What had to change is spelled without escapes.
        match self.asked.names.own(Cow::Borrowed(name)) {
            own if own != name => block.member_string("name", &own),
            _ => block.member_spelled("name", name),
        }
        block.member("input", "{}");
        block.close_object();
        self.start_block(Block::Call, block.text(), out);
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
