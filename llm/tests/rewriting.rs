//! Texts of streams and bodies are rewritten without a change of anything else, however they are cut.
//!
//! What stands for a mask here writes texts in capitals and keeps back the last two characters of each,
//! so that every text has something that waits.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::collections::HashMap;
use std::ops::Range;

use formats::events::{Decoder, Format, Frame};
use llm::dialect::Dialect;
use llm::place::Edits;
use llm::response::{Response, Rewrite, RewriteError, TextKey, Texts};

#[derive(Default)]
struct Louder(HashMap<TextKey, String>);

impl Rewrite for Louder {
    fn delta(&mut self, key: TextKey, delta: &str, out: &mut String) {
        let waiting = self.0.entry(key).or_default();
        waiting.push_str(&delta.to_uppercase());
        let keep = waiting.char_indices().rev().nth(1).map_or(0, |(at, _)| at);
        out.extend(waiting.drain(..keep));
    }

    fn end(&mut self, key: TextKey, out: &mut String) {
        out.push_str(&self.0.remove(&key).unwrap_or_default());
    }

    fn whole(&mut self, _: TextKey, text: &str, change: &mut dyn FnMut(Range<usize>, &str)) {
        for (at, it) in text.char_indices().filter(|(_, it)| it.is_lowercase()) {
            change(at..at + it.len_utf8(), &it.to_uppercase().to_string());
        }
    }
}

/// Leaves every text as it is.
struct Same;

impl Rewrite for Same {
    fn delta(&mut self, _: TextKey, delta: &str, out: &mut String) {
        out.push_str(delta);
    }

    fn end(&mut self, _: TextKey, _: &mut String) {}

    fn whole(&mut self, _: TextKey, _: &str, _: &mut dyn FnMut(Range<usize>, &str)) {}
}

fn rewritten(dialect: Dialect, chunks: &[&[u8]], rewrite: &mut dyn Rewrite) -> String {
    let mut decoder = Decoder::new(Format::Sse, 1 << 20);
    let (mut texts, mut response) = (Texts::new(dialect), Response::default());
    let mut out = Vec::new();
    let mut on = |frame: Frame<'_>, rewrite: &mut dyn Rewrite| {
        let (Frame::Event(event) | Frame::Tail(event)) = frame else {
            panic!("no event is as long as that");
        };
        let data = event.data().unwrap();
        let data = std::str::from_utf8(&data).unwrap();
        response.read_event(dialect, data).unwrap();
        let mut edits = Edits::new();
        let done = texts.event(&response, data, rewrite, &mut edits, &mut out);
        done.unwrap();
        match edits.is_empty() {
            true => out.extend_from_slice(event.raw()),
            false => event.write_with_data(edits.write(data).as_bytes(), &mut out),
        }
    };
    for mut chunk in chunks.iter().copied() {
        while let Some(frame) = decoder.next(&mut chunk) {
            on(frame, rewrite);
        }
    }
    if let Some(frame) = decoder.finish() {
        on(frame, rewrite);
    }
    texts.finish(rewrite, &mut out);
    String::from_utf8(out).unwrap()
}

fn check(dialect: Dialect, events: &[(&str, &str)], expected: &[(&str, &str)]) {
    let stream = |events: &[(&str, &str)]| {
        let event = |(name, data): &(&str, &str)| match name.is_empty() {
            true => format!("data: {data}\n\n"),
            false => format!("event: {name}\ndata: {data}\n\n"),
        };
        events.iter().map(event).collect::<String>()
    };
    let (before, after) = (stream(events), stream(expected));
    let bytes = before.as_bytes();
    assert_eq!(rewritten(dialect, &[bytes], &mut Same), before);
    assert_eq!(rewritten(dialect, &[bytes], &mut Louder::default()), after);
    for cut in 0..bytes.len() {
        let (front, back) = bytes.split_at(cut);
        let cut = rewritten(dialect, &[front, back], &mut Louder::default());
        assert_eq!(cut, after);
    }
}

