//! The one reader of JSON text: it checks a value and notes where its direct members are.
//!
//! [`Document`](super::Document) runs it over a whole text on the thread that parses; later, a
//! container that somebody looks into is run through it again, alone. The second run is over text that
//! is known to be good, but takes the same path: one reader cannot disagree with itself.
//!
//! It is our own rather than a library's because it must do in one pass what the libraries at hand do
//! only when they build values: refuse lone surrogates and deep nesting, accept numbers of any size,
//! and say where the members of the outermost container stand.

use super::error::{ParseError, ParseErrorKind};
use super::outline::{Member, Outline, Sink, TwoLevels};
use super::string;

/// How many containers may stand inside each other. The same limit as serde_json's, so that a text
/// accepted here is accepted by whatever parses it next.
pub const MAX_DEPTH: usize = 127;

/// A half-open range of bytes in a text. 32 bits are enough: longer texts are refused at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Both ends are positions in a text that [`document`] accepted, so the casts keep their value.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "texts of 4 GiB and more are refused"
    )]
    pub(super) fn new(start: usize, end: usize) -> Self {
        Self {
            start: start as u32,
            end: end as u32,
        }
    }

    pub(super) fn start(self) -> usize {
        self.start as usize
    }

    pub(super) fn end(self) -> usize {
        self.end as usize
    }

    pub(super) fn len(self) -> usize {
        self.end() - self.start()
    }

    /// The text under the span. Spans are made by scanning the text they are used with, so the range
    /// is inside it and on character boundaries.
    pub(super) fn of(self, text: &str) -> &str {
        text.get(self.start()..self.end()).unwrap_or_default()
    }
}

/// Checks that `text` is one JSON document. Gives where its root value stands and, if that is a
/// container, what is in it. Cost: one pass.
pub(super) fn document(text: &str) -> Result<(Span, Outline), ParseError> {
    let bytes = text.as_bytes();
    if u32::try_from(bytes.len()).is_err() {
        return Err(ParseError::at(ParseErrorKind::TooLarge, &[], 0));
    }
    let mut scanner = Scanner { bytes, at: 0 };
    let mut sink = TwoLevels::default();
    let root = scanner.root(&mut sink);
    let root = root.map_err(|kind| ParseError::at(kind, bytes, scanner.at))?;
    Ok((root, sink.outline))
}

/// What is in the container at `span`, which must be one found by [`document`] or by this function in
/// the same text. Cost: one pass over that container.
pub(super) fn container(text: &str, span: Span) -> Outline {
    let mut scanner = Scanner {
        bytes: text.as_bytes(),
        at: span.start(),
    };
    let mut sink = TwoLevels::default();
    // The text was accepted before, so this run succeeds too; there is no other outcome to report.
    let _ = scanner.value(0, &mut sink);
    sink.outline
}

struct Scanner<'t> {
    bytes: &'t [u8],
    /// The next byte to read; on failure, the byte to blame.
    at: usize,
}

type Scan<T> = Result<T, ParseErrorKind>;

impl Scanner<'_> {
    fn root(&mut self, sink: &mut impl Sink) -> Scan<Span> {
        if self.bytes.starts_with(b"\xEF\xBB\xBF") {
            return Err(ParseErrorKind::ByteOrderMark);
        }
        if self.skip_whitespace().is_none() {
            return Err(ParseErrorKind::Empty);
        }
        let span = self.value(0, sink)?;
        match self.skip_whitespace() {
            None => Ok(span),
            Some(_) => Err(ParseErrorKind::TrailingText),
        }
    }

    /// Reads one value, which must start here. `sink` hears of its direct members.
    fn value(&mut self, depth: usize, sink: &mut impl Sink) -> Scan<Span> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => return self.string(),
            Some(b'{') => self.object(depth + 1, sink)?,
            Some(b'[') => self.array(depth + 1, sink)?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word(b"true")?,
            Some(b'f') => self.word(b"false")?,
            Some(b'n') => self.word(b"null")?,
            Some(_) => return Err(ParseErrorKind::ExpectedValue),
            None => return Err(ParseErrorKind::UnexpectedEnd),
        }
        Ok(Span::new(start, self.at))
    }

    fn object(&mut self, depth: usize, sink: &mut impl Sink) -> Scan<()> {
        if self.enter(depth)? == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.skip_whitespace() != Some(b'"') {
                return Err(self.unless_at_end(ParseErrorKind::ExpectedKey));
            }
            let key = self.string()?;
            if self.skip_whitespace() != Some(b':') {
                return Err(self.unless_at_end(ParseErrorKind::ExpectedColon));
            }
            self.at += 1;
            self.skip_whitespace();
            let value = self.value(depth, sink.below())?;
            sink.member(Member { key, value });
            if self.ends_with(b'}')? {
                return Ok(());
            }
        }
    }

    fn array(&mut self, depth: usize, sink: &mut impl Sink) -> Scan<()> {
        if self.enter(depth)? == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.skip_whitespace();
            let value = self.value(depth, sink.below())?;
            sink.member(Member {
                key: Span::new(0, 0),
                value,
            });
            if self.ends_with(b']')? {
                return Ok(());
            }
        }
    }

    /// Steps over an opening bracket; gives the first byte after it that is not whitespace.
    fn enter(&mut self, depth: usize) -> Scan<Option<u8>> {
        if depth > MAX_DEPTH {
            return Err(ParseErrorKind::TooDeep);
        }
        self.at += 1;
        Ok(self.skip_whitespace())
    }

    /// After a member: true if the container ends here, false if a comma promises another member.
    fn ends_with(&mut self, close: u8) -> Scan<bool> {
        match self.skip_whitespace() {
            Some(b',') => {
                self.at += 1;
                Ok(false)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(true)
            }
            _ => Err(self.unless_at_end(ParseErrorKind::ExpectedCommaOrEnd)),
        }
    }

    fn string(&mut self) -> Scan<Span> {
        let start = self.at;
        self.at = string::check(self.bytes, start).map_err(|(kind, at)| {
            self.at = at;
            kind
        })?;
        Ok(Span::new(start, self.at))
    }

    fn number(&mut self) -> Scan<()> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(ParseErrorKind::InvalidNumber);
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// One or more digits.
    fn digits(&mut self) -> Scan<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.unless_at_end(ParseErrorKind::InvalidNumber));
        }
        Ok(())
    }

    fn word(&mut self, word: &'static [u8]) -> Scan<()> {
        for &expected in word {
            if self.peek() != Some(expected) {
                return Err(self.unless_at_end(ParseErrorKind::ExpectedValue));
            }
            self.at += 1;
        }
        Ok(())
    }

    fn unless_at_end(&self, kind: ParseErrorKind) -> ParseErrorKind {
        if self.at < self.bytes.len() {
            kind
        } else {
            ParseErrorKind::UnexpectedEnd
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Gives the first byte that is not whitespace, without stepping over it.
    fn skip_whitespace(&mut self) -> Option<u8> {
        loop {
            match self.peek() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other,
            }
        }
    }
}
