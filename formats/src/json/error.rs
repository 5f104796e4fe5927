//! Why a text is not a JSON document, and where.
//!
//! Made by the scanner on the thread that parses. Holds a position and a kind, never a byte of the
//! text, so it may be logged.

use std::fmt;

/// A text that is not a JSON document.
///
/// Small and `Copy`: it carries a kind and a position, never any of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    kind: ParseErrorKind,
    line: usize,
    column: usize,
}

impl ParseError {
    /// Counts lines up to `offset`; only a failing parse pays for it.
    pub(super) fn at(kind: ParseErrorKind, text: &[u8], offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        Self {
            kind,
            line: 1 + memchr::memchr_iter(b'\n', before).count(),
            column: 1 + before.len() - line_start,
        }
    }

    /// What was wrong.
    pub fn kind(&self) -> ParseErrorKind {
        self.kind
    }

    /// The line of the first byte that does not fit, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The byte within its line, counted from 1.
    pub fn column(&self) -> usize {
        self.column
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at line {} column {}",
            self.kind, self.line, self.column
        )
    }
}

impl std::error::Error for ParseError {}

/// The ways in which a text can fail to be JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// Nothing but whitespace.
    Empty,
    /// The text stops inside a value.
    UnexpectedEnd,
    /// Something else stands where a value must.
    ExpectedValue,
    /// Something else stands where an object key must.
    ExpectedKey,
    /// An object key has no `:` after it.
    ExpectedColon,
    /// Two members without a comma, or the wrong closing bracket.
    ExpectedCommaOrEnd,
    /// More text after the end of the document.
    TrailingText,
    /// A number spelled in a way JSON does not know (`01`, `1.`, `+1`, `.5`).
    InvalidNumber,
    /// A backslash with something unknown after it.
    InvalidEscape,
    /// A raw control character inside a string.
    ControlCharacter,
    /// The bytes are not UTF-8.
    InvalidUtf8,
    /// A text of 4 GiB or more.
    TooLarge,
}

impl fmt::Display for ParseErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the text is empty",
            Self::UnexpectedEnd => "the text ends inside a value",
            Self::ExpectedValue => "expected a value",
            Self::ExpectedKey => "expected a quoted object key",
            Self::ExpectedColon => "expected `:` after an object key",
            Self::ExpectedCommaOrEnd => "expected `,` or the closing bracket",
            Self::TrailingText => "expected nothing after the document",
            Self::InvalidNumber => "invalid number",
            Self::InvalidEscape => "invalid escape in a string",
            Self::ControlCharacter => "unescaped control character in a string",
            Self::InvalidUtf8 => "the text is not UTF-8",
            Self::TooLarge => "the text is too large",
        })
    }
}
