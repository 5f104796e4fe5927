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

use std::borrow::Cow;
use std::ops::Range;

use super::error::{ParseError, ParseErrorKind};
use super::node::Kind;
use super::{number, scan, string};

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
        kind(self.rest())
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
        Raw {
            text: self.text.get(start..self.at).unwrap_or_default(),
            start,
        }
    }
}

/// A value or a key as it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw<'t> {
    text: &'t str,
    start: usize,
}

impl<'t> Raw<'t> {
    /// A value that stands alone: `text` is all of it, and was read before.
    pub fn of_value(text: &'t str) -> Raw<'t> {
        Raw { text, start: 0 }
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        kind(self.text)
    }

    /// The bytes as they stand, the quotes of a string included.
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// Where in the text it stands.
    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// The contents of a string, see [`Node::as_str`](super::Node::as_str).
    #[inline]
    pub fn as_str(&self) -> Option<Cow<'t, str>> {
        let inner = self.text.strip_prefix('"')?;
        // Keys are short, and a call costs more than a look at each of their bytes.
        match inner.get(..inner.len().saturating_sub(1)) {
            Some(inner) if inner.len() < 24 && inner.bytes().all(|byte| byte != b'\\') => {
                Some(Cow::Borrowed(inner))
            }
            _ => Some(string::decode(self.text)),
        }
    }

    /// Where parts of a string's contents are spelled in the text it was read from. The parts are
    /// ranges of [`as_str`](Self::as_str) on character boundaries, in order.
    ///
    /// # Cost
    ///
    /// One pass over the string for all of them.
    pub fn spelled(
        self,
        parts: impl IntoIterator<Item = Range<usize>>,
    ) -> impl Iterator<Item = Range<usize>> {
        let mut spelling = string::Spelling::new(self.text);
        parts.into_iter().map(move |part| {
            let mut place = |offset| self.start + spelling.move_to(offset).0;
            place(part.start)..place(part.end)
        })
    }

    /// How many bytes the contents of a string have; 0 for other values. Nothing is decoded: where there
    /// are no escapes, that is how long it is.
    pub fn contents_len(&self) -> usize {
        match self.kind() {
            Kind::String => string::contents_len(self.text),
            _ => 0,
        }
    }

    /// Whether it is a string with these contents, however it is spelled.
    pub fn is(&self, contents: &str) -> bool {
        self.kind() == Kind::String && string::spells(self.text, contents)
    }

    /// An integer spelled as one that fits, see [`Node::as_u64`](super::Node::as_u64).
    pub fn as_u64(&self) -> Option<u64> {
        match self.kind() {
            Kind::Number => number::to_integer(self.text),
            _ => None,
        }
    }
}

