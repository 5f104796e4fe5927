//! A request is masked and its response restored in every dialect, streamed and not, and cut anywhere.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::sync::Arc;

use formats::events::{Decoder, Format, Frame};
use llm::apply::{Unmasked, Unseen, mask_request};
use llm::dialect::Dialect;
use llm::mask::{Action, Kind, Masker, Returns, Settings, Unmasking};
use llm::place::Edits;
use llm::request::Request;
use llm::response::{Response, Texts};
use llm::text::Role;

fn masker() -> Arc<Masker> {
    let settings = Settings {
        detectors: vec![(Kind::Email, Action::Mask), (Kind::Ssn, Action::Block)],
        ..Settings::default()
    };
    Arc::new(Masker::compile(&settings).unwrap())
}

/// The request as it goes on, and what its response needs.
fn masked(dialect: Dialect, body: &str, returns: Returns) -> (String, Unmasking) {
    let request = Request::read(dialect, body).unwrap();
    let (mut masking, mut edits) = (masker().open(), Edits::new());
    let roles = [Role::User, Role::Assistant, Role::Tool];
    mask_request(&request, body, &roles, &mut masking, &mut edits).unwrap();
    (edits.write(body), masking.into_response(returns))
}

fn restored(dialect: Dialect, chunks: &[&[u8]], unmasking: Unmasking) -> String {
    let mut decoder = Decoder::new(Format::Sse, 1 << 20);
    let (mut texts, mut response) = (Texts::new(dialect), Response::default());
    let mut unmasked = Unmasked::new(unmasking);
    let mut out = Vec::new();
    for mut chunk in chunks.iter().copied() {
        while let Some(frame) = decoder.next(&mut chunk) {
            let Frame::Event(event) = frame else {
                panic!("every event has its end")
            };
            let data = event.data().unwrap();
            let data = std::str::from_utf8(&data).unwrap();
            response.read_event(dialect, data).unwrap();
            let mut edits = Edits::new();
            texts
                .event(&response, data, &mut unmasked, &mut edits, &mut out)
                .unwrap();
            match edits.is_empty() {
                true => out.extend_from_slice(event.raw()),
                false => event.write_with_data(edits.write(data).as_bytes(), &mut out),
            }
        }
    }
    texts.finish(&mut unmasked, &mut out);
    String::from_utf8(out).unwrap()
}

/// The text of all pieces of a stream.
fn said(dialect: Dialect, stream: &str) -> String {
    let mut response = Response::default();
    let mut said = String::new();
    for line in stream.lines().filter_map(|it| it.strip_prefix("data: ")) {
        response.read_event(dialect, line).unwrap();
        for piece in &response.pieces {
            said.push_str(&piece.place.contents(line).unwrap());
        }
    }
    said
}

const CHAT: &str = r#"{"model" : "m", "messages": [
    {"role":"system","content":"of op@example.com"},
    {"role":"user","content":"I am \u004ao: jo@example.com \/ [EMAIL_1]", "n": 1.0},
    {"role":"assistant","content":null,"tool_calls":[{"function":{"name":"f","arguments":"{\"to\":\"an\\u006e@example.com\"}"}}]},
    {"role":"tool","content":[{"type":"text","text":"sent to jo@example.com"}]}]}"#;

