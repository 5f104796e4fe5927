//! Dates: `date` writes a moment as text, in UTC.
//!
//! Called on worker threads while a template renders; a constant format is checked on the main
//! thread.
//!
//! Refused are texts that are no time (seconds, RFC 3339, an HTTP date), times outside of the years
//! -9999 to 9999, and formats with directives that do not exist. There is no local time: a proxy's zone
//! says nothing about a message.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::fmt::{rfc2822, strtime};
use jiff::tz::TimeZone;
use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use super::{Function, function};
use crate::value::Fault;
use crate::value::budget;

pub(super) const FUNCTIONS: &[Function] = &[function!(
    "date",
    "date(time, format?)",
    "A time as text, in UTC, by a strftime format (RFC 3339 without one); the time is seconds since 1970, RFC 3339 text or an HTTP date.",
    ("{{ date(0, \"%a, %d %b %Y %H:%M:%S GMT\") }}", "Thu, 01 Jan 1970 00:00:00 GMT"),
    (1, 2),
    DateFormat,
    |environment, name| environment.add_function(name, write),
    filter "time | date(format?)",
    |environment, name| environment.add_filter(name, write),
)];

fn write(time: &Value, format: Option<Cow<'_, str>>) -> Result<String, Error> {
    let moment = match time.kind() {
        ValueKind::String => {
            let text = time.as_str().unwrap_or_default();
            budget::charge_reading(text.len())?;
            Moment::Text(text)
        }
        ValueKind::Number if time.is_integer() => {
            Moment::Seconds(i64::try_from(time.clone()).map_err(|_| Fault::TimeOutOfRange)?)
        }
        ValueKind::Number => {
            Moment::Fractional(f64::try_from(time.clone()).map_err(|_| Fault::NotATime)?)
        }
        _ => return Err(Fault::NotATime.into()),
    };
    let text = date(moment, format.as_deref().unwrap_or(DEFAULT_FORMAT))?;
    budget::charge(text.len())?;
    Ok(text)
}

/// What `date` uses without a format: RFC 3339 with whole seconds.
pub(crate) const DEFAULT_FORMAT: &str = "%Y-%m-%dT%H:%M:%SZ";

/// Formats longer than this are refused. A directive takes at least two bytes and, padded, makes at
/// most 255, so this bounds a date to 128 KiB.
pub(crate) const MAX_FORMAT_BYTES: usize = 1_024;

/// A moment, as a template may give it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Moment<'a> {
    /// Seconds since 1970-01-01T00:00:00Z.
    Seconds(i64),
    /// The same with a fraction.
    Fractional(f64),
    /// Seconds in decimal digits, RFC 3339 text with any offset, or an HTTP date.
    Text(&'a str),
}

/// Writes `moment` by `format`, whose directives are those of strftime: `%Y`, `%m`, `%d`, `%H`, `%M`,
/// `%S`, `%s`, `%a`, `%b`, `%j`, `%3f` and so on.
///
/// # Errors
///
/// See the [module](self).
pub(crate) fn date(moment: Moment<'_>, format: &str) -> Result<String, Fault> {
    if format.len() > MAX_FORMAT_BYTES {
        return Err(Fault::DateFormat);
    }
    let time = timestamp(moment)?.to_zoned(TimeZone::UTC);
    strtime::format(format, &time).map_err(|_| Fault::DateFormat)
}

/// Checks a format without a time.
///
/// # Errors
///
/// An unknown directive, or more than [`MAX_FORMAT_BYTES`].
pub(crate) fn check_format(format: &str) -> Result<(), Fault> {
    date(Moment::Seconds(0), format).map(drop)
}

fn timestamp(moment: Moment<'_>) -> Result<Timestamp, Fault> {
    match moment {
        Moment::Seconds(seconds) => {
            Timestamp::from_second(seconds).map_err(|_| Fault::TimeOutOfRange)
        }
        Moment::Fractional(seconds) => from_fraction(seconds),
        Moment::Text(text) => {
            let text = text.trim();
            if let Ok(seconds) = text.parse() {
                return timestamp(Moment::Seconds(seconds));
            }
            let numeric = text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte));
            match text.parse() {
                Ok(seconds) if numeric => from_fraction(seconds),
                _ => (text.parse().ok())
                    .or_else(|| http_date(text))
                    .ok_or(Fault::NotATime),
            }
        }
    }
}

/// A date as `date`, `expires` and `last-modified` have it: the form that RFC 9110 asks for, which
/// mail has too (there with any offset), and the two obsolete ones that it wants understood. Years of
/// two digits are those from 1969 to 2068.
fn http_date(text: &str) -> Option<Timestamp> {
    if let Ok(time) = rfc2822::DateTimeParser::new().parse_timestamp(text) {
        return Some(time);
    }
    OBSOLETE.iter().find_map(|format| {
        let time = strtime::parse(format, text).ok()?.to_datetime().ok()?;
        Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })
}

