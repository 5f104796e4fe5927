//! What can go wrong while one message is transformed.
//!
//! Answered by an [`Exchange`](crate::Exchange) on a worker thread and turned into a local reply by the
//! filter, or counted where the configuration lets the message pass. The error is a small `Copy` value:
//! a kind, a stage, a direction, and the field of the configuration that it happened in. It never holds a header
//! value, a body, or anything else of the traffic, and neither does the reason beside it.

use std::fmt;

use crate::direction::Direction;

/// The kinds of failure. Each has its own response code details and its own counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransformErrorKind {
    /// A template reads a JSON variable, but there is no parsed JSON body.
    UndeclaredVariable,
    /// The body should be JSON and is not.
    InvalidJson,
    /// A template looks into JSON of the body that nests too deeply.
    JsonTooDeep,
    /// A template reads the body as text, and it is not UTF-8.
    BodyNotText,
    /// A template or a patch reads the body, which is compressed.
    CompressedBody,
    /// A template or a patch reads the body, which is a stream of events that is never held.
    StreamedBody,
    /// The body lacks what `body.patch` expects in it.
    PatchFailed,
    /// A stream is compressed, and its events cannot be seen.
    CompressedStream,
    /// An event of a stream is longer than `maxEventBytes`.
    EventTooLarge,
    /// A template could not be rendered.
    Render,
    /// A template ran for too many instructions.
    OutOfFuel,
    /// A template called itself too deeply.
    TooDeep,
    /// The templates produced too much text.
    TooMuchOutput,
    /// A value is not allowed in this pseudo header, such as a `:status` that is no number.
    InvalidHeaderValue,
    /// A dynamic metadata value is not of the configured type.
    InvalidMetadataValue,
    /// A value of `body.patch` is not JSON.
    InvalidPatchValue,
    /// A body is larger than may be held.
    BodyTooLarge,
    /// The host did not take a header or a body.
    RefusedByHost,
    /// The configuration of the route is for another filter.
    ForeignRouteConfig,
}

use TransformErrorKind as Kind;

impl TransformErrorKind {
    /// Every kind, for whoever keeps a counter for each.
    pub const ALL: [TransformErrorKind; 19] = [
        Kind::UndeclaredVariable,
        Kind::InvalidJson,
        Kind::JsonTooDeep,
        Kind::BodyNotText,
        Kind::CompressedBody,
        Kind::StreamedBody,
        Kind::PatchFailed,
        Kind::CompressedStream,
        Kind::EventTooLarge,
        Kind::Render,
        Kind::OutOfFuel,
        Kind::TooDeep,
        Kind::TooMuchOutput,
        Kind::InvalidHeaderValue,
        Kind::InvalidMetadataValue,
        Kind::InvalidPatchValue,
        Kind::BodyTooLarge,
        Kind::RefusedByHost,
        Kind::ForeignRouteConfig,
    ];

    /// A constant token: what response code details begin with.
    pub const fn details(self) -> &'static str {
        match self {
            Kind::UndeclaredVariable => "rustformation_undeclared_variable",
            Kind::InvalidJson => "rustformation_invalid_json",
            Kind::JsonTooDeep => "rustformation_json_too_deep",
            Kind::BodyNotText => "rustformation_body_not_text",
            Kind::CompressedBody => "rustformation_compressed_body",
            Kind::StreamedBody => "rustformation_streamed_body",
            Kind::PatchFailed => "rustformation_patch_failed",
            Kind::CompressedStream => "rustformation_compressed_stream",
            Kind::EventTooLarge => "rustformation_event_too_large",
            Kind::Render => "rustformation_render_error",
            Kind::OutOfFuel => "rustformation_out_of_fuel",
            Kind::TooDeep => "rustformation_too_deep",
            Kind::TooMuchOutput => "rustformation_too_much_output",
            Kind::InvalidHeaderValue => "rustformation_invalid_header_value",
            Kind::InvalidMetadataValue => "rustformation_invalid_metadata_value",
            Kind::InvalidPatchValue => "rustformation_invalid_patch_value",
            Kind::BodyTooLarge => "rustformation_body_too_large",
            Kind::RefusedByHost => "rustformation_refused_by_envoy",
            Kind::ForeignRouteConfig => "rustformation_foreign_route_config",
        }
    }

    /// The label of the counter of errors: the details without what all of them begin with.
    pub fn name(self) -> &'static str {
        let details = self.details();
        details.strip_prefix("rustformation_").unwrap_or(details)
    }

    /// Whether whoever sent the message is at fault, and not the configuration.
    pub const fn is_of_message(self) -> bool {
        match self {
            Kind::UndeclaredVariable
            | Kind::InvalidJson
            | Kind::JsonTooDeep
            | Kind::BodyNotText
            | Kind::CompressedBody
            | Kind::StreamedBody
            | Kind::PatchFailed
            | Kind::CompressedStream
            | Kind::EventTooLarge
            | Kind::BodyTooLarge => true,
            Kind::Render
            | Kind::OutOfFuel
            | Kind::TooDeep
            | Kind::TooMuchOutput
            | Kind::InvalidHeaderValue
            | Kind::InvalidMetadataValue
            | Kind::InvalidPatchValue
            | Kind::RefusedByHost
            | Kind::ForeignRouteConfig => false,
        }
    }

    /// The status of the local reply: the client is told of its own faults, with 400, 413 or 415, never
    /// of those of a response, which are a 502. What the configuration cannot do is a 500, and so is a
    /// response that is too large to be held, as Envoy has it.
    pub const fn status(self, direction: Direction) -> u32 {
        match (direction, self) {
            (Direction::Request, Kind::CompressedBody) => 415,
            (Direction::Request, Kind::BodyTooLarge) => 413,
            (Direction::Response, Kind::BodyTooLarge) => 500,
            (Direction::Request, _) if self.is_of_message() => 400,
            (Direction::Response, _) if self.is_of_message() => 502,
            _ => 500,
        }
    }

    const fn sentence(self) -> &'static str {
        match self {
            Kind::UndeclaredVariable => "a JSON variable is read but there is no parsed JSON body",
            Kind::InvalidJson => "the body is not valid JSON",
            Kind::JsonTooDeep => "the template looks into JSON that nests deeper than 127 levels",
            Kind::BodyNotText => "the body is read as text and is not UTF-8",
            Kind::CompressedBody => "the body is compressed, and cannot be read",
            Kind::StreamedBody => "the body is a stream of events, which is not held to be read",
            Kind::PatchFailed => "the body lacks what this operation expects",
            Kind::CompressedStream => {
                "this is a compressed stream, whose events cannot be seen: remove accept-encoding from \
                 the request"
            }
            Kind::EventTooLarge => "an event of the stream is longer than maxEventBytes",
            Kind::Render => "the template could not be rendered",
            Kind::OutOfFuel => "the template used up its instruction budget",
            Kind::TooDeep => "the template nests or recurses too deeply",
            Kind::TooMuchOutput => "the templates produced more text than allowed",
            Kind::InvalidHeaderValue => "the value is not allowed in this header",
            Kind::InvalidMetadataValue => "the value is not of the configured metadata type",
            Kind::InvalidPatchValue => "the value rendered to something else than JSON",
            Kind::BodyTooLarge => "the body is larger than may be held",
            Kind::RefusedByHost => "Envoy did not take what was written",
            Kind::ForeignRouteConfig => {
                "the route's configuration belongs to another filter of this module: name the same \
                 filter on the route and on the listener; using the listener's"
            }
        }
    }
}