#[test]
fn a_text_that_is_json_is_read_with_its_escapes_and_stays_json() {
    let of = |text: &str| {
        let (before, behind) = (r#"{"messages":[{"role":"tool","content":"#, "}]}");
        let body = format!("{before}{}{behind}", formats::json::quote(text));
        let (masked, _) = masked(Dialect::OpenaiChat, &body, Returns::Restore);
        let inside = masked.strip_prefix(before).unwrap();
        let content: String = serde_json::from_str(inside.strip_suffix(behind).unwrap()).unwrap();
        content
    };
    for (text, expected) in [
        (r#"{"a":"to\njo@example.com"}"#, r#"{"a":"to\n[EMAIL_1]"}"#),
        (r#"{"a":"\u006do@example.com"}"#, r#"{"a":"[EMAIL_1]"}"#),
        (
            r#"["jo\u0040example.com \u00fc"]"#,
            r#"["[EMAIL_1] \u00fc"]"#,
        ),
        // No JSON: nothing but what stands there is meant.
        (r#"{\u006do@example.com"#, r#"{\[EMAIL_1]"#),
    ] {
        assert_eq!(of(text), expected, "{text}");
    }
}

#[test]
fn of_a_request_only_values_change() {
    let (body, _) = masked(Dialect::OpenaiChat, CHAT, Returns::Restore);
    let expected = CHAT
        .replace("jo@example.com", "[EMAIL_2]")
        .replace(r"an\\u006e@example.com", "[EMAIL_3]");
    assert_eq!(body, expected);
}

#[test]
fn values_that_must_not_go_on_are_told_by_their_kind() {
    let body =
        r#"{"contents":[{"parts":[{"functionResponse":{"response":{"n":"219-09-9999"}}}]}]}"#;
    let request = Request::read(Dialect::Gemini, body).unwrap();
    let (mut masking, mut edits) = (masker().open(), Edits::new());
    mask_request(&request, body, &[Role::Tool], &mut masking, &mut edits).unwrap();
    assert_eq!(masking.blocked(), Some("SSN"));
    assert!(edits.is_empty());
}

#[test]
fn what_is_too_deep_is_not_masked_by_half() {
    let body = format!(r#"{{"prompt":{}"x"{}}}"#, "[".repeat(300), "]".repeat(300));
    let request = Request::read(Dialect::OpenaiCompletions, &body).unwrap();
    let unseen = mask_request(
        &request,
        &body,
        &Role::ALL,
        &mut masker().open(),
        &mut Edits::new(),
    );
    assert_eq!(unseen, Err(Unseen::TooDeep));
}

#[test]
fn what_was_edited_before_is_not_left_unmasked() {
    let (request, mut edits) = (
        Request::read(Dialect::OpenaiChat, CHAT).unwrap(),
        Edits::new(),
    );
    let text = request
        .texts
        .iter()
        .find(|it| it.role == Role::User)
        .unwrap();
    edits.replace(text.place, "\"\"");
    let unseen = mask_request(&request, CHAT, &Role::ALL, &mut masker().open(), &mut edits);
    assert_eq!(unseen, Err(Unseen::EditedTwice));
}

#[test]
fn streams_of_every_dialect_are_restored_wherever_they_are_cut() {
    let events: [(Dialect, &[&str], &str); 4] = [
        (
            Dialect::OpenaiChat,
            &[
                r#"{"choices":[{"index":0,"delta":{"content":"To [EM"}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"content":"AIL_2] and ["}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"to\":\"[EMAIL_"}}]}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"3]\"}"}}]}}]}"#,
                r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
            ],
            r#"To jo@example.com and {"to":"ann@example.com"}["#,
        ),
        (
            Dialect::AnthropicMessages,
            &[
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a [EMAIL"}}"#,
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"_2]"}}"#,
                r#"{"type":"content_block_stop","index":0}"#,
            ],
            "a jo@example.com",
        ),
        (
            Dialect::OpenaiResponses,
            &[
                r#"{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"[EMAIL_2"}"#,
                r#"{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"] [EMAIL_1]"}"#,
                r#"{"type":"response.output_text.done","output_index":0,"content_index":0,"text":"[EMAIL_2] [EMAIL_1]"}"#,
            ],
            "jo@example.com [EMAIL_1]jo@example.com [EMAIL_1]",
        ),
        (
            Dialect::Gemini,
            &[
                r#"{"candidates":[{"content":{"parts":[{"text":"x [EMAIL_"}]}}]}"#,
                r#"{"candidates":[{"content":{"parts":[{"text":"2]"},{"functionCall":{"args":{"to":"[EMAIL_3]"}}}]},"finishReason":"STOP"}]}"#,
            ],
            "x jo@example.comann@example.com",
        ),
    ];
    for (dialect, events, expected) in events {
        let stream: String = events.iter().map(|it| format!("data: {it}\n\n")).collect();
        let unmasking = || masked(Dialect::OpenaiChat, CHAT, Returns::Restore).1;
        let whole = restored(dialect, &[stream.as_bytes()], unmasking());
        assert_eq!(said(dialect, &whole), expected);
        for cut in 0..stream.len() {
            let (front, back) = stream.as_bytes().split_at(cut);
            assert_eq!(restored(dialect, &[front, back], unmasking()), whole);
        }
    }
}

#[test]
fn bodies_are_restored_and_their_own_values_masked() {
    let body = r#"{"choices":[{"index":0,"message":{"content":"\u0061 [EMAIL_2] \/ own@example.com","tool_calls":[{"function":{"arguments":"{\"to\":\"[EMAIL_3]\"}"}}]}}]}"#;
    let (_, unmasking) = masked(Dialect::OpenaiChat, CHAT, Returns::Both);
    let mut response = Response::default();
    response.read_body(Dialect::OpenaiChat, body).unwrap();
    let (mut edits, mut before) = (Edits::new(), Vec::new());
    let mut unmasked = Unmasked::new(unmasking);
    let mut texts = Texts::new(Dialect::OpenaiChat);
    texts
        .event(&response, body, &mut unmasked, &mut edits, &mut before)
        .unwrap();
    let expected = body
        .replace("own@example.com", "[EMAIL_4]")
        .replace("[EMAIL_2]", "jo@example.com")
        .replace("[EMAIL_3]", "ann@example.com");
    assert_eq!(edits.write(body), expected);
    assert_eq!(unmasked.unmasking().found(), 1);
    assert!(before.is_empty());
}
