//! The format of `%START_TIME(...)%`: read once on the main thread, written on workers.
//!
//! Times are in UTC, as Envoy writes them. Specifiers that depend on a language or on a way to count
//! weeks are refused, since Envoy's answer to them depends on where it runs. Those that are left are
//! strftime's, but for a few of Envoy's own, which become such of strftime.

use jiff::Timestamp;
use jiff::fmt::strtime::BrokenDownTime;

/// A format that was found valid, with strftime's specifiers only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TimeFormat(Box<str>);

impl TimeFormat {
    /// ISO 8601 with milliseconds.
    pub(crate) const DEFAULT: &'static str = "%Y-%m-%dT%H:%M:%S.%3fZ";

    /// What a format may hold.
    pub(crate) const SPECIFIERS: &'static str = "%Y %y %m %b %B %h %d %e %j %a %A %u %w %H %I %p %M \
         %S %F %T %R %D %s %f %1f to %9f %E1S to %E9S %E4Y %z %Ez %Z %%";

    /// Reads a format.
    ///
    /// # Errors
    /// The first specifier that is not known.
    pub(crate) fn parse(format: &str) -> Result<TimeFormat, String> {
        let mut strftime = String::new();
        let mut rest = format;
        while let Some((text, after)) = rest.split_once('%') {
            strftime.push_str(text);
            rest = specifier(after, &mut strftime).ok_or_else(|| {
                let shown = after.chars().take(2);
                std::iter::once('%').chain(shown).collect::<String>()
            })?;
        }
        strftime.push_str(rest);
        Ok(TimeFormat(strftime.into()))
    }

    /// Appends a time in nanoseconds since 1970. Cost: one calendar computation. `None`, with an unknown part
    /// of it appended, if it cannot be written: no format that was found valid does that.
    pub(crate) fn append(&self, nanoseconds: i64, out: &mut String) -> Option<()> {
        let time = Timestamp::from_nanosecond(i128::from(nanoseconds)).ok()?;
        BrokenDownTime::from(time).format(&*self.0, out).ok()
    }
}

/// Reads what follows a percent sign, appends what means the same to strftime, and answers what follows
/// that.
fn specifier<'f>(after: &'f str, strftime: &mut String) -> Option<&'f str> {
    // All others of strftime mean something else to Envoy, or depend on where it runs.
    const SAME: &str = "YymbBhdejaAuwHIpMSFTRDs%";
    let (count, meaning) = match *after.as_bytes() {
        [b'f', ..] => (1, "%9f".to_owned()),
        [b'z', ..] => (1, "+0000".to_owned()),
        [b'Z', ..] => (1, "UTC".to_owned()),
        [b'E', b'z', ..] => (2, "+00:00".to_owned()),
        [b'E', b'4', b'Y', ..] => (3, "%Y".to_owned()),
        [b'E', digits @ b'1'..=b'9', b'S', ..] => (3, format!("%S.%{}f", char::from(digits))),
        [digits @ b'1'..=b'9', b'f', ..] => (2, format!("%{}f", char::from(digits))),
        [letter, ..] if SAME.contains(char::from(letter)) => {
            (1, format!("%{}", char::from(letter)))
        }
        _ => return None,
    };
    strftime.push_str(&meaning);
    after.get(count..)
}
