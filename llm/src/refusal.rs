//! Answers of our own that say no, in the words of a dialect.
//!
//! Clients read errors with the models of their provider's library: shape, types and codes are those of
//! the dialect. Written on the worker thread of an exchange; what is put into them comes from the
//! configuration or from here, never from a prompt.

use formats::events::Format;
use formats::json::quote;

use crate::dialect::Dialect;

/// An answer that says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status, which also decides the type.
    pub status: u16,
    /// What the client is told.
    pub message: String,
    /// OpenAI's `code`; the other dialects have none.
    pub code: Option<&'static str>,
    /// OpenAI's `param`: the member that is to blame.
    pub param: Option<&'static str>,
}

impl Refusal {
    /// A refusal without code and member.
    pub fn new(status: u16, message: impl Into<String>) -> Refusal {
        Refusal {
            status,
            message: message.into(),
            code: None,
            param: None,
        }
    }

    /// The same with OpenAI's `code`.
    #[must_use]
    pub fn with_code(mut self, code: &'static str) -> Refusal {
        self.code = Some(code);
        self
    }

    /// The same with OpenAI's `param`.
    #[must_use]
    pub fn with_param(mut self, param: &'static str) -> Refusal {
        self.param = Some(param);
        self
    }

    /// The body of an answer, `application/json`. Without a dialect it is OpenAI's, which most clients
    /// know.
    pub fn body(&self, dialect: Option<Dialect>) -> String {
        match dialect {
            Some(Dialect::AnthropicMessages) => self.anthropic(),
            Some(Dialect::Gemini) => self.gemini(),
            _ => self.openai(),
        }
    }

    /// The event that ends a stream. Behind it nothing comes, no `[DONE]` either, so that no client
    /// takes the answer for whole. `sequence_number` is that of the last event of Responses.
    pub fn event(&self, dialect: Dialect, sequence_number: u64) -> Vec<u8> {
        let mut event = Vec::new();
        let (name, data) = match dialect {
            Dialect::AnthropicMessages => (Some("error"), self.anthropic()),
            Dialect::Gemini => (None, self.gemini()),
            Dialect::OpenaiResponses => (Some("error"), self.responses(sequence_number)),
            _ => (None, self.openai()),
        };
        Format::Sse.write(name, data.as_bytes(), &mut event);
        event
    }

    fn openai(&self) -> String {
        let (message, of) = (quote(&self.message), openai_type(self.status));
        let (param, code) = (or_null(self.param), or_null(self.code));
        format!(
            r#"{{"error":{{"message":{message},"type":"{of}","param":{param},"code":{code}}}}}"#
        )
    }

    fn responses(&self, sequence_number: u64) -> String {
        let message = quote(&self.message);
        let param = or_null(self.param);
        let code = quote(self.code.unwrap_or(openai_type(self.status)));
        let next = sequence_number.saturating_add(1);
        format!(
            r#"{{"type":"error","code":{code},"message":{message},"param":{param},"sequence_number":{next}}}"#
        )
    }

    fn anthropic(&self) -> String {
        let (message, of) = (quote(&self.message), anthropic_type(self.status));
        format!(r#"{{"type":"error","error":{{"type":"{of}","message":{message}}}}}"#)
    }

    fn gemini(&self) -> String {
        let (code, message) = (self.status, quote(&self.message));
        let status = google_status(self.status);
        format!(r#"{{"error":{{"code":{code},"message":{message},"status":"{status}"}}}}"#)
    }
}

fn or_null(text: Option<&str>) -> String {
    text.map_or_else(|| "null".to_owned(), quote)
}

fn openai_type(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    }
}

fn anthropic_type(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        504 => "timeout_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}

/// The names of `google.rpc.Code`.
fn google_status(status: u16) -> &'static str {
    match status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        501 => "UNIMPLEMENTED",
        502 | 503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        500.. => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    }
}
