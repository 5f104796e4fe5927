//! Numbers of tokens, however a provider spells them.
//!
//! What is no number of tokens is not told, never an error and never 0: a missing count and a count of
//! nothing differ. On the worker thread of a response.

use formats::json::{Kind, Raw};

/// The largest number of tokens that is counted; what is larger counts as this. All numbers up to it
/// are exact in the floats of those who read what is published.
pub const MAX: u64 = (1 << 53) - 1;

/// The number that a value means.
///
/// Integers, also spelled with a fraction or an exponent (`1.0e2`), or as a string of such a number
/// (`"100"`). A fraction of a token does not count (`12.5` is 12). Numbers above [`MAX`] are
/// [`MAX`]. Negative numbers, other strings and values of other kinds are none.
///
/// # Cost
/// One pass over the digits, exact, whatever the exponent.
pub fn count(raw: Raw<'_>) -> Option<u64> {
    match raw.kind() {
        Kind::Number => number(raw.text()),
        Kind::String => {
            let text = raw.as_str()?;
            let text = text.trim();
            is_number(text).then(|| number(text)).flatten()
        }
        _ => None,
    }
}

/// Adds up counts; the sum does not exceed [`MAX`].
pub fn sum(counts: impl IntoIterator<Item = u64>) -> u64 {
    let sum = counts.into_iter().fold(0, u64::saturating_add);
    sum.min(MAX)
}

/// Reads a number as JSON spells it.
fn number(text: &str) -> Option<u64> {
    let (is_negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().all(|digit| digit == b'0') {
        return Some(0);
    }
    if is_negative {
        return None;
    }
    // Where the point stands among the digits. An exponent beyond all numbers only has a sign.
    let exponent = exponent.parse::<i64>().unwrap_or_else(|_| {
        if exponent.starts_with('-') {
            i64::MIN
        } else {
            i64::MAX
        }
    });
    let point = i64::try_from(whole.len()).ok()?.saturating_add(exponent);
    let Ok(point) = usize::try_from(point) else {
        // All digits are behind the point.
        return Some(0);
    };
    let mut count: u64 = 0;
    let padded = digits().chain(std::iter::repeat(b'0')).take(point);
    for digit in padded {
        count = count * 10 + u64::from(digit - b'0');
        if count > MAX {
            return Some(MAX);
        }
    }
    Some(count)
}

/// Whether a text is a number as JSON spells it.
fn is_number(text: &str) -> bool {
    let starts = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    starts && formats::json::read(text, |_| Ok(())).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> Option<u64> {
        count(Raw::of_value(text))
    }

    #[test]
    fn spellings_of_counts() {
        let table = [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("-0.0e5", Some(0)),
            ("7", Some(7)),
            ("1.0e2", Some(100)),
            ("1E+2", Some(100)),
            ("1200e-2", Some(12)),
            ("12.999", Some(12)),
            ("0.012e3", Some(12)),
            ("1e-400", Some(0)),
            ("1e400", Some(MAX)),
            ("0e99999999999999999999", Some(0)),
            ("1e99999999999999999999", Some(MAX)),
            ("1e-99999999999999999999", Some(0)),
            ("9007199254740991", Some(MAX)),
            ("9007199254740992", Some(MAX)),
            ("340282366920938463463374607431768211456", Some(MAX)),
            ("-1", None),
            ("-1e-3", None),
            (r#""100""#, Some(100)),
            (r#"" 1.0e2 ""#, Some(100)),
            (r#""1\u0030""#, Some(10)),
            (r#""-5""#, None),
            (r#""""#, None),
            (r#""many""#, None),
            (r#""+1""#, None),
            (r#""0x10""#, None),
            ("true", None),
            ("null", None),
            ("[1]", None),
            ("{}", None),
        ];
        for (text, expected) in table {
            assert_eq!(of(text), expected, "{text}");
        }
    }

    #[test]
    fn a_sum_does_not_turn_over() {
        assert_eq!(sum([1, 2, 3]), 6);
        assert_eq!(sum([MAX, MAX]), MAX);
        assert_eq!(sum([u64::MAX, 5]), MAX);
    }

    proptest! {
        #[test]
        fn numbers_that_floats_hold_count_as_they_say(whole in 0u64..1 << 40, shift in 0i32..12) {
            prop_assert_eq!(of(&whole.to_string()), Some(whole));
            let text = format!("{whole}e{shift}");
            let expected = u128::from(whole) * 10u128.pow(shift.unsigned_abs());
            let expected = u64::try_from(expected).unwrap_or(MAX).min(MAX);
            prop_assert_eq!(of(&text), Some(expected));
        }
    }
}
