//! JSON escapes: what a string's contents stand for, and where a part of that stands in them.
//!
//! Texts are looked at as they read, and edited as they are written: only the bytes of a value change,
//! and escapes around it stay as the client wrote them. Called on workers, with any bytes; what is no
//! escape of JSON stands for the character behind the backslash.

use std::borrow::Cow;
use std::ops::Range;

/// What the contents of a JSON string (without its quotes) stand for.
pub fn decode(raw: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', raw.as_bytes()).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut decoded = String::with_capacity(raw.len());
    decode_into(raw, true, &mut decoded);
    Cow::Owned(decoded)
}

/// Appends what `raw` stands for; how many of its bytes were read. Where it goes on, half an escape at
/// its end is not.
pub(super) fn decode_into(raw: &str, complete: bool, decoded: &mut String) -> usize {
    let mut at = 0;
    while let Some(rest) = raw.get(at..).filter(|it| !it.is_empty()) {
        let plain = memchr::memchr(b'\\', rest.as_bytes()).unwrap_or(rest.len());
        decoded.push_str(rest.get(..plain).unwrap_or_default());
        at += plain;
        match rest.get(plain..).filter(|it| !it.is_empty()) {
            Some(escape) if complete || !is_cut(escape) => {
                let (character, length) = unescape(escape);
                decoded.push(character);
                at += length;
            }
            _ => break,
        }
    }
    at
}

/// Where ranges of the decoded text stand in `raw`. The ranges are in order and do not overlap; each
/// begins and ends between characters of the decoded text. Linear in `raw`.
pub fn in_raw(raw: &str, ranges: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut places = Places::new(raw);
    let range = |it: &Range<usize>| places.raw(it.start)..places.raw(it.end);
    ranges.iter().map(range).collect()
}

/// Walks along decoded and raw text.
#[derive(Debug)]
pub(super) struct Places<'r> {
    raw: &'r str,
    /// The same place in both.
    decoded: usize,
    at: usize,
}

impl<'r> Places<'r> {
    pub(super) fn new(raw: &'r str) -> Places<'r> {
        Places {
            raw,
            decoded: 0,
            at: 0,
        }
    }

    /// Where a place of the decoded text stands in the raw text. Places come in ascending order.
    pub(super) fn raw(&mut self, decoded: usize) -> usize {
        while self.decoded < decoded {
            let Some(rest) = self.raw.get(self.at..).filter(|it| !it.is_empty()) else {
                break;
            };
            let plain = memchr::memchr(b'\\', rest.as_bytes()).unwrap_or(rest.len());
            if plain > 0 {
                let step = plain.min(decoded - self.decoded);
                self.at += step;
                self.decoded += step;
                continue;
            }
            let (character, length) = unescape(rest);
            self.at += length;
            self.decoded += character.len_utf8();
        }
        self.at
    }
}

/// Appends `text` as the contents of a JSON string.
pub fn escape_into(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(|it: char| it < ' ' || matches!(it, '"' | '\\')) {
        let (plain, special) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(plain);
        let mut characters = special.chars();
        match characters.next() {
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(it @ ('"' | '\\')) => out.extend(['\\', it]),
            Some(it) => {
                out.push_str("\\u00");
                let hex = |it: u32| char::from_digit(it & 15, 16).unwrap_or('0');
                out.extend([hex(it as u32 >> 4), hex(it as u32)]);
            }
            None => {}
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
}

/// Whether an escape at the end of a text may go on.
fn is_cut(escape: &str) -> bool {
    let bytes = escape.as_bytes();
    let hex = |at: usize| {
        bytes
            .iter()
            .skip(at)
            .take(4)
            .take_while(|it| it.is_ascii_hexdigit())
    };
    match bytes {
        [_] => true,
        [_, b'u', ..] => {
            let digits = hex(2).count();
            if digits < 4 {
                return 2 + digits == bytes.len();
            }
            let high = matches!(unit(escape, 2), Some(0xD800..=0xDBFF));
            high && match bytes.get(6..).unwrap_or_default() {
                [] | [b'\\'] => true,
                [b'\\', b'u', digits @ ..] => {
                    digits.len() < 4 && digits.iter().all(u8::is_ascii_hexdigit)
                }
                _ => false,
            }
        }
        _ => false,
    }
}

/// The character that the escape at the start of a text stands for, and how long the escape is. Half a
/// surrogate pair is U+FFFD.
fn unescape(escape: &str) -> (char, usize) {
    let mut characters = escape.chars().skip(1);
    let character = match characters.next() {
        Some('b') => '\x08',
        Some('f') => '\x0C',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('u') => return unescape_unicode(escape),
        Some(other) => return (other, 1 + other.len_utf8()),
        None => return ('\\', 1),
    };
    (character, 2)
}

fn unescape_unicode(escape: &str) -> (char, usize) {
    let Some(first) = unit(escape, 2) else {
        return ('u', 2);
    };
    if let Some(character) = char::from_u32(first) {
        return (character, 6);
    }
    let second = (escape.get(6..8) == Some("\\u"))
        .then(|| unit(escape, 8))
        .flatten()
        .filter(|it| first < 0xDC00 && (0xDC00..=0xDFFF).contains(it));
    let pair = second.map(|it| 0x1_0000 + ((first - 0xD800) << 10) + (it - 0xDC00));
    match pair.and_then(char::from_u32) {
        Some(character) => (character, 12),
        None => (char::REPLACEMENT_CHARACTER, 6),
    }
}

fn unit(escape: &str, at: usize) -> Option<u32> {
    let digits = escape.get(at..at + 4)?;
    let hex = digits.bytes().all(|it| it.is_ascii_hexdigit());
    hex.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests;
