//! Strings in JSON text: checked without decoding, decoded only when somebody reads them.
//!
//! The scanner checks every string of a document; nodes decode the ones that are read. Most of a chat
//! body is string contents, so the check goes by words,
//! and by vectors where it is long.

use std::borrow::Cow;
use std::fmt::{self, Write};

use super::error::ParseErrorKind;

/// Checks the string that starts with the quote at `start`. Gives the position after its closing
/// quote, or the kind of fault and the byte to blame.
#[inline]
pub(super) fn check(bytes: &[u8], start: usize) -> Result<usize, (ParseErrorKind, usize)> {
    let mut at = start + 1;
    // Keys and names are short: most strings end within a word.
    let inner = bytes.get(at..).unwrap_or_default();
    if let Some(word) = inner.first_chunk::<8>() {
        let plain = first_marked(special_bytes(u64::from_le_bytes(*word)));
        at += plain;
        if word.get(plain) == Some(&b'"') {
            return Ok(at + 1);
        }
    }
    check_from(bytes, at)
}

/// As [`check`], from `at` on, which is inside of the string.
#[inline(never)]
fn check_from(bytes: &[u8], mut at: usize) -> Result<usize, (ParseErrorKind, usize)> {
    at += plain_run(bytes.get(at..).unwrap_or_default());
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => {
                at = check_escape(bytes, at)?;
                at += plain_prefix(bytes.get(at..).unwrap_or_default());
            }
            Some(_) => return Err((ParseErrorKind::ControlCharacter, at)),
            None => return Err((ParseErrorKind::UnexpectedEnd, at)),
        }
    }
}

/// The string whose text, quotes included, is `quoted`. Borrows if there is nothing to decode. Half a
/// surrogate pair stands for no character, and becomes U+FFFD.
pub(super) fn decode(quoted: &str) -> Cow<'_, str> {
    let inner = inner(quoted);
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut decoded = String::with_capacity(inner.len());
    pieces(inner, |piece| {
        decoded.push_str(piece);
        true
    });
    Cow::Owned(decoded)
}

/// How many bytes [`decode`] gives.
pub(super) fn contents_len(quoted: &str) -> usize {
    let inner = inner(quoted);
    let (mut length, mut at) = (inner.len(), next_escape(inner, 0));
    while let Some(escape) = inner.get(at..).filter(|rest| !rest.is_empty()) {
        let (character, spelled) = unescape(escape.as_bytes());
        // No escape is shorter than what it stands for.
        length -= spelled.saturating_sub(character.len_utf8()).min(length);
        at = next_escape(inner, at + spelled);
    }
    length
}

/// `text` as a JSON string, quotes included. Only what JSON requires is escaped, as by serde_json.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    // Writing to a string cannot fail.
    let _ = write_escaped(&mut quoted, text);
    quoted.push('"');
    quoted
}

/// Whether `text` stands for itself inside of a JSON string: nothing of it has to be escaped.
pub fn is_plain(text: &str) -> bool {
    plain_prefix(text.as_bytes()) == text.len()
}

/// Writes the inside of a JSON string that stands for `text`. Only what JSON requires is escaped, as by
/// serde_json.
///
/// # Errors
///
/// If `out` refuses text.
pub fn write_escaped(out: &mut dyn Write, text: &str) -> fmt::Result {
    let mut rest = text;
    loop {
        let (plain, special) = rest
            .split_at_checked(plain_prefix(rest.as_bytes()))
            .unwrap_or((rest, ""));
        out.write_str(plain)?;
        let Some(&byte) = special.as_bytes().first() else {
            return Ok(());
        };
        match byte {
            b'"' => out.write_str("\\\"")?,
            b'\\' => out.write_str("\\\\")?,
            b'\n' => out.write_str("\\n")?,
            b'\r' => out.write_str("\\r")?,
            b'\t' => out.write_str("\\t")?,
            0x08 => out.write_str("\\b")?,
            0x0C => out.write_str("\\f")?,
            _ => write!(out, "\\u{byte:04x}")?,
        }
        // What is special is one byte.
        rest = special.get(1..).unwrap_or_default();
    }
}

/// A way through the text of a string beside its contents: where is spelled what stands where.
pub(super) struct Spelling<'t> {
    inner: &'t str,
    /// Positions in text and contents that stand for each other.
    text: usize,
    contents: usize,
    /// Where the next escape is, or the end.
    plain_until: usize,
    /// The character before is spelled as the first half of a surrogate pair without the second.
    after_half: bool,
}

impl<'t> Spelling<'t> {
    /// At the start of a checked string whose text is `quoted`.
    pub(super) fn new(quoted: &'t str) -> Self {
        let inner = inner(quoted);
        Self {
            inner,
            text: 0,
            contents: 0,
            plain_until: next_escape(inner, 0),
            after_half: false,
        }
    }

