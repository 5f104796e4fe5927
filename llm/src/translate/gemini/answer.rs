//! An answer of Gemini's as one of OpenAI's chat.

use super::request::call_id;
use crate::dialect::Dialect;
use crate::translate::chat::answer::{ChoiceText, Finish, write};
use crate::translate::json::Value;
use crate::translate::{Asked, Moment, reported};

/// The answer; none if the body is none.
pub(in crate::translate) fn read(
    body: Value<'_>,
    asked: &Asked,
    moment: &Moment<'_>,
) -> Option<String> {
    let [id, model, candidates, feedback, usage] = body.members([
        "responseId",
        "modelVersion",
        "candidates",
        "promptFeedback",
        "usageMetadata",
    ]);
    let id = id.and_then(Value::string);
    let id = id.as_deref().unwrap_or(moment.id);
    let mut calls = 0;
    let mut choices = Vec::new();
    for candidate in candidates.map(Value::items).unwrap_or_default() {
        choices.push(read_candidate(candidate, id, &mut calls));
    }
    if choices.is_empty() {
        // A prompt that is blocked has no candidates.
        feedback.and_then(|it| it.get("blockReason"))?;
        choices.push((ChoiceText::default(), Finish::ContentFilter));
    }
    let usage = usage.and_then(reported);
    let model = model.and_then(Value::string);
    Some(write(
        id,
        model.as_deref().unwrap_or(&asked.model),
        moment,
        &choices,
        usage.and_then(|it| it.usage(Dialect::Gemini)),
    ))
}

fn read_candidate(candidate: Value<'_>, id: &str, calls: &mut u64) -> (ChoiceText, Finish) {
    let [content, reason] = candidate.members(["content", "finishReason"]);
    let parts = content.and_then(|it| it.get("parts"));
    let mut choice = ChoiceText::default();
    for part in parts.map(Value::items).unwrap_or_default() {
        match Piece::read(part) {
            Some(Piece::Text(text)) => choice.text(text),
            Some(Piece::Thought(text)) => choice.reasoning(text),
            Some(Piece::Image { media_type, data }) => choice.image(media_type, data),
            Some(Piece::Call {
                name,
                arguments,
                signature,
            }) => {
                let name = name.string().unwrap_or_default();
                choice.call(&call_id(id, *calls, signature), &name, arguments);
                *calls += 1;
            }
            None => {}
        }
    }
    let reason = reason.and_then(Value::string);
    let finish = finish(reason.as_deref().unwrap_or_default(), choice.has_calls());
    (choice, finish)
}

/// A part of an answer, as far as OpenAI has such a thing. Texts are as they are spelled.
#[derive(Debug)]
pub(super) enum Piece<'t> {
    Text(&'t str),
    Thought(&'t str),
    Image {
        media_type: &'t str,
        /// In base64.
        data: &'t str,
    },
    Call {
        name: Value<'t>,
        /// A JSON object.
        arguments: &'t str,
        signature: Option<Value<'t>>,
    },
}

impl<'t> Piece<'t> {
    pub(super) fn read(part: Value<'t>) -> Option<Piece<'t>> {
        let [text, thought, call, signature, data] = part.members([
            "text",
            "thought",
            "functionCall",
            "thoughtSignature",
            "inlineData",
        ]);
        let is_thought = thought.and_then(Value::bool).unwrap_or_default();
        if let Some(call) = call {
            let [name, arguments] = call.members(["name", "args"]);
            let arguments = arguments.filter(|it| it.is_object());
            return Some(Piece::Call {
                name: name.filter(|it| it.is_string())?,
                arguments: arguments.map_or("{}", Value::text),
                signature,
            });
        }
        // What is drawn while thinking is no answer.
        if let Some(data) = data.filter(|_| !is_thought) {
            let [media_type, data] = data.members(["mimeType", "data"]);
            let media_type = media_type.and_then(Value::spelled)?;
            return Some(Piece::Image {
                media_type: Some(media_type).filter(|it| it.starts_with("image"))?,
                data: data.and_then(Value::spelled)?,
            });
        }
        let text = text.and_then(Value::spelled).filter(|it| !it.is_empty())?;
        match is_thought {
            true => Some(Piece::Thought(text)),
            false => Some(Piece::Text(text)),
        }
    }
}

/// Why an answer ended. Gemini stops after calls as after everything else.
pub(super) fn finish(reason: &str, has_calls: bool) -> Finish {
    match reason {
        "MAX_TOKENS" => Finish::Length,
        "SAFETY" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "RECITATION" => {
            Finish::ContentFilter
        }
        _ if reason.starts_with("IMAGE_") => Finish::ContentFilter,
        _ if has_calls => Finish::ToolCalls,
        _ => Finish::Stop,
    }
}