#[test]
fn chat() {
    check(
        Dialect::OpenaiChat,
        &[
            ("", r#"{"id":"","created":0,"model":"","choices":[]}"#),
            (
                "",
                r#"{"id":"c","created":7,"model":"m", "choices":[{"index":0,"delta":{"role":"assistant","content":"abc"}},{"index":1,"delta":{"refusal":"no"}}]}"#,
            ),
            (
                "",
                r#"{"id":"c","created":7,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":3,"id":"t","function":{"name":"f","arguments":"{\"x"}}]}}]}"#,
            ),
            (
                "",
                r#"{"id":"c","created":7,"model":"m","choices":[{"index":0,"delta":{"content":"d\u00fc"},"finish_reason":"stop"}]}"#,
            ),
            (
                "",
                r#"{"id":"c","created":7,"model":"m","choices":[],"usage":{"prompt_tokens":1}}"#,
            ),
            ("", "[DONE]"),
        ],
        &[
            ("", r#"{"id":"","created":0,"model":"","choices":[]}"#),
            (
                "",
                r#"{"id":"c","created":7,"model":"m", "choices":[{"index":0,"delta":{"role":"assistant","content":"A"}},{"index":1,"delta":{"refusal":""}}]}"#,
            ),
            (
                "",
                r#"{"id":"c","created":7,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":3,"id":"t","function":{"name":"f","arguments":"{"}}]}}]}"#,
            ),
            (
                "",
                r#"{"id":"c","object":"chat.completion.chunk","created":7,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":3,"function":{"arguments":"\"X"}}]},"finish_reason":null}]}"#,
            ),
            (
                "",
                r#"{"id":"c","created":7,"model":"m","choices":[{"index":0,"delta":{"content":"BCDÜ"},"finish_reason":"stop"}]}"#,
            ),
            (
                "",
                r#"{"id":"c","created":7,"model":"m","choices":[],"usage":{"prompt_tokens":1}}"#,
            ),
            (
                "",
                r#"{"id":"c","object":"chat.completion.chunk","created":7,"model":"m","choices":[{"index":1,"delta":{"refusal":"NO"},"finish_reason":null}]}"#,
            ),
            ("", "[DONE]"),
        ],
    );
}

#[test]
fn completions_that_just_stop() {
    check(
        Dialect::OpenaiCompletions,
        &[(
            "",
            r#"{"id":"c","model":"m","choices":[{"text":"abc","index":0}]}"#,
        )],
        &[
            (
                "",
                r#"{"id":"c","model":"m","choices":[{"text":"A","index":0}]}"#,
            ),
            (
                "",
                r#"{"id":"c","object":"text_completion","model":"m","choices":[{"text":"BC","index":0,"logprobs":null,"finish_reason":null}]}"#,
            ),
        ],
    );
}

#[test]
fn anthropic() {
    check(
        Dialect::AnthropicMessages,
        &[
            (
                "content_block_start",
                r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"abc"}}"#,
            ),
            ("ping", r#"{"type": "ping"}"#),
            (
                "content_block_stop",
                r#"{"type":"content_block_stop","index":1}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"a\":1}"}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":3,"delta":{"type":"thinking_delta","thinking":"hm"}}"#,
            ),
            (
                "message_delta",
                r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}"#,
            ),
            ("message_stop", r#"{"type":"message_stop"}"#),
        ],
        &[
            (
                "content_block_start",
                r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"A"}}"#,
            ),
            ("ping", r#"{"type": "ping"}"#),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"BC"}}"#,
            ),
            (
                "content_block_stop",
                r#"{"type":"content_block_stop","index":1}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"A\":"}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":3,"delta":{"type":"thinking_delta","thinking":""}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"1}"}}"#,
            ),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":3,"delta":{"type":"thinking_delta","thinking":"HM"}}"#,
            ),
            (
                "message_delta",
                r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}"#,
            ),
            ("message_stop", r#"{"type":"message_stop"}"#),
        ],
    );
}

#[test]
fn responses() {
    check(
        Dialect::OpenaiResponses,
        &[
            (
                "response.reasoning_summary_text.delta",
                r#"{"type":"response.reasoning_summary_text.delta","sequence_number":3,"item_id":"rs","output_index":0,"summary_index":1,"delta":"so"}"#,
            ),
            (
                "response.output_item.done",
                r#"{"type":"response.output_item.done","sequence_number":4,"output_index":0,"item":{"type":"reasoning","summary":[{"type":"summary_text","text":"so"}]}}"#,
            ),
            (
                "response.output_text.delta",
                r#"{"type":"response.output_text.delta","sequence_number":5,"item_id":"msg","output_index":1,"content_index":0,"delta":"abc"}"#,
            ),
            (
                "response.output_text.done",
                r#"{"type":"response.output_text.done","sequence_number":6,"item_id":"msg","output_index":1,"content_index":0,"text":"abc"}"#,
            ),
            (
                "response.function_call_arguments.delta",
                r#"{"type":"response.function_call_arguments.delta","item_id":"fc","output_index":2,"delta":"{}"}"#,
            ),
            (
                "response.completed",
                r#"{"type":"response.completed","sequence_number":9,"response":{"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"\u0061 bc"}]}]}}"#,
            ),
        ],
        &[
            (
                "response.reasoning_summary_text.delta",
                r#"{"type":"response.reasoning_summary_text.delta","sequence_number":3,"item_id":"rs","output_index":0,"summary_index":1,"delta":""}"#,
            ),
            (
                "response.reasoning_summary_text.delta",
                r#"{"type":"response.reasoning_summary_text.delta","sequence_number":4,"item_id":"rs","output_index":0,"summary_index":1,"delta":"SO"}"#,
            ),
            (
                "response.output_item.done",
                r#"{"type":"response.output_item.done","sequence_number":4,"output_index":0,"item":{"type":"reasoning","summary":[{"type":"summary_text","text":"SO"}]}}"#,
            ),
            (
                "response.output_text.delta",
                r#"{"type":"response.output_text.delta","sequence_number":5,"item_id":"msg","output_index":1,"content_index":0,"delta":"A"}"#,
            ),
            (
                "response.output_text.delta",
                r#"{"type":"response.output_text.delta","sequence_number":6,"item_id":"msg","output_index":1,"content_index":0,"delta":"BC"}"#,
            ),
            (
                "response.output_text.done",
                r#"{"type":"response.output_text.done","sequence_number":6,"item_id":"msg","output_index":1,"content_index":0,"text":"ABC"}"#,
            ),
            (
                "response.function_call_arguments.delta",
                r#"{"type":"response.function_call_arguments.delta","item_id":"fc","output_index":2,"delta":""}"#,
            ),
            (
                "response.function_call_arguments.delta",
                r#"{"type":"response.function_call_arguments.delta","sequence_number":9,"item_id":"fc","output_index":2,"delta":"{}"}"#,
            ),
            (
                "response.completed",
                r#"{"type":"response.completed","sequence_number":9,"response":{"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"A BC"}]}]}}"#,
            ),
        ],
    );
}

