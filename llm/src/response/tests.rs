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
