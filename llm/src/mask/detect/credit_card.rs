//! Numbers of payment cards: 13 to 19 digits, single blanks or hyphens between, Luhn's check.

use super::super::ahead::{Ahead, More, Verdict, is_blank, is_hyphen};

const DIGITS: usize = 19;
/// How cards are printed. In a longer row of numbers only groups like these are a card.
const PRINTED: &[&[u8]] = &[
    &[4, 4, 4, 4],
    &[4, 6, 5],
    &[4, 6, 4],
    &[4, 4, 4, 4, 3],
    &[4, 3, 3, 3],
    &[6, 13],
];

/// A number that begins here.
pub(super) fn credit_card(mut ahead: Ahead<'_>) -> Verdict {
    let first = ahead.peek()?;
    if ahead.after_number() || !first.is_some_and(|it| matches!(it, '3'..='6')) {
        return Ok(None);
    }
    let among_numbers = ahead.after_digit_and_blank();
    let mut row = Row::default();
    loop {
        let (digits, groups) = (row.count, row.groups);
        while let Some(digit) = ahead.eat(|it| it.is_ascii_digit())? {
            if !row.push(digit) {
                return Ok(row.end);
            }
        }
        // At most 19 groups, since each has a digit.
        if let Some(length) = row.lengths.get_mut(groups) {
            *length = (row.count - digits) as u8;
        }
        row.groups = groups + 1;
        if ahead.in_word()? {
            return Ok(row.end);
        }
        let here = ahead.at();
        let goes_on = goes_on(&mut ahead)?;
        let free = match goes_on {
            Goes::Nowhere => !among_numbers,
            Goes::Blank => false,
            Goes::Part => return Ok(row.end),
            Goes::Hyphen => continue,
        };
        if row.is_card(free) {
            row.end = Some(here);
        }
        if goes_on == Goes::Nowhere {
            return Ok(row.end);
        }
    }
}

/// How a row of digits goes on behind one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goes {
    Nowhere,
    Blank,
    Hyphen,
    /// As the part of a fraction or a version.
    Part,
}

fn goes_on(ahead: &mut Ahead<'_>) -> Result<Goes, More> {
    let mut behind = *ahead;
    let Some(separator) = behind.eat(|it| it == '.' || is_blank(it) || is_hyphen(it))? else {
        return Ok(Goes::Nowhere);
    };
    if !behind.peek()?.is_some_and(|it| it.is_ascii_digit()) {
        return Ok(Goes::Nowhere);
    }
    *ahead = behind;
    Ok(match separator {
        '.' => Goes::Part,
        it if is_blank(it) => Goes::Blank,
        _ => Goes::Hyphen,
    })
}

/// Digits in groups.
#[derive(Debug, Default)]
struct Row {
    digits: [u8; DIGITS],
    count: usize,
    lengths: [u8; DIGITS],
    groups: usize,
    /// Where the longest card ends.
    end: Option<usize>,
}

impl Row {
    /// Whether there was room for the digit.
    fn push(&mut self, digit: char) -> bool {
        let place = self.digits.get_mut(self.count);
        let room = place.is_some();
        if let Some(place) = place {
            *place = digit.to_digit(10).unwrap_or_default() as u8;
            self.count += 1;
        }
        room
    }

    fn is_card(&self, free: bool) -> bool {
        let lengths = self.lengths.get(..self.groups).unwrap_or_default();
        let digits = self.digits.get(..self.count).unwrap_or_default();
        let grouped = free || self.groups == 1 || PRINTED.contains(&lengths);
        self.count >= 13 && grouped && luhn(digits)
    }
}

/// Whether the last digit is right: every other digit from the right doubled, digits of the products
/// added, the sum is a multiple of ten.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, &digit)| match (index % 2, digit) {
            (0, digit) => u32::from(digit),
            (_, digit @ 5..) => u32::from(digit) * 2 - 9,
            (_, digit) => u32::from(digit) * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}
