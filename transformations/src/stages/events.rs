//! Transforms the events of a streamed response one by one: `response.stream`.
//!
//! Compiled with the program on the main thread. The exchange opens an [`EventStream`] with the response
//! headers, on its worker, and passes every chunk of the body through it. Whatever way
//! the body is cut into chunks, the same bytes come out; events that no rule touches keep theirs; no
//! more is held than one unfinished event, up to `maxEventBytes`. Nothing here calls the host: what
//! templates read of headers was copied when the stream was opened.
//!
//! Refused, as errors that `onError` decides about: compressed streams, since their events cannot be
//! seen, and events longer than the limit.

use std::sync::Arc;

use crate::applied::Applied;
use crate::config::StreamFormat;
use crate::direction::Direction;
use crate::error::{Cause, Failure, StageName, TransformErrorKind};
use crate::message::{HeaderSnapshot, HostAnswers, Vars, append_header, is_compressed};
use crate::observer::Observer;
use crate::on_error::Place;
use crate::ops::TransformationOps;
use crate::program::{DirectionProgram, EventProgram, Program, Stages};
use formats::coding;
use formats::events::{Decoder, Format};

mod edit;
mod select;
mod view;

use edit::Editor;
use view::Surroundings;

/// What happened to a piece of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Passed {
    /// Events that a rule applied to.
    changed: u32,
    /// Failures that `onError` lets pass.
    failed: u32,
    /// The first of them.
    failure: Option<Failure>,
}

impl Passed {
    /// Adds this to what was done to the piece so far.
    pub(crate) fn add_to(self, applied: &mut Applied) {
        applied.events = applied.events.saturating_add(self.changed);
        applied.more_failures = applied.more_failures.saturating_add(self.failed);
        if let Some(failure) = self.failure
            && applied.failures.is_empty()
        {
            applied.more_failures -= 1;
            applied.failures.push(failure);
        }
    }
}

/// What the rules of `response.stream` have to do with a response.
#[derive(Debug)]
pub(crate) enum Opened {
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
pub(crate) struct EventStream {
    /// Takes the coding off a compressed stream.
    coding: Option<coding::Decoder>,
    /// What it made of a chunk; kept for its memory.
    decoded: Vec<u8>,
    decoder: Decoder,
    editor: Editor,
}

impl EventStream {
    /// Decides whether the body of this response is a stream of events, and whether the rules are for it,
    /// by the headers as they came.
    ///
    /// # Errors
    /// If the stream is compressed, there are rules for it, and `onError` is `fail`.
    pub(crate) fn open(
        program: &Arc<Program>,
        transform: usize,
        captured: Option<&HeaderSnapshot>,
        vars: Option<&Arc<Vars>>,
        observer: Option<&Observer>,
        ops: &(impl TransformationOps + ?Sized),
    ) -> Result<Opened, Failure> {
        let mut content_type = String::new();
        append_header(ops, Direction::Response, "content-type", &mut content_type);
        let Some(format) = Format::of(&content_type) else {
            return Ok(Opened::NotAStream);
        };
        let stages = program.response.all.get(transform);
        let rules = stages.and_then(Stages::events);
        let Some(rules) = rules.filter(|rules| rules.format.includes(format)) else {
            let mut templates = stages.into_iter().flat_map(Stages::templates);
            return Ok(match templates.any(DirectionProgram::reads_body) {
                true => Opened::PassingBy,
                false => Opened::NotAStream,
            });
        };
        let coding = match coding_of(rules, ops) {
            Ok(coding) => coding,
            Err(failure) if rules.on_error.lets_pass(failure.error(), Place::Body) => {
                return Ok(Opened::Unreadable(failure));
            }
            Err(failure) => return Err(failure),
        };
        let names = rules.reads.headers(Direction::Response);
        let surroundings = Surroundings::new(
            captured.cloned().unwrap_or_default(),
            HeaderSnapshot::take(ops, Direction::Response, names),
            HostAnswers::ask(ops, &rules.reads),
            vars.cloned(),
            observer.cloned(),
        );
        Ok(Opened::Stream(Box::new(EventStream {
            coding,
            decoded: Vec::new(),
            decoder: Decoder::new(format, rules.max_event_bytes),
            editor: Editor::new(Arc::clone(program), transform, format, surroundings),
        })))
    }

    /// Whether the stream is compressed, and what comes out of here is not.
    pub(crate) fn decodes(&self) -> bool {
        self.coding.is_some()
    }

    /// Reads the next chunk of the body, and appends to `out` what is to be sent in its place.
    ///
    /// # Errors
    /// If an event fails and `onError` does not let it pass, or a compressed stream cannot be decoded. The
    /// headers are gone by then, so all that is left is to reset the stream; every later call fails the
    /// same way.
    ///
    /// # Cost
    /// A search for line ends, a copy of the chunk, and what the rules do. Events are parsed only if
    /// a rule reads JSON.
    pub(crate) fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<Passed, Failure> {
        let mut chunk = match &mut self.coding {
            None => chunk,
            Some(coding) => {
                self.decoded.clear();
                if let Err(error) = coding.push(chunk, &mut self.decoded) {
                    self.editor.stop(error);
                }
                &self.decoded
            }
        };
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
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) -> Result<Passed, Failure> {
        if let Some(Err(error)) = self.coding.as_ref().map(coding::Decoder::finish) {
            self.editor.stop(error);
        }
        if let Some(frame) = self.decoder.finish() {
            self.editor.frame(frame, out);
        }
        self.editor.end(out);
        self.editor.report()
    }
}

/// What takes the coding off a compressed stream; nothing for another.
///
/// # Errors
/// If it is compressed, and not to be decoded or not in a coding that is known.
fn coding_of(
    rules: &EventProgram,
    ops: &(impl TransformationOps + ?Sized),
) -> Result<Option<coding::Decoder>, Failure> {
    if !is_compressed(ops, Direction::Response) {
        return Ok(None);
    }
    let kind = TransformErrorKind::CompressedStream;
    let cause = match rules.decode {
        None => kind.into(),
        Some(limits) => {
            let mut encoding = String::new();
            append_header(ops, Direction::Response, "content-encoding", &mut encoding);
            match coding::Decoder::of(&encoding, limits) {
                Ok(decoder) => return Ok(Some(decoder)),
                Err(error) => Cause::because(kind, error),
            }
        }
    };
    Err(Failure::new(
        cause,
        StageName::Events,
        Direction::Response,
        rules.field,
    ))
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
