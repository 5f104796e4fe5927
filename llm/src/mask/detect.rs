//! Recognises the nine kinds of values, and words, in one pass.
//!
//! Most text has none of the bytes that every value of a kind must have (an `@`, a digit, the `_` of a
//! prefix): it is passed with one look-up for a byte. Around such a byte the recognisers, which only
//! read forward and stop at the first character that does not fit, are asked at each place where a
//! value may begin. Called on workers.

use super::ahead::{Ahead, More, ceil, floor, is_word};
use super::kind::Kind;
use super::words::Words;

mod api_key;
mod credit_card;
mod email;
mod iban;
mod ip;
mod jwt;
mod phone;
mod private_key;
mod ssn;

/// A value that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The row it matches.
    pub(super) rule: usize,
    /// How it may go on, if it was taken before its end was seen.
    pub(super) outgrown: Option<Outgrown>,
}

/// The rest of a value that was too long to wait for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outgrown {
    Jwt,
    PrivateKey(private_key::Remainder),
}

impl PartialEq for Outgrown {
    fn eq(&self, other: &Outgrown) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl Eq for Outgrown {}

impl Outgrown {
    /// Whether the value goes on with this character.
    pub(super) fn goes_on(&mut self, character: char) -> bool {
        match self {
            Outgrown::Jwt => jwt::goes_on(character),
            Outgrown::PrivateKey(remainder) => remainder.goes_on(character),
        }
    }
}

/// What comes next in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A value.
    Found(Found),
    /// What begins here may be a value, or not: the text must go on first.
    Waits(usize),
    /// Nothing.
    Nothing,
}

impl Next {
    /// Where it begins.
    pub(super) fn start(&self) -> usize {
        match self {
            Next::Found(found) => found.start,
            Next::Waits(start) => *start,
            Next::Nothing => usize::MAX,
        }
    }
}

/// How much of a text is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    /// Whether the text is all there will be.
    pub(super) complete: bool,
    /// How many bytes from its beginning a value is looked at; one that goes on is taken as it stands.
    pub(super) window: usize,
}

impl Extent {
    /// A text that is there as a whole.
    pub(super) const WHOLE: Extent = Extent {
        complete: true,
        window: usize::MAX,
    };

    /// Whether this is such a text.
    pub(super) fn is_whole(self) -> bool {
        self.complete && self.window == usize::MAX
    }

    /// What may be looked at of a value that begins at `place`, and whether the text goes on behind it.
    pub(super) fn view(self, text: &str, place: usize) -> (&str, bool) {
        let end = place.saturating_add(self.window);
        match end > text.len() {
            true => (text, false),
            false => {
                let end = floor(text, end);
                (text.get(..end).unwrap_or(text), true)
            }
        }
    }
}

/// Bytes that tell where to look.
mod trigger {
    pub(super) const AT: u8 = 1;
    pub(super) const DIGIT: u8 = 2;
    pub(super) const COLON: u8 = 4;
    pub(super) const KEY: u8 = 8;
    pub(super) const TOKEN: u8 = 16;
    pub(super) const DASH: u8 = 32;
    pub(super) const WORD: u8 = 64;
}

/// The recognisers that are wanted.
#[derive(Debug)]
pub(super) struct Detectors {
    /// The row of each kind.
    rows: [Option<usize>; Kind::ALL.len()],
    /// What each byte is a sign of.
    triggers: Box<[u8; 256]>,
    /// The kinds that may begin with each ASCII character, as bits.
    begins: Box<[u16; 128]>,
    /// The rarest byte of each prefix of keys, where it stands, and the prefix.
    anchors: Vec<(u8, usize, &'static [u8])>,
    words: Words,
}

impl Detectors {
    /// Recognises these kinds, each told by its row, and words.
    pub(super) fn new(kinds: &[(Kind, usize)], words: Words) -> Detectors {
        let mut detectors = Detectors {
            rows: [None; Kind::ALL.len()],
            triggers: Box::new([0; 256]),
            begins: Box::new([0; 128]),
            anchors: Vec::new(),
            words,
        };
        for &(kind, row) in kinds {
            detectors.enable(kind, row);
        }
        for byte in detectors.words.first_bytes() {
            detectors.sign(byte, trigger::WORD);
        }
        detectors
    }

    fn enable(&mut self, kind: Kind, row: usize) {
        if let Some(place) = self.rows.get_mut(kind as usize) {
            *place = Some(row);
        }
        for (byte, begins) in (0u8..).zip(self.begins.iter_mut()) {
            if begins_with(kind, byte) {
                *begins |= 1 << kind as usize;
            }
        }
        match kind {
            Kind::Email => self.sign(b'@', trigger::AT),
            Kind::Phone | Kind::CreditCard | Kind::Ssn | Kind::Iban => self.sign_digits(),
            Kind::Ip => {
                self.sign_digits();
                self.sign(b':', trigger::COLON);
            }
            Kind::ApiKey => {
                for form in api_key::FORMS {
                    let prefix = form.prefix.as_bytes();
                    let rarest = prefix.iter().enumerate().min_by_key(|(_, it)| rarity(**it));
                    if let Some((place, &byte)) = rarest {
                        self.anchors.push((byte, place, prefix));
                        self.sign(byte, trigger::KEY);
                    }
                }
                self.anchors.sort_unstable();
            }
            Kind::Jwt => {
                for beginning in jwt::BEGINNINGS {
                    self.sign(beginning.as_bytes()[1], trigger::TOKEN);
                }
            }
            Kind::PrivateKey => self.sign(b'-', trigger::DASH),
        }
    }

