//! The format of `%START_TIME(...)%`: read once on the main thread, written on workers.
//!
//! Times are in UTC, as Envoy writes them. Specifiers that depend on a language or on a way to count
//! weeks are refused, since Envoy's answer to them depends on where it runs.

use std::fmt::Write;

use jiff::civil::{DateTime, Weekday};
use jiff::{Timestamp, tz};

/// A format that was found valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TimeFormat(Box<[Part]>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Box<str>),
    Year,
    YearOfCentury,
    Month,
    MonthName {
        short: bool,
    },
    /// Padded with zeros or spaces.
    Day {
        zeros: bool,
    },
    DayOfYear,
    /// Sunday is 7, or else 0.
    Weekday {
        sunday_last: bool,
    },
    WeekdayName {
        short: bool,
    },
    Hour,
    HourOfHalf,
    Half,
    Minute,
    Second,
    /// Seconds since 1970.
    Epoch,
    /// This many digits of the fraction of the second.
    Fraction(usize),
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

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
        let mut parts = Vec::new();
        let mut rest = format;
        while let Some((text, after)) = rest.split_once('%') {
            push_text(&mut parts, text);
            rest = specifier(after, &mut parts).ok_or_else(|| {
                let shown = after.chars().take(2);
                std::iter::once('%').chain(shown).collect::<String>()
            })?;
        }
        push_text(&mut parts, rest);
        Ok(TimeFormat(parts.into()))
    }

    /// Appends a time in nanoseconds since 1970. Cost: one calendar computation.
    pub(crate) fn append(&self, nanoseconds: i64, out: &mut String) {
        // A timestamp holds every i64 of nanoseconds.
        let time = Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or_default();
        let civil = tz::Offset::UTC.to_datetime(time);
        let seconds = nanoseconds.div_euclid(1_000_000_000);
        for part in &self.0 {
            // Writing to a string cannot fail.
            let _ = part.append(civil, seconds, out);
        }
    }
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(Part::Text(before)) => *before = format!("{before}{text}").into(),
        _ => parts.push(Part::Text(text.into())),
    }
}

/// Reads what follows a percent sign, and answers what follows that.
fn specifier<'f>(after: &'f str, parts: &mut Vec<Part>) -> Option<&'f str> {
    let mut characters = after.chars();
    let part = match characters.next()? {
        'Y' => Part::Year,
        'y' => Part::YearOfCentury,
        'm' => Part::Month,
        'b' | 'h' => Part::MonthName { short: true },
        'B' => Part::MonthName { short: false },
        'd' => Part::Day { zeros: true },
        'e' => Part::Day { zeros: false },
        'j' => Part::DayOfYear,
        'a' => Part::WeekdayName { short: true },
        'A' => Part::WeekdayName { short: false },
        'u' => Part::Weekday { sunday_last: true },
        'w' => Part::Weekday { sunday_last: false },
        'H' => Part::Hour,
        'I' => Part::HourOfHalf,
        'p' => Part::Half,
        'M' => Part::Minute,
        'S' => Part::Second,
        's' => Part::Epoch,
        'f' => Part::Fraction(9),
        'F' => return several("%Y-%m-%d", characters.as_str(), parts),
        'T' => return several("%H:%M:%S", characters.as_str(), parts),
        'R' => return several("%H:%M", characters.as_str(), parts),
        'D' => return several("%m/%d/%y", characters.as_str(), parts),
        'z' => return literal("+0000", characters.as_str(), parts),
        'Z' => return literal("UTC", characters.as_str(), parts),
        '%' => return literal("%", characters.as_str(), parts),
        'E' => return extended(characters.as_str(), parts),
        digit @ '1'..='9' => {
            let digits = digit.to_digit(10)?;
            if characters.next()? != 'f' {
                return None;
            }
            Part::Fraction(usize::try_from(digits).ok()?)
        }
        _ => return None,
    };
    parts.push(part);
    Some(characters.as_str())
}

/// `%E3S`, `%E4Y`, `%Ez`.
fn extended<'f>(after: &'f str, parts: &mut Vec<Part>) -> Option<&'f str> {
    let mut characters = after.chars();
    match characters.next()? {
        'z' => literal("+00:00", characters.as_str(), parts),
        '4' if characters.as_str().starts_with('Y') => {
            several("%Y", characters.as_str().get(1..)?, parts)
        }
        digit @ '1'..='9' => {
            let format = format!("%S.%{digit}f");
            (characters.next()? == 'S').then_some(())?;
            several(&format, characters.as_str(), parts)
        }
        _ => None,
    }
}

fn several<'f>(format: &str, after: &'f str, parts: &mut Vec<Part>) -> Option<&'f str> {
    for part in TimeFormat::parse(format).ok()?.0 {
        match part {
            Part::Text(text) => push_text(parts, &text),
            part => parts.push(part),
        }
    }
    Some(after)
}

fn literal<'f>(text: &str, after: &'f str, parts: &mut Vec<Part>) -> Option<&'f str> {
    push_text(parts, text);
    Some(after)
}

impl Part {
    fn append(&self, time: DateTime, epoch: i64, out: &mut String) -> std::fmt::Result {
        let short = |name: &'static str, short: bool| match short {
            true => name.get(..3).unwrap_or(name),
            false => name,
        };
        match self {
            Part::Text(text) => out.write_str(text),
            Part::Year => write!(out, "{:04}", time.year()),
            Part::YearOfCentury => write!(out, "{:02}", time.year().rem_euclid(100)),
            Part::Month => write!(out, "{:02}", time.month()),
            Part::MonthName { short: is_short } => {
                let index = usize::try_from(time.month() - 1).unwrap_or_default();
                let name = MONTHS.get(index).copied().unwrap_or_default();
                out.write_str(short(name, *is_short))
            }
            Part::Day { zeros: true } => write!(out, "{:02}", time.day()),
            Part::Day { zeros: false } => write!(out, "{:2}", time.day()),
            Part::DayOfYear => write!(out, "{:03}", time.day_of_year()),
            Part::Weekday { sunday_last: true } => {
                write!(out, "{}", time.weekday().to_monday_one_offset())
            }
            Part::Weekday { sunday_last: false } => {
                write!(out, "{}", time.weekday().to_sunday_zero_offset())
            }
            Part::WeekdayName { short: is_short } => {
                out.write_str(short(weekday(time.weekday()), *is_short))
            }
            Part::Hour => write!(out, "{:02}", time.hour()),
            Part::HourOfHalf => write!(out, "{:02}", (time.hour() + 11) % 12 + 1),
            Part::Half => out.write_str(if time.hour() < 12 { "AM" } else { "PM" }),
            Part::Minute => write!(out, "{:02}", time.minute()),
            Part::Second => write!(out, "{:02}", time.second()),
            Part::Epoch => write!(out, "{epoch}"),
            Part::Fraction(digits) => {
                let all = format!("{:09}", time.subsec_nanosecond());
                out.write_str(all.get(..*digits).unwrap_or(&all))
            }
        }
    }
}

fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}
