//! What went wrong at a provider, told in the client's shape.
//!
//! Read from the body of an answer whose status says that it failed, from an event in the middle of
//! a stream, or from the end of a stream that came too early. Bodies may be of any shape, or no
//! JSON at all. On the worker thread of the exchange.

use formats::events::Format;

use super::json::{Json, Value};
use crate::dialect::Dialect;
use crate::refusal::Refusal;

/// Longer messages are cut.
const LONGEST_MESSAGE: usize = 4096;

/// A failure of a provider's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The HTTP status, which stays as it was; in a stream, the one that it would have had.
    pub status: u16,
    /// The type, in the words that Anthropic and OpenAI share; none where the status has to tell.
    kind: Option<String>,
    message: String,
    code: Option<String>,
    param: Option<String>,
}

impl Failure {
    /// Reads the body of an answer. `error_type` is the header in which Amazon names the error.
    pub fn read(status: u16, error_type: Option<&str>, body: &[u8]) -> Failure {
        let value = Value::parse_bytes(body);
        let mut failure = match value {
            Some(value) => Failure::of(status, value),
            None => Failure::new(status, plain(body).map(str::to_owned)),
        };
        // `ThrottlingException:http://…`, and with a namespace before it.
        let name = error_type.map(|it| it.split(':').next().unwrap_or_default());
        let kind = name.and_then(|it| known(it.rsplit('#').next().unwrap_or_default()));
        if let (Some(kind), None) = (kind, &failure.kind) {
            failure.kind = Some(kind.to_owned());
        }
        failure
    }

    /// Reads an event of a stream that says what went wrong.
    pub(super) fn of_event(event: Value<'_>) -> Failure {
        let mut failure = Failure::of(502, event);
        failure.status = status_of(failure.kind.as_deref());
        failure
    }

    /// An exception in Amazon's framing.
    pub(super) fn exception(name: &str, payload: &[u8]) -> Failure {
        let mut failure = Failure::read(502, Some(name), payload);
        failure.status = status_of(failure.kind.as_deref());
        failure
    }

    /// The stream ended before the answer did.
    pub(super) fn early() -> Failure {
        Failure::new(502, Some("The provider's answer ended early.".to_owned()))
            .with_code("incomplete_answer")
    }

    /// The answer is none that the provider should give.
    pub(super) fn unreadable() -> Failure {
        let message = "The provider's answer cannot be read.";
        Failure::new(502, Some(message.to_owned())).with_code("unreadable_answer")
    }

    fn new(status: u16, message: Option<String>) -> Failure {
        let message = message.unwrap_or_else(|| format!("The provider answered {status}."));
        Failure {
            status,
            kind: None,
            message,
            code: None,
            param: None,
        }
    }

    fn with_code(mut self, code: &str) -> Failure {
        self.code = Some(code.to_owned());
        self
    }

    fn of(status: u16, body: Value<'_>) -> Failure {
        // A shim of Google's puts its error into a list.
        let body = match body.items().first() {
            Some(first) => *first,
            None => body,
        };
        let text = |value: Option<Value<'_>>| {
            let text = value.and_then(Value::string)?;
            Some(cut(&text).to_owned()).filter(|it| !it.trim().is_empty())
        };
        let [error, message, upper, detail, name] =
            body.members(["error", "message", "Message", "detail", "__type"]);
        let Some(error) = error.filter(|it| it.is_object()) else {
            let told = [message, upper, detail, error].into_iter().find_map(text);
            let mut failure = Failure::new(status, told);
            let name = text(name);
            let name = name.as_deref().and_then(|it| it.rsplit('#').next());
            failure.kind = name.and_then(known).map(str::to_owned);
            return failure;
        };
        let [message, of, code, param, google] =
            error.members(["message", "type", "code", "param", "status"]);
        let mut failure = Failure::new(status, text(message));
        let google = text(google);
        let named = google.as_deref().and_then(known).map(str::to_owned);
        failure.kind = named.or(text(of));
        // Google's is the status once more.
        failure.code = text(code);
        failure.param = text(param);
        failure
    }

    /// The body of the answer to a client of this dialect.
    pub fn body(&self, client: Dialect) -> String {
        match client {
            Dialect::AnthropicMessages => {
                let kind = self.kind.as_deref().filter(|it| ANTHROPIC.contains(it));
                let Some(kind) = kind else {
                    return Refusal::new(self.status, &*self.message).body(Some(client));
                };
                let mut json = Json::default();
                json.open_object();
                json.member_string("type", "error");
                json.key("error");
                json.open_object();
                json.member_string("type", kind);
                json.member_string("message", &self.message);
                json.close_object();
                json.close_object();
                json.into_text()
            }
            Dialect::Gemini => Refusal::new(self.status, &*self.message).body(Some(client)),
            _ => self.openai(),
        }
    }

    /// The event that ends a stream to a client of this dialect. Nothing follows it, no `[DONE]`
    /// either.
    pub fn event(&self, client: Dialect) -> Vec<u8> {
        let mut event = Vec::new();
        let name = (client == Dialect::AnthropicMessages).then_some("error");
        Format::Sse.write(name, self.body(client).as_bytes(), &mut event);
        event
    }

    fn openai(&self) -> String {
        let kind = self.kind.as_deref().unwrap_or(match self.status {
            401 => "authentication_error",
            403 => "permission_error",
            404 => "not_found_error",
            429 => "rate_limit_error",
            500.. => "server_error",
            _ => "invalid_request_error",
        });
        let mut json = Json::default();
        json.open_object();
        json.key("error");
        json.open_object();
        json.member_string("message", &self.message);
        json.member_string("type", kind);
        for (key, value) in [("param", &self.param), ("code", &self.code)] {
            match value {
                Some(value) => json.member_string(key, value),
                None => json.member(key, "null"),
            }
        }
        json.close_object();
        json.close_object();
        json.into_text()
    }
}

