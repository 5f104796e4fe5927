//! Prices as people and tables write them, read from their text: no float comes near them.

use std::fmt;

/// Digits behind the point of dollars that a price for a token has.
const DIGITS: i64 = 18;
/// The same of dollars for a million tokens.
const DIGITS_PER_MILLION: i64 = DIGITS - 6;

/// The highest price for a million tokens that is taken for one, in dollars.
pub const HIGHEST_PER_MILLION: u64 = 1_000_000;
/// The same in attodollars for a token.
const HIGHEST: u64 = HIGHEST_PER_MILLION * 1_000_000_000_000;

/// What a token costs. Exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price {
    /// 10^-18 dollars, at most [`HIGHEST`].
    atto: u64,
}

/// A text that is no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceError {
    /// It is no decimal number.
    NotANumber,
    /// It is below 0.
    Negative,
    /// It is above [`HIGHEST_PER_MILLION`].
    TooHigh,
    /// It has more digits behind the point than can be counted with.
    TooFine,
}

impl fmt::Display for PriceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotANumber => f.write_str("a price must be a decimal number, such as \"2.50\""),
            Self::Negative => f.write_str("a price must not be negative"),
            Self::TooHigh => write!(
                f,
                "a price must not be above {HIGHEST_PER_MILLION} dollars for a million tokens"
            ),
            Self::TooFine => write!(
                f,
                "a price may have {DIGITS_PER_MILLION} digits behind the point"
            ),
        }
    }
}

impl std::error::Error for PriceError {}

impl Price {
    /// Reads dollars for a million tokens: digits, and digits behind a point.
    ///
    /// # Errors
    /// Everything else, exponents too: nobody writes prices so by hand.
    pub fn per_million(text: &str) -> Result<Price, PriceError> {
        if text.contains(['e', 'E']) {
            return Err(PriceError::NotANumber);
        }
        let (atto, is_exact) = atto(text, DIGITS_PER_MILLION)?;
        match is_exact {
            true => Ok(Price { atto }),
            false => Err(PriceError::TooFine),
        }
    }

    /// Reads dollars for one token, as programs write them: also with an exponent (`2.5e-06`). What
    /// is finer than an attodollar was made by a float, and is rounded half up.
    ///
    /// # Errors
    /// What is no number, is negative or too high.
    pub fn per_token(text: &str) -> Result<Price, PriceError> {
        let (atto, _) = atto(text, DIGITS)?;
        Ok(Price { atto })
    }

    /// What so many tokens cost, in attodollars. The product of two numbers of 64 bits fits.
    pub(super) fn of(self, tokens: u64) -> u128 {
        u128::from(self.atto) * u128::from(tokens)
    }
}