/// RFC 850 and `asctime`, always in GMT.
const OBSOLETE: [&str; 2] = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// A float has no more than microseconds to say about a time in our days.
fn from_fraction(seconds: f64) -> Result<Timestamp, Fault> {
    let micros = (seconds * 1e6).round();
    // Both limits are far beyond what a timestamp holds, and within i64.
    if !(-1e18..=1e18).contains(&micros) {
        return Err(Fault::TimeOutOfRange);
    }
    Timestamp::from_microsecond(micros as i64).map_err(|_| Fault::TimeOutOfRange)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_moment_may_be_seconds_or_rfc_3339_text() {
        for (moment, text) in [
            (Moment::Seconds(0), "1970-01-01T00:00:00Z"),
            (Moment::Seconds(1_767_225_599), "2025-12-31T23:59:59Z"),
            (Moment::Seconds(-1), "1969-12-31T23:59:59Z"),
            (Moment::Fractional(1.999), "1970-01-01T00:00:01Z"),
            (Moment::Text("1767225599"), "2025-12-31T23:59:59Z"),
            (Moment::Text(" 1.5 "), "1970-01-01T00:00:01Z"),
            (
                Moment::Text("2026-02-28T23:30:00-01:00"),
                "2026-03-01T00:30:00Z",
            ),
            (
                Moment::Text("2026-02-28T23:30:00.123Z"),
                "2026-02-28T23:30:00Z",
            ),
        ] {
            assert_eq!(
                date(moment, DEFAULT_FORMAT).as_deref(),
                Ok(text),
                "{moment:?}"
            );
        }
    }

    #[test]
    fn dates_of_http_are_read_in_all_their_forms() {
        for (text, time) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z"),
            ("Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z"),
            ("Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37Z"),
            ("Sat Nov 26 08:49:37 1994", "1994-11-26T08:49:37Z"),
            ("Thursday, 05-Mar-26 07:08:09 GMT", "2026-03-05T07:08:09Z"),
            // As mail writes it.
            ("Thu, 5 Mar 2026 07:08:09 +0100", "2026-03-05T06:08:09Z"),
            ("5 Mar 2026 07:08 -0000", "2026-03-05T07:08:00Z"),
        ] {
            assert_eq!(
                date(Moment::Text(text), DEFAULT_FORMAT).as_deref(),
                Ok(time),
                "{text}"
            );
        }
        for text in [
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Monday, 06-Nov-94 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 CET",
            "Mon Nov  6 08:49:37 1994",
            "Sun, 06 Nov 1994",
            "Sun, 06 Nov 1994 08:49:37",
        ] {
            assert_eq!(
                date(Moment::Text(text), DEFAULT_FORMAT),
                Err(Fault::NotATime),
                "{text}"
            );
        }
    }

    #[test]
    fn formats_are_those_of_strftime() {
        let moment = Moment::Text("2026-03-05T07:08:09.123Z");
        for (format, text) in [
            ("%Y-%m-%d", "2026-03-05"),
            ("%a, %d %b %Y %H:%M:%S GMT", "Thu, 05 Mar 2026 07:08:09 GMT"),
            ("%s", "1772694489"),
            ("%H:%M:%S%.3f", "07:08:09.123"),
            ("%j %%", "064 %"),
            ("", ""),
            ("é", "é"),
        ] {
            assert_eq!(date(moment, format).as_deref(), Ok(text), "{format}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for (moment, fault) in [
            (Moment::Text(""), Fault::NotATime),
            (Moment::Text("yesterday"), Fault::NotATime),
            (Moment::Text("2026-02-30T00:00:00Z"), Fault::NotATime),
            (Moment::Text("inf"), Fault::NotATime),
            (Moment::Text("99999999999999999999"), Fault::TimeOutOfRange),
            (Moment::Seconds(i64::MAX), Fault::TimeOutOfRange),
            (Moment::Seconds(i64::MIN), Fault::TimeOutOfRange),
            (Moment::Fractional(f64::NAN), Fault::TimeOutOfRange),
            (Moment::Fractional(1e300), Fault::TimeOutOfRange),
        ] {
            assert_eq!(date(moment, DEFAULT_FORMAT), Err(fault), "{moment:?}");
        }
    }

    #[test]
    fn a_format_is_checked_before_there_is_a_time() {
        assert_eq!(check_format("%Y"), Ok(()));
        assert_eq!(check_format("%!"), Err(Fault::DateFormat));
        assert_eq!(check_format("100%"), Err(Fault::DateFormat));
        assert_eq!(
            check_format(&"x".repeat(MAX_FORMAT_BYTES + 1)),
            Err(Fault::DateFormat)
        );
    }

    #[test]
    fn padding_cannot_make_a_date_longer_than_promised() {
        let format = "%255Y".repeat(MAX_FORMAT_BYTES / 5);
        assert!(date(Moment::Seconds(0), &format).is_ok_and(|text| text.len() <= 128 << 10));
        assert_eq!(check_format("%99999999Y"), Err(Fault::DateFormat));
    }

    proptest! {
        #[test]
        fn any_moment_and_format_give_text_or_a_fault(
            seconds: i64, fraction: f64, text in "[-+0-9.:TZ ]{0,25}", format in "[%_0-9:#^.a-zA-Z ]{0,8}",
        ) {
            for moment in [Moment::Seconds(seconds), Moment::Fractional(fraction), Moment::Text(&text)] {
                let _ = date(moment, &format);
            }
            if check_format(&format).is_ok() {
                prop_assert!(date(Moment::Seconds(seconds % 250_000_000_000), &format).is_ok());
            }
        }
    }
}