    /// Moves on to where the character at `offset` of the contents is spelled, which must be on a
    /// character boundary and not before the last one. Gives that place in `quoted`, and whether half a
    /// surrogate pair stands before it. Cost, over all calls: one pass over the text.
    pub(super) fn move_to(&mut self, offset: usize) -> (usize, bool) {
        while self.contents < offset {
            self.after_half = false;
            let plain = self.plain_until - self.text;
            if offset - self.contents <= plain {
                self.text += offset - self.contents;
                self.contents = offset;
                break;
            }
            let escape = self.inner.as_bytes().get(self.plain_until..);
            let escape = escape.filter(|escape| !escape.is_empty());
            let Some(escape) = escape else { break };
            let (character, length) = unescape(escape);
            self.after_half = is_half(escape) && length == HALF;
            self.contents += plain + character.len_utf8();
            self.text = self.plain_until + length;
            self.plain_until = next_escape(self.inner, self.text);
        }
        (self.text + 1, self.after_half)
    }
}

/// How long the escape of half a surrogate pair is.
pub(super) const HALF: usize = 6;

/// Whether a text starts with an escape for the first half of a surrogate pair.
fn is_half(text: &[u8]) -> bool {
    text.starts_with(b"\\u") && hex4(text, 2).is_ok_and(|unit| (0xD800..0xDC00).contains(&unit))
}

/// Whether a text starts with an escape for the second half of a surrogate pair.
pub(super) fn is_second_half(text: &str) -> bool {
    let text = text.as_bytes();
    text.starts_with(b"\\u") && hex4(text, 2).is_ok_and(|unit| (0xDC00..0xE000).contains(&unit))
}

fn next_escape(inner: &str, from: usize) -> usize {
    let rest = inner.as_bytes().get(from..).unwrap_or_default();
    memchr::memchr(b'\\', rest).map_or(inner.len(), |at| from + at)
}

/// Whether `quoted` spells `wanted`.
pub(super) fn spells(quoted: &str, wanted: &str) -> bool {
    spells_plainly(quoted, wanted).unwrap_or_else(|| spells_with_escapes(quoted, wanted))
}

/// As [`spells`], as far as that can be told without decoding.
pub(super) fn spells_plainly(quoted: &str, wanted: &str) -> Option<bool> {
    // No escape is shorter than what it stands for.
    let inner_len = quoted.len().saturating_sub(2);
    // And none is longer than six bytes for one: long keys need no look.
    if inner_len < wanted.len() || inner_len > wanted.len().saturating_mul(6) {
        return Some(false);
    }
    if inner_len == wanted.len() {
        return Some(quoted.get(1..=inner_len) == Some(wanted) && !wanted.contains('\\'));
    }
    match memchr::memchr(b'\\', quoted.as_bytes()) {
        None => Some(false),
        Some(_) => None,
    }
}

/// As [`spells`], decoding up to the first difference.
pub(super) fn spells_with_escapes(quoted: &str, wanted: &str) -> bool {
    let mut rest = wanted;
    let all = pieces(inner(quoted), |piece| match rest.strip_prefix(piece) {
        Some(after) => {
            rest = after;
            true
        }
        None => false,
    });
    all && rest.is_empty()
}

/// The position after the string that starts with the quote at `start`, in a text that was checked.
pub(super) fn end(bytes: &[u8], start: usize) -> usize {
    check(bytes, start).unwrap_or(bytes.len())
}

fn inner(quoted: &str) -> &str {
    quoted
        .get(1..quoted.len().saturating_sub(1))
        .unwrap_or_default()
}

/// Gives what the inside of a checked string stands for, piece by piece, until `each` wants no more.
/// Whether it wanted all.
fn pieces(inner: &str, mut each: impl FnMut(&str) -> bool) -> bool {
    let mut rest = inner;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        let (plain, escape) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let (character, length) = unescape(escape.as_bytes());
        if !plain.is_empty() && !each(plain) || !each(character.encode_utf8(&mut [0; 4])) {
            return false;
        }
        rest = escape.get(length..).unwrap_or_default();
    }
    rest.is_empty() || each(rest)
}

/// The character that the escape at the start of `bytes` stands for, and how long the escape is.
fn unescape(bytes: &[u8]) -> (char, usize) {
    let character = match bytes.get(1) {
        Some(b'b') => '\x08',
        Some(b'f') => '\x0C',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unescape_unicode(bytes),
        // A quote, a slash or a backslash stands for itself; nothing else passed the check.
        Some(&byte) => char::from(byte),
        None => char::REPLACEMENT_CHARACTER,
    };
    (character, 2)
}

