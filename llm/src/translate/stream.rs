//! Streams: what comes from a provider in chunks, as events of the client's.
//!
//! On the worker thread of the stream. Holds one unfinished event, up to a limit; what is longer
//! ends the stream with an error of the client's shape, and so does everything that is no event of
//! the provider's. Behind the end of an answer nothing is read.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use formats::events::{self, Format, Frame};
use formats::frames;

use super::anthropic::stream::FromAnthropic;
use super::converse::stream::FromConverse;
use super::failure::Failure;
use super::gemini::stream::FromGemini;
use super::json::Value;
use super::messages::stream::FromChat;
use super::{Asked, Moment, Pair, Step, Translation};
use crate::dialect::Dialect;

/// The longest event that is translated: images come in one.
pub const MAX_EVENT_BYTES: usize = 32 << 20;

/// A stream that is being translated.
#[derive(Debug)]
pub struct StreamTranslation {
    client: Dialect,
    framing: Framing,
    from: From,
    state: State,
    /// What the client was told of, if the answer failed.
    failure: Option<Failure>,
}

/// How a provider sets its events apart.
#[derive(Debug)]
enum Framing {
    /// The client's, as they come.
    Same,
    Sse(events::Decoder),
    Amazon(frames::Decoder),
}

/// Where a stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// The answer is whole, or the client was told of an error.
    Ended,
}

/// What a stream is translated from, and to.
#[derive(Debug)]
enum From {
    /// Events stay as they are.
    Same {
        /// Whether the answer said why it ended.
        has_reason: bool,
    },
    Anthropic(Box<FromAnthropic>),
    Gemini(Box<FromGemini>),
    Converse(Box<FromConverse>),
    Chat(Box<FromChat>),
}

impl StreamTranslation {
    pub(super) fn new(
        translation: &Translation,
        asked: &Asked,
        moment: &Moment<'_>,
    ) -> StreamTranslation {
        let (asked, id, now) = (asked.clone(), moment.id.to_owned(), moment.now);
        let from = match translation.pair {
            Pair::Same => From::Same { has_reason: false },
            Pair::ChatToAnthropic => From::Anthropic(Box::new(FromAnthropic::new(asked, id, now))),
            Pair::ChatToGemini => From::Gemini(Box::new(FromGemini::new(asked, id, now))),
            Pair::ChatToConverse => From::Converse(Box::new(FromConverse::new(asked, &id, now))),
            Pair::MessagesToChat => From::Chat(Box::new(FromChat::new(asked, id))),
        };
        let framing = if translation.provider.facts().is_framed {
            Framing::Amazon(frames::Decoder::new(MAX_EVENT_BYTES))
        } else if translation.pair == Pair::Same {
            Framing::Same
        } else {
            Framing::Sse(events::Decoder::new(Format::Sse, MAX_EVENT_BYTES))
        };
        StreamTranslation {
            client: translation.client,
            framing,
            from,
            state: State::Open,
            failure: None,
        }
    }

    /// Translates a chunk; appends what the client is to be sent.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let mut chunk = chunk;
        while self.state == State::Open {
            let step = match &mut self.framing {
                Framing::Same => {
                    out.extend_from_slice(chunk);
                    return;
                }
                Framing::Sse(decoder) => match decoder.next(&mut chunk) {
                    Some(frame) => self.from.frame(frame, out),
                    None => return,
                },
                Framing::Amazon(decoder) => match decoder.next(&mut chunk) {
                    Some(Ok(message)) => self.from.message(message, out),
                    Some(Err(_)) => Step::Fail(Failure::unreadable()),
                    None => return,
                },
            };
            self.go(step, out);
        }
    }

    /// Translates the end of the stream. One that comes too early is told to the client.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if self.state != State::Open {
            return;
        }
        let step = match &mut self.framing {
            Framing::Same => Step::End,
            Framing::Sse(decoder) => match decoder.finish() {
                Some(frame) => self.from.frame(frame, out),
                None => Step::More,
            },
            Framing::Amazon(decoder) if decoder.is_between_messages() => Step::More,
            Framing::Amazon(_) => Step::Fail(Failure::early()),
        };
        self.go(step, out);
        if self.state == State::Open {
            let step = match &mut self.from {
                From::Same { .. } => Step::Fail(Failure::early()),
                From::Anthropic(from) => from.finish(out),
                From::Gemini(from) => from.finish(out),
                From::Converse(from) => from.finish(out),
                From::Chat(from) => from.finish(out),
            };
            self.go(step, out);
        }
    }

    /// Whether the client was told that the answer failed.
    pub fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// What the client was told of, if the answer failed.
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// Whether the answer is over: nothing of what comes will be sent.
    pub fn is_over(&self) -> bool {
        self.state != State::Open
    }

    fn go(&mut self, step: Step, out: &mut Vec<u8>) {
        match step {
            Step::More => {}
            Step::End => self.state = State::Ended,
            Step::Fail(failure) => {
                self.state = State::Ended;
                out.extend_from_slice(&failure.event(self.client));
                self.failure = Some(failure);
            }
        }
    }
}

