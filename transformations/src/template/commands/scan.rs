//! Finds operators in literal text, by the rule in the [parent module](super).
//!
//! Called by the compiler on the main thread. It knows the form of an operator, not its meaning.

use std::ops::Range;

/// What a percent sign begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'t> {
    /// `%%`, which means one percent sign.
    Percent,
    /// A whole operator.
    Operator(Call<'t>),
    /// `%NAME(` that never ends like an operator.
    Open(&'t str),
}

/// The parts of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call<'t> {
    pub(crate) name: &'t str,
    /// What stands between brackets.
    pub(crate) arguments: Option<&'t str>,
    /// The digits after the colon.
    pub(crate) length: Option<&'t str>,
}

/// The operators of a text in order, each with its place in bytes.
pub(crate) fn scan(text: &str) -> impl Iterator<Item = (Range<usize>, Token<'_>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + text.get(at..)?.find('%')?;
            let rest = text.get(start + 1..)?;
            at = start + 1;
            if let Some((token, length)) = token(rest) {
                at += length;
                return Some((start..at, token));
            }
        }
    })
}

/// The token behind a percent sign, and how many bytes of `rest` it takes.
fn token(rest: &str) -> Option<(Token<'_>, usize)> {
    if rest.starts_with('%') {
        return Some((Token::Percent, 1));
    }
    let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let (name, after) = cut(rest, is_name);
    if name.len() < 3 || !name.starts_with(|c: char| c.is_ascii_uppercase()) {
        return None;
    }
    let Some(inner) = after.strip_prefix('(') else {
        let (length, after) = length(after)?;
        let is_encoded = name.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
        if is_encoded {
            return None;
        }
        return closed(rest, name, None, length, after);
    };
    let end = |(arguments, after)| {
        let (length, after) = length(after)?;
        closed(rest, name, Some(arguments), length, after)
    };
    let open = (Token::Open(name), name.len());
    Some(inner.split_once(')').and_then(end).unwrap_or(open))
}

/// `:digits`, if there is a colon; `None` if no digits follow it.
fn length(text: &str) -> Option<(Option<&str>, &str)> {
    let Some(after) = text.strip_prefix(':') else {
        return Some((None, text));
    };
    let (digits, after) = cut(after, |c| c.is_ascii_digit());
    (!digits.is_empty()).then_some((Some(digits), after))
}

fn closed<'t>(
    rest: &'t str,
    name: &'t str,
    arguments: Option<&'t str>,
    length: Option<&'t str>,
    after: &'t str,
) -> Option<(Token<'t>, usize)> {
    let after = after.strip_prefix('%')?;
    let call = Call {
        name,
        arguments,
        length,
    };
    Some((Token::Operator(call), rest.len() - after.len()))
}

/// The longest beginning whose characters are all `kept`, and what follows it.
fn cut(text: &str, kept: impl Fn(char) -> bool) -> (&str, &str) {
    let after = text.trim_start_matches(kept);
    let length = text.len() - after.len();
    (text.get(..length).unwrap_or_default(), after)
}
