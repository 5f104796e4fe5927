//! The two directions of an exchange.

/// The direction a message goes, and so which message a rule may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client to the upstream.
    Request = 0,
    /// Back to the client.
    Response = 1,
}

impl Direction {
    /// The direction that templates and configurations call so.
    pub(crate) fn named(name: &str) -> Option<Direction> {
        match name {
            "request" => Some(Direction::Request),
            "response" => Some(Direction::Response),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Direction::Request => "request",
            Direction::Response => "response",
        }
    }
}
