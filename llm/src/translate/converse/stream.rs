//! A stream of Converse's as one of OpenAI's chat, message by message of Amazon's framing.

use super::answer::{finish, read_usage};
use crate::translate::chat::answer::{Finish, spelled};
use crate::translate::chat::chunks::Chunks;
use crate::translate::failure::Failure;
use crate::translate::json::Value;
use crate::translate::{Asked, Step};
use crate::usage::Usage;

/// A stream that is being translated.
#[derive(Debug)]
pub(in crate::translate) struct FromConverse {
    asked: Asked,
    chunks: Chunks,
    is_open: bool,
    block: Block,
    calls: u64,
    thoughts: u64,
    finish: Option<Finish>,
    usage: Option<Usage>,
}

/// The block that is open. Blocks of text may have no beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    Other,
    Thinking,
    /// A call; whether it has arguments yet.
    Call(bool),
}

impl FromConverse {
    pub(in crate::translate) fn new(asked: Asked, id: &str, now: u64) -> FromConverse {
        FromConverse {
            chunks: Chunks::new(id, &asked.model, now, asked.wants_usage),
            asked,
            is_open: false,
            block: Block::Other,
            calls: 0,
            thoughts: 0,
            finish: None,
            usage: None,
        }
    }

    /// Translates an event of this name.
    pub(in crate::translate) fn event(
        &mut self,
        name: &str,
        event: Value<'_>,
        out: &mut Vec<u8>,
    ) -> Step {
        match name {
            "messageStart" => self.open(out),
            "contentBlockStart" => self.start(event, out),
            "contentBlockDelta" => self.delta(event, out),
            "contentBlockStop" => self.close(out),
            "messageStop" => {
                self.close(out);
                let reason = event.get("stopReason").and_then(Value::string);
                let reason = reason.filter(|it| !it.is_empty());
                self.finish = reason.map(|it| finish(&it));
            }
            "metadata" => {
                let usage = event.get("usage").and_then(read_usage);
                self.usage = usage.or(self.usage);
            }
            _ => {}
        }
        Step::More
    }

    /// The upstream's end. It is one of the answer only if the answer said so.
    pub(in crate::translate) fn finish(&mut self, out: &mut Vec<u8>) -> Step {
        let Some(finish) = self.finish else {
            return Step::Fail(Failure::early());
        };
        self.open(out);
        self.chunks.finish(0, finish, out);
        self.chunks.done(self.usage, out);
        Step::End
    }

    fn open(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.is_open, true) {
            self.chunks.role(0, out);
        }
    }

    fn start(&mut self, event: Value<'_>, out: &mut Vec<u8>) {
        self.open(out);
        self.close(out);
        let call = event.get("start").and_then(|it| it.get("toolUse"));
        let Some(call) = call else {
            return;
        };
        let [id, name] = call.members(["toolUseId", "name"]);
        let id = id.and_then(Value::string).unwrap_or_default();
        let name = self
            .asked
            .names
            .own(name.and_then(Value::string).unwrap_or_default());
        self.chunks
            .call(0, self.calls, (&id, &spelled(&name)), "", out);
        self.calls += 1;
        self.block = Block::Call(false);
    }

    fn delta(&mut self, event: Value<'_>, out: &mut Vec<u8>) {
        self.open(out);
        let Some(delta) = event.get("delta") else {
            return;
        };
        let [text, call, thought] = delta.members(["text", "toolUse", "reasoningContent"]);
        if let Some(text) = text.and_then(Value::spelled).filter(|it| !it.is_empty()) {
            self.chunks.text(0, text, out);
        }
        let input = call.and_then(|it| it.get("input"));
        let input = input.and_then(Value::spelled).filter(|it| !it.is_empty());
        if let (Some(input), Block::Call(_)) = (input, self.block) {
            self.block = Block::Call(true);
            self.chunks
                .arguments(self.calls.saturating_sub(1), input, out);
        }
        if let Some(thought) = thought {
            self.block = Block::Thinking;
            let [text, signature, redacted] =
                thought.members(["text", "signature", "redactedContent"]);
            let full = |it: Option<Value<'_>>| {
                it.and_then(Value::spelled)
                    .filter(|it| !it.is_empty())
                    .map(str::to_owned)
            };
            if let Some(text) = full(text) {
                self.chunks.thinking(self.thoughts, &text, out);
            }
            if let Some(signature) = full(signature) {
                self.chunks.signature(self.thoughts, &signature, out);
            }
            if let Some(data) = full(redacted) {
                self.chunks.redacted(self.thoughts, &data, out);
            }
        }
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        match std::mem::replace(&mut self.block, Block::Other) {
            // A call without arguments is one with none, and not one whose arguments are no JSON.
            Block::Call(false) => {
                let call = self.calls.saturating_sub(1);
                self.chunks.arguments(call, "{}", out);
            }
            Block::Thinking => self.thoughts += 1,
            _ => {}
        }
    }
}
