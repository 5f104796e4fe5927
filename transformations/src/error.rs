//! What can go wrong while one message is transformed.
//!
//! Returned by [`Stream`](crate::Stream) on a worker thread and turned into a local reply by the
//! filter. The error is a small `Copy` value: a kind, and the field of the configuration that it
//! happened in. It never holds a header value, a body, or anything else of the traffic.

use std::fmt;

/// The kinds of failure. Each has its own response code details and its own counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransformErrorKind {
    /// A template reads a JSON variable, but there is no parsed JSON body. Answered with 400.
    UndeclaredVariable,
    /// The body should be JSON and is not. Answered with 400.
    InvalidJson,
    /// A template looks into JSON of the body that nests too deeply. Answered with 400.
    JsonTooDeep,
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
    /// The request body lacks what `body.patch` expects in it. Answered with 400.
    RequestPatchFailed,
    /// The response body lacks what `body.patch` expects in it.
    ResponsePatchFailed,
    /// A value of `body.patch` is not JSON.
    InvalidPatchValue,
    /// The response is a compressed stream, whose events cannot be seen.
    CompressedStream,
    /// A template or a patch reads the body of a request, which is compressed. Answered with 415.
    CompressedRequestBody,
    /// A template or a patch reads the body of a response, which is compressed.
    CompressedResponseBody,
    /// An event of a stream is longer than `maxEventBytes`.
    EventTooLarge,
}

impl TransformErrorKind {
    /// Every kind, for whoever keeps a counter for each.
    pub const ALL: [TransformErrorKind; 16] = [
        TransformErrorKind::UndeclaredVariable,
        TransformErrorKind::InvalidJson,
        TransformErrorKind::JsonTooDeep,
        TransformErrorKind::Render,
        TransformErrorKind::OutOfFuel,
        TransformErrorKind::TooDeep,
        TransformErrorKind::TooMuchOutput,
        TransformErrorKind::InvalidHeaderValue,
        TransformErrorKind::InvalidMetadataValue,
        TransformErrorKind::RequestPatchFailed,
        TransformErrorKind::ResponsePatchFailed,
        TransformErrorKind::InvalidPatchValue,
        TransformErrorKind::CompressedStream,
        TransformErrorKind::CompressedRequestBody,
        TransformErrorKind::CompressedResponseBody,
        TransformErrorKind::EventTooLarge,
    ];

    /// A constant token: what response code details begin with.
    pub const fn details(self) -> &'static str {
        match self {
            TransformErrorKind::UndeclaredVariable => "rustformation_undeclared_variable",
            TransformErrorKind::InvalidJson => "rustformation_invalid_json",
            TransformErrorKind::JsonTooDeep => "rustformation_json_too_deep",
            TransformErrorKind::Render => "rustformation_render_error",
            TransformErrorKind::OutOfFuel => "rustformation_out_of_fuel",
            TransformErrorKind::TooDeep => "rustformation_too_deep",
            TransformErrorKind::TooMuchOutput => "rustformation_too_much_output",
            TransformErrorKind::InvalidHeaderValue => "rustformation_invalid_header_value",
            TransformErrorKind::InvalidMetadataValue => "rustformation_invalid_metadata_value",
            TransformErrorKind::RequestPatchFailed => "rustformation_request_patch_failed",
            TransformErrorKind::ResponsePatchFailed => "rustformation_response_patch_failed",
            TransformErrorKind::InvalidPatchValue => "rustformation_invalid_patch_value",
            TransformErrorKind::CompressedStream => "rustformation_compressed_stream",
            TransformErrorKind::CompressedRequestBody => "rustformation_compressed_request_body",
            TransformErrorKind::CompressedResponseBody => "rustformation_compressed_response_body",
            TransformErrorKind::EventTooLarge => "rustformation_event_too_large",
        }
    }

    /// The label of the counter of errors: the details without what all of them begin with.
    pub fn name(self) -> &'static str {
        let details = self.details();
        details.strip_prefix("rustformation_").unwrap_or(details)
    }

    /// The status of the local reply: 400 where the message is at fault, 500 otherwise.
    pub const fn status(self) -> u32 {
        match self {
            TransformErrorKind::UndeclaredVariable
            | TransformErrorKind::InvalidJson
            | TransformErrorKind::JsonTooDeep
            | TransformErrorKind::RequestPatchFailed => 400,
            TransformErrorKind::CompressedRequestBody => 415,
            _ => 500,
        }
    }

    const fn sentence(self) -> &'static str {
        match self {
            TransformErrorKind::UndeclaredVariable => {
                "a JSON variable is read but there is no parsed JSON body"
            }
            TransformErrorKind::InvalidJson => "the body is not valid JSON",
            TransformErrorKind::JsonTooDeep => {
                "the template looks into JSON that nests deeper than 127 levels"
            }
            TransformErrorKind::Render => "the template could not be rendered",
            TransformErrorKind::OutOfFuel => "the template used up its instruction budget",
            TransformErrorKind::TooDeep => "the template nests or recurses too deeply",
            TransformErrorKind::TooMuchOutput => "the templates produced more text than allowed",
            TransformErrorKind::InvalidHeaderValue => "the value is not allowed in this header",
            TransformErrorKind::InvalidMetadataValue => {
                "the value is not of the configured metadata type"
            }
            TransformErrorKind::RequestPatchFailed => {
                "the request body lacks what this operation expects"
            }
            TransformErrorKind::ResponsePatchFailed => {
                "the response body lacks what this operation expects"
            }
            TransformErrorKind::InvalidPatchValue => {
                "the value rendered to something else than JSON"
            }
            TransformErrorKind::CompressedRequestBody
            | TransformErrorKind::CompressedResponseBody => {
                "the body is compressed, and cannot be read"
            }
            TransformErrorKind::CompressedStream => {
                "the response is a compressed stream, whose events cannot be seen: remove \
                 accept-encoding from the request"
            }
            TransformErrorKind::EventTooLarge => {
                "an event of the stream is longer than maxEventBytes"
            }
        }
    }
}

/// Names a templated field of a configuration; see
/// [`Program::field_path`](crate::Program::field_path).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FieldId(pub(crate) u16);

/// Why a message was not transformed (as configured).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransformError {
    kind: TransformErrorKind,
    field: FieldId,
}

impl TransformError {
    pub(crate) fn new(kind: TransformErrorKind, field: FieldId) -> TransformError {
        TransformError { kind, field }
    }

    /// What happened.
    pub fn kind(&self) -> TransformErrorKind {
        self.kind
    }

    /// The field of the configuration whose evaluation failed.
    pub fn field(&self) -> FieldId {
        self.field
    }

    /// The status of the local reply: 400, 415 or 500.
    pub fn status(&self) -> u32 {
        self.kind.status()
    }

    /// A constant token: what response code details begin with.
    pub fn details(&self) -> &'static str {
        self.kind.details()
    }
}

impl fmt::Display for TransformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.sentence())
    }
}

impl std::error::Error for TransformError {}
