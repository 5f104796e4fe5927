//! Addresses of mail: `local@domain.tld`.

use super::super::ahead::{Ahead, Verdict, is_word};

/// The longest local part (RFC 5321).
pub(super) const LOCAL: usize = 64;
/// The longest domain (RFC 5321).
const DOMAIN: usize = 255;

/// An address that begins here. The local part is letters, digits and `._%+-`, begins with no
/// punctuation and has no dot at its end nor two in a row; the domain ends with letters, two or more.
pub(super) fn email(mut ahead: Ahead<'_>) -> Verdict {
    if let (Some(near), far) = ahead.before()
        && is_punctuation(near)
        && far.is_some_and(is_word)
    {
        return Ok(None);
    }
    if ahead.eat(is_word)?.is_none() {
        return Ok(None);
    }
    let mut last = ' ';
    for length in 1.. {
        match ahead.eat(|it| is_word(it) || is_punctuation(it) || it == '@')? {
            Some('@') if last != '.' => break,
            Some('.') if last == '.' => return Ok(None),
            None | Some('@') => return Ok(None),
            Some(_) if length == LOCAL => return Ok(None),
            Some(character) => last = character,
        }
    }
    let start = ahead.at();
    let domain = |it| it != '_' && is_word(it) || matches!(it, '.' | '-');
    if ahead.eat_run(DOMAIN, domain)? == DOMAIN && ahead.peek()?.is_some_and(domain) {
        return Ok(None);
    }
    Ok(domain_length(ahead.since(start)).map(|length| start + length))
}

/// How much of a run of letters, digits, dots and hyphens is a domain with a top level of letters.
fn domain_length(run: &str) -> Option<usize> {
    let mut length = 0;
    let mut at = 0;
    for (index, label) in run.split('.').enumerate() {
        let ended = label.trim_end_matches('-');
        if ended.is_empty() || ended.starts_with('-') {
            break;
        }
        if index > 0 && is_top_level(ended) {
            length = at + ended.len();
        }
        if ended.len() < label.len() {
            break;
        }
        at += label.len() + 1;
    }
    (length > 0).then_some(length)
}

fn is_top_level(label: &str) -> bool {
    let punycode = label.starts_with("xn--") && label.len() > 5;
    punycode || label.chars().nth(1).is_some() && label.chars().all(char::is_alphabetic)
}

fn is_punctuation(character: char) -> bool {
    matches!(character, '.' | '%' | '+' | '-')
}
