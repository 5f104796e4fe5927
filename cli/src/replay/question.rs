//! The request to a recorded answer, where none is given: one of its dialect that has no texts.

use anyhow::{Result, bail};
use formats::events::{Decoder, Format, Frame};
use llm::dialect::Dialect;
use llm::response::Response;
use serde_json::json;
use transformations::memory::Message;

use crate::render::http;

/// The longest event that is looked at.
const LONGEST_EVENT: usize = 10 << 20;

/// A request that may have had this answer.
///
/// # Errors
/// If the answer is of no known dialect.
pub(super) fn to(answer: &Message, dialect: Option<Dialect>) -> Result<Message> {
    let texts = texts(answer);
    let Some(dialect) = dialect.or_else(|| guess(&texts)) else {
        let names = Dialect::ALL.map(Dialect::name).join(", ");
        bail!(
            "the answer is of no dialect that is known; say which with --dialect ({names}), or give the request with --request"
        );
    };
    let model = model(dialect, &texts).unwrap_or_else(|| "model".to_owned());
    let is_stream = is_stream(answer);
    let (path, body) = match dialect {
        Dialect::OpenaiChat => (
            "/v1/chat/completions".to_owned(),
            json!({"model": model, "stream": is_stream, "messages": []}),
        ),
        Dialect::OpenaiCompletions => (
            "/v1/completions".to_owned(),
            json!({"model": model, "stream": is_stream, "prompt": ""}),
        ),
        Dialect::OpenaiResponses => (
            "/v1/responses".to_owned(),
            json!({"model": model, "stream": is_stream, "input": []}),
        ),
        Dialect::OpenaiEmbeddings => (
            "/v1/embeddings".to_owned(),
            json!({"model": model, "input": []}),
        ),
        Dialect::AnthropicMessages => (
            "/v1/messages".to_owned(),
            json!({"model": model, "stream": is_stream, "max_tokens": 1024, "messages": []}),
        ),
        Dialect::Gemini => {
            let call = match is_stream {
                true => "streamGenerateContent?alt=sse",
                false => "generateContent",
            };
            (
                format!("/v1beta/models/{model}:{call}"),
                json!({"contents": []}),
            )
        }
    };
    let headers = ["content-type: application/json".to_owned()];
    http::request_of("POST", &path, &headers, body.to_string().into_bytes())
}

/// The dialect in which most of the texts have a known shape; of several the first.
fn guess(texts: &[String]) -> Option<Dialect> {
    let mut best = None;
    for dialect in Dialect::ALL {
        let mut view = Response::default();
        let mut known = 0;
        for text in texts {
            let is_read = view.read_event(dialect, text).is_ok() && text.trim() != "[DONE]";
            known += usize::from(is_read && view.is_known);
        }
        if known > best.map_or(0, |(_, most)| most) {
            best = Some((dialect, known));
        }
    }
    best.map(|(dialect, _)| dialect)
}

fn model(dialect: Dialect, texts: &[String]) -> Option<String> {
    texts.iter().find_map(|text| {
        let mut view = Response::default();
        view.read_event(dialect, text).ok()?;
        Some(view.model?.contents(text)?.into_owned())
    })
}

fn is_stream(answer: &Message) -> bool {
    let kinds = answer.values("content-type");
    kinds.iter().any(|it| it.starts_with("text/event-stream"))
}

/// The data of the events, or the body.
fn texts(answer: &Message) -> Vec<String> {
    let body = answer.body_bytes();
    if !is_stream(answer) {
        return vec![String::from_utf8_lossy(&body).into_owned()];
    }
    let mut texts = Vec::new();
    let mut keep = |frame: Frame<'_>| {
        if let Frame::Event(event) | Frame::Tail(event) = frame
            && let Some(data) = event.data()
        {
            texts.push(String::from_utf8_lossy(&data).into_owned());
        }
    };
    let mut decoder = Decoder::new(Format::Sse, LONGEST_EVENT);
    let mut rest = &body[..];
    while let Some(frame) = decoder.next(&mut rest) {
        keep(frame);
    }
    if let Some(frame) = decoder.finish() {
        keep(frame);
    }
    texts
}
