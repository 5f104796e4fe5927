//! The variables that templates read, in both spellings, as the reference lists them.
//!
//! Read by the reference's test; a unit test keeps the list complete.

/// A variable of templates.
#[derive(Debug)]
pub struct Variable {
    /// The recommended spelling, which nothing in a message can shadow.
    pub name: &'static str,
    /// The spelling that kgateway's templates use.
    pub classic: &'static str,
    /// One line of documentation.
    pub summary: &'static str,
    /// Whether the example belongs under `response`.
    pub of_response: bool,
    /// A template and what it renders to.
    pub example: (&'static str, &'static str),
}

const fn request(
    name: &'static str,
    classic: &'static str,
    summary: &'static str,
    template: &'static str,
    result: &'static str,
) -> Variable {
    Variable {
        name,
        classic,
        summary,
        of_response: false,
        example: (template, result),
    }
}

const fn response(
    name: &'static str,
    classic: &'static str,
    summary: &'static str,
    template: &'static str,
    result: &'static str,
) -> Variable {
    Variable {
        name,
        classic,
        summary,
        of_response: true,
        example: (template, result),
    }
}

/// Every variable.
#[rustfmt::skip]
pub const VARIABLES: &[Variable] = &[
    request("request.method", "request_header(\":method\")", "The request method.", "{{ request.method }}", "POST"),
    request("request.path", "request_header(\":path\")", "The path with its query, as the client sent it.", "{{ request.path }}", "/v1/chat?user=ann+lee&page=2"),
    request("request.url_path", "", "The path without its query.", "{{ request.url_path }}", "/v1/chat"),
    request("request.query", "", "The query without its question mark.", "{{ request.query }}", "user=ann+lee&page=2"),
    request("request.host", "request_header(\":authority\")", "The host that was asked for.", "{{ request.host }}", "api.example.com"),
    request("request.scheme", "request_header(\":scheme\")", "The scheme.", "{{ request.scheme }}", "https"),
    request("request.headers", "request_header(\"x-tenant\")", "The request headers by name; in responses, as the client sent them.", "{{ request.headers[\"x-tenant\"] }}", "acme"),
    request("request.body", "body()", "The request body as text; under request only.", "{{ request.body|length }}", "118"),
    request("request.json", "context()", "The parsed request body (parseAs AsJson); under request only. Its fields are also variables by their bare names.", "{{ request.json.model }} is {{ model }}", "gpt-4o is gpt-4o"),
    response("response.status", "header(\":status\")", "The response status.", "{{ response.status }}", "200"),
    response("response.headers", "header(\"content-type\")", "The response headers by name.", "{{ response.headers[\"content-type\"] }}", "application/json"),
    response("response.body", "body()", "The response body as text.", "{{ response.body|length }}", "40"),
    response("response.json", "context()", "The parsed response body (parseAs AsJson), as request.json.", "{{ response.json.usage.total_tokens }}", "12"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::direction::Direction;
    use crate::message::Field;

    #[test]
    fn every_field_of_a_message_is_listed() {
        for direction in [Direction::Request, Direction::Response] {
            for (field, _) in Field::all(direction) {
                let name = format!("{}.{field}", direction.name());
                assert!(
                    VARIABLES.iter().any(|variable| variable.name == name),
                    "{name}"
                );
            }
        }
    }
}
