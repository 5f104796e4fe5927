//! What becomes of a provider's answer: whole documents, streams, and errors, in the client's dialect.
//!
//! On the worker of the stream. An answer in one document is held, since its status depends on it, and
//! so is the head of a stream until it says something: what ends before that has an error's status, and
//! the host may send the request again. A stream goes on event by event then. An error keeps its
//! status: its headers go on at once, and its body follows when it is known. A document in the place
//! of a stream becomes one.
//!
//! Where the provider speaks as the client does, all but errors goes on as it comes.

use formats::coding::{Decoder, Limits};
use llm::dialect::Dialect;
use llm::translate::{Asked, Failure, Moment, StreamTranslation, Translation};

use super::attempt::{Counts, Step};
use crate::direction::Direction;
use crate::http;
use crate::ops::TransformationOps;

/// How large a document may be that is translated.
const MAX_ANSWER_BYTES: usize = 32 << 20;
/// How much of an error is read.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// Where the answer stands.
#[derive(Debug)]
pub(super) enum Answering {
    /// It is the client's as it comes, or not ours.
    AsItComes,
    /// It has not come yet.
    Awaited(Box<Expected>),
    Stream(Box<Stream>),
    /// A document is held.
    Whole(Box<Body>),
    /// An error whose headers have gone on.
    Error(Box<Body>),
}

/// What is known of an answer before it comes.
#[derive(Debug)]
pub(super) struct Expected {
    translation: Translation,
    asked: Asked,
    stream: bool,
    id: String,
    now: u64,
}

#[derive(Debug)]
pub(super) struct Stream {
    events: StreamTranslation,
    decoder: Decoder,
    client: Dialect,
    /// What the client is told instead of what could not be read; nothing more is sent.
    broken: Option<Failure>,
    /// The headers have not gone on.
    is_held: bool,
    may_be_repeated: bool,
}

#[derive(Debug)]
pub(super) struct Body {
    expected: Box<Expected>,
    decoder: Option<Decoder>,
    bytes: Vec<u8>,
    status: u16,
    error_type: Option<String>,
    may_be_repeated: bool,
}

impl Answering {
    pub(super) fn of(
        translation: Translation,
        asked: Asked,
        stream: bool,
        (id, now): (String, u64),
    ) -> Answering {
        Answering::Awaited(Box::new(Expected {
            translation,
            asked,
            stream,
            id,
            now,
        }))
    }

    pub(super) fn on_headers(
        &mut self,
        ops: &mut (impl TransformationOps + ?Sized),
        end_of_stream: bool,
        may_be_repeated: bool,
        counts: &mut Counts,
    ) -> Step {
        let Answering::Awaited(expected) = std::mem::replace(self, Answering::AsItComes) else {
            return Step::Pass;
        };
        let status = header(ops, ":status");
        let status = http::status(status.as_bytes()).unwrap_or(502);
        let is_alike = expected.translation.answers_alike();
        if is_alike && status < 400 {
            return Step::Pass;
        }
        let is_good = (200..300).contains(&status);
        if !is_good {
            counts.failures += 1;
        }
        if end_of_stream {
            if is_good {
                counts.failures += 1;
                let failure = unreadable();
                fail(ops, &failure, may_be_repeated);
                let text = failure.body(expected.translation.client());
                ops.remove_response_header("content-encoding");
                ops.set_response_header("content-type", b"application/json");
                send_whole(ops, &text, false);
            }
            return Step::Pass;
        }
        let kind = header(ops, "content-type").to_ascii_lowercase();
        let coding = header(ops, "content-encoding");
        let is_stream = expected.stream
            && (kind.starts_with("text/event-stream")
                || kind.starts_with("application/vnd.amazon.eventstream"));
        let most = match (is_stream, is_good) {
            (true, true) => usize::MAX,
            (false, true) => MAX_ANSWER_BYTES,
            _ => MAX_ERROR_BYTES,
        };
        let decoder = Decoder::of(&coding, Limits::of_bytes(most)).ok();
        if is_alike && decoder.is_none() {
            // The client said that it knows this coding.
            return Step::Pass;
        }
        for name in [
            "content-length",
            "content-encoding",
            "etag",
            "content-md5",
            "digest",
        ] {
            ops.remove_response_header(name);
        }
        let decoder = match decoder {
            Some(decoder) if is_good && is_stream => {
                ops.set_response_header("content-type", b"text/event-stream");
                let translation = &expected.translation;
                *self = Answering::Stream(Box::new(Stream {
                    events: translation.stream(&expected.asked, &expected.moment()),
                    decoder,
                    client: translation.client(),
                    broken: None,
                    is_held: true,
                    may_be_repeated,
                }));
                return Step::Wait;
            }
            decoder => decoder,
        };
        ops.set_response_header("content-type", b"application/json");
        let error_type = header(ops, "x-amzn-errortype");
        let body = Box::new(Body {
            expected,
            decoder,
            bytes: Vec::new(),
            status,
            error_type: (!error_type.is_empty()).then_some(error_type),
            may_be_repeated,
        });
        if is_good {
            *self = Answering::Whole(body);
            Step::Wait
        } else {
            *self = Answering::Error(body);
            Step::Pass
        }
    }

