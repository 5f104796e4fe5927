//! Where events end.
//!
//! Keeps what must be remembered between chunks: a few bytes.

use super::Format;
use super::event::BOM;

/// The end of the current event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Boundary {
    BlankLine(BlankLine),
    /// Nothing to remember.
    LineFeed,
}

impl Boundary {
    pub(super) fn new(format: Format) -> Boundary {
        match format {
            Format::Sse => Boundary::BlankLine(BlankLine::Mark(0)),
            Format::Ndjson => Boundary::LineFeed,
        }
    }

    /// Reads `bytes` up to the end of the current event. Gives that end, or none if all of `bytes`
    /// belongs to the event. The end may be 0: the event was complete before these bytes.
    pub(super) fn find_end(&mut self, bytes: &[u8]) -> Option<usize> {
        match self {
            Boundary::BlankLine(line) => line.find_end(bytes),
            Boundary::LineFeed => memchr::memchr(b'\n', bytes).map(|end| end + 1),
        }
    }

    /// Whether the stream could stop here with the current event complete.
    pub(super) fn is_complete_at_end(self) -> bool {
        self == Boundary::BlankLine(BlankLine::AfterCr { blank: true })
    }
}

/// A blank line, with any of the three line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlankLine {
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

impl BlankLine {
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
}