impl From {
    /// Translates an event.
    fn frame(&mut self, frame: Frame<'_>, out: &mut Vec<u8>) -> Step {
        let (event, is_tail) = match frame {
            Frame::Event(event) => (event, false),
            Frame::Tail(event) => (event, true),
            Frame::Oversized(_) => return Step::Fail(Failure::unreadable()),
        };
        let Some(data) = event.data() else {
            return Step::More;
        };
        match Value::parse_bytes(&data) {
            Some(value) => self.event("", value, out),
            None if data.trim_ascii() == b"[DONE]" => match self {
                From::Chat(from) => from.finish(out),
                _ => Step::More,
            },
            None if data.is_empty() => Step::More,
            // The stream was cut in the middle of an event.
            None if is_tail => Step::Fail(Failure::early()),
            None => Step::Fail(Failure::unreadable()),
        }
    }

    /// Translates a message of Amazon's framing.
    fn message(&mut self, message: frames::Message<'_>, out: &mut Vec<u8>) -> Step {
        let header = |name: &str| message.header(name).unwrap_or_default();
        match header(":message-type") {
            "exception" => {
                let name = header(":exception-type");
                return Step::Fail(Failure::exception(name, message.payload()));
            }
            "error" => {
                let text = header(":error-message").as_bytes();
                return Step::Fail(Failure::exception(header(":error-code"), text));
            }
            _ => {}
        }
        let Some(value) = Value::parse_bytes(message.payload()) else {
            return Step::Fail(Failure::unreadable());
        };
        if matches!(self, From::Converse(_)) {
            return self.event(header(":event-type"), value, out);
        }
        // InvokeModel packs the events of the model's own API into base64.
        let Some(bytes) = value.get("bytes").and_then(Value::string) else {
            return Step::More;
        };
        let event = STANDARD.decode(bytes.as_bytes()).unwrap_or_default();
        match Value::parse_bytes(&event) {
            Some(event) => self.event("", event, out),
            None => Step::Fail(Failure::unreadable()),
        }
    }

    fn event(&mut self, name: &str, event: Value<'_>, out: &mut Vec<u8>) -> Step {
        match self {
            From::Same { has_reason } => {
                let of = event.get("type").and_then(Value::string);
                if of.as_deref() == Some("error") {
                    return Step::Fail(Failure::of_event(event));
                }
                let delta = event.get("delta");
                *has_reason |= delta.and_then(|it| it.get("stop_reason")).is_some();
                if of.as_deref() == Some("message_stop") && !*has_reason {
                    return Step::Fail(Failure::early());
                }
                Format::Sse.write(of.as_deref(), event.text().as_bytes(), out);
                match of.as_deref() {
                    Some("message_stop") => Step::End,
                    _ => Step::More,
                }
            }
            From::Anthropic(from) => from.event(event, out),
            From::Gemini(from) => from.event(event, out),
            From::Converse(from) => from.event(name, event, out),
            From::Chat(from) => from.event(event, out),
        }
    }
}