    pub(super) fn on_body(
        &mut self,
        ops: &mut (impl TransformationOps + ?Sized),
        end_of_stream: bool,
        counts: &mut Counts,
    ) -> Step {
        match self {
            Answering::AsItComes | Answering::Awaited(_) => Step::Pass,
            Answering::Stream(stream) => {
                let mut out = Vec::new();
                ops.for_each_received(Direction::Response, &mut |piece| {
                    // Chunks of OpenAI's are about twice as long as others' events.
                    out.reserve(piece.len() * 2);
                    stream.push(piece, &mut out, counts);
                });
                if end_of_stream {
                    stream.finish(&mut out, counts);
                }
                stream.release(ops, &mut out);
                ops.replace_received(Direction::Response, None, &out);
                match out.is_empty() && !end_of_stream {
                    true => Step::Wait,
                    false => Step::Pass,
                }
            }
            Answering::Whole(body) | Answering::Error(body) => {
                ops.for_each_received(Direction::Response, &mut |piece| body.push(piece));
                ops.replace_received(Direction::Response, None, b"");
                match end_of_stream {
                    true => self.end(ops, false, counts),
                    false => Step::Wait,
                }
            }
        }
    }

    pub(super) fn on_trailers(
        &mut self,
        ops: &mut (impl TransformationOps + ?Sized),
        counts: &mut Counts,
    ) -> Step {
        match self {
            Answering::AsItComes | Answering::Awaited(_) => Step::Pass,
            Answering::Stream(stream) => {
                let mut out = Vec::new();
                stream.finish(&mut out, counts);
                stream.release(ops, &mut out);
                if !out.is_empty() {
                    ops.append_response_body(&out);
                }
                *self = Answering::AsItComes;
                Step::Pass
            }
            Answering::Whole(_) | Answering::Error(_) => self.end(ops, true, counts),
        }
    }

    /// The body is whole: what it says goes on.
    fn end(
        &mut self,
        ops: &mut (impl TransformationOps + ?Sized),
        has_trailers: bool,
        counts: &mut Counts,
    ) -> Step {
        let text = match std::mem::replace(self, Answering::AsItComes) {
            Answering::Error(body) => body.error(),
            Answering::Whole(body) => {
                let text = match body.answer() {
                    Ok(text) => {
                        if body.expected.stream {
                            ops.set_response_header("content-type", b"text/event-stream");
                        }
                        text
                    }
                    Err(failure) => {
                        counts.failures += 1;
                        fail(ops, &failure, body.may_be_repeated);
                        failure.body(body.expected.translation.client())
                    }
                };
                send_whole(ops, &text, has_trailers);
                return Step::Pass;
            }
            _ => return Step::Pass,
        };
        ops.expect_body(Direction::Response, text.len());
        ops.append_response_body(text.as_bytes());
        Step::Pass
    }
}

impl Expected {
    fn moment(&self) -> Moment<'_> {
        Moment {
            id: &self.id,
            now: self.now,
        }
    }
}

