//! What a program reads and writes, known before any traffic.
//!
//! An exchange decides by this what to hold and which hooks have work. It is computed by the compiler on
//! the main thread and never changes.

use crate::direction::Direction;

/// The needs of both directions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Needs {
    /// The request direction.
    pub request: DirectionNeeds,
    /// The response direction.
    pub response: DirectionNeeds,
    /// Response templates read request headers, or something reads when the request came: both are
    /// remembered when it comes.
    pub captures_request_headers: bool,
}

impl Needs {
    /// The needs of one direction.
    pub fn of(&self, direction: Direction) -> &DirectionNeeds {
        match direction {
            Direction::Request => &self.request,
            Direction::Response => &self.response,
        }
    }
}

/// The needs of one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DirectionNeeds {
    /// How much of a message must be there before it can be transformed.
    pub body: BodyNeed,
    /// Some template or patch reads the body as JSON.
    pub parses_json: bool,
    /// What may change.
    pub writes: Writes,
    /// How large a body may be held, if larger than the host would allow by itself.
    pub max_body_bytes: Option<u64>,
}

/// How much of a message must be there before it can be transformed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyNeed {
    /// Nothing: there is nothing to do, and the direction can be left alone altogether.
    #[default]
    Nothing,
    /// The headers; the body passes by.
    Headers,
    /// The whole message, which is held to its end.
    Whole,
    /// The headers; a body that is a stream of events is transformed event by event, and any other
    /// passes by.
    Events,
    /// The content type decides: a stream of events is never held, but transformed event by event if there
    /// are rules for that. Any other message is held to its end.
    WholeUnlessEvents,
}

/// What a program may change in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Writes {
    /// Headers are set, added or removed.
    pub headers: bool,
    /// The body is replaced or edited.
    pub body: bool,
    /// Dynamic metadata is written.
    pub metadata: bool,
    /// The route may have to be chosen again: see [`Applied::reroute`](crate::Applied::reroute).
    pub route: bool,
}

impl BodyNeed {
    /// What two transforms need, of which one or the other applies.
    fn or(self, other: BodyNeed) -> BodyNeed {
        use BodyNeed::{Events, Headers, Nothing, Whole, WholeUnlessEvents};
        match (self, other) {
            (Nothing, need) | (need, Nothing) => need,
            (Headers, need) | (need, Headers) => need,
            (Whole, Whole) => Whole,
            (Events, Events) => Events,
            (Whole | Events | WholeUnlessEvents, _) => WholeUnlessEvents,
        }
    }
}

impl DirectionNeeds {
    /// Those of a direction in which nothing is to be done.
    pub(crate) const NONE: DirectionNeeds = DirectionNeeds {
        body: BodyNeed::Nothing,
        parses_json: false,
        writes: Writes {
            headers: false,
            body: false,
            metadata: false,
            route: false,
        },
        max_body_bytes: None,
    };

    /// Adds the needs of another transform.
    pub(crate) fn merge(&mut self, other: &DirectionNeeds) {
        self.body = self.body.or(other.body);
        self.parses_json |= other.parses_json;
        self.writes.headers |= other.writes.headers;
        self.writes.body |= other.writes.body;
        self.writes.metadata |= other.writes.metadata;
        self.writes.route |= other.writes.route;
        self.max_body_bytes = self.max_body_bytes.max(other.max_body_bytes);
    }

    /// Whether something may change.
    pub fn has_work(&self) -> bool {
        self.body != BodyNeed::Nothing
    }

    /// Whether the whole body must be there before the transform runs.
    pub fn buffers(&self) -> bool {
        matches!(self.body, BodyNeed::Whole | BodyNeed::WholeUnlessEvents)
    }

    /// Whether it matters that a body is a stream of events.
    pub fn minds_events(&self) -> bool {
        matches!(self.body, BodyNeed::Events | BodyNeed::WholeUnlessEvents)
    }
}
