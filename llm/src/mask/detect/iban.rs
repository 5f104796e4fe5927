//! International bank account numbers (ISO 13616): the country's length, and mod 97.

use super::super::ahead::{Ahead, More, Verdict, is_blank};

/// How long the number of each country is, as registered.
const LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// A number that begins here, in capitals or not; single blanks may stand behind the check digits and
/// what follows them.
pub(super) fn iban(ahead: Ahead<'_>) -> Verdict {
    let form = Form::read(ahead)?;
    // Words with blanks between are no account, whatever they add up to.
    let valid = form.filter(|it| it.sound && !it.prose);
    Ok(valid.map(|it| it.end))
}

/// Where a number ends that begins here, is printed as these numbers are (capitals, groups of four, no
/// further group), and fails its check: no part of it is a number of another kind.
pub(super) fn failed(ahead: Ahead<'_>) -> Option<usize> {
    let form = Form::read(ahead).ok().flatten();
    form.filter(|it| !it.sound && it.printed).map(|it| it.end)
}

/// What looks like a number.
struct Form {
    end: usize,
    /// Whether it passes its check.
    sound: bool,
    /// Whether it could be words.
    prose: bool,
    /// Whether it is written as on paper.
    printed: bool,
}

impl Form {
    fn read(mut ahead: Ahead<'_>) -> Result<Option<Form>, More> {
        let mut country = [0; 2];
        let mut printed = true;
        for letter in &mut country {
            match ahead.eat(|it| it.is_ascii_alphabetic())? {
                Some(it) => {
                    *letter = it.to_ascii_uppercase() as u8;
                    printed &= it.is_ascii_uppercase();
                }
                None => return Ok(None),
            }
        }
        let Ok(row) = LENGTHS.binary_search_by(|(name, _)| (*name).cmp(&country)) else {
            return Ok(None);
        };
        let length = LENGTHS.get(row).map_or(0, |&(_, length)| length);
        let Some(check) = ahead.eat_digits(2)? else {
            return Ok(None);
        };
        let (mut remainder, mut letters, mut blanks) = (0, 0, 0);
        for place in 4..length {
            let blank = ahead.eat(is_blank)?.is_some();
            blanks += usize::from(blank);
            printed &= blank == (place % 4 == 0);
            let Some(character) = ahead.eat(|it| it.is_ascii_alphanumeric())? else {
                return Ok(None);
            };
            letters += usize::from(character.is_ascii_alphabetic());
            printed &= !character.is_ascii_lowercase();
            remainder = append(remainder, character);
        }
        if ahead.in_word()? {
            return Ok(None);
        }
        for letter in country {
            remainder = append(remainder, char::from(letter));
        }
        let sound = (remainder * 100 + check) % 97 == 1;
        Ok(Some(Form {
            end: ahead.at(),
            sound,
            prose: blanks > 0 && letters > length / 2,
            printed: printed && !sound && !ahead.at_blank_and_digit()?,
        }))
    }
}

/// The remainder of a number to 97 when a digit is appended, or a letter as its two digits (A is 10).
fn append(remainder: u32, character: char) -> u32 {
    match character.to_digit(36) {
        Some(digit @ 0..=9) => (remainder * 10 + digit) % 97,
        Some(letter) => (remainder * 100 + letter) % 97,
        None => remainder,
    }
}