    fn sign(&mut self, byte: u8, trigger: u8) {
        if let Some(signs) = self.triggers.get_mut(usize::from(byte)) {
            *signs |= trigger;
        }
    }

    fn sign_digits(&mut self) {
        for digit in b'0'..=b'9' {
            self.sign(digit, trigger::DIGIT);
        }
    }

    /// The first value at or behind `from`, which ends between characters; what was before it must
    /// stand in the text as far as there was any, a few characters at least.
    pub(super) fn next(&self, text: &str, from: usize, extent: Extent) -> Next {
        let bytes = text.as_bytes();
        let mut at = from;
        loop {
            let found = self.next_trigger(bytes, at);
            if found.is_none() && extent.complete {
                return Next::Nothing;
            }
            let trigger = found.unwrap_or(bytes.len());
            let start = token_start(text, at, trigger);
            let near = text.get(start..).unwrap_or_default();
            let mut before = text.get(..start).and_then(|it| it.chars().next_back());
            let mut failed = None;
            for (offset, character) in near.char_indices() {
                let place = start + offset;
                if place > trigger {
                    break;
                }
                if !before.is_some_and(is_word) || !is_word(character) {
                    match self.at(text, place, character, extent) {
                        Next::Nothing => {}
                        next => return next,
                    }
                    failed = self.failed(text, place);
                    if failed.is_some() {
                        break;
                    }
                }
                before = Some(character);
            }
            if let Some(end) = failed {
                at = end;
                continue;
            }
            let Some(rest) = bytes.get(trigger..).filter(|it| !it.is_empty()) else {
                return Next::Nothing;
            };
            // No value begins inside of a word.
            let word = rest.iter().take_while(|it| it.is_ascii_alphanumeric());
            at = trigger + word.count().max(1);
            at = ceil(text, at);
        }
    }

    /// The next byte that may be a sign of a value.
    fn next_trigger(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let mut at = from;
        loop {
            let rest = bytes.get(at..)?;
            let sign = |it: &u8| self.triggers.get(usize::from(*it)).copied().unwrap_or(0);
            at += rest.iter().position(|it| sign(it) != 0)?;
            let signs = sign(bytes.get(at)?);
            if self.is_worth_a_look(bytes, at, signs) {
                return Some(at);
            }
            at += 1;
        }
    }

    /// Whether a value may stand around a byte, by what stands directly beside it.
    fn is_worth_a_look(&self, bytes: &[u8], at: usize, signs: u8) -> bool {
        let back = |count: usize| at.checked_sub(count).and_then(|it| bytes.get(it)).copied();
        let next = bytes.get(at + 1).copied();
        let is = |sign: u8| signs & sign != 0;
        let alphanumeric = |it: Option<u8>| it.is_some_and(|it| it.is_ascii_alphanumeric());
        let inside = || alphanumeric(back(1)) && alphanumeric(bytes.get(at).copied());
        is(trigger::AT | trigger::DIGIT)
            || is(trigger::COLON) && next.is_none_or(|it| it == b':' || it.is_ascii_hexdigit())
            || is(trigger::DASH) && begins_block(bytes.get(at..).unwrap_or_default())
            || is(trigger::TOKEN) && back(1) == Some(b'e') && !alphanumeric(back(2))
            || is(trigger::WORD) && !inside()
            || is(trigger::KEY) && self.is_prefix(bytes, at)
    }

    /// Whether the prefix of a key stands around its rarest byte.
    fn is_prefix(&self, bytes: &[u8], at: usize) -> bool {
        let Some(&byte) = bytes.get(at) else {
            return false;
        };
        let first = self.anchors.partition_point(|(it, ..)| *it < byte);
        let anchors = self.anchors.get(first..).unwrap_or_default();
        let anchors = anchors.iter().take_while(|(it, ..)| *it == byte);
        anchors.into_iter().any(|&(_, place, prefix)| {
            let start = at.checked_sub(place);
            let stands = start.and_then(|it| bytes.get(it..it + prefix.len()));
            stands == Some(prefix)
        })
    }

    /// Where a number ends that begins here, and of which no part is a value, since it fails its check.
    fn failed(&self, text: &str, place: usize) -> Option<usize> {
        let row = self.rows.get(Kind::Iban as usize).copied().flatten();
        row.and_then(|_| iban::failed(Ahead::new(text, place, true)))
    }

