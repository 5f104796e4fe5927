//! Telephone numbers: international ones with `+`, North American ones with separators.

use super::super::ahead::{Ahead, More, Verdict, is_blank, is_hyphen};

/// A number that begins here.
pub(super) fn phone(ahead: Ahead<'_>) -> Verdict {
    match ahead.peek()? {
        Some('+') => international(ahead),
        _ => north_american(ahead),
    }
}

/// `+`, then 7 to 15 digits (E.164) with blanks, dots, hyphens and parentheses between.
fn international(mut ahead: Ahead<'_>) -> Verdict {
    if ahead.before().0 == Some('+') || !ahead.eat_all("+")? {
        return Ok(None);
    }
    ahead.eat(|it| it == '(')?;
    let country = ahead.peek()?;
    if !country.is_some_and(|it| matches!(it, '1'..='9')) {
        return Ok(None);
    }
    let mut digits = 0;
    let mut end = None;
    loop {
        digits += ahead.eat_run(16 - digits, |it| it.is_ascii_digit())?;
        if digits > 15 || ahead.in_word()? {
            return Ok(end);
        }
        let here = ahead.at();
        if country == Some('1') && digits == 11 {
            return Ok((!ahead.in_number()?).then_some(here).or(end));
        }
        let Some(near) = separator(&mut ahead)? else {
            return Ok(if digits >= 7 { Some(here) } else { end });
        };
        // What goes on behind a dot or hyphen has no end there.
        if digits >= 7 && near != Between::Tight {
            end = Some(here);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Between {
    Loose,
    Tight,
}

/// Passes what may stand between two digits of an international number, if a digit follows: one
/// separator, or two of which one is a parenthesis.
fn separator(ahead: &mut Ahead<'_>) -> Result<Option<Between>, More> {
    let separates = |it| is_blank(it) || is_hyphen(it) || matches!(it, '.' | '(' | ')');
    let Some(first) = ahead.eat(separates)? else {
        return Ok(None);
    };
    let parenthesis = |it| matches!(it, '(' | ')');
    ahead.eat(|it| separates(it) && (parenthesis(it) || parenthesis(first)))?;
    let digit = ahead.peek()?.is_some_and(|it| it.is_ascii_digit());
    let tight = first == '.' || is_hyphen(first);
    let between = if tight {
        Between::Tight
    } else {
        Between::Loose
    };
    Ok(digit.then_some(between))
}

/// Three, three and four digits with separators, or with the area in parentheses; a 1 may come first.
fn north_american(mut ahead: Ahead<'_>) -> Verdict {
    if ahead.after_number() {
        return Ok(None);
    }
    let among_numbers = ahead.after_digit_and_blank();
    let separates = |it| is_blank(it) || is_hyphen(it) || it == '.';
    let mut blanks_only = true;
    if ahead.eat(|it| it == '1')?.is_some() && ahead.eat(separates)?.is_none() {
        return Ok(None);
    }
    let parentheses = ahead.eat(|it| it == '(')?.is_some();
    if !area(&mut ahead)? || parentheses && !ahead.eat_all(")")? {
        return Ok(None);
    }
    match ahead.eat(separates)? {
        Some(separator) => blanks_only &= is_blank(separator),
        None if parentheses => {}
        None => return Ok(None),
    }
    if !area(&mut ahead)? {
        return Ok(None);
    }
    match ahead.eat(separates)? {
        Some(separator) => blanks_only &= is_blank(separator),
        None if parentheses => {}
        None => return Ok(None),
    }
    if ahead.eat_digits(4)?.is_none() || ahead.in_number()? {
        return Ok(None);
    }
    // Three of many numbers in a row are none.
    if blanks_only && !parentheses && (among_numbers || ahead.at_blank_and_digit()?) {
        return Ok(None);
    }
    Ok(Some(ahead.at()))
}

/// Passes an area or exchange: three digits, the first of them 2 to 9.
fn area(ahead: &mut Ahead<'_>) -> Result<bool, More> {
    Ok(ahead.eat_digits(3)?.is_some_and(|it| it >= 200))
}
