//! From chunks of a stream to its events.
//!
//! Called on the worker thread of the stream for each chunk, and once at its end.

use std::fmt;

use super::event::{BOM, Event};
use super::framing::{Boundary, Framing, Oversize, Piece};

/// Reads one stream of Server-Sent Events. Holds at most one unfinished event.
#[derive(Clone, Debug)]
pub struct Decoder {
    framing: Framing<BlankLine>,
    /// Nothing was given out yet, so a byte order mark may come.
    first: bool,
}

/// A piece of a stream. The bytes of all pieces in order are the stream.
#[derive(Clone, Copy, Debug)]
pub enum Frame<'a> {
    /// A complete event, or a blank line or comment that stands alone.
    Event(Event<'a>),
    /// What came after the last complete event, at the end of the stream. By the standard it is not an
    /// event; some servers leave out the last blank line all the same.
    Tail(Event<'a>),
    /// Bytes of an event that is longer than the limit, cut wherever chunks were; to be forwarded.
    Oversized(&'a [u8]),
}

/// A stream that cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SseError {
    /// An event is longer than the limit. Nothing of it was given out.
    EventTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
}

impl fmt::Display for SseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::EventTooLarge { limit } = self;
        write!(f, "an event of the stream is longer than {limit} bytes")
    }
}

impl std::error::Error for SseError {}

impl Decoder {
    /// A decoder at the start of a stream. An event longer than `max_event_bytes`, its blank line
    /// included, meets `oversize`.
    pub fn new(max_event_bytes: usize, oversize: Oversize) -> Self {
        let framing = Framing::new(BlankLine::Mark(0), max_event_bytes, oversize);
        Self {
            framing,
            first: true,
        }
    }

    /// Reads the next chunk and gives out what it completes.
    ///
    /// # Errors
    ///
    /// An event above the limit, if that is to be refused; what came before it was given out. Every
    /// later call fails the same way.
    ///
    /// # Cost
    ///
    /// One search for line ends; bytes are copied only if their event is not whole in this chunk.
    pub fn push(&mut self, chunk: &[u8], out: &mut impl FnMut(Frame<'_>)) -> Result<(), SseError> {
        let first = &mut self.first;
        let outcome = self
            .framing
            .push(chunk, &mut |piece| out(frame(piece, first)));
        outcome.map_err(|_| SseError::EventTooLarge {
            limit: self.framing.limit(),
        })
    }

    /// Gives out what is left at the end of the stream.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push), if a push failed before.
    pub fn finish(&mut self, out: &mut impl FnMut(Frame<'_>)) -> Result<(), SseError> {
        let first = &mut self.first;
        let outcome = self.framing.finish(&mut |piece| out(frame(piece, first)));
        outcome.map_err(|_| SseError::EventTooLarge {
            limit: self.framing.limit(),
        })
    }
}

fn frame<'a>(piece: Piece<'a>, first: &mut bool) -> Frame<'a> {
    let starts_stream = std::mem::take(first);
    match piece {
        Piece::Whole(raw) => Frame::Event(Event::new(raw, starts_stream)),
        Piece::Partial(raw) => Frame::Tail(Event::new(raw, starts_stream)),
        Piece::Oversized(raw) => Frame::Oversized(raw),
    }
}

/// The end of an event: a blank line, with any of the three line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BlankLine {
    /// At the start of the stream, with this many bytes of a byte order mark read. A line with nothing
    /// but the mark is blank.
    Mark(usize),
    LineStart,
    InLine,
    /// After a CR; a LF here belongs to the same line end.
    AfterCr {
        blank: bool,
    },
}

impl Boundary for BlankLine {
    fn find_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match (*self, byte) {
                (Self::Mark(read), _) if BOM.get(read) == Some(&byte) => {
                    at += 1;
                    *self = if read + 1 == BOM.len() {
                        Self::LineStart
                    } else {
                        Self::Mark(read + 1)
                    };
                }
                (Self::Mark(read), _) => {
                    *self = if read == 0 {
                        Self::LineStart
                    } else {
                        Self::InLine
                    };
                }
                (Self::AfterCr { blank }, _) => {
                    at += usize::from(byte == b'\n');
                    *self = Self::LineStart;
                    if blank {
                        return Some(at);
                    }
                }
                (Self::LineStart, b'\n') => return Some(at + 1),
                (Self::LineStart, b'\r') => {
                    at += 1;
                    *self = Self::AfterCr { blank: true };
                }
                (Self::LineStart | Self::InLine, _) => {
                    *self = Self::InLine;
                    let rest = bytes.get(at..).unwrap_or_default();
                    let length = memchr::memchr2(b'\n', b'\r', rest)?;
                    let line_feed = rest.get(length) == Some(&b'\n');
                    at += length + 1;
                    *self = if line_feed {
                        Self::LineStart
                    } else {
                        Self::AfterCr { blank: false }
                    };
                }
            }
        }
        None
    }

    fn complete_at_end(&self) -> bool {
        matches!(self, Self::AfterCr { blank: true })
    }
}
