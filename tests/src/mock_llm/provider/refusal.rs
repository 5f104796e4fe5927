//! Errors in the shapes of the dialects: as a document before anything was said, and as an event in
//! the middle of a stream.
//!
//! Called by [`super`]; pure.

use axum::http::StatusCode;

use super::Dialect;
use super::pieces::Event;
use super::speech::quoted;

/// What an error says that a requester wished for.
pub(super) const ASKED_FOR: &str = "The mock LLM was asked to fail.";

/// The body of an answer with `status`.
pub(super) fn document(dialect: Dialect, status: StatusCode, message: &str) -> String {
    let message = quoted(message);
    let kind = kind(status);
    match dialect {
        Dialect::Messages => format!(
            r#"{{"type":"error","error":{{"type":"{kind}","message":{message}}},"request_id":"req_mock"}}"#
        ),
        Dialect::Gemini => format!(
            r#"{{"error":{{"code":{},"message":{message},"status":"{}"}}}}"#,
            status.as_u16(),
            google_status(status)
        ),
        _ => format!(
            r#"{{"error":{{"message":{message},"type":"{kind}","param":null,"code":null}}}}"#
        ),
    }
}

/// The event that tells a client in the middle of a stream, after `sequence` events.
pub(super) fn event(dialect: Dialect, sequence: usize) -> Event {
    let message = quoted(ASKED_FOR);
    match dialect {
        Dialect::Messages => Event::named(
            "error",
            format!(
                r#"{{"type":"error","error":{{"type":"overloaded_error","message":{message}}}}}"#
            ),
        ),
        Dialect::Responses => Event::named(
            "error",
            format!(
                r#"{{"type":"error","sequence_number":{sequence},"code":"server_error","message":{message},"param":null}}"#
            ),
        ),
        dialect => Event::bare(document(
            dialect,
            StatusCode::INTERNAL_SERVER_ERROR,
            ASKED_FOR,
        )),
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
