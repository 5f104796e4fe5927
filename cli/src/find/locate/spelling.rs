//! Where a byte of what a string says stands in the string as it is spelled: in quotes with their escapes, in
//! blocks and over several lines as YAML has them.
//!
//! Blanks may be folded, indented and left out; all other characters stand there in their order, so that these
//! are counted.

use std::iter::Peekable;
use std::str::CharIndices;

/// The byte of `text` that spells the byte `offset` of `says`, which a scalar says that begins at `start`.
pub(super) fn offset(text: &str, start: usize, says: &str, offset: usize) -> usize {
    let before = says.get(..offset).unwrap_or(says);
    let mut wanted = before.chars().filter(|it| !it.is_whitespace()).count();
    let scalar = text.get(start..).unwrap_or_default();
    let first = scalar.chars().next();
    let body = match first {
        Some('"' | '\'') => 1,
        Some('|' | '>') => scalar.find('\n').map_or(scalar.len(), |at| at + 1),
        _ => 0,
    };
    let mut rest = scalar
        .get(body..)
        .unwrap_or_default()
        .char_indices()
        .peekable();
    while let Some((at, spelled)) = rest.next() {
        let said = match (first, spelled) {
            (Some('"'), '\\') => escaped(&mut rest),
            (Some('\''), '\'') => {
                rest.next();
                Some('\'')
            }
            _ => Some(spelled),
        };
        if said.is_none_or(char::is_whitespace) {
            continue;
        }
        if wanted == 0 {
            return start + body + at;
        }
        wanted -= 1;
    }
    start
}

/// The character of an escape, if it is one that counts.
fn escaped(rest: &mut Peekable<CharIndices<'_>>) -> Option<char> {
    let (_, kind) = rest.next()?;
    let mut code = |length: usize| {
        let mut code = 0;
        for _ in 0..length {
            let digit = rest.next()?.1.to_digit(16)?;
            code = code * 16 + digit;
        }
        Some(code)
    };
    match kind {
        'n' | 't' | 'r' | 'v' | 'f' | 'N' | '_' | 'L' | 'P' | ' ' | '\n' | '\t' => None,
        'x' => char::from_u32(code(2)?),
        'U' => char::from_u32(code(8)?),
        'u' => match code(4)? {
            // Of a character in two halves the first counts; the second is none by itself.
            0xd800..0xdc00 => Some('\u{fffd}'),
            code => char::from_u32(code),
        },
        other => Some(other),
    }
}
