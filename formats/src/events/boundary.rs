//! Where events end.
//!
//! Keeps what must be remembered between chunks, which is one state.

use super::Format;
use super::event::BOM;

/// How far the end of the current event is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Boundary {
    /// The event is a line: there is nothing to remember.
    Line,
    /// The event ends with a blank line. At the start of the stream, with so many bytes of a byte order
    /// mark read. A line with nothing but the mark is blank.
    Start,
    Mark1,
    Mark2,
    LineStart,
    InLine,
    /// After a CR; a LF here belongs to the same line end.
    AfterCr,
    /// The same, at the end of a blank line.
    AfterBlankCr,
}

impl Boundary {
    pub(super) fn new(format: Format) -> Boundary {
        match format {
            Format::Sse => Boundary::Start,
            Format::Ndjson => Boundary::Line,
        }
    }

    /// Whether the stream could stop here with the current event complete.
    pub(super) fn is_complete_at_end(self) -> bool {
        self == Boundary::AfterBlankCr
    }

    /// Reads `bytes` up to the end of the current event. Gives that end, or none if all of `bytes`
    /// belongs to the event. The end may be 0: the event was complete before these bytes.
    #[inline]
    pub(super) fn find_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match (*self, byte) {
                (Self::Line, _) => return memchr::memchr(b'\n', bytes).map(|end| end + 1),
                (Self::LineStart, b'\n') => return Some(at + 1),
                (Self::LineStart, b'\r') => {
                    at += 1;
                    *self = Self::AfterBlankCr;
                }
                (Self::LineStart | Self::InLine, _) => {
                    *self = Self::InLine;
                    let rest = bytes.get(at..).unwrap_or_default();
                    // Some streams come byte by byte.
                    let length = match rest {
                        [byte] if !matches!(byte, b'\n' | b'\r') => return None,
                        rest => memchr::memchr2(b'\n', b'\r', rest)?,
                    };
                    *self = match rest.get(length) {
                        Some(b'\n') => Self::LineStart,
                        _ => Self::AfterCr,
                    };
                    at += length + 1;
                }
                (Self::AfterCr, _) => {
                    at += usize::from(byte == b'\n');
                    *self = Self::LineStart;
                }
                (Self::AfterBlankCr, _) => {
                    *self = Self::LineStart;
                    return Some(at + usize::from(byte == b'\n'));
                }
                (Self::Start | Self::Mark1 | Self::Mark2, _) => at += self.read_mark(byte),
            }
        }
        None
    }

    /// Reads a byte where a byte order mark may be; how many bytes of it that is.
    fn read_mark(&mut self, byte: u8) -> usize {
        let (place, next, otherwise) = match self {
            Self::Start => (0, Self::Mark1, Self::LineStart),
            Self::Mark1 => (1, Self::Mark2, Self::InLine),
            _ => (2, Self::LineStart, Self::InLine),
        };
        let is_mark = BOM.get(place) == Some(&byte);
        *self = if is_mark { next } else { otherwise };
        usize::from(is_mark)
    }
}