#[test]
fn gemini() {
    check(
        Dialect::Gemini,
        &[
            (
                "",
                r#"{"candidates":[{"content":{"parts":[{"text":"hm","thought":true},{"text":"ab"},{"text":"cd"}]}}],"modelVersion":"g"}"#,
            ),
            (
                "",
                r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a":"x\/y"}}}]},"finishReason":"STOP"}]}"#,
            ),
        ],
        &[
            (
                "",
                r#"{"candidates":[{"content":{"parts":[{"text":"","thought":true},{"text":""},{"text":"AB"}]}}],"modelVersion":"g"}"#,
            ),
            (
                "",
                r#"{"candidates":[{"content":{"parts":[{"text":"HM","thought":true}],"role":"model"},"index":0}],"modelVersion":"g"}"#,
            ),
            (
                "",
                r#"{"candidates":[{"content":{"parts":[{"text":"CD"}],"role":"model"},"index":0}],"modelVersion":"g"}"#,
            ),
            (
                "",
                r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a":"X\/Y"}}}]},"finishReason":"STOP"}]}"#,
            ),
        ],
    );
}

#[test]
fn bodies_are_rewritten_in_place() {
    let body =
        r#"{"choices":[{"index":0,"text":"ab"},{"index":1,"message":{"content":"c\/\u00e4d"}}]}"#;
    let (mut response, mut edits, mut before) = (Response::default(), Edits::new(), Vec::new());
    response
        .read_body(Dialect::OpenaiCompletions, body)
        .unwrap();
    let mut texts = Texts::new(Dialect::OpenaiCompletions);
    let mut louder = Louder::default();
    texts
        .event(&response, body, &mut louder, &mut edits, &mut before)
        .unwrap();
    texts.finish(&mut louder, &mut before);
    assert!(before.is_empty());
    let expected =
        r#"{"choices":[{"index":0,"text":"AB"},{"index":1,"message":{"content":"C\/ÄD"}}]}"#;
    assert_eq!(edits.write(body), expected);
}

#[test]
fn what_was_edited_before_is_not_left_as_it_is() {
    let bodies = [
        r#"{"choices":[{"index":0,"delta":{"content":"abc"}}]}"#,
        r#"{"choices":[{"index":0,"message":{"content":"abc"}}]}"#,
    ];
    for data in bodies {
        let (mut response, mut edits) = (Response::default(), Edits::new());
        response.read_event(Dialect::OpenaiChat, data).unwrap();
        edits.replace(response.pieces[0].place, "0");
        let mut texts = Texts::new(Dialect::OpenaiChat);
        let error = texts.event(
            &response,
            data,
            &mut Louder::default(),
            &mut edits,
            &mut Vec::new(),
        );
        assert_eq!(error, Err(RewriteError::EditedTwice));
    }
}

#[test]
fn no_more_than_so_many_texts_are_open() {
    let event = |count: usize| {
        let choices: Vec<_> = (0..count)
            .map(|it| format!(r#"{{"index":{it},"delta":{{"content":"a"}}}}"#))
            .collect();
        format!(r#"{{"choices":[{}]}}"#, choices.join(","))
    };
    let opened = |count: usize| {
        let data = event(count);
        let mut response = Response::default();
        response.read_event(Dialect::OpenaiChat, &data).unwrap();
        let mut texts = Texts::new(Dialect::OpenaiChat);
        texts.event(
            &response,
            &data,
            &mut Same,
            &mut Edits::new(),
            &mut Vec::new(),
        )
    };
    assert!(opened(llm::response::MAX_TEXTS).is_ok());
    let error = opened(llm::response::MAX_TEXTS + 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "more than 64 texts are open in one response"
    );
}
