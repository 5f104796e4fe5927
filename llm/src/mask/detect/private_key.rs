//! PEM blocks of private keys, whole: RSA, EC, OpenSSH, PGP and the like.

use memchr::memmem;

use super::super::ahead::{Ahead, More, Verdict};

const DASHES: &str = "-----";
/// The longest name of a block that is read.
const NAME: usize = 40;
/// How much base64 makes a block without an end a key that was cut short.
const CUT_SHORT: usize = 64;
/// What is shorter than this may be a word, except where the text ends.
const RUN: usize = 16;

/// A block that begins here, up to its end. One that was cut short counts as far as its base64 goes,
/// if there is enough of it.
pub(super) fn private_key(mut ahead: Ahead<'_>) -> Verdict {
    if !opens(&mut ahead)? {
        return Ok(None);
    }
    let body = ahead.rest();
    let cut_short = |body| cut_short(body).map(|length| ahead.at() + length);
    let Some(length) = memmem::find(body.as_bytes(), DASHES.as_bytes()) else {
        return match ahead.is_complete() {
            true => Ok(cut_short(body)),
            false => Err(More),
        };
    };
    let mut end = ahead;
    end.skip(length);
    if end.eat_all("-----END ")? && is_private(name(&mut end)?) && end.eat_all(DASHES)? {
        return Ok(Some(end.at()));
    }
    Ok(cut_short(body.get(..length).unwrap_or_default()))
}

/// Whether a block begins here that goes on behind the text.
pub(super) fn outgrown(mut ahead: Ahead<'_>) -> bool {
    if opens(&mut ahead) != Ok(true) {
        return false;
    }
    let body = ahead.rest();
    cut_short(body).is_some_and(|length| {
        let rest = body.get(length..).unwrap_or_default();
        rest.bytes()
            .all(|it| is_base64(it) || matches!(it, b'\n' | b'\r' | b'\\'))
    })
}

/// Passes the line that begins a block, if one begins here.
fn opens(ahead: &mut Ahead<'_>) -> Result<bool, More> {
    Ok(ahead.eat_all("-----BEGIN ")? && is_private(name(ahead)?) && ahead.eat_all(DASHES)?)
}

fn name<'t>(ahead: &mut Ahead<'t>) -> Result<&'t str, More> {
    let start = ahead.at();
    ahead.eat_run(NAME, is_name)?;
    Ok(ahead.since(start))
}

fn is_name(character: char) -> bool {
    character.is_ascii_uppercase() || character.is_ascii_digit() || character == ' '
}

fn is_private(name: &str) -> bool {
    let name = name.strip_suffix(" BLOCK").unwrap_or(name);
    name == "PRIVATE KEY" || name.ends_with(" PRIVATE KEY")
}

/// How far the base64 of an unfinished block goes.
fn cut_short(body: &str) -> Option<usize> {
    let mut rest = body;
    // Fields stand before it: how it is encrypted, what wrote it.
    while let Some((line, after)) = rest.trim_start().split_once('\n')
        && line.contains(": ")
    {
        rest = after;
    }
    let (mut count, mut end) = (0, 0);
    loop {
        let lines;
        (rest, lines) = after_line_ends(rest);
        let run = rest.bytes().take_while(|&it| is_base64(it)).count();
        let last = run == rest.len() && lines == 1 && run.is_multiple_of(4);
        if run == 0 || run < RUN && !last {
            break;
        }
        count += run;
        rest = rest.get(run..).unwrap_or_default();
        end = body.len() - rest.len();
    }
    (count >= CUT_SHORT).then_some(end)
}

/// The text behind line ends and blanks, and how many line ends there were, also of those that are
/// written as in strings.
fn after_line_ends(text: &str) -> (&str, usize) {
    let (mut rest, mut lines) = (text, 0);
    loop {
        let after = rest.strip_prefix("\\n").or(rest.strip_prefix('\n'));
        lines += usize::from(after.is_some());
        let blank = |it: char| it.is_ascii_whitespace();
        match after
            .or(rest.strip_prefix("\\r"))
            .or(rest.strip_prefix(blank))
        {
            Some(after) => rest = after,
            None => return (rest, lines),
        }
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// What passes the rest of a block of which the beginning was taken: base64 and line ends, then the
/// line that ends it.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::mask) struct Remainder {
    /// How many characters of the last line have passed.
    closing: usize,
}

impl Remainder {
    /// Whether the block goes on with this character.
    pub(in crate::mask) fn goes_on(&mut self, character: char) -> bool {
        const MOST: usize = "-----END -----".len() + NAME;
        if self.closing > 0 || character == '-' {
            self.closing += 1;
            return self.closing <= MOST && (character == '-' || is_name(character));
        }
        let base64 = u8::try_from(character).is_ok_and(is_base64);
        base64 || matches!(character, '\n' | '\r' | '\\')
    }
}
