//! A whole message as its templates see it: headers and answers of the host, the body if it can be read.

use std::sync::Arc;

use llm::facts::Facts;
use minijinja::Value;

use super::BodyAccess;
use super::commands::{self, Captured};
use super::host::DirectionHost;
use crate::direction::Direction;
use crate::error::{Cause, TransformErrorKind};
use crate::message::{
    BodyText, EventField, HeaderSnapshot, HostAnswers, Message, Private, Vars, append_header,
    is_compressed,
};
use crate::observer::{Observer, Step};
use crate::ops::TransformationOps;
use crate::program::DirectionProgram;
use crate::template::commands::Command;
use crate::template::render::View;
use formats::coding::Decoder;
use formats::json::{Document, Kind};

/// The message of one direction.
pub(super) struct MessageView<'a, O: ?Sized> {
    pub(super) host: DirectionHost<'a, O>,
    compiled: &'a DirectionProgram,
    captured: Captured<'a>,
    /// The body is at hand, and not compressed.
    readable: bool,
    /// The parsed body, `null` included.
    pub(super) document: Option<Document>,
    absent: Cause,
    /// The engine's view, once it was made.
    message: Option<Arc<Message>>,
    /// How long the body is, once it was read; unless it is empty, it is not compressed then, or was
    /// decoded.
    pub(super) read_bytes: Option<usize>,
    /// The body was compressed, and what templates see of it is not.
    pub(super) was_decoded: bool,
    /// What it was decoded to, unless that is a document.
    decoded: Vec<u8>,
}

impl<'a, O: TransformationOps + ?Sized> MessageView<'a, O> {
    pub(super) fn new(
        compiled: &'a DirectionProgram,
        captured: Captured<'a>,
        ops: &'a mut O,
        body: BodyAccess,
    ) -> MessageView<'a, O> {
        let absent = match body {
            BodyAccess::Stream => TransformErrorKind::StreamedBody,
            _ => TransformErrorKind::UndeclaredVariable,
        };
        MessageView {
            host: DirectionHost {
                ops,
                direction: compiled.direction,
            },
            compiled,
            captured,
            readable: body == BodyAccess::Whole && !compiled.headers_only,
            document: None,
            absent: absent.into(),
            message: None,
            read_bytes: None,
            was_decoded: false,
            decoded: Vec::new(),
        }
    }

    /// Reads the body as far as rules do: as JSON if a template reads it so, or a patch edits it. An
    /// empty body is no JSON.
    ///
    /// # Errors
    /// Why it cannot be read: it is compressed, or no JSON. Templates meet the same reason.
    pub(super) fn read(&mut self) -> Result<(), Cause> {
        if !self.readable || !self.compiled.reads_body() {
            return Ok(());
        }
        // Compressed bytes are neither text nor JSON.
        if is_compressed(&*self.host.ops, self.compiled.direction) && self.host.body_length() > 0 {
            return self.decode();
        }
        if !self.compiled.parses_json() {
            return Ok(());
        }
        match self.host.parse_json() {
            Ok(document) => {
                self.read_bytes = Some(document.as_ref().map_or(0, |it| it.text().len()));
                self.document = document;
                Ok(())
            }
            Err(error) => {
                self.absent = Cause::because(TransformErrorKind::InvalidJson, error);
                Err(self.absent.clone())
            }
        }
    }

    /// Reads a compressed body, if the configuration has it decoded.
    fn decode(&mut self) -> Result<(), Cause> {
        let compressed = TransformErrorKind::CompressedBody;
        let Some(limits) = self.compiled.decode.as_deref() else {
            return self.unreadable(compressed.into());
        };
        let mut encoding = String::new();
        let direction = self.compiled.direction;
        append_header(
            &*self.host.ops,
            direction,
            "content-encoding",
            &mut encoding,
        );
        let encoded = self.host.body();
        let mut decoded = Vec::new();
        let outcome = Decoder::of(&encoding, *limits).and_then(|mut decoder| {
            decoder.push(&encoded, &mut decoded)?;
            decoder.finish()
        });
        if let Err(error) = outcome {
            return self.unreadable(Cause::because(compressed, error));
        }
        self.was_decoded = true;
        self.read_bytes = Some(encoded.len());
        if !self.compiled.parses_json() || decoded.is_empty() {
            self.decoded = decoded;
            return Ok(());
        }
        // The text beside a document is its own; without one, and `null` is none, the bytes are text.
        match Document::parse(decoded.as_slice()) {
            Ok(document) => {
                self.document = Some(document);
                if self.document().is_none() {
                    self.decoded = decoded;
                }
                Ok(())
            }
            Err(error) => {
                self.decoded = decoded;
                self.absent = Cause::because(TransformErrorKind::InvalidJson, error);
                Err(self.absent.clone())
            }
        }
    }

    fn unreadable(&mut self, cause: Cause) -> Result<(), Cause> {
        self.readable = false;
        self.absent = cause;
        Err(self.absent.clone())
    }

    /// Tells whoever looks on that the body was read, if it was.
    pub(super) fn tell_of_body(&self) {
        if let (Some(observer), Some(bytes)) = (self.captured.observer, self.read_bytes) {
            observer.tell(Step::BodyRead {
                direction: self.compiled.direction,
                bytes,
                was_decoded: self.was_decoded,
            });
        }
    }

    /// The body as templates read it beside a document, which is its own text.
    fn body_text(&mut self) -> BodyText {
        if !self.compiled.reads.body || self.document().is_some() {
            return BodyText::default();
        }
        if self.was_decoded {
            return BodyText::new(std::mem::take(&mut self.decoded));
        }
        if self.readable {
            let bytes = self.host.body();
            self.read_bytes = Some(bytes.len());
            return BodyText::new(bytes);
        }
        match self.absent.kind {
            kind @ (TransformErrorKind::CompressedBody | TransformErrorKind::StreamedBody) => {
                BodyText::unreadable(kind)
            }
            _ => BodyText::default(),
        }
    }

    /// Asks the host for what the templates of this direction read.
    fn host_answers(&self) -> HostAnswers {
        let value_of = |command: &Command| {
            let mut text = String::new();
            self.command(command, &mut text);
            Value::from(text)
        };
        HostAnswers {
            commands: self.compiled.commands.iter().map(value_of).collect(),
            ..HostAnswers::ask(&*self.host.ops, &self.compiled.reads)
        }
    }
}