/// `text` times 10^`digits`, rounded half up, and whether nothing was rounded.
fn atto(text: &str, digits: i64) -> Result<(u64, bool), PriceError> {
    let (is_negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return Err(PriceError::NotANumber),
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    let all = || whole.bytes().chain(fraction.bytes());
    if whole.is_empty() || !all().all(|byte| byte.is_ascii_digit()) {
        return Err(PriceError::NotANumber);
    }
    if all().all(|digit| digit == b'0') {
        return Ok((0, true));
    }
    if is_negative {
        return Err(PriceError::Negative);
    }
    // How many of the digits stand before the point, once it is moved.
    let before = i64::try_from(whole.len()).unwrap_or(i64::MAX);
    let before = before.saturating_add(exponent).saturating_add(digits);
    let mut atto: u64 = 0;
    let mut place = 0_i64;
    let mut rest = all();
    while place < before {
        // Behind the last digit come zeros, and without an end the price is too high soon.
        let digit = rest.next().unwrap_or(b'0') - b'0';
        atto = atto.saturating_mul(10).saturating_add(u64::from(digit));
        if atto > HIGHEST {
            return Err(PriceError::TooHigh);
        }
        place += 1;
    }
    // A first digit further behind the point than the next place is nothing.
    let next = if before < 0 {
        b'0'
    } else {
        rest.next().unwrap_or(b'0')
    };
    let is_exact = next == b'0' && rest.all(|digit| digit == b'0') && before >= 0;
    let rounded = atto + u64::from(next >= b'5');
    match rounded > HIGHEST {
        true => Err(PriceError::TooHigh),
        false => Ok((rounded, is_exact)),
    }
}

/// Exponents beyond all numbers count as one beyond all prices.
fn parse_exponent(text: &str) -> Result<i64, PriceError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(PriceError::NotANumber);
    }
    let size = digits
        .parse::<i64>()
        .unwrap_or(i64::MAX / 4)
        .min(i64::MAX / 4);
    Ok(if text.starts_with('-') { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prices_of_a_million_are_read_to_the_last_digit() {
        for (text, atto) in [
            // 2.50 dollars for 10^6 tokens are 2.5 * 10^-6 dollars = 2.5 * 10^12 attodollars a
            // token.
            ("2.50", Ok(2_500_000_000_000)),
            ("3", Ok(3_000_000_000_000)),
            ("0.075", Ok(75_000_000_000)),
            ("0.000000000001", Ok(1)),
            ("0.0000000000010", Ok(1)),
            ("0", Ok(0)),
            ("0.00", Ok(0)),
            ("-0", Ok(0)),
            ("007", Ok(7_000_000_000_000)),
            ("1000000", Ok(HIGHEST)),
            ("1000000.000000000001", Err(PriceError::TooHigh)),
            ("99999999999999999999999999", Err(PriceError::TooHigh)),
            ("0.0000000000001", Err(PriceError::TooFine)),
            ("1.0000000000005", Err(PriceError::TooFine)),
            ("-1", Err(PriceError::Negative)),
            ("", Err(PriceError::NotANumber)),
            (".5", Err(PriceError::NotANumber)),
            ("5.", Err(PriceError::NotANumber)),
            ("1,5", Err(PriceError::NotANumber)),
            ("1.2.3", Err(PriceError::NotANumber)),
            ("$2", Err(PriceError::NotANumber)),
            (" 2", Err(PriceError::NotANumber)),
            ("+2", Err(PriceError::NotANumber)),
            ("2e0", Err(PriceError::NotANumber)),
            ("NaN", Err(PriceError::NotANumber)),
        ] {
            let price = Price::per_million(text);
            assert_eq!(price.map(|price| price.atto), atto, "{text}");
        }
    }

    #[test]
    fn prices_of_a_token_are_read_from_their_text() {
        for (text, atto) in [
            // The double nearest to 2.5e-06 is 2.50000000000000019e-06; the text says 2.5e-06.
            ("2.5e-06", Ok(2_500_000_000_000)),
            ("1.5E-7", Ok(150_000_000_000)),
            ("0.0000025", Ok(2_500_000_000_000)),
            ("3.75e-08", Ok(37_500_000_000)),
            ("1e+0", Ok(HIGHEST)),
            ("0e99999999999999999999", Ok(0)),
            ("3.0000000000000004e-07", Ok(300_000_000_000)),
            ("3.0000000000005e-06", Ok(3_000_000_000_001)),
            ("5e-19", Ok(1)),
            ("4.9e-19", Ok(0)),
            ("5e-20", Ok(0)),
            ("1e-99999999999999999999", Ok(0)),
            ("1e99999999999999999999", Err(PriceError::TooHigh)),
            ("1.1", Err(PriceError::TooHigh)),
            ("-2.5e-06", Err(PriceError::Negative)),
            ("2.5e", Err(PriceError::NotANumber)),
            ("e5", Err(PriceError::NotANumber)),
            ("2.5e-0x", Err(PriceError::NotANumber)),
        ] {
            let price = Price::per_token(text);
            assert_eq!(price.map(|price| price.atto), atto, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_price_is_the_same_however_it_is_spelled(nano in 0u64..1_000_000_000_000) {
            // So many nanodollars for a million tokens.
            let written = format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000);
            let by_million = Price::per_million(&written).unwrap();
            prop_assert_eq!(by_million.atto, nano * 1_000);
            prop_assert_eq!(Price::per_token(&format!("{nano}e-15")).unwrap(), by_million);
            prop_assert_eq!(Price::per_token(&format!("{written}e-6")).unwrap(), by_million);
        }

        #[test]
        fn any_text_is_a_price_or_is_not(text in r"[-+.eE0-9 ]{0,24}") {
            let _ = Price::per_token(&text);
            let _ = Price::per_million(&text);
        }
    }
}
