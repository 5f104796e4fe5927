//! US social security numbers: `AAA-GG-SSSS`.

use super::super::ahead::{Ahead, Verdict, is_blank, is_hyphen};

/// A number that begins here, with two hyphens or two blanks, in a range that is given out.
pub(super) fn ssn(mut ahead: Ahead<'_>) -> Verdict {
    if ahead.after_number() {
        return Ok(None);
    }
    let among_numbers = ahead.after_digit_and_blank();
    let given = |it: &u32| !matches!(it, 0 | 666 | 900..);
    if ahead.eat_digits(3)?.filter(given).is_none() {
        return Ok(None);
    }
    let Some(first) = ahead.eat(|it| is_blank(it) || is_hyphen(it))? else {
        return Ok(None);
    };
    if ahead.eat_digits(2)?.filter(|&it| it != 0).is_none() {
        return Ok(None);
    }
    let alike = |it| is_blank(it) && is_blank(first) || is_hyphen(it) && is_hyphen(first);
    if ahead.eat(alike)?.is_none() {
        return Ok(None);
    }
    if ahead.eat_digits(4)?.filter(|&it| it != 0).is_none() || ahead.in_number()? {
        return Ok(None);
    }
    // Three of many numbers in a row are none.
    if is_blank(first) && (among_numbers || ahead.at_blank_and_digit()?) {
        return Ok(None);
    }
    Ok(Some(ahead.at()))
}