#[inline]
fn kind(text: &str) -> Kind {
    match text.as_bytes().first() {
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::Array,
        Some(b'"') => Kind::String,
        Some(b't') => Kind::Bool(true),
        Some(b'f') => Kind::Bool(false),
        Some(b'n') => Kind::Null,
        _ => Kind::Number,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::Document;

    /// Reads everything there is, with its kind and its place.
    fn walk(reader: &mut Reader<'_>, seen: &mut Vec<(Kind, usize)>) -> Result<(), Fault> {
        seen.push((reader.kind(), reader.at));
        match reader.kind() {
            Kind::Object => reader.entries(|key, reader| {
                seen.push((key.kind(), key.range().start));
                walk(reader, seen)
            }),
            Kind::Array => reader.items(|_, reader| walk(reader, seen)),
            _ => reader.value().map(drop),
        }
    }

    fn deep(text: &str) -> Result<(), ParseError> {
        read(text, |reader| walk(reader, &mut Vec::new()))
    }

    fn shallow(text: &str) -> Result<(), ParseError> {
        read(text, |_| Ok(()))
    }

    #[test]
    fn every_member_is_told_of_also_those_whose_key_repeats() {
        let mut keys = Vec::new();
        read(
            r#" {"a": 1, "\u0061": [{}, [ ], ""], "b": {}} "#,
            |reader| {
                reader.entries(|key, reader| {
                    keys.push((key.is("a"), reader.kind(), key.range()));
                    Ok(())
                })
            },
        )
        .unwrap();
        let expected = [
            (true, Kind::Number, 2..5),
            (true, Kind::Array, 10..18),
            (false, Kind::Object, 35..38),
        ];
        assert_eq!(keys, expected);
    }

    #[test]
    fn what_is_of_another_kind_is_stepped_over() {
        let mut calls = 0;
        read(r#"[1, {"a": 2}]"#, |reader| {
            reader.items(|index, reader| match index {
                0 => reader.entries(|_, _| {
                    calls += 1;
                    Ok(())
                }),
                _ => reader.items(|_, _| {
                    calls += 1;
                    Ok(())
                }),
            })
        })
        .unwrap();
        assert_eq!(calls, 0);
    }

    #[test]
    fn a_value_is_given_whole_whoever_read_of_it() {
        let mut values = Vec::new();
        read(r#"[ [1, 2], 3 ]"#, |reader| {
            reader.items(|_, reader| {
                let raw = reader.value_with(|reader| reader.items(|_, _| Ok(())))?;
                values.push(raw.text());
                Ok(())
            })
        })
        .unwrap();
        assert_eq!(values, ["[1, 2]", "3"]);
    }

    #[test]
    fn faults_are_those_of_a_document_whoever_reads() {
        let texts = [
            "",
            " ",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":1,",
            "{\"a\":1,}",
            "{a:1}",
            "[",
            "[1",
            "[1,",
            "[1,]",
            "[1 2]",
            "[1}",
            "\"a",
            "\"\\x\"",
            "01",
            "1.",
            "tru",
            "nul1",
            "1 2",
            "{\"a\" 1}",
            "{\"a\":1 \"b\":2}",
            "[\u{1}]",
            "[\"\u{1}\"]",
            "\u{feff}",
            "\u{feff}[1}",
        ];
        for text in texts {
            let expected = Document::parse(text).unwrap_err();
            assert_eq!(deep(text).unwrap_err(), expected, "{text:?}");
            assert_eq!(shallow(text).unwrap_err(), expected, "{text:?}");
        }
    }

    #[test]
    fn nesting_costs_no_stack() {
        let text = format!("{}{}", "[".repeat(1 << 20), "]".repeat(1 << 20));
        shallow(&text).unwrap();
    }

    #[test]
    fn contents_and_numbers_are_read_from_raw_values() {
        let mut read_values = Vec::new();
        read(r#"["a\n", 12, 1.0, null, true]"#, |reader| {
            reader.items(|_, reader| {
                let raw = reader.value()?;
                read_values.push((raw.as_str().map(Cow::into_owned), raw.as_u64()));
                Ok(())
            })
        })
        .unwrap();
        let expected = [
            (Some("a\n".to_owned()), None),
            (None, Some(12)),
            (None, None),
        ];
        assert_eq!(read_values[..3], expected);
        assert_eq!(read_values[3..], [(None, None), (None, None)]);
    }

    #[test]
    fn parts_of_contents_are_found_where_they_are_spelled() {
        let text = r#" "a\u00fcb\n\ud83d\ude00c" "#;
        let mut parts = Vec::new();
        read(text, |reader| {
            let raw = reader.value()?;
            let contents = raw.as_str().unwrap();
            let ranges = contents
                .char_indices()
                .map(|(at, it)| at..at + it.len_utf8());
            parts.extend(raw.spelled(ranges).map(|range| text.get(range)));
            Ok(())
        })
        .unwrap();
        let expected = ["a", "\\u00fc", "b", "\\n", "\\ud83d\\ude00", "c"].map(Some);
        assert_eq!(parts, expected);
    }

    proptest! {
        #[test]
        fn a_string_is_as_long_as_what_it_says(
            inner in r#"(a|ß|🌍|\\n|\\"|\\u0041|\\u00df|\\ud83c|\\udf0d|\\ud83c\\udf0d){0,9}"#
        ) {
            let text = format!("\"{inner}\"");
            let raw = Raw::of_value(&text);
            prop_assert_eq!(raw.contents_len(), raw.as_str().unwrap().len());
        }

        #[test]
        fn a_text_is_good_for_a_reader_if_it_is_for_a_document(
            text in r#"[\[\]{}",:\\ 0-9a-ftrulsen\.\-]{0,24}"#
        ) {
            let expected = Document::parse(text.as_str()).map(drop);
            prop_assert_eq!(deep(&text), expected);
            prop_assert_eq!(shallow(&text), expected);
        }
    }
}