    /// What begins at a place.
    fn at(&self, text: &str, place: usize, character: char, extent: Extent) -> Next {
        let (view, goes_on) = extent.view(text, place);
        let ahead = Ahead::new(view, place, extent.complete && !goes_on);
        let found = |(end, rule, outgrown)| {
            Next::Found(Found {
                start: place,
                end,
                rule,
                outgrown,
            })
        };
        match self.longest(ahead, character) {
            Ok(None) => Next::Nothing,
            Ok(Some((end, rule))) => found((end, rule, None)),
            Err(More) if !goes_on => Next::Waits(place),
            Err(More) => {
                let ahead = Ahead::new(view, place, true);
                match (self.outgrown(ahead), self.longest(ahead, character)) {
                    (Some((outgrown, rule)), _) => found((view.len(), rule, Some(outgrown))),
                    (None, Ok(Some((end, rule)))) => found((end, rule, None)),
                    (None, _) => Next::Nothing,
                }
            }
        }
    }

    /// The end and the row of the longest value that begins here.
    fn longest(&self, ahead: Ahead<'_>, character: char) -> Result<Option<(usize, usize)>, More> {
        let mut longest: Option<(usize, usize)> = None;
        let mut offer = |end: usize, rule: usize| {
            let wins = longest.is_none_or(|(far, row)| end > far || end == far && rule < row);
            if wins {
                longest = Some((end, rule));
            }
        };
        let word = u16::from(is_word(character)) << Kind::Email as usize;
        let mut kinds = match self.begins.get(character as usize) {
            Some(kinds) => *kinds,
            None => word,
        };
        if ahead.before().0.is_some_and(is_word) {
            kinds = 0;
        }
        while kinds != 0 {
            let kind = kinds.trailing_zeros() as usize;
            kinds &= kinds - 1;
            let (Some(kind), Some(Some(row))) = (Kind::ALL.get(kind), self.rows.get(kind)) else {
                continue;
            };
            let end = match kind {
                Kind::Email => email::email(ahead)?,
                Kind::Phone => phone::phone(ahead)?,
                Kind::CreditCard => credit_card::credit_card(ahead)?,
                Kind::Ssn => ssn::ssn(ahead)?,
                Kind::Iban => iban::iban(ahead)?,
                Kind::Ip => ip::ip(ahead)?,
                Kind::ApiKey => api_key::api_key(ahead)?,
                Kind::Jwt => jwt::jwt(ahead)?,
                Kind::PrivateKey => private_key::private_key(ahead)?,
            };
            if let Some(end) = end {
                offer(end, *row);
            }
        }
        if let Some((end, row)) = self.words.longest(ahead)? {
            offer(end, row);
        }
        Ok(longest)
    }

    /// A value of a kind that knows no length, if one begins here and reaches the end of the text.
    fn outgrown(&self, ahead: Ahead<'_>) -> Option<(Outgrown, usize)> {
        let row = |kind: Kind| self.rows.get(kind as usize).copied().flatten();
        let jwt = row(Kind::Jwt).filter(|_| jwt::outgrown(ahead));
        let key = || row(Kind::PrivateKey).filter(|_| private_key::outgrown(ahead));
        jwt.map(|row| (Outgrown::Jwt, row))
            .or_else(|| key().map(|row| (Outgrown::PrivateKey(Default::default()), row)))
    }
}

/// Where the token around a place begins, but not before `from`: no value begins further back from
/// the byte that is its sign than a local part is long.
fn token_start(text: &str, from: usize, place: usize) -> usize {
    let before = text.get(from..place).unwrap_or_default();
    let token = |it: char| is_word(it) || matches!(it, '.' | '%' | '+' | '-' | '(' | ':');
    let back = before.chars().rev().take(email::LOCAL);
    let length: usize = back.take_while(|&it| token(it)).map(char::len_utf8).sum();
    place - length
}

/// Whether a value of this kind may begin with an ASCII character.
fn begins_with(kind: Kind, byte: u8) -> bool {
    match kind {
        Kind::Email => is_word(char::from(byte)),
        Kind::Phone => byte.is_ascii_digit() || matches!(byte, b'+' | b'('),
        Kind::CreditCard => matches!(byte, b'3'..=b'6'),
        Kind::Ssn => byte.is_ascii_digit(),
        Kind::Iban => byte.is_ascii_alphabetic(),
        Kind::Ip => byte.is_ascii_hexdigit() || byte == b':',
        Kind::ApiKey => api_key::FORMS
            .iter()
            .any(|form| form.prefix.as_bytes().first() == Some(&byte)),
        Kind::Jwt => byte == b'e',
        Kind::PrivateKey => byte == b'-',
    }
}

/// Whether the line that begins a PEM block may stand here.
fn begins_block(bytes: &[u8]) -> bool {
    let beginning = b"-----B";
    bytes.starts_with(beginning) || beginning.starts_with(bytes)
}

/// How rare a byte is in prose and programs, the rarest first.
fn rarity(byte: u8) -> u8 {
    match byte {
        b'z' => 0,
        b'_' => 1,
        b'A'..=b'Z' => 2,
        b'-' => 3,
        b'.' => 5,
        b'0'..=b'9' => 4,
        _ => 6,
    }
}

#[cfg(test)]
mod tests;
