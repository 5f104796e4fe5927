//! A stream of Gemini's as one of OpenAI's chat, event by event.
//!
//! Every event is an answer of its own with a piece of the text, and all counts so far. Which
//! reason ends a choice is known at the end alone: calls may have come long before.

use super::answer::{Piece, finish};
use super::request::call_id;
use crate::dialect::Dialect;
use crate::translate::chat::answer::spelled;
use crate::translate::chat::chunks::Chunks;
use crate::translate::failure::Failure;
use crate::translate::json::Value;
use crate::translate::{Asked, Step, reported};
use crate::usage::Reported;

/// More candidates than Gemini has.
const MOST_CHOICES: u64 = 64;

/// A stream that is being translated.
#[derive(Debug)]
pub(in crate::translate) struct FromGemini {
    asked: Asked,
    id: String,
    now: u64,
    chunks: Option<Chunks>,
    choices: Vec<Choice>,
    /// The calls of all choices.
    calls: u64,
    reported: Option<Reported>,
}

#[derive(Clone, Debug, Default)]
struct Choice {
    is_open: bool,
    calls: u64,
    images: u64,
    /// Why it ended, in Gemini's words.
    reason: Option<String>,
}

impl FromGemini {
    pub(in crate::translate) fn new(asked: Asked, id: String, now: u64) -> FromGemini {
        FromGemini {
            asked,
            id,
            now,
            chunks: None,
            choices: Vec::new(),
            calls: 0,
            reported: None,
        }
    }

    /// Translates an event.
    pub(in crate::translate) fn event(&mut self, event: Value<'_>, out: &mut Vec<u8>) -> Step {
        let [error, id, model, candidates, feedback, usage] = event.members([
            "error",
            "responseId",
            "modelVersion",
            "candidates",
            "promptFeedback",
            "usageMetadata",
        ]);
        if error.is_some() || event.is_array() {
            return Step::Fail(Failure::of_event(event));
        }
        if let Some(later) = usage.and_then(reported) {
            self.reported.get_or_insert_default().update(later);
        }
        if self.chunks.is_none() {
            if let Some(id) = id.and_then(Value::string) {
                self.id = id.into_owned();
            }
            if let Some(model) = model.and_then(Value::string) {
                self.asked.model = model.into_owned();
            }
        }
        for candidate in candidates.map(Value::items).unwrap_or_default() {
            self.candidate(candidate, out);
        }
        let is_blocked = feedback.and_then(|it| it.get("blockReason")).is_some();
        if is_blocked && self.choices.is_empty() {
            self.open(0, out);
            self.end(0, "SAFETY");
        }
        Step::More
    }

    /// The upstream's end, which is the only one.
    pub(in crate::translate) fn finish(&mut self, out: &mut Vec<u8>) -> Step {
        let is_whole = self
            .choices
            .iter()
            .all(|it| !it.is_open || it.reason.is_some());
        let Some(chunks) = self.chunks.as_mut().filter(|_| is_whole) else {
            return Step::Fail(Failure::early());
        };
        for (index, choice) in (0..).zip(&self.choices) {
            if let Some(reason) = &choice.reason {
                chunks.finish(index, finish(reason, choice.calls > 0), out);
            }
        }
        let usage = self.reported.and_then(|it| it.usage(Dialect::Gemini));
        chunks.done(usage, out);
        Step::End
    }

    fn candidate(&mut self, candidate: Value<'_>, out: &mut Vec<u8>) {
        let [index, content, reason] = candidate.members(["index", "content", "finishReason"]);
        let index = index.and_then(Value::count).unwrap_or_default();
        if index >= MOST_CHOICES {
            return;
        }
        self.open(index, out);
        let parts = content.and_then(|it| it.get("parts"));
        for part in parts.map(Value::items).unwrap_or_default() {
            self.part(index, part, out);
        }
        if let Some(reason) = reason.and_then(Value::string) {
            self.end(index, &reason);
        }
    }

    fn part(&mut self, index: u64, part: Value<'_>, out: &mut Vec<u8>) {
        let Some(piece) = Piece::read(part) else {
            return;
        };
        let Some(chunks) = &mut self.chunks else {
            return;
        };
        match piece {
            Piece::Text(text) => chunks.text(index, text, out),
            Piece::Thought(text) => chunks.reasoning(index, text, out),
            Piece::Image { media_type, data } => {
                let Some(choice) = place(&mut self.choices, index) else {
                    return;
                };
                let image = choice.images;
                choice.images += 1;
                chunks.image(index, image, (media_type, data), out);
            }
            Piece::Call {
                name,
                arguments,
                signature,
            } => {
                let id = call_id(&self.id, self.calls, signature);
                self.calls += 1;
                let Some(choice) = place(&mut self.choices, index) else {
                    return;
                };
                let call = choice.calls;
                choice.calls += 1;
                let name = name.spelled().unwrap_or_default();
                chunks.call(index, call, (&id, name), &spelled(arguments), out);
            }
        }
    }

    /// The first that is heard of a choice.
    fn open(&mut self, index: u64, out: &mut Vec<u8>) {
        let Some(choice) = place(&mut self.choices, index) else {
            return;
        };
        if std::mem::replace(&mut choice.is_open, true) {
            return;
        }
        let asked = &self.asked;
        let chunks = self.chunks.get_or_insert_with(|| {
            Chunks::new(&self.id, &asked.model, self.now, asked.wants_usage)
        });
        chunks.role(index, out);
    }

    fn end(&mut self, index: u64, reason: &str) {
        if let Some(choice) = place(&mut self.choices, index) {
            choice.reason = Some(reason.to_owned());
        }
    }
}

/// A choice; there are no more than [`MOST_CHOICES`].
fn place(choices: &mut Vec<Choice>, index: u64) -> Option<&mut Choice> {
    let index = usize::try_from(index).ok()?;
    if choices.len() <= index {
        choices.resize(index + 1, Choice::default());
    }
    choices.get_mut(index)
}
