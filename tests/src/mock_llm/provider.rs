//! The providers that the mock LLM stands for, below `/provider/`: OpenAI (chat, Responses,
//! completions, embeddings; Azure's paths too), Anthropic (Vertex's and Bedrock's paths too),
//! Gemini, Bedrock's Converse.
//!
//! Called by [`super`] for each request below [`PREFIX`], on the mock's own threads. The end of a
//! path chooses the dialect, whatever stands before it. What is said and how it comes is chosen by
//! the requester, see [`knobs`]. Refuses other methods than POST (405), other paths (404), and what
//! the dialect's provider would refuse (400), each in the shape of the dialect.

mod chat;
mod completions;
mod converse;
mod embeddings;
mod frames;
mod gemini;
mod heard;
mod knobs;
mod messages;
mod pieces;
mod refusal;
mod responses;
mod speech;
#[cfg(feature = "strict")]
pub mod strict;

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde_json::Value;

use heard::Heard;
use knobs::{End, Gzip, Knobs};
use pieces::Event;
use refusal::Shape;
use speech::Speech;

/// What all paths of the providers begin with.
pub(super) const PREFIX: &str = "/provider/";

/// What is said in answer, before it is cut, coded and paced; goes with the answer.
#[derive(Clone)]
pub(super) struct Said(pub(super) String);

/// The wire formats that are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Chat,
    Responses,
    Completions,
    Embeddings,
    Messages,
    Gemini,
    Converse,
}

impl Dialect {
    /// By the end of a path, without its query.
    fn of(path: &str) -> Option<Self> {
        let ends = [
            ("/chat/completions", Self::Chat),
            ("/responses", Self::Responses),
            ("/completions", Self::Completions),
            ("/embeddings", Self::Embeddings),
            ("/messages", Self::Messages),
            (":rawPredict", Self::Messages),
            (":streamRawPredict", Self::Messages),
            ("/invoke", Self::Messages),
            ("/invoke-with-response-stream", Self::Messages),
            ("/converse", Self::Converse),
            ("/converse-stream", Self::Converse),
            (":generateContent", Self::Gemini),
            (":streamGenerateContent", Self::Gemini),
        ];
        let found = ends.iter().find(|(end, _)| path.ends_with(end));
        found.map(|(_, dialect)| *dialect)
    }

    fn json(self, speech: &Speech) -> String {
        match self {
            Self::Chat => chat::json(speech),
            Self::Responses => responses::json(speech),
            Self::Completions => completions::json(speech),
            Self::Embeddings => embeddings::json(speech),
            Self::Messages => messages::json(speech),
            Self::Gemini => gemini::json(speech),
            Self::Converse => converse::json(speech),
        }
    }

    fn events(self, speech: &Speech) -> Vec<Event> {
        match self {
            Self::Chat => chat::events(speech),
            Self::Responses => responses::events(speech),
            Self::Completions => completions::events(speech),
            Self::Embeddings => Vec::new(),
            Self::Messages => messages::events(speech),
            Self::Gemini => gemini::events(speech),
            Self::Converse => converse::events(speech),
        }
    }
}

