//! `fixed`: a number with so many decimals, for prices and the like.
//!
//! Called on worker threads while a template renders. Rounds what a reader sees: 1.005 stands for
//! itself here, not for the binary fraction next to it, and halves go away from zero.

use minijinja::{Error, Value};

use super::{Function, function};
use crate::value::Fault;
use crate::value::{budget, numbers};

pub(super) const FUNCTIONS: &[Function] = &[function!(
    "fixed",
    "fixed(number, decimals)",
    "The number with exactly so many decimals, as text; rounded, or filled up with zeros.",
    ("{{ fixed(1250 / 100, 2) }}", "12.50"),
    (2, 2),
    None,
    |environment, name| environment.add_function(name, fixed),
    filter "number | fixed(decimals)",
    |environment, name| environment.add_filter(name, fixed),
)];

/// More decimals than any number here has.
const MAX_DECIMALS: usize = 100;

fn fixed(number: &Value, decimals: usize) -> Result<String, Error> {
    let number = numbers::of_value(number).ok_or(Fault::NotANumber)?;
    if decimals > MAX_DECIMALS {
        return Err(Fault::TooManyDecimals.into());
    }
    // Integers print all their digits, and floats the shortest text that means them.
    let text = match i128::try_from(number.clone()) {
        Ok(integer) if number.is_integer() => integer.to_string(),
        _ => match f64::try_from(number) {
            Ok(float) if float.is_finite() => float.to_string(),
            _ => return Err(Fault::NotANumber.into()),
        },
    };
    budget::charge(text.len() + decimals)?;
    Ok(round(&text, decimals))
}

/// Rounds plain decimal digits, which may have a sign and a point.
fn round(text: &str, decimals: usize) -> String {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let kept = fraction
        .bytes()
        .chain(std::iter::repeat(b'0'))
        .take(decimals);
    let mut all: Vec<u8> = whole.bytes().chain(kept).collect();
    if fraction
        .as_bytes()
        .get(decimals)
        .is_some_and(|next| *next >= b'5')
    {
        increment(&mut all);
    }
    let sign = if all.iter().all(|digit| *digit == b'0') {
        ""
    } else {
        sign
    };
    let point = all.len() - decimals;
    let mut rounded = String::from(sign);
    for (place, digit) in all.into_iter().enumerate() {
        if place == point {
            rounded.push('.');
        }
        rounded.push(char::from(digit));
    }
    rounded
}

fn increment(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
    digits.insert(0, b'1');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_as_they_are_written() {
        for (number, decimals, text) in [
            ("12.5", 2, "12.50"),
            ("1.005", 2, "1.01"),
            ("2.5", 0, "3"),
            ("-2.5", 0, "-3"),
            ("9.995", 2, "10.00"),
            ("-0.004", 2, "0.00"),
            ("7", 3, "7.000"),
            ("0.1", 0, "0"),
        ] {
            assert_eq!(round(number, decimals), text, "{number}");
        }
    }
}