impl Stream {
    fn push(&mut self, piece: &[u8], out: &mut Vec<u8>, counts: &mut Counts) {
        if self.broken.is_some() {
            return;
        }
        let mut plain = Vec::new();
        let piece = match self.decoder.is_identity() {
            true => piece,
            false => match self.decoder.push(piece, &mut plain) {
                Ok(()) => &plain,
                Err(_) => return self.broken(out, counts),
            },
        };
        let had_failed = self.events.has_failed();
        self.events.push(piece, out);
        if self.events.has_failed() && !had_failed {
            counts.failures += 1;
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>, counts: &mut Counts) {
        if self.broken.is_some() {
            return;
        }
        if self.decoder.finish().is_err() && !self.events.is_over() {
            return self.broken(out, counts);
        }
        let had_failed = self.events.has_failed();
        self.events.finish(out);
        if self.events.has_failed() && !had_failed {
            counts.failures += 1;
        }
    }

    /// The client is told that there will be no more, unless its answer is whole already.
    fn broken(&mut self, out: &mut Vec<u8>, counts: &mut Counts) {
        let failure = self.broken.insert(unreadable());
        if !self.events.is_over() {
            counts.failures += 1;
            out.extend_from_slice(&failure.event(self.client));
        }
    }

    /// Lets the headers go on with the first that is said. If that is a failure, and everything, the
    /// answer is an error and no stream.
    fn release(&mut self, ops: &mut (impl TransformationOps + ?Sized), out: &mut Vec<u8>) {
        if out.is_empty() || !std::mem::take(&mut self.is_held) {
            return;
        }
        let failure = self.broken.as_ref().or(self.events.failure());
        if let Some(failure) = failure
            && *out == failure.event(self.client)
        {
            fail(ops, failure, self.may_be_repeated);
            ops.set_response_header("content-type", b"application/json");
            *out = failure.body(self.client).into_bytes();
        }
    }
}

impl Body {
    fn push(&mut self, piece: &[u8]) {
        if let Some(decoder) = &mut self.decoder
            && decoder.push(piece, &mut self.bytes).is_err()
        {
            self.decoder = None;
        }
    }

    /// What was read, if all of it could be.
    fn whole(&self) -> Option<&[u8]> {
        let decoder = self.decoder.as_ref()?;
        decoder.finish().ok().map(|()| self.bytes.as_slice())
    }

    fn answer(&self) -> Result<String, Failure> {
        let expected = &self.expected;
        let body = self.whole().ok_or_else(unreadable)?;
        let (translation, moment) = (&expected.translation, expected.moment());
        match expected.stream {
            false => translation.response(&expected.asked, &moment, body),
            // Whoever asked for a stream cannot read a document.
            true => translation.unfolded(&expected.asked, &moment, body),
        }
    }

    /// What the client is told of an error: what the provider says, if those are the client's words.
    fn error(&self) -> String {
        let translation = &self.expected.translation;
        let told = self.whole().and_then(|body| str::from_utf8(body).ok());
        match told {
            Some(told) if translation.answers_alike() && translation.is_error(told) => {
                told.to_owned()
            }
            _ => self.failure().body(translation.client()),
        }
    }

    fn failure(&self) -> Failure {
        let error_type = self.error_type.as_deref();
        match self.whole() {
            Some(body) => Failure::read(self.status, error_type, body),
            None => Failure::read(self.status, error_type, b""),
        }
    }
}

/// Sends a body of a response whose headers are held.
fn send_whole(ops: &mut (impl TransformationOps + ?Sized), text: &str, has_trailers: bool) {
    if !has_trailers {
        let length = text.len();
        let mut digits = itoa::Buffer::new();
        ops.set_response_header("content-length", digits.format(length).as_bytes());
    }
    ops.expect_body(Direction::Response, text.len());
    ops.append_response_body(text.as_bytes());
}

/// Gives a response whose headers are held the status of its failure.
fn fail(ops: &mut (impl TransformationOps + ?Sized), failure: &Failure, may_be_repeated: bool) {
    let status = failure.status.to_string();
    ops.set_response_header(":status", status.as_bytes());
    if !may_be_repeated {
        // This host crashes when it repeats what was held, and repeats nothing with this header.
        ops.set_response_header("x-envoy-ratelimited", b"true");
    }
}

/// The answer is none that can be read.
fn unreadable() -> Failure {
    Failure::read(502, None, b"The provider's answer cannot be read.")
}

/// The first value of a response header; empty if there is none.
fn header(ops: &(impl TransformationOps + ?Sized), name: &str) -> String {
    let mut found = None;
    ops.for_each_response_header_value(name, &mut |value| {
        found.get_or_insert_with(|| String::from_utf8_lossy(value).into_owned());
    });
    found.unwrap_or_default()
}