fn unescape_unicode(bytes: &[u8]) -> (char, usize) {
    const LONE: (char, usize) = (char::REPLACEMENT_CHARACTER, 6);
    let unit = |at| hex4(bytes, at).unwrap_or(0xD800);
    let first = unit(2);
    if let Some(character) = char::from_u32(first) {
        return (character, 6);
    }
    if first >= 0xDC00 || bytes.get(6..8) != Some(b"\\u") {
        return LONE;
    }
    let second = unit(8);
    if !(0xDC00..=0xDFFF).contains(&second) {
        return LONE;
    }
    let pair = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    char::from_u32(pair).map_or(LONE, |character| (character, 12))
}

/// How many bytes at the start of `bytes` are neither quote, backslash nor control character.
#[inline]
fn plain_prefix(bytes: &[u8]) -> usize {
    // Keys and names are short, and most of what is looked at are those.
    match bytes.first_chunk::<8>() {
        Some(word) => match special_bytes(u64::from_le_bytes(*word)) {
            0 => 8 + long_plain_prefix(bytes.get(8..).unwrap_or_default()),
            special => first_marked(special),
        },
        None => long_plain_prefix(bytes),
    }
}

/// How many bytes are looked at together in long texts, which the compiler does with vectors.
const BLOCK: usize = 64;

#[inline(never)]
fn long_plain_prefix(bytes: &[u8]) -> usize {
    plain_run(bytes)
}

/// As [`plain_prefix`]: word by word up to the length of a block, then block by block.
#[inline]
fn plain_run(bytes: &[u8]) -> usize {
    let (head, rest) = bytes.split_at_checked(BLOCK).unwrap_or((bytes, &[]));
    let plain = plain_words(head);
    if plain < BLOCK {
        return plain;
    }
    let plain = plain + plain_blocks(rest);
    plain + plain_words(bytes.get(plain..).unwrap_or_default())
}

#[inline]
fn plain_words(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        let special = special_bytes(u64::from_le_bytes(*word));
        if special != 0 {
            return bytes.len() - rest.len() + first_marked(special);
        }
        rest = after;
    }
    let is_plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | 0..=0x1F);
    bytes.len() - rest.len() + rest.iter().take_while(is_plain).count()
}

/// How many bytes at the start of `bytes` are in blocks that are all plain.
#[inline]
fn plain_blocks(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    // As in words: with bit 1 flipped, quotes and control characters are below 0x21. There is no way out
    // in the middle of a block, since vectors have none.
    let is_plain = |block: &&[u8; BLOCK]| {
        let special = |found, &byte: &u8| found | (byte ^ 2 < 0x21) | (byte == b'\\');
        !block.iter().fold(false, special)
    };
    BLOCK * blocks.iter().take_while(is_plain).count()
}

/// The place of the lowest mark, behind the last byte if there is none.
#[inline]
fn first_marked(special: u64) -> usize {
    special.trailing_zeros() as usize / 8
}

/// Marks, by its high bit, the first byte of `word` that is not plain. Bytes after the first mark may
/// be marked wrongly (a subtraction borrows upwards only), so only the lowest mark counts.
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    let below = |word: u64, limit: u64| word.wrapping_sub(limit * ONES) & !word;
    let flip = |byte: u8| word ^ (u64::from(byte) * ONES);
    // With bit 1 flipped the quote (0x22) becomes 0x20 and control characters stay below that, so one
    // comparison finds both; space and `!`, its neighbours, move out of the way.
    (below(flip(0x02), 0x21) | below(flip(b'\\'), 1)) & HIGH
}

/// Checks the escape at the backslash at `at`; gives the position after it.
fn check_escape(bytes: &[u8], at: usize) -> Result<usize, (ParseErrorKind, usize)> {
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        // Surrogates need not come in pairs: what they mean is for whoever reads them.
        Some(b'u') => hex4(bytes, at + 2).map(|_| at + 6),
        Some(_) => Err((ParseErrorKind::InvalidEscape, at + 1)),
        None => Err((ParseErrorKind::UnexpectedEnd, at + 1)),
    }
}

fn hex4(bytes: &[u8], at: usize) -> Result<u32, (ParseErrorKind, usize)> {
    let mut unit = 0;
    for offset in at..at + 4 {
        let byte = *bytes
            .get(offset)
            .ok_or((ParseErrorKind::UnexpectedEnd, offset))?;
        let digit = char::from(byte)
            .to_digit(16)
            .ok_or((ParseErrorKind::InvalidEscape, offset))?;
        unit = unit * 16 + digit;
    }
    Ok(unit)
}
