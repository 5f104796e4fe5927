//! JSON web tokens: three parts in base64url, the first of which is a JSON object with `alg`.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use formats::json::{Document, Kind};

use super::super::ahead::{Ahead, More, Verdict};

/// How an object in base64 begins: with a member or, behind the brace, with a blank or line end.
pub(super) const BEGINNINGS: [&str; 2] = ["ey", "ew"];

/// A token that begins here. One that is encrypted (its header has `enc`) has five parts.
pub(super) fn jwt(mut ahead: Ahead<'_>) -> Verdict {
    let Some(header) = header(&mut ahead)? else {
        return Ok(None);
    };
    if part(&mut ahead)? == 0 || !ahead.eat_all(".")? || part(&mut ahead)? == 0 {
        return Ok(None);
    }
    let mut end = ahead.at();
    if header.encrypted
        && ahead.eat_all(".")?
        && part(&mut ahead)? > 0
        && ahead.eat_all(".")?
        && part(&mut ahead)? > 0
    {
        end = ahead.at();
    }
    Ok(Some(end))
}

/// A token that begins here and outgrows the text: its header is one, and all else may be.
pub(super) fn outgrown(mut ahead: Ahead<'_>) -> bool {
    let started = |ahead: &mut Ahead<'_>| -> Result<bool, More> {
        Ok(header(ahead)?.is_some() && {
            ahead.eat_run(usize::MAX, |it| is_url(it) || it == '.')?;
            true
        })
    };
    started(&mut ahead) == Ok(true) && ahead.rest().is_empty()
}

/// Whether a token may go on with this character.
pub(super) fn goes_on(character: char) -> bool {
    is_url(character) || character == '.'
}

struct Header {
    encrypted: bool,
}

/// Passes the first part and the dot behind it.
fn header(ahead: &mut Ahead<'_>) -> Result<Option<Header>, More> {
    if matches!(ahead.before().0, Some('-' | '.')) {
        return Ok(None);
    }
    let mut beginning = *ahead;
    if !beginning.eat_all("e")? || !beginning.peek()?.is_some_and(|it| matches!(it, 'y' | 'w')) {
        return Ok(None);
    }
    let start = ahead.at();
    part(ahead)?;
    let encoded = ahead.since(start);
    if !ahead.eat_all(".")? {
        return Ok(None);
    }
    let decoded = BASE64_URL_SAFE_NO_PAD.decode(encoded).ok();
    let text = decoded.and_then(|it| String::from_utf8(it).ok());
    let document = text.as_deref().and_then(|it| Document::parse(it).ok());
    Ok(document.and_then(|document| {
        let root = document.root();
        let object = root.kind() == Kind::Object && root.get("alg").is_some();
        object.then(|| Header {
            encrypted: root.get("enc").is_some(),
        })
    }))
}

/// Passes a part, which may be empty; how long it is.
fn part(ahead: &mut Ahead<'_>) -> Result<usize, More> {
    ahead.eat_run(usize::MAX, is_url)
}

fn is_url(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
}
