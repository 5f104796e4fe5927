//! A stream of Anthropic's as one of OpenAI's chat, event by event.
//!
//! Remembered are what kind of block is open, how many calls and thoughts there were, and the
//! usage.

use crate::dialect::Dialect;
use crate::translate::chat::answer::{Finish, spelled};
use crate::translate::chat::chunks::Chunks;
use crate::translate::failure::Failure;
use crate::translate::json::Value;
use crate::translate::{Asked, Step, reported};
use crate::usage::Reported;

use super::answer::finish;

/// A stream that is being translated.
#[derive(Debug)]
pub(in crate::translate) struct FromAnthropic {
    asked: Asked,
    id: String,
    now: u64,
    /// None before the first event that tells of an answer.
    chunks: Option<Chunks>,
    block: Block,
    calls: u64,
    thoughts: u64,
    finish: Option<Finish>,
    reported: Option<Reported>,
}

/// The block that is open.
#[derive(Debug)]
enum Block {
    /// None, or none that OpenAI has.
    Other,
    Text,
    Thinking,
    /// A call, and its arguments as the start of the block spelled them; none once fragments came.
    Call(Option<String>),
}

impl FromAnthropic {
    pub(in crate::translate) fn new(asked: Asked, id: String, now: u64) -> FromAnthropic {
        FromAnthropic {
            asked,
            id,
            now,
            chunks: None,
            block: Block::Other,
            calls: 0,
            thoughts: 0,
            finish: None,
            reported: None,
        }
    }

    /// Translates an event.
    pub(in crate::translate) fn event(&mut self, event: Value<'_>, out: &mut Vec<u8>) -> Step {
        let [of, delta, block, message, usage, error] = event.members([
            "type",
            "delta",
            "content_block",
            "message",
            "usage",
            "error",
        ]);
        let Some(of) = of.and_then(Value::string) else {
            return match error {
                Some(_) => Step::Fail(Failure::of_event(event)),
                None => Step::More,
            };
        };
        match &*of {
            "message_start" => self.start(message, out),
            "content_block_start" => self.open(block, out),
            "content_block_delta" => self.delta(delta, out),
            "content_block_stop" => self.close(out),
            "message_delta" => {
                let reason = delta.and_then(|it| it.get("stop_reason"));
                let reason = reason.and_then(Value::string);
                if let Some(reason) = reason.filter(|it| !it.is_empty()) {
                    self.finish = Some(finish(&reason));
                }
                self.report(usage);
            }
            "message_stop" => return self.finish(out),
            "error" => return Step::Fail(Failure::of_event(event)),
            "ping" => {
                if let Some(chunks) = &mut self.chunks {
                    chunks.nothing(out);
                }
            }
            _ => {}
        }
        Step::More
    }

    /// `message_stop`, or the upstream's end. It is one of the answer only if the answer said why.
    pub(in crate::translate) fn finish(&mut self, out: &mut Vec<u8>) -> Step {
        let Some(finish) = self.finish else {
            return Step::Fail(Failure::early());
        };
        self.close(out);
        let usage = self
            .reported
            .and_then(|it| it.usage(Dialect::AnthropicMessages));
        let chunks = self.chunks(out);
        chunks.finish(0, finish, out);
        chunks.done(usage, out);
        Step::End
    }

    fn start(&mut self, message: Option<Value<'_>>, out: &mut Vec<u8>) {
        let [id, model, usage] =
            message.map_or([None; 3], |it| it.members(["id", "model", "usage"]));
        self.report(usage);
        if self.chunks.is_some() {
            return;
        }
        if let Some(id) = id.and_then(Value::string) {
            self.id = id.into_owned();
        }
        if let Some(model) = model.and_then(Value::string) {
            self.asked.model = model.into_owned();
        }
        self.chunks(out);
    }

    fn open(&mut self, block: Option<Value<'_>>, out: &mut Vec<u8>) {
        // Some servers do not say when a block ends.
        self.close(out);
        let Some(block) = block else {
            return;
        };
        let [of, text, thinking, data] = block.members(["type", "text", "thinking", "data"]);
        match of.and_then(Value::string).as_deref() {
            Some("text") => {
                self.block = Block::Text;
                self.text(inside(text), out);
            }
            Some("thinking") => {
                self.block = Block::Thinking;
                self.thinking(inside(thinking), out);
            }
            Some("redacted_thinking") => {
                let block = self.thoughts;
                self.chunks(out).redacted(block, inside(data), out);
                self.thoughts += 1;
            }
            Some("tool_use") => {
                let [id, name, input] = block.members(["id", "name", "input"]);
                let id = id.and_then(Value::string).unwrap_or_default();
                let name = name.and_then(Value::spelled).unwrap_or_default();
                let call = self.calls;
                self.chunks(out).call(0, call, (&id, name), "", out);
                self.calls += 1;
                let input = input.filter(|it| it.is_object());
                self.block =
                    Block::Call(Some(input.map_or("{}".to_owned(), |it| spelled(it.text()))));
            }
            _ => self.block = Block::Other,
        }
    }

    fn delta(&mut self, delta: Option<Value<'_>>, out: &mut Vec<u8>) {
        let Some(delta) = delta else {
            return;
        };
        let [of, text, json, thinking, signature] =
            delta.members(["type", "text", "partial_json", "thinking", "signature"]);
        match of.and_then(Value::string).as_deref() {
            Some("text_delta") => self.text(inside(text), out),
            Some("thinking_delta") => self.thinking(inside(thinking), out),
            Some("signature_delta") => {
                let (block, signature) = (self.thoughts, inside(signature));
                if !signature.is_empty() {
                    self.chunks(out).signature(block, signature, out);
                }
            }
            Some("input_json_delta") => {
                let fragment = inside(json);
                if let Block::Call(input) = &mut self.block
                    && !fragment.is_empty()
                {
                    *input = None;
                    let call = self.calls.saturating_sub(1);
                    self.chunks(out).arguments(call, fragment, out);
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        match std::mem::replace(&mut self.block, Block::Other) {
            // A call without arguments is one with none, and not one whose arguments are no JSON.
            Block::Call(Some(input)) => {
                let call = self.calls.saturating_sub(1);
                self.chunks(out).arguments(call, &input, out);
            }
            Block::Thinking => self.thoughts += 1,
            _ => {}
        }
    }

    fn text(&mut self, spelled: &str, out: &mut Vec<u8>) {
        if !spelled.is_empty() {
            self.chunks(out).text(0, spelled, out);
        }
    }

    fn thinking(&mut self, spelled: &str, out: &mut Vec<u8>) {
        if !spelled.is_empty() {
            let block = self.thoughts;
            self.chunks(out).thinking(block, spelled, out);
        }
    }

    /// Counts are of everything so far: what is told later replaces what was told before.
    fn report(&mut self, usage: Option<Value<'_>>) {
        if let Some(later) = usage.and_then(reported) {
            self.reported.get_or_insert_default().update(later);
        }
    }

    fn chunks(&mut self, out: &mut Vec<u8>) -> &mut Chunks {
        self.chunks.get_or_insert_with(|| {
            let mut chunks = Chunks::new(
                &self.id,
                &self.asked.model,
                self.now,
                self.asked.wants_usage,
            );
            chunks.role(0, out);
            chunks
        })
    }
}

/// The inside of a string; empty where there is none.
fn inside(value: Option<Value<'_>>) -> &str {
    value.and_then(Value::spelled).unwrap_or_default()
}