impl<O: TransformationOps + ?Sized> View for MessageView<'_, O> {
    fn direction(&self) -> Direction {
        self.compiled.direction
    }

    fn header(&self, direction: Direction, name: &str, out: &mut String) {
        if direction == self.compiled.direction {
            append_header(&*self.host.ops, direction, name, out);
        } else {
            let headers = self.captured.headers;
            let value = headers.and_then(|headers| headers.get(name));
            out.push_str(value.unwrap_or_default());
        }
    }

    fn command(&self, command: &Command, out: &mut String) {
        let direction = self.compiled.direction;
        commands::append(command, &*self.host.ops, direction, self.captured, out);
    }

    fn event(&self, _: EventField, _: &mut String) -> Result<(), TransformErrorKind> {
        Ok(())
    }

    fn vars(&self) -> Option<&Vars> {
        self.captured.vars.map(Arc::as_ref)
    }

    fn facts(&self) -> Option<&Facts> {
        self.captured.facts
    }

    fn document(&self) -> Option<&Document> {
        let document = self.document.as_ref()?;
        (document.root().kind() != Kind::Null).then_some(document)
    }

    fn absent(&self) -> &Cause {
        &self.absent
    }

    fn read_bytes(&self) -> usize {
        self.read_bytes.unwrap_or_default()
    }

    fn observer(&self) -> Option<&Observer> {
        self.captured.observer
    }

    fn message(&mut self, private: &Private) -> Arc<Message> {
        if let Some(message) = &self.message {
            return Arc::clone(message);
        }
        let here = self.compiled.direction;
        let names = self.compiled.header_names(here);
        let own = Arc::new(HeaderSnapshot::take(&*self.host.ops, here, names));
        let (request, response) = match here {
            Direction::Request => (own, None),
            Direction::Response => (
                Arc::new(self.captured.headers.cloned().unwrap_or_default()),
                Some(own),
            ),
        };
        let document = self.document().cloned().ok_or(self.absent.kind);
        let body = self.body_text();
        let host = self.host_answers();
        let message = Message::new(here, request, response, body, document, host);
        // A copy for the engine, which only the templates that read it pay for.
        let facts = self.captured.facts.filter(|_| self.compiled.reads.facts);
        let facts = facts.map(|facts| Arc::new(facts.clone()));
        let message = Arc::new(
            message
                .with_private(private)
                .with_vars(self.captured.vars.cloned())
                .with_facts(facts),
        );
        self.message = Some(Arc::clone(&message));
        message
    }
}
