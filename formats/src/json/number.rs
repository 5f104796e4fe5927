//! Numbers as JSON spells them, and the machine numbers they fit into.
//!
//! Called by node accessors and by the patch operation `test`, on worker threads. The text given was
//! accepted by the scanner.

use std::str::FromStr;

/// An integer spelled as one. `-0` is not: JSON readers take it for a float, to keep its sign.
pub(super) fn to_integer<T: FromStr>(text: &str) -> Option<T> {
    if text == "-0" {
        None
    } else {
        text.parse().ok()
    }
}

/// The nearest float, if it is finite.
pub(super) fn to_float(text: &str) -> Option<f64> {
    text.parse().ok().filter(|float: &f64| float.is_finite())
}

/// Whether two spellings name the same number, exactly: no detour through floats, so that large
/// integers do not become equal by rounding.
pub(super) fn equal(left: &str, right: &str) -> bool {
    left == right
        || matches!((Decimal::parse(left), Decimal::parse(right)), (Some(l), Some(r)) if l == r)
}

/// A number as `0.digits * 10^exponent` without zeros at either end; zero has no digits.
#[derive(PartialEq)]
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    /// None if the exponent is too large to count with; such numbers are equal only to their own
    /// spelling.
    fn parse(text: &str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text),
        };
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = || whole.bytes().chain(fraction.bytes());
        let leading = digits().take_while(|&digit| digit == b'0').count();
        let trailing = digits().rev().take_while(|&digit| digit == b'0').count();
        let all = whole.len() + fraction.len();
        if leading == all {
            return Some(Self {
                negative: false,
                digits: Vec::new(),
                exponent: 0,
            });
        }
        let point = i64::try_from(whole.len())
            .ok()?
            .checked_sub(i64::try_from(leading).ok()?)?;
        Some(Self {
            negative,
            digits: digits().take(all - trailing).skip(leading).collect(),
            exponent: exponent.parse::<i64>().ok()?.checked_add(point)?,
        })
    }
}
