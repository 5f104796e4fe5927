//! Asking for the usage of a stream in the client's name, and hiding what it did not ask for.
//!
//! OpenAI's chat and completions tell of a stream's usage only to those who ask. The request is edited
//! on the worker thread before it goes on, each event as it comes back.

use crate::place::Edits;
use crate::request::Request;
use crate::response::Response;

/// Asks for the usage of a stream: sets `stream_options.include_usage`, and leaves the other options as
/// they are. False if there is nothing to ask for: the dialect tells anyway, it is no stream, or the
/// client asks itself.
pub fn ask(request: &Request, body: &str, edits: &mut Edits) -> bool {
    if !request.dialect.asks_for_usage() || request.stream != Some(true) {
        return false;
    }
    const OPTIONS: &str = r#"{"include_usage":true}"#;
    match request.stream_options {
        None => edits.add_entry(body, request.body, "stream_options", OPTIONS),
        Some(options) if options.asks_for_usage => false,
        Some(options) => match options.include_usage {
            Some(place) => edits.replace(place, "true"),
            None if options.place.of(body).starts_with('{') => {
                edits.add_entry(body, options.place, "include_usage", "true")
            }
            None => edits.replace(options.place, OPTIONS),
        },
    }
}

/// What becomes of an event whose usage the client did not ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// There is nothing to hide.
    Nothing,
    /// The event goes on without its `usage`, as edited.
    Entry,
    /// The event came because we asked: it is left out.
    Event,
}

/// Hides the usage of an event from a client that did not ask for it: an event of nothing else is left
/// out; one that has choices, or no numbers in its usage, loses the entry alone.
pub fn hide(event: &Response, data: &str, edits: &mut Edits) -> Hidden {
    let Some((key, value)) = event.usage_entry else {
        return Hidden::Nothing;
    };
    let has_choices = event.choices.unwrap_or_default() > 0;
    if !has_choices && !event.is_error && value.of(data).starts_with('{') {
        return Hidden::Event;
    }
    edits.remove_entry(data, key, value);
    Hidden::Entry
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;

    fn asked(dialect: Dialect, body: &str) -> Option<String> {
        let request = Request::read(dialect, body).unwrap();
        let mut edits = Edits::new();
        ask(&request, body, &mut edits).then(|| edits.write(body))
    }

    #[test]
    fn what_else_a_client_wants_of_a_stream_stays() {
        let table = [
            (
                r#"{"stream": true, "n": 1.0}"#,
                Some(r#"{"stream": true, "n": 1.0,"stream_options":{"include_usage":true}}"#),
            ),
            (
                r#"{"stream":true,"stream_options":null}"#,
                Some(r#"{"stream":true,"stream_options":{"include_usage":true}}"#),
            ),
            (
                r#"{"stream":true,"stream_options":{ }}"#,
                Some(r#"{"stream":true,"stream_options":{"include_usage":true }}"#),
            ),
            (
                r#"{"stream_options": {"include_obfuscation": false}, "stream": true}"#,
                Some(
                    r#"{"stream_options": {"include_obfuscation": false,"include_usage":true}, "stream": true}"#,
                ),
            ),
            (
                r#"{"stream":true,"stream_options":{"include_usage":false,"x":1}}"#,
                Some(r#"{"stream":true,"stream_options":{"include_usage":true,"x":1}}"#),
            ),
            (
                r#"{"stream":true,"stream_options":{"include_usage":true}}"#,
                None,
            ),
            (r#"{"stream":false}"#, None),
            (r#"{"stream":null}"#, None),
            ("{}", None),
        ];
        for (body, expected) in table {
            assert_eq!(
                asked(Dialect::OpenaiChat, body).as_deref(),
                expected,
                "{body}"
            );
            assert_eq!(asked(Dialect::OpenaiCompletions, body).as_deref(), expected);
            assert_eq!(asked(Dialect::AnthropicMessages, body), None);
            assert_eq!(asked(Dialect::OpenaiResponses, body), None);
        }
    }

    #[test]
    fn only_the_added_usage_is_hidden() {
        let hidden = |data: &str| {
            let mut event = Response::default();
            event.read_event(Dialect::OpenaiChat, data).unwrap();
            let mut edits = Edits::new();
            let hidden = hide(&event, data, &mut edits);
            (hidden, edits.write(data))
        };
        let kept = |data: &str| (Hidden::Nothing, data.to_owned());
        let table = [
            (r#"{"choices":[],"usage":{"prompt_tokens":1}}"#, None),
            (r#"{"choices":[],"usage":{"prompt_tokens":0}}"#, None),
            (r#"{"usage":{"prompt_tokens":1}}"#, None),
            (
                r#"{"choices":[{"index":0}],"usage":{"prompt_tokens":1}}"#,
                Some(r#"{"choices":[{"index":0}]}"#),
            ),
            (
                r#"{"choices":[{"index":0}],"usage":null,"x":1}"#,
                Some(r#"{"choices":[{"index":0}],"x":1}"#),
            ),
            (
                r#"{"usage":null,"choices":[],"prompt_filter_results":[]}"#,
                Some(r#"{"choices":[],"prompt_filter_results":[]}"#),
            ),
        ];
        for (data, expected) in table {
            match expected {
                None => assert_eq!(hidden(data).0, Hidden::Event, "{data}"),
                Some(expected) => assert_eq!(hidden(data), (Hidden::Entry, expected.to_owned())),
            }
        }
        for data in [
            "[DONE]",
            r#"{"choices":[]}"#,
            r#"{"choices":[{"delta":{"content":"usage"}}]}"#,
        ] {
            assert_eq!(hidden(data), kept(data));
        }
    }
}
