//! The one reader of JSON text: it checks a value and notes where its direct members are.
//!
//! [`Document`](super::Document) runs it over a whole text on the thread that parses; later, a
//! container that somebody looks into is run through it again, alone. The second run is over text that
//! is known to be good, but takes the same path: one reader cannot disagree with itself.
//!
//! It is our own rather than a library's because it must do in one pass what the libraries at hand do
//! only when they build values, and for texts that they refuse: numbers of any size, half surrogate
//! pairs and any depth are fine as long as nobody reads them; and it says where members stand.

use super::error::{ParseError, ParseErrorKind};
use super::outline::{Ignore, Member, Outline, Recorder, Sink};
use super::span::Span;
use super::string;

/// How many containers that stand inside each other can be looked into. What is deeper is checked and
/// carried along, but it is text: it has no nodes. The same limit as serde_json's.
pub const MAX_DEPTH: usize = 127;

/// Some writers begin a text with it; RFC 8259 lets readers step over it.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Checks that `text` is one JSON document. Gives where its root value stands and, if that is a
/// container, what is in it. Cost: one pass.
pub(super) fn document(text: &str) -> Result<(Span, Outline), ParseError> {
    let bytes = text.as_bytes();
    if u32::try_from(bytes.len()).is_err() {
        return Err(ParseError::at(ParseErrorKind::TooLarge, &[], 0));
    }
    let mut scanner = Scanner {
        bytes,
        at: start(text),
    };
    // Bodies keep what is large in one array of the root (`messages`, `choices`, `data`).
    let mut recorder = Recorder::of_levels(2);
    let root = scanner.root(&mut recorder);
    let root = root.map_err(|kind| ParseError::at(kind, bytes, scanner.at))?;
    Ok((root, recorder.outline))
}

/// What is in the container at `span`, which must be one found by [`document`] or by this function in
/// the same text, with so many levels of the large containers in it. Cost: one pass over that container.
pub(super) fn container(text: &str, span: Span, levels: usize) -> Outline {
    let mut scanner = Scanner {
        bytes: text.as_bytes(),
        at: span.start(),
    };
    let mut recorder = Recorder::of_container(span.len(), levels);
    // The text was accepted before, so this run succeeds too; there is no other outcome to report.
    let _ = scanner.value(0, &mut recorder);
    recorder.outline
}

/// Where a text starts for its readers: behind a byte order mark.
pub(super) fn start(text: &str) -> usize {
    match text.as_bytes().starts_with(BYTE_ORDER_MARK) {
        true => BYTE_ORDER_MARK.len(),
        false => 0,
    }
}

/// Where the value ends that starts at `at`, or what is wrong with it and the byte to blame. Cost: one
/// pass over the value.
pub(super) fn value_end(text: &str, at: usize) -> Result<usize, (ParseErrorKind, usize)> {
    let bytes = text.as_bytes();
    let mut scanner = Scanner { bytes, at };
    match scanner.value(0, &mut Ignore) {
        Ok(_) => Ok(scanner.at),
        Err(kind) => Err((kind, scanner.at)),
    }
}

struct Scanner<'t> {
    bytes: &'t [u8],
    /// The next byte to read; on failure, the byte to blame.
    at: usize,
}

type Scan<T> = Result<T, ParseErrorKind>;

impl Scanner<'_> {
    fn root(&mut self, recorder: &mut Recorder) -> Scan<Span> {
        if self.skip_whitespace().is_none() {
            return Err(ParseErrorKind::Empty);
        }
        let span = self.value(0, recorder)?;
        match self.skip_whitespace() {
            None => Ok(span),
            Some(_) => Err(ParseErrorKind::TrailingText),
        }
    }

    /// Reads one value, which must start here. `sink` hears of its direct members.
    fn value(&mut self, depth: usize, sink: &mut impl Sink) -> Scan<Span> {
        let start = self.at;
        match self.peek() {
            // What there is most of comes first.
            Some(b'"') => return self.string(),
            Some(b'{' | b'[') if depth == MAX_DEPTH => self.without_stack()?,
            Some(b'{') => self.object(depth + 1, sink)?,
            Some(b'[') => self.array(depth + 1, sink)?,
            _ => self.scalar()?,
        }
        Ok(Span::new(start, self.at))
    }

    /// Reads the value of a member of what `sink` hears of.
    fn member(&mut self, depth: usize, sink: &mut impl Sink) -> Scan<Span> {
        match self.peek() {
            Some(b'{' | b'[') => match sink.below() {
                Some(below) => self.value(depth, below),
                None => self.value(depth, &mut Ignore),
            },
            _ => self.value(depth, &mut Ignore),
        }
    }

    #[inline]
    fn scalar(&mut self) -> Scan<()> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            Some(_) => Err(ParseErrorKind::ExpectedValue),
            None => Err(ParseErrorKind::UnexpectedEnd),
        }
    }

    /// Reads a container that may nest any number of others, and tells nobody of its members.
    #[cold]
    #[inline(never)]
    fn without_stack(&mut self) -> Scan<()> {
        // The closing brackets that are waited for.
        let mut open = Vec::new();
        loop {
            let close = match self.peek() {
                Some(b'{') => Some(b'}'),
                Some(b'[') => Some(b']'),
                _ => None,
            };
            match close {
                None => self.scalar()?,
                Some(close) if self.enter() == Some(close) => self.at += 1,
                Some(close) => {
                    open.push(close);
                    if close == b'}' {
                        self.key()?;
                    }
                    continue;
                }
            }
            // A value has ended, and perhaps what it stands in.
            loop {
                let Some(&close) = open.last() else {
                    return Ok(());
                };
                if !self.ends_with(close)? {
                    self.skip_whitespace();
                    if close == b'}' {
                        self.key()?;
                    }
                    break;
                }
                open.pop();
            }
        }
    }

    fn object(&mut self, depth: usize, sink: &mut impl Sink) -> Scan<()> {
        if self.enter() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            let key = self.key()?;
            let value = self.member(depth, sink)?;
            sink.member(Member { key, value });
            if self.ends_with(b'}')? {
                return Ok(());
            }
        }
    }

    /// Reads a key and its colon, up to the value.
    #[inline]
    fn key(&mut self) -> Scan<Span> {
        if self.skip_whitespace() != Some(b'"') {
            return Err(self.unless_at_end(ParseErrorKind::ExpectedKey));
        }
        let key = self.string()?;
        if self.skip_whitespace() != Some(b':') {
            return Err(self.unless_at_end(ParseErrorKind::ExpectedColon));
        }
        self.at += 1;
        self.skip_whitespace();
        Ok(key)
    }

    fn array(&mut self, depth: usize, sink: &mut impl Sink) -> Scan<()> {
        if self.enter() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.skip_whitespace();
            let value = self.member(depth, sink)?;
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
    fn enter(&mut self) -> Option<u8> {
        self.at += 1;
        self.skip_whitespace()
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
