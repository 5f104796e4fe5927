//! Addresses of the Internet: IPv4 in dotted form, IPv6 (RFC 4291).

use std::net::Ipv6Addr;

use super::super::ahead::{Ahead, Verdict};

/// The longest text of an IPv6 address, with an IPv4 address at its end.
const LONGEST: usize = 45;

/// An address that begins here: the longer one, if it could be both.
pub(super) fn ip(ahead: Ahead<'_>) -> Verdict {
    match v6(ahead)? {
        Some(end) => Ok(Some(end)),
        None => v4(ahead),
    }
}

/// Four numbers up to 255 without leading zeros, which are not part of a longer dotted number.
fn v4(mut ahead: Ahead<'_>) -> Verdict {
    if matches!(ahead.before(), (Some('.'), Some(far)) if far.is_ascii_digit()) {
        return Ok(None);
    }
    for part in 0..4 {
        if part > 0 && !ahead.eat_all(".")? {
            return Ok(None);
        }
        let start = ahead.at();
        ahead.eat_run(4, |it| it.is_ascii_digit())?;
        let number = ahead.since(start);
        let zeros = number.len() > 1 && number.starts_with('0');
        if zeros || number.parse::<u8>().is_err() {
            return Ok(None);
        }
    }
    let end = ahead.at();
    if ahead.in_word()? {
        return Ok(None);
    }
    let dot = ahead.eat(|it| it == '.')?.is_some();
    let longer = dot && ahead.peek()?.is_some_and(|it| it.is_ascii_digit());
    Ok((!longer).then_some(end))
}

/// Groups of hexadecimal digits and colons. Names in programs look alike (`ab::cd`), so there must be
/// a decimal digit, or four groups.
fn v6(mut ahead: Ahead<'_>) -> Verdict {
    if matches!(ahead.before().0, Some(':' | '.')) {
        return Ok(None);
    }
    // The first group ends with a colon, or there is none.
    let mut head = ahead;
    head.eat_run(4, |it| it.is_ascii_hexdigit())?;
    if !head.eat_all(":")? {
        return Ok(None);
    }
    let start = ahead.at();
    let address = |it: char| it.is_ascii_hexdigit() || matches!(it, ':' | '.');
    // One more than can be, for the colon or dot of a sentence.
    ahead.eat_run(LONGEST + 1, address)?;
    if ahead.in_word()? || ahead.peek()?.is_some_and(address) {
        return Ok(None);
    }
    let mut text = ahead.since(start).trim_end_matches('.');
    if text.ends_with(':') && !text.ends_with("::") {
        text = text.strip_suffix(':').unwrap_or(text);
    }
    let groups = text.split([':', '.']).filter(|it| !it.is_empty()).count();
    let plain = groups < 4 && !text.bytes().any(|it| it.is_ascii_digit());
    let valid = !plain && text.parse::<Ipv6Addr>().is_ok();
    Ok(valid.then(|| start + text.len()))
}
