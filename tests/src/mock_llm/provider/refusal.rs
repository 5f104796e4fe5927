//! Errors in the shapes of the providers: as a document before anything was said, and as an event in
//! the middle of a stream.
//!
//! Called by [`super`]; pure.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::Dialect;
use super::pieces::Event;
use super::speech::quoted;

/// What an error says that a requester wished for.
pub(super) const ASKED_FOR: &str = "The mock LLM was asked to fail.";

/// Whose errors they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Openai,
    /// Azure's gateway; what the model refuses comes as OpenAI has it.
    Azure,
    Anthropic,
    Google,
    Amazon,
}

impl Shape {
    /// Whose errors come from a path.
    pub(super) fn of(dialect: Dialect, path: &str) -> Self {
        let end = path.rsplit('/').next().unwrap_or_default();
        match dialect {
            Dialect::Converse => Self::Amazon,
            Dialect::Messages if end.starts_with("invoke") => Self::Amazon,
            Dialect::Messages => Self::Anthropic,
            Dialect::Gemini => Self::Google,
            _ if path.contains("/openai/") => Self::Azure,
            _ => Self::Openai,
        }
    }

    /// An answer with `status`.
    pub(super) fn answer(self, status: StatusCode, message: &str) -> Response {
        let kind = [(header::CONTENT_TYPE, "application/json")];
        let mut answer = (status, kind, self.document(status, message)).into_response();
        if self == Self::Amazon {
            let name = HeaderValue::from_static(amazon_name(status));
            answer.headers_mut().insert("x-amzn-errortype", name);
        }
        answer
    }

    /// The body of an answer with `status`.
    pub(super) fn document(self, status: StatusCode, message: &str) -> String {
        let message = quoted(message);
        let kind = kind(status);
        match self {
            Self::Anthropic => format!(
                r#"{{"type":"error","error":{{"type":"{kind}","message":{message}}},"request_id":"req_mock"}}"#
            ),
            Self::Google => format!(
                r#"{{"error":{{"code":{},"message":{message},"status":"{}"}}}}"#,
                status.as_u16(),
                google_status(status)
            ),
            Self::Amazon => format!(r#"{{"message":{message}}}"#),
            Self::Azure if status != StatusCode::BAD_REQUEST => {
                format!(
                    r#"{{"error":{{"code":"{}","message":{message}}}}}"#,
                    status.as_u16()
                )
            }
            Self::Openai | Self::Azure => format!(
                r#"{{"error":{{"message":{message},"type":"{kind}","param":null,"code":null}}}}"#
            ),
        }
    }

    /// The event that tells a client in the middle of a stream, after `sequence` events.
    pub(super) fn event(self, dialect: Dialect, sequence: usize) -> Event {
        let message = quoted(ASKED_FOR);
        match (self, dialect) {
            (Self::Anthropic, _) => Event::named(
                "error",
                format!(
                    r#"{{"type":"error","error":{{"type":"overloaded_error","message":{message}}}}}"#
                ),
            ),
            (Self::Amazon, _) => {
                Event::named("throttlingException", format!(r#"{{"message":{message}}}"#))
            }
            (_, Dialect::Responses) => Event::named(
                "error",
                format!(
                    r#"{{"type":"error","sequence_number":{sequence},"code":"server_error","message":{message},"param":null}}"#
                ),
            ),
            _ => Event::bare(self.document(StatusCode::INTERNAL_SERVER_ERROR, ASKED_FOR)),
        }
    }
}

fn kind(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    }
}

fn google_status(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        400..=499 => "INVALID_ARGUMENT",
        503 => "UNAVAILABLE",
        _ => "INTERNAL",
    }
}

fn amazon_name(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "UnrecognizedClientException",
        403 => "AccessDeniedException",
        404 => "ResourceNotFoundException",
        429 => "ThrottlingException",
        503 => "ServiceUnavailableException",
        400..=499 => "ValidationException",
        _ => "InternalServerException",
    }
}
