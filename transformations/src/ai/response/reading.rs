//! How a response is read: by its headers, when these come, on the worker of the exchange.

use formats::coding;
use formats::events::{Decoder, Format};

use super::Unseen;
use crate::ai::{AiExchange, AiProgram};
use crate::applied::Applied;
use crate::direction::Direction;
use crate::http;
use crate::message::{append_header, is_compressed};
use crate::ops::TransformationOps;

/// How the response is read.
#[derive(Debug, Default)]
pub(in crate::ai) enum Reading {
    /// It has not come, or nobody reads it.
    #[default]
    Nothing,
    /// Event by event.
    Events(Box<EventReading>),
    /// As a whole, of which a copy has passed by.
    Whole(Box<Copied>),
    /// As a whole; this has come of it, and waits.
    Held(Box<HeldReading>),
    /// It cannot be read, or need not be: it is too large, in a coding that is not known, or an error.
    Unreadable,
}

/// A stream of events that is read.
#[derive(Debug)]
pub(in crate::ai) struct EventReading {
    /// Takes the coding off, if it has one.
    pub(super) coding: Option<coding::Decoder>,
    /// What that made of a chunk; kept for its memory.
    pub(super) decoded: Vec<u8>,
    pub(super) decoder: Decoder,
}

/// A body that passes by.
#[derive(Debug)]
pub(in crate::ai) struct Copied {
    /// What takes the coding off, if it has one.
    pub(super) coding: Option<coding::Decoder>,
    /// What has come of it, as it came.
    pub(super) body: Vec<u8>,
}

/// A body that waits.
#[derive(Debug)]
pub(in crate::ai) struct HeldReading {
    /// What takes the coding off, if it has one.
    pub(super) coding: Option<coding::Decoder>,
    /// What has come of it.
    pub(super) body: Vec<u8>,
    /// What is known at its end stands in its headers.
    pub(super) tells: bool,
}

/// What the headers say of the body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    /// How its events are set apart, if it is a stream.
    format: Option<Format>,
    is_coded: bool,
    /// What is known of the exchange may stand in its headers.
    pub(super) can_tell: bool,
}

impl AiExchange {
    /// Reads the headers of the response.
    pub(super) fn head(
        &mut self,
        program: &AiProgram,
        ops: &(impl TransformationOps + ?Sized),
    ) -> Head {
        let mut is_success = false;
        ops.for_each_response_header_value(":status", &mut |status| {
            is_success = status.first() == Some(&b'2');
        });
        self.is_error = !is_success;
        let mut content_type = String::new();
        append_header(ops, Direction::Response, "content-type", &mut content_type);
        let format = Format::of(&content_type);
        let is_coded = is_compressed(ops, Direction::Response);
        let can_tell = is_success && format.is_none() && !program.headers.is_empty();
        Head {
            format,
            is_coded,
            can_tell,
        }
    }

    /// Decides how a response with a body is read, and says what is to be said of it before it comes.
    pub(super) fn open(
        &mut self,
        program: &AiProgram,
        head: Head,
        is_tunnel: bool,
        ops: &mut (impl TransformationOps + ?Sized),
        applied: &mut Applied,
    ) -> Result<(), Unseen> {
        if self.is_error {
            // It has no placeholders that anybody needs restored.
            self.rewriting.take_if(|it| !it.masks_own);
            if self.rewriting.is_none() || switches_protocols(ops) {
                self.reading = Reading::Unreadable;
                return Ok(());
            }
        }
        let coding = match AiExchange::coding(program, head, ops) {
            Ok(coding) => coding,
            Err(unseen) if self.must_see() => return Err(unseen),
            Err(_) => {
                self.reading = Reading::Unreadable;
                return Ok(());
            }
        };
        let rewrites = self.rewrites();
        if head.format == Some(Format::Sse) {
            self.facts.stream = Some(true);
            if self.changes_events() {
                // How long it becomes shows when it has come.
                applied.headers = true;
                ops.remove_response_header("content-length");
            }
            let sends_decoded = coding.is_some() && self.changes_events();
            if rewrites || sends_decoded {
                forget_bytes(ops);
            }
            if sends_decoded {
                ops.remove_response_header("content-encoding");
            }
            self.reading = Reading::Events(Box::new(EventReading {
                coding,
                decoded: Vec::new(),
                decoder: Decoder::new(Format::Sse, program.body_limit()),
            }));
            return Ok(());
        }
        let tells = head.can_tell && program.headers.waits();
        self.reading = match !is_tunnel && (rewrites || tells) {
            true => Reading::Held(Box::new(HeldReading {
                coding,
                body: Vec::new(),
                tells,
            })),
            false => Reading::Whole(Box::new(Copied {
                coding,
                body: Vec::new(),
            })),
        };
        Ok(())
    }

    /// Whether what cannot be looked at is refused.
    pub(super) fn must_see(&self) -> bool {
        self.rewriting.as_ref().is_some_and(|it| it.must_see())
    }

    /// Whether texts of the response change.
    pub(super) fn rewrites(&self) -> bool {
        self.rewriting.as_ref().is_some_and(|it| !it.is_shadow)
    }

    /// Whether events change.
    pub(super) fn changes_events(&self) -> bool {
        self.hides_usage || self.rewrites()
    }

    /// What takes the coding off a body, if it has one.
    fn coding(
        program: &AiProgram,
        head: Head,
        ops: &(impl TransformationOps + ?Sized),
    ) -> Result<Option<coding::Decoder>, Unseen> {
        if !head.is_coded {
            return Ok(None);
        }
        let mut encoding = String::new();
        append_header(ops, Direction::Response, "content-encoding", &mut encoding);
        // Of a stream, each event has the limit by itself.
        let most = match head.format {
            Some(_) => usize::MAX,
            None => program.body_limit(),
        };
        let limits = coding::Limits::of_bytes(most);
        let decoder = coding::Decoder::of(&encoding, limits).map_err(|_| Unseen::CODING)?;
        Ok(Some(decoder))
    }
}

/// Whether the response switches protocols: what comes behind it is no body.
fn switches_protocols(ops: &(impl TransformationOps + ?Sized)) -> bool {
    let mut switches = false;
    ops.for_each_response_header_value(":status", &mut |status| switches = status == b"101");
    switches
}

/// Removes what promises that the body has certain bytes.
pub(super) fn forget_bytes(ops: &mut (impl TransformationOps + ?Sized)) {
    for name in http::DIGESTS {
        ops.remove_response_header(name);
    }
    let mut is_strong = false;
    ops.for_each_response_header_value("etag", &mut |tag| is_strong = http::is_strong_etag(tag));
    if is_strong {
        ops.remove_response_header("etag");
    }
}
