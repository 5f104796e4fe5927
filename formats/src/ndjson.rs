//! Newline-delimited JSON: a decoder that gives lines as the bytes they came in.
//!
//! A pure state machine over bytes, called on the worker thread of the stream as chunks arrive. However
//! the stream is cut into chunks, the same lines come out, and the bytes of all [`Frame`]s in order are
//! the bytes that went in. Lines are not checked to be JSON; blank ones are lines like others. Only a
//! line longer than the limit can be refused, if the caller [chooses](Oversize) so.

use std::fmt;

use crate::sse::framing::{Boundary, Framing, Piece};

pub use crate::sse::Oversize;

/// Reads one stream of lines. Holds at most one unfinished line.
#[derive(Clone, Debug)]
pub struct Decoder {
    framing: Framing<LineFeed>,
}

/// A piece of a stream. The bytes of all pieces in order are the stream.
#[derive(Clone, Copy, Debug)]
pub enum Frame<'a> {
    /// A complete line.
    Line(Line<'a>),
    /// What came after the last line feed, at the end of the stream; most often a line as good as any.
    Tail(Line<'a>),
    /// Bytes of a line that is longer than the limit, cut wherever chunks were; to be forwarded.
    Oversized(&'a [u8]),
}

/// A line of a stream, as bytes.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    raw: &'a [u8],
}

/// A stream that cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NdjsonError {
    /// A line is longer than the limit. Nothing of it was given out.
    LineTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
}

impl fmt::Display for NdjsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::LineTooLarge { limit } = self;
        write!(f, "a line of the stream is longer than {limit} bytes")
    }
}

impl std::error::Error for NdjsonError {}

impl Decoder {
    /// A decoder at the start of a stream. A line longer than `max_line_bytes`, its line end included,
    /// meets `oversize`.
    pub fn new(max_line_bytes: usize, oversize: Oversize) -> Self {
        Self {
            framing: Framing::new(LineFeed, max_line_bytes, oversize),
        }
    }

    /// Reads the next chunk and gives out the lines it completes.
    ///
    /// # Errors
    ///
    /// A line above the limit, if that is to be refused; what came before it was given out. Every later
    /// call fails the same way.
    ///
    /// # Cost
    ///
    /// One search for line feeds; bytes are copied only if their line is not whole in this chunk.
    pub fn push(
        &mut self,
        chunk: &[u8],
        out: &mut impl FnMut(Frame<'_>),
    ) -> Result<(), NdjsonError> {
        let outcome = self.framing.push(chunk, &mut |piece| out(frame(piece)));
        outcome.map_err(|_| NdjsonError::LineTooLarge {
            limit: self.framing.limit(),
        })
    }

    /// Gives out what is left at the end of the stream.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push), if a push failed before.
    pub fn finish(&mut self, out: &mut impl FnMut(Frame<'_>)) -> Result<(), NdjsonError> {
        let outcome = self.framing.finish(&mut |piece| out(frame(piece)));
        outcome.map_err(|_| NdjsonError::LineTooLarge {
            limit: self.framing.limit(),
        })
    }
}

impl<'a> Line<'a> {
    /// The bytes as they came, the line end included.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The line without its end (LF or CRLF).
    pub fn text(&self) -> &'a [u8] {
        let text = self.raw.strip_suffix(b"\n").unwrap_or(self.raw);
        text.strip_suffix(b"\r").unwrap_or(text)
    }
}

/// Says how long the line is, never what it says: streams do not belong in logs.
impl fmt::Debug for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line")
            .field("len", &self.raw.len())
            .finish_non_exhaustive()
    }
}

fn frame(piece: Piece<'_>) -> Frame<'_> {
    match piece {
        Piece::Whole(raw) => Frame::Line(Line { raw }),
        Piece::Partial(raw) => Frame::Tail(Line { raw }),
        Piece::Oversized(raw) => Frame::Oversized(raw),
    }
}

/// The end of a line; nothing to remember between chunks.
#[derive(Clone, Copy, Debug)]
struct LineFeed;

impl Boundary for LineFeed {
    fn find_end(&mut self, bytes: &[u8]) -> Option<usize> {
        memchr::memchr(b'\n', bytes).map(|end| end + 1)
    }

    fn complete_at_end(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::{Decoder, Frame, NdjsonError, Oversize};

    fn read(
        chunks: &[&[u8]],
        limit: usize,
        oversize: Oversize,
    ) -> (Vec<String>, Result<(), NdjsonError>) {
        let mut seen = Vec::new();
        let mut out = |frame: Frame<'_>| {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            seen.push(match frame {
                Frame::Line(line) => format!("line {:?} {:?}", text(line.raw()), text(line.text())),
                Frame::Tail(line) => format!("tail {:?}", text(line.raw())),
                Frame::Oversized(bytes) => format!("oversized {:?}", text(bytes)),
            });
        };
        let mut decoder = Decoder::new(limit, oversize);
        let pushed = chunks
            .iter()
            .try_for_each(|chunk| decoder.push(chunk, &mut out));
        let outcome = pushed.and_then(|()| decoder.finish(&mut out));
        (seen, outcome)
    }

    #[test]
    fn lines_come_whole_and_the_last_may_lack_its_end() {
        let (seen, outcome) = read(&[b"{\"a\"", b":1}\r\n\n[]", b"\n{"], 100, Oversize::Refuse);
        let expected = [
            "line \"{\\\"a\\\":1}\\r\\n\" \"{\\\"a\\\":1}\"",
            "line \"\\n\" \"\"",
            "line \"[]\\n\" \"[]\"",
            "tail \"{\"",
        ];
        assert_eq!(seen, expected);
        assert_eq!(outcome, Ok(()));
    }

    #[test]
    fn a_line_above_the_limit_is_refused_for_good() {
        let (seen, outcome) = read(&[b"12\n123", b"4\n"], 4, Oversize::Refuse);
        assert_eq!(seen, ["line \"12\\n\" \"12\""]);
        assert_eq!(outcome, Err(NdjsonError::LineTooLarge { limit: 4 }));
    }

    #[test]
    fn a_line_above_the_limit_can_pass_unread() {
        let (seen, outcome) = read(&[b"123", b"45", b"6\n7\n"], 4, Oversize::PassThrough);
        let expected = [
            "oversized \"123\"",
            "oversized \"45\"",
            "oversized \"6\\n\"",
            "line \"7\\n\" \"7\"",
        ];
        assert_eq!(seen, expected);
        assert_eq!(outcome, Ok(()));
    }
}
