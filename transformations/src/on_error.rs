//! What a failure does to its message: the table of `onError`, in one place.
//!
//! Asked on workers when something fails, by the rules of whole messages and by those of events.

use crate::config::OnError;
use crate::direction::Direction;
use crate::error::{TransformError, TransformErrorKind as Kind};

/// What a failed field was to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A header or a metadata value: the message makes sense without it.
    Value,
    /// The body, or an event of it.
    Body,
}

impl OnError {
    /// Whether the message goes on, as it came or without the failed field.
    pub(crate) fn lets_pass(self, error: TransformError, place: Place) -> bool {
        self == OnError::Skip || self.leaves_out(error, place)
    }

    /// Whether the failed field is left out and the rest applied. Otherwise nothing is applied, and
    /// the message passes as it came (`skip`) or is answered with the error.
    pub(crate) fn leaves_out(self, error: TransformError, place: Place) -> bool {
        match (self, error.kind()) {
            // These are no failures of a field: there is nothing to be left out.
            (_, Kind::BodyTooLarge | Kind::RefusedByHost | Kind::ForeignRouteConfig) => false,
            // Whole-body rules are not for streams of events: that is no failure of the message.
            (_, Kind::StreamedBody) | (OnError::Continue, _) => true,
            (OnError::Fail | OnError::Skip, _) => false,
            // Whoever asked for something in a way that cannot be done is told so; what answers is
            // never turned into an error.
            (
                OnError::Auto,
                Kind::UndeclaredVariable
                | Kind::InvalidJson
                | Kind::JsonTooDeep
                | Kind::CompressedBody
                | Kind::PatchFailed,
            ) => error.direction() == Direction::Response,
            // Nothing is wrong with such messages: they only cannot be read.
            (OnError::Auto, Kind::BodyNotText | Kind::CompressedStream | Kind::EventTooLarge) => {
                true
            }
            (
                OnError::Auto,
                Kind::Render
                | Kind::InvalidHeaderValue
                | Kind::InvalidMetadataValue
                | Kind::InvalidPatchValue,
            ) => place == Place::Value,
            (OnError::Auto, Kind::OutOfFuel | Kind::TooDeep | Kind::TooMuchOutput) => false,
        }
    }
}
