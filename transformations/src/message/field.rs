//! What a template can name of a message: the fields of `request`, `response` and `event`.

use crate::direction::Direction;

/// The name of the event in its templates.
pub(crate) const EVENT: &str = "event";

/// The name of the line that a template of `edit` is about.
pub(crate) const LINE: &str = "value";
/// What templates can read of it.
pub(crate) const EVENT_FIELDS: [&str; 4] = ["name", "id", "data", "json"];

/// A field of `event`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventField {
    Name,
    Id,
    Data,
    Json,
}

impl EventField {
    pub(crate) fn find(name: &str) -> Option<EventField> {
        const ALL: [EventField; 4] = [
            EventField::Name,
            EventField::Id,
            EventField::Data,
            EventField::Json,
        ];
        let (_, found) = EVENT_FIELDS
            .iter()
            .zip(ALL)
            .find(|(known, _)| **known == name)?;
        Some(found)
    }
}

/// A field of `request` or `response`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Headers,
    Header { name: &'static str, part: Part },
    Status,
    Body,
    Json,
}

impl Field {
    const REQUEST: [(&'static str, Field); 9] = [
        ("headers", Field::Headers),
        (
            "method",
            Field::Header {
                name: ":method",
                part: Part::Whole,
            },
        ),
        (
            "path",
            Field::Header {
                name: ":path",
                part: Part::Whole,
            },
        ),
        (
            "url_path",
            Field::Header {
                name: ":path",
                part: Part::BeforeQuery,
            },
        ),
        (
            "query",
            Field::Header {
                name: ":path",
                part: Part::Query,
            },
        ),
        (
            "host",
            Field::Header {
                name: ":authority",
                part: Part::Whole,
            },
        ),
        (
            "scheme",
            Field::Header {
                name: ":scheme",
                part: Part::Whole,
            },
        ),
        ("body", Field::Body),
        ("json", Field::Json),
    ];
    const RESPONSE: [(&'static str, Field); 4] = [
        ("headers", Field::Headers),
        ("status", Field::Status),
        ("body", Field::Body),
        ("json", Field::Json),
    ];

    /// All fields of one direction.
    pub(crate) fn all(direction: Direction) -> &'static [(&'static str, Field)] {
        match direction {
            Direction::Request => &Self::REQUEST,
            Direction::Response => &Self::RESPONSE,
        }
    }

    pub(crate) fn find(direction: Direction, name: &str) -> Option<Field> {
        let (_, found) = Self::all(direction)
            .iter()
            .find(|(known, _)| *known == name)?;
        Some(*found)
    }

    /// The name as the table has it, which lives as long as the program.
    pub(crate) fn name(direction: Direction, name: &str) -> Option<&'static str> {
        let (known, _) = Self::all(direction)
            .iter()
            .find(|(known, _)| *known == name)?;
        Some(known)
    }

    /// Whether a message has this field while the one of direction `here` is transformed. The response
    /// is still to come when the request is, and then the request's body is gone.
    pub(crate) fn exists(self, direction: Direction, here: Direction) -> bool {
        match direction {
            Direction::Request => here == direction || !matches!(self, Field::Body | Field::Json),
            Direction::Response => here == direction,
        }
    }
}

/// Which part of a header value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    /// Up to the `?` of a path.
    BeforeQuery,
    /// After the `?` of a path.
    Query,
}

impl Part {
    /// Cuts the part out of a value.
    pub(crate) fn of(self, value: &str) -> &str {
        match (self, value.split_once('?')) {
            (Part::Whole, _) => value,
            (Part::BeforeQuery, cut) => cut.map_or(value, |(before, _)| before),
            (Part::Query, cut) => cut.map_or("", |(_, query)| query),
        }
    }

    /// Leaves only the part of what was appended to `out` from `start` on.
    #[inline]
    pub(crate) fn cut(self, out: &mut String, start: usize) {
        if self == Part::Whole {
            return;
        }
        let value = out.get(start..).unwrap_or_default();
        let kept = self.of(value).to_owned();
        out.truncate(start);
        out.push_str(&kept);
    }
}
