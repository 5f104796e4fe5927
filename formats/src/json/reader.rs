//! One pass over a text, front to back, for those who know what they look for.
//!
//! A [`Document`](super::Document) is for readers that come back: it remembers where members stand. A
//! [`Reader`] remembers nothing and takes no memory: the caller is told of each member as it comes,
//! reads it, or lets it be stepped over. Events of a stream, which are small, many and read once, are
//! read with it on the worker thread of the stream.
//!
//! Every member that stands in the text is told of, also those whose key repeats. What is refused is
//! what a document refuses, found when the reader gets there: what came before was told already, so
//! whoever acts on it waits for [`read`] to say that the whole text is good.

mod raw;

pub use raw::Raw;

use super::error::{ParseError, ParseErrorKind};
use super::node::Kind;
use super::{scan, string};

/// Reads the one value of `text`: `with` is called at its start, and may read it, or some of it, or
/// nothing; either way the whole text is checked.
///
/// # Errors
///
/// A text that is not one JSON document.
///
/// # Cost
///
/// One pass, and no memory of its own.
///
/// ```
/// use formats::json::{Reader, read};
///
/// let text = r#"{"usage": {"total": 3}, "model": "small"}"#;
/// let mut model = None;
/// read(text, |reader| {
///     reader.entries(|key, reader| {
///         if key.is("model") {
///             model = Some(reader.value()?.range());
///         }
///         Ok(())
///     })
/// })?;
/// assert_eq!(model, Some(33..40));
/// # Ok::<(), formats::json::ParseError>(())
/// ```
pub fn read<'t>(
    text: &'t str,
    with: impl FnOnce(&mut Reader<'t>) -> Result<(), Fault>,
) -> Result<(), ParseError> {
    let mut reader = Reader { text, at: 0 };
    let run = || {
        reader.at = scan::start(text);
        reader.space();
        if reader.at == text.len() {
            return Err(Fault(ParseErrorKind::Empty));
        }
        reader.member(with)?;
        reader.space();
        match reader.at == text.len() {
            true => Ok(()),
            false => Err(Fault(ParseErrorKind::TrailingText)),
        }
    };
    run().map_err(|Fault(kind)| ParseError::at(kind, text.as_bytes(), reader.at))
}

/// A text that is not JSON, met by a reader. [`read`] says where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault(ParseErrorKind);

/// Stands before one value of a text.
#[derive(Debug)]
pub struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    /// What comes next. Cost: a look at one byte.
    pub fn kind(&self) -> Kind {
        raw::kind(self.rest())
    }

    /// Reads the value, whatever it is. What is in a container is checked and not told of.
    ///
    /// # Errors
    ///
    /// A text that is not JSON.
    pub fn value(&mut self) -> Result<Raw<'t>, Fault> {
        let start = self.at;
        self.skip()?;
        Ok(self.since(start))
    }

    /// Reads an object: `each` is told of every key, and may read the value, or let it be stepped
    /// over. Whatever is no object is stepped over.
    ///
    /// # Errors
    ///
    /// A text that is not JSON.
    pub fn entries(
        &mut self,
        mut each: impl FnMut(Raw<'t>, &mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        if self.kind() != Kind::Object {
            return self.skip();
        }
        self.at += 1;
        if self.is_closed(b'}') {
            return Ok(());
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.unless_at_end(ParseErrorKind::ExpectedKey));
            }
            let start = self.at;
            self.at = self.checked(string::check(self.text.as_bytes(), start))?;
            let key = self.since(start);
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.unless_at_end(ParseErrorKind::ExpectedColon));
            }
            self.at += 1;
            self.space();
            self.member(|reader| each(key, reader))?;
            if self.ends(b'}')? {
                return Ok(());
            }
        }
    }

    /// Reads an array: `each` is called before every item, with its place. Whatever is no array is
    /// stepped over.
    ///
    /// # Errors
    ///
    /// A text that is not JSON.
    pub fn items(
        &mut self,
        mut each: impl FnMut(usize, &mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        if self.kind() != Kind::Array {
            return self.skip();
        }
        self.at += 1;
        if self.is_closed(b']') {
            return Ok(());
        }
        for index in 0.. {
            self.space();
            self.member(|reader| each(index, reader))?;
            if self.ends(b']')? {
                break;
            }
        }
        Ok(())
    }

    /// Reads the value with `with`, which is called at its start and may read it, or some of it, or
    /// nothing; gives the whole of it.
    ///
    /// # Errors
    ///
    /// A text that is not JSON.
    pub fn value_with(
        &mut self,
        with: impl FnOnce(&mut Self) -> Result<(), Fault>,
    ) -> Result<Raw<'t>, Fault> {
        let start = self.at;
        self.member(with)?;
        Ok(self.since(start))
    }

    /// One value, read by `with` or stepped over.
    #[inline]
    fn member(&mut self, with: impl FnOnce(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        let start = self.at;
        with(self)?;
        if self.at == start {
            self.skip()?;
        }
        Ok(())
    }

    #[inline]
    fn skip(&mut self) -> Result<(), Fault> {
        // What there is most of comes first.
        let end = match self.peek() {
            Some(b'"') => string::check(self.text.as_bytes(), self.at),
            _ => scan::value_end(self.text, self.at),
        };
        self.at = self.checked(end)?;
        Ok(())
    }

    /// On failure, stands at the byte to blame.
    #[inline]
    fn checked(&mut self, end: Result<usize, (ParseErrorKind, usize)>) -> Result<usize, Fault> {
        end.map_err(|(kind, at)| {
            self.at = at;
            Fault(kind)
        })
    }

    /// Behind an opening bracket: steps over the closing one, if it is next.
    fn is_closed(&mut self, close: u8) -> bool {
        self.space();
        let is_closed = self.peek() == Some(close);
        self.at += usize::from(is_closed);
        is_closed
    }

    /// Behind a member: true if the container ends, false if a comma promises another one.
    #[inline]
    fn ends(&mut self, close: u8) -> Result<bool, Fault> {
        self.space();
        match self.peek() {
            Some(byte) if byte == close || byte == b',' => {
                self.at += 1;
                Ok(byte == close)
            }
            _ => Err(self.unless_at_end(ParseErrorKind::ExpectedCommaOrEnd)),
        }
    }

    fn unless_at_end(&self, kind: ParseErrorKind) -> Fault {
        Fault(match self.peek() {
            Some(_) => kind,
            None => ParseErrorKind::UnexpectedEnd,
        })
    }

    #[inline]
    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    #[inline]
    fn since(&self, start: usize) -> Raw<'t> {
        let text = self.text.get(start..self.at).unwrap_or_default();
        Raw::at(start, text)
    }
}

#[cfg(test)]
mod tests;
