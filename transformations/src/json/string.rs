//! Strings in JSON text: checked without decoding, decoded only when somebody reads them.
//!
//! The scanner checks every string of a document; nodes decode the ones that are read. Most of a chat
//! body is string contents, so the check goes eight bytes at a time.

use std::borrow::Cow;

use super::error::ParseErrorKind;

/// Checks the string that starts with the quote at `start`. Gives the position after its closing
/// quote, or the kind of fault and the byte to blame.
pub(super) fn check(bytes: &[u8], start: usize) -> Result<usize, (ParseErrorKind, usize)> {
    let mut at = start + 1;
    loop {
        at += plain_prefix(bytes.get(at..).unwrap_or_default());
        match bytes.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at = check_escape(bytes, at)?,
            Some(_) => return Err((ParseErrorKind::ControlCharacter, at)),
            None => return Err((ParseErrorKind::UnexpectedEnd, at)),
        }
    }
}

/// The string whose text, quotes included, is `quoted`. Borrows if there is nothing to decode.
pub(super) fn decode(quoted: &str) -> Cow<'_, str> {
    let inner = quoted
        .get(1..quoted.len().saturating_sub(1))
        .unwrap_or_default();
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Cow::Borrowed(inner);
    }
    // `quoted` passed `check`, which refuses everything serde_json does.
    Cow::Owned(serde_json::from_str(quoted).unwrap_or_default())
}

/// `text` as a JSON string, quotes included.
pub(super) fn encode(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Whether `quoted` spells `wanted`. Decodes only a key that has escapes and is long enough.
pub(super) fn spells(quoted: &str, wanted: &str) -> bool {
    // No escape is shorter than what it stands for.
    let inner_len = quoted.len().saturating_sub(2);
    // And none is longer than six bytes for one: long keys need no look.
    if inner_len < wanted.len() || inner_len > wanted.len().saturating_mul(6) {
        return false;
    }
    if inner_len == wanted.len() {
        return quoted.get(1..=inner_len) == Some(wanted) && !wanted.contains('\\');
    }
    memchr::memchr(b'\\', quoted.as_bytes()).is_some() && decode(quoted) == wanted
}

/// How many bytes at the start of `bytes` are neither quote, backslash nor control character.
fn plain_prefix(bytes: &[u8]) -> usize {
    let mut plain = 0;
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        let special = special_bytes(u64::from_le_bytes(*word));
        if special != 0 {
            return plain + special.trailing_zeros() as usize / 8;
        }
        plain += 8;
        rest = after;
    }
    let tail = rest
        .iter()
        .take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1F))
        .count();
    plain + tail
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
        Some(b'u') => check_unicode_escape(bytes, at),
        Some(_) => Err((ParseErrorKind::InvalidEscape, at + 1)),
        None => Err((ParseErrorKind::UnexpectedEnd, at + 1)),
    }
}

fn check_unicode_escape(bytes: &[u8], at: usize) -> Result<usize, (ParseErrorKind, usize)> {
    let after = at + 6;
    match hex4(bytes, at + 2)? {
        0xDC00..=0xDFFF => Err((ParseErrorKind::LoneSurrogate, at)),
        0xD800..=0xDBFF => {
            if bytes.get(after..after + 2) != Some(b"\\u") {
                return Err((ParseErrorKind::LoneSurrogate, at));
            }
            match hex4(bytes, after + 2)? {
                0xDC00..=0xDFFF => Ok(after + 6),
                _ => Err((ParseErrorKind::LoneSurrogate, at)),
            }
        }
        _ => Ok(after),
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
