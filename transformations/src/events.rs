//! Transforms the events of a streamed response one by one: `response.stream`.
//!
//! Compiled with the program on the main thread. The filter opens an [`EventStream`] in the response
//! headers hook, on the stream's worker, and passes every chunk of the body through it. Whatever way
//! the body is cut into chunks, the same bytes come out; events that no rule touches keep theirs; no
//! more is held than one unfinished event, up to `maxEventBytes`. Nothing here calls the host: what
//! templates read of headers was copied when the stream was opened.
//!
//! Refused, as errors that `onError` decides about: compressed streams, since their events cannot be
//! seen, and events longer than the limit.

use std::sync::Arc;

use crate::config::StreamFormat;
use crate::direction::Direction;
use crate::error::{Failure, TransformErrorKind};
use crate::message::{HeaderSnapshot, HostAnswers, Vars, append_header, is_compressed};
use crate::on_error::Place;
use crate::ops::TransformationOps;
use crate::program::{DirectionProgram, Program};
use formats::events::{Decoder, Format};

mod edit;
mod select;
mod view;

use edit::Editor;
use view::Surroundings;

/// What happened to a piece of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Streamed {
    /// Events that a rule applied to.
    pub changed: u32,
    /// Failures that `onError` lets pass: to be counted.
    pub failed: u32,
    /// The first of them: to be logged.
    pub failure: Option<Failure>,
}

/// What the rules of `response.stream` have to do with a response.
#[derive(Debug)]
pub enum OpenedEvents {
    /// Nothing: there are no rules, or the response is no stream of theirs.
    NotAStream,
    /// The body is to be passed through this, and `content-length` removed.
    Stream(Box<EventStream>),
    /// It is a stream that cannot be read, and `onError` lets it pass: to be logged and counted.
    Unreadable(Failure),
    /// It is a stream that the rules of whole bodies must not hold, and there are no others for it.
    PassingBy,
}

/// The state of one streamed response.
#[derive(Debug)]
pub struct EventStream {
    decoder: Decoder,
    editor: Editor,
}

impl EventStream {
    /// See [`Stream::open_events`](crate::Stream::open_events).
    pub(crate) fn open(
        program: &Arc<Program>,
        transform: usize,
        captured: Option<&HeaderSnapshot>,
        vars: Option<&Arc<Vars>>,
        ops: &(impl TransformationOps + ?Sized),
    ) -> Result<OpenedEvents, Failure> {
        let mut content_type = String::new();
        append_header(ops, Direction::Response, "content-type", &mut content_type);
        let Some(format) = Format::of(&content_type) else {
            return Ok(OpenedEvents::NotAStream);
        };
        let rules = program.events(transform);
        let Some(rules) = rules.filter(|rules| rules.format.includes(format)) else {
            let compiled = program.response.all.get(transform);
            return Ok(match compiled.is_some_and(DirectionProgram::reads_body) {
                true => OpenedEvents::PassingBy,
                false => OpenedEvents::NotAStream,
            });
        };
        if is_compressed(ops, Direction::Response) {
            let kind = TransformErrorKind::CompressedStream;
            let failure = Failure::new(kind.into(), Direction::Response, rules.field);
            return if rules.on_error.lets_pass(failure.error(), Place::Body) {
                Ok(OpenedEvents::Unreadable(failure))
            } else {
                Err(failure)
            };
        }
        let names = rules.reads.headers(Direction::Response);
        let surroundings = Surroundings::new(
            captured.cloned().unwrap_or_default(),
            HeaderSnapshot::take(ops, Direction::Response, names),
            HostAnswers::ask(ops, &rules.reads),
            vars.cloned(),
        );
        Ok(OpenedEvents::Stream(Box::new(EventStream {
            decoder: Decoder::new(format, rules.max_event_bytes),
            editor: Editor::new(Arc::clone(program), transform, format, surroundings),
        })))
    }

    /// Reads the next chunk of the body, and appends to `out` what is to be sent in its place.
    ///
    /// # Errors
    /// If an event fails and `onError` does not let it pass. The headers are gone by then, so all that is left
    /// is to reset the stream; every later call fails the same way.
    ///
    /// # Cost
    /// A search for line ends, a copy of the chunk, and what the rules do. Events are parsed only if
    /// a rule reads JSON.
    pub fn push(&mut self, mut chunk: &[u8], out: &mut Vec<u8>) -> Result<Streamed, Failure> {
        while let Some(frame) = self.decoder.next(&mut chunk) {
            self.editor.frame(frame, out);
        }
        self.editor.report()
    }

    /// Appends to `out` what is left to be sent when the body ends: an event that was not
    /// terminated, and the events of `atEnd`. To be called once.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<Streamed, Failure> {
        if let Some(frame) = self.decoder.finish() {
            self.editor.frame(frame, out);
        }
        self.editor.end(out);
        self.editor.report()
    }
}

impl StreamFormat {
    /// Whether a configuration that asks for this means streams in that format.
    fn includes(self, format: Format) -> bool {
        match format {
            Format::Sse => self != StreamFormat::Ndjson,
            Format::Ndjson => self != StreamFormat::Sse,
        }
    }
}
