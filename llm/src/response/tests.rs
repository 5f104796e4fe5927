//! What tables of answers do not show: a view that is filled again, and ends.

use super::*;

#[test]
fn a_view_that_is_filled_again_remembers_nothing() {
    let mut response = Response::default();
    let full = r#"{"id":"a","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"x",
        "tool_calls":[{"index":0,"function":{"arguments":"{}"}}]},"finish_reason":"stop"}],
        "usage":{"prompt_tokens":1},"error":{}}"#;
    response.read_event(Dialect::OpenaiChat, full).unwrap();
    assert!(response.has_output() && response.is_error);
    response.read_event(Dialect::OpenaiChat, "{}").unwrap();
    let empty = format!("{:?}", Response::default());
    assert_eq!(format!("{response:?}"), empty);
}

#[test]
fn ends_cover_the_texts_in_them() {
    let key = TextKey {
        kind: TextKind::Text,
        item: 2,
        part: 1,
    };
    let other = TextKey {
        kind: TextKind::Refusal,
        ..key
    };
    let covering = [End::All, End::Item(2), End::Part(2, 1), End::Text(key)];
    let others = [
        End::Item(1),
        End::Part(2, 0),
        End::Part(1, 1),
        End::Text(other),
    ];
    assert!(covering.into_iter().all(|end| end.covers(key)));
    assert!(!others.into_iter().any(|end| end.covers(key)));
}

#[test]
fn tokens_of_texts_are_taken_out_in_every_dialect() {
    let hidden = |dialect: Dialect, data: &str| {
        let (mut response, mut edits) = (Response::default(), Edits::new());
        response.read_event(dialect, data).unwrap();
        response.hide_logprobs(data, &mut edits);
        edits.write(data)
    };
    for (dialect, data, expected) in [
        (
            Dialect::OpenaiChat,
            r#"{"choices":[{"delta":{"content":"a"},"logprobs":{"content":[{"token":"a"}]}},{"logprobs":null}]}"#,
            r#"{"choices":[{"delta":{"content":"a"},"logprobs":null},{"logprobs":null}]}"#,
        ),
        (
            Dialect::OpenaiCompletions,
            r#"{"choices":[{"text":"a","logprobs":{"tokens":["a"]}}]}"#,
            r#"{"choices":[{"text":"a","logprobs":null}]}"#,
        ),
        (
            Dialect::OpenaiResponses,
            r#"{"type":"response.output_text.delta","delta":"a","logprobs":[{"token":"a"}]}"#,
            r#"{"type":"response.output_text.delta","delta":"a","logprobs":[]}"#,
        ),
        (
            Dialect::OpenaiResponses,
            r#"{"response":{"output":[{"content":[{"text":"a","logprobs":[{"token":"a"}]}]}]}}"#,
            r#"{"response":{"output":[{"content":[{"text":"a","logprobs":[]}]}]}}"#,
        ),
        (
            Dialect::Gemini,
            r#"{"candidates":[{"logprobsResult":{"chosenCandidates":[{"token":"a"}]}}]}"#,
            r#"{"candidates":[{"logprobsResult":null}]}"#,
        ),
    ] {
        assert_eq!(hidden(dialect, data), expected);
    }
}