/// Answers one request as its provider would, and as its knobs say.
pub(super) async fn answer(uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Response {
    let Some(dialect) = Dialect::of(uri.path()) else {
        return (StatusCode::NOT_FOUND, "no provider has this path\n").into_response();
    };
    let shape = Shape::of(dialect, uri.path());
    let refuse = |reason: &str| shape.answer(StatusCode::BAD_REQUEST, reason);
    let knobs = match Knobs::read(uri.query().unwrap_or_default(), headers) {
        Ok(knobs) => knobs,
        Err(reason) => return refuse(&reason),
    };
    tokio::time::sleep(knobs.head_pause).await;
    if let Some(status) = knobs.status {
        return failure(shape, status, &knobs, headers);
    }
    let request: Value = match serde_json::from_slice(body) {
        Ok(request @ Value::Object(_)) => request,
        Ok(_) => return refuse("the request must be an object"),
        Err(reason) => return refuse(&reason.to_string()),
    };
    let heard = Heard {
        dialect,
        uri,
        headers,
        body,
        request: &request,
    };
    speak(&heard, &knobs)
}

/// What is said to a request that nothing is wrong with.
fn speak(heard: &Heard<'_>, knobs: &Knobs) -> Response {
    let (dialect, headers) = (heard.dialect, heard.headers);
    let speech = Speech::new(heard, knobs);
    if heard.wants_events() {
        return events_answer(&speech, knobs, heard);
    }
    let document = escaped(dialect.json(&speech), knobs);
    let whole = knobs.pieces.is_none() && knobs.end != End::Cut && knobs.cut_after.is_none();
    if whole && !gzips(knobs, headers) {
        return json_answer(StatusCode::OK, document.into());
    }
    paced_answer("application/json", vec![document.into()], knobs, headers)
}

/// The error that the requester wished for: of the provider's shape, or of nobody's.
fn failure(shape: Shape, status: StatusCode, knobs: &Knobs, headers: &HeaderMap) -> Response {
    let mut answer = match &knobs.error_raw {
        Some(page) => {
            let kind = [(header::CONTENT_TYPE, "text/html")];
            (status, kind, page.clone()).into_response()
        }
        None => shape.answer(status, refusal::ASKED_FOR),
    };
    if gzips(knobs, headers) {
        let document = match &knobs.error_raw {
            Some(page) => page.clone(),
            None => shape.document(status, refusal::ASKED_FOR),
        };
        *answer.body_mut() = pieces::gzip(&[document.into()]).concat().into();
        let of = answer.headers_mut();
        of.remove(header::CONTENT_LENGTH);
        of.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    ([(header::RETRY_AFTER, "1")], answer).into_response()
}

fn events_answer(speech: &Speech, knobs: &Knobs, heard: &Heard<'_>) -> Response {
    let dialect = heard.dialect;
    let shape = Shape::of(dialect, heard.uri.path());
    let mut events = dialect.events(speech);
    if knobs.end == End::NoDone {
        events.retain(|event| event.payload != pieces::DONE);
    }
    if let Some(count) = knobs.error_after {
        events.truncate(count);
        events.push(shape.event(dialect, count));
    }
    if let Some(count) = knobs.stop_after {
        events.truncate(count);
    }
    for event in &mut events {
        event.payload = escaped(std::mem::take(&mut event.payload), knobs);
    }
    let is_array = dialect == Dialect::Gemini && !heard.asks("alt", "sse");
    let (kind, texts) = if is_array {
        ("application/json", pieces::array_elements(&events))
    } else if shape == Shape::Amazon {
        (frames::KIND, frames::of(dialect, &events))
    } else {
        (
            "text/event-stream",
            pieces::event_texts(&events, &knobs.sse),
        )
    };
    paced_answer(kind, texts, knobs, heard.headers)
}

/// `texts` one after the other, cut, coded and paced as the knobs say.
fn paced_answer(
    kind: &'static str,
    mut texts: Vec<Vec<u8>>,
    knobs: &Knobs,
    headers: &HeaderMap,
) -> Response {
    if let Some(count) = knobs.cut_after {
        texts.truncate(count);
    }
    let said = Said(String::from_utf8_lossy(&texts.concat()).into_owned());
    let gzip = gzips(knobs, headers);
    if gzip {
        texts = pieces::gzip(&texts);
    }
    let pieces = pieces::cut(texts, knobs.pieces.unwrap_or_default());
    let breaks_off = knobs.end == End::Cut || knobs.cut_after.is_some();
    let body = Body::from_stream(paced(pieces, knobs.pause, breaks_off));
    let mut answer = ([(header::CONTENT_TYPE, kind)], body).into_response();
    answer.extensions_mut().insert(said);
    if gzip {
        let coding = HeaderValue::from_static("gzip");
        answer
            .headers_mut()
            .insert(header::CONTENT_ENCODING, coding);
    }
    answer
}

/// Each piece as a write of its own: the server flushes whenever nothing is ready.
fn paced(
    pieces: Vec<Vec<u8>>,
    pause: Duration,
    breaks_off: bool,
) -> impl stream::Stream<Item = io::Result<Vec<u8>>> {
    let broken = breaks_off.then(|| Err(io::ErrorKind::BrokenPipe.into()));
    let steps = pieces.into_iter().map(Ok).chain(broken).enumerate();
    stream::unfold(steps, move |mut steps| async move {
        let (index, step) = steps.next()?;
        if index > 0 {
            tokio::task::yield_now().await;
            tokio::time::sleep(pause).await;
        }
        Some((step, steps))
    })
}

fn escaped(document: String, knobs: &Knobs) -> String {
    if knobs.ascii {
        return speech::ascii(&document);
    }
    document
}

fn gzips(knobs: &Knobs, headers: &HeaderMap) -> bool {
    let accepts = || {
        let value = headers.get(header::ACCEPT_ENCODING);
        value.is_some_and(|value| value.to_str().is_ok_and(|value| value.contains("gzip")))
    };
    match knobs.gzip {
        Gzip::Never => false,
        Gzip::Accepted => accepts(),
        Gzip::Always => true,
    }
}

fn json_answer(status: StatusCode, document: Vec<u8>) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (status, kind, document).into_response()
}

#[cfg(test)]
mod tests;