/// Whether a body is an error as clients of this dialect know them.
pub(super) fn is_of(client: Dialect, body: &str) -> bool {
    let Some(body) = Value::parse(body) else {
        return false;
    };
    let [of, error] = body.members(["type", "error"]);
    let is_named = client != Dialect::AnthropicMessages || of.is_some_and(|it| it.is("error"));
    is_named && error.is_some_and(Value::is_object)
}

/// The types that clients of Anthropic's know.
const ANTHROPIC: [&str; 9] = [
    "invalid_request_error",
    "authentication_error",
    "billing_error",
    "permission_error",
    "not_found_error",
    "request_too_large",
    "rate_limit_error",
    "api_error",
    "overloaded_error",
];

/// The type that a name of Google's or Amazon's stands for.
fn known(name: &str) -> Option<&'static str> {
    Some(match name {
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => "invalid_request_error",
        "UNAUTHENTICATED" | "PERMISSION_DENIED" => "authentication_error",
        "NOT_FOUND" => "not_found_error",
        "RESOURCE_EXHAUSTED" => "rate_limit_error",
        "UNAVAILABLE" => "overloaded_error",
        "ABORTED" | "CANCELLED" | "DATA_LOSS" | "DEADLINE_EXCEEDED" | "INTERNAL"
        | "UNIMPLEMENTED" | "UNKNOWN" => "api_error",
        _ => {
            // Events spell them with a small letter.
            let is = |known: &str| known.eq_ignore_ascii_case(name);
            let table = [
                ("ValidationException", "invalid_request_error"),
                ("AccessDeniedException", "permission_error"),
                ("UnrecognizedClientException", "authentication_error"),
                ("ExpiredTokenException", "authentication_error"),
                ("ResourceNotFoundException", "not_found_error"),
                ("ThrottlingException", "rate_limit_error"),
                ("ServiceQuotaExceededException", "rate_limit_error"),
                ("ServiceUnavailableException", "overloaded_error"),
                ("ModelNotReadyException", "overloaded_error"),
                ("InternalServerException", "api_error"),
                ("ModelErrorException", "api_error"),
                ("ModelStreamErrorException", "api_error"),
                ("ModelTimeoutException", "api_error"),
            ];
            return (table.into_iter())
                .find(|(known, _)| is(known))
                .map(|(_, kind)| kind);
        }
    })
}

/// The status that an error of a type has.
fn status_of(kind: Option<&str>) -> u16 {
    match kind {
        Some("invalid_request_error") => 400,
        Some("authentication_error") => 401,
        Some("permission_error") => 403,
        Some("not_found_error") => 404,
        Some("rate_limit_error") => 429,
        Some("overloaded_error") => 529,
        _ => 502,
    }
}

/// A body that is text for people; pages are none.
fn plain(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?.trim();
    let is_plain = !text.is_empty() && text.len() <= 512 && !text.starts_with(['<', '{', '[']);
    is_plain.then_some(text)
}

fn cut(text: &str) -> &str {
    let end = text.len().min(LONGEST_MESSAGE);
    let end = (0..=end).rev().find(|at| text.is_char_boundary(*at));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}