impl fmt::Display for TransformErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

/// Names a templated field of a configuration; see
/// [`Program::field_path`](crate::Program::field_path).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FieldId(pub(crate) u32);

impl FieldId {
    /// No field: the fault is not in a field of the configuration.
    pub(crate) const NONE: FieldId = FieldId(u32::MAX);
}

/// The stage that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StageName {
    /// None: what failed comes before all stages.
    Opening,
    /// Templates for headers, body and metadata.
    Transform,
    /// Rules for the events of a stream.
    Events,
    /// What is done about LLM traffic.
    Ai,
}

/// Why a message was not transformed (as configured).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransformError {
    kind: TransformErrorKind,
    stage: StageName,
    direction: Direction,
    field: FieldId,
}

impl TransformError {
    pub(crate) fn new(
        kind: TransformErrorKind,
        stage: StageName,
        direction: Direction,
        field: FieldId,
    ) -> TransformError {
        TransformError {
            kind,
            stage,
            direction,
            field,
        }
    }

    /// What happened.
    pub fn kind(&self) -> TransformErrorKind {
        self.kind
    }

    /// The stage that it happened in.
    pub fn stage(&self) -> StageName {
        self.stage
    }

    /// Which message it happened to.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The field of the configuration whose evaluation failed.
    pub fn field(&self) -> FieldId {
        self.field
    }

    /// The status of the local reply: 400 or 415 to a request, 502 in place of a response, 500 where
    /// the configuration is at fault.
    pub fn status(&self) -> u32 {
        self.kind.status(self.direction)
    }

    /// A constant token: what response code details begin with.
    pub fn details(&self) -> &'static str {
        self.kind.details()
    }
}

impl fmt::Display for TransformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl std::error::Error for TransformError {}

/// An error, and what is known of its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    error: TransformError,
    reason: Option<Box<str>>,
}

impl Failure {
    pub(crate) fn new(
        cause: Cause,
        stage: StageName,
        direction: Direction,
        field: FieldId,
    ) -> Failure {
        Failure {
            error: TransformError::new(cause.kind, stage, direction, field),
            reason: cause.reason,
        }
    }

    /// The configuration of a route that is for another filter than the one that meets it.
    pub fn foreign_route_config() -> Failure {
        let kind = TransformErrorKind::ForeignRouteConfig;
        Failure::new(
            kind.into(),
            StageName::Opening,
            Direction::Request,
            FieldId::NONE,
        )
    }

    /// The same failure, with what the host knows of its reason. No part of a message may be in it.
    pub fn because(self, reason: &str) -> Failure {
        Failure {
            reason: Some(reason.into()),
            ..self
        }
    }

    /// What happened, where.
    pub fn error(&self) -> TransformError {
        self.error
    }

    /// Why, in the words of the template engine or the JSON scanner; nothing of the message is in it.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            None => self.error.fmt(f),
            Some(reason) => write!(f, "{}: {reason}", self.error),
        }
    }
}

impl std::error::Error for Failure {}

/// What failed, before it is known in which field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) kind: TransformErrorKind,
    pub(crate) reason: Option<Box<str>>,
}

impl Cause {
    pub(crate) fn because(kind: TransformErrorKind, reason: impl fmt::Display) -> Cause {
        Cause {
            kind,
            reason: Some(reason.to_string().into()),
        }
    }
}

impl From<TransformErrorKind> for Cause {
    fn from(kind: TransformErrorKind) -> Cause {
        Cause { kind, reason: None }
    }
}
