//! LLM traffic through an exchange: whatever comes in whatever pieces, and however it ends, the same
//! facts are published, and the same bytes arrive.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use transformations::testing::{MemoryHost, Message, MetadataValue};
use transformations::{CompileOptions, Direction, Exchange, Next, Program};

const METERED: &str = r#"{"ai": {"cost": {"prices": {"gpt-4o*": {"input": "2.50", "cachedInput": "1.25", "output": "10.00"}}}}}"#;

const CHAT: &str =
    r#"{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"Hello there"}]}"#;

const STREAM: &str = concat!(
    "data: {\"model\":\"gpt-4o-1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Grüße\"}}],\"usage\":null}\r\n\r\n",
    ": still here\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}],\"usage\":null}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\n",
    "data: [DONE]\n\n",
);

/// The same as a client sees it who did not ask for usage.
const HIDDEN: &str = concat!(
    "data: {\"model\":\"gpt-4o-1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Grüße\"}}]}\r\n\r\n",
    ": still here\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}]}\n\n",
    "data: [DONE]\n\n",
);

fn opened(config: &str) -> Exchange {
    Arc::new(Program::compile(config.as_bytes(), &CompileOptions::default()).unwrap()).open()
}

fn request(path: &str, body: &str) -> Message {
    let headers = [
        (":method", "POST"),
        (":path", path),
        ("content-type", "application/json"),
    ];
    Message::new(&headers, body)
}

fn events(pieces: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Message {
    let headers = [(":status", "200"), ("content-type", "text/event-stream")];
    let mut response = Message::new(&headers, "");
    response.body = pieces.into_iter().map(Into::into).collect();
    response
}

/// Sends both messages; the exchange is over then.
fn sent(request: Message, response: Message) -> MemoryHost {
    let mut exchange = opened(METERED);
    let mut host = MemoryHost {
        request,
        response,
        ..MemoryHost::default()
    };
    host.send(&mut exchange, Direction::Request).unwrap();
    host.send(&mut exchange, Direction::Response).unwrap();
    assert_eq!(exchange.on_complete(&mut host), None);
    host
}

fn facts(host: &MemoryHost) -> BTreeMap<&str, String> {
    let text = |value: &MetadataValue| match value {
        MetadataValue::String(text) => text.clone(),
        MetadataValue::Number(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let ours = host
        .metadata
        .iter()
        .filter(|it| it.0 == "rustformations.ai");
    ours.map(|(_, key, value)| (&**key, text(value))).collect()
}

fn some(facts: &BTreeMap<&str, String>, names: &[&str]) -> Vec<String> {
    let of = |name: &&str| facts.get(name).cloned().unwrap_or_default();
    names.iter().map(of).collect()
}

#[test]
fn chunks_change_neither_bytes_nor_facts() {
    let path = "/v1/chat/completions";
    let whole = sent(request(path, CHAT), events([STREAM]));
    assert_eq!(facts(&whole)["cost_usd"], "0.0000475");
    for size in 1..STREAM.len() {
        let pieces = STREAM.as_bytes().chunks(size).map(<[u8]>::to_vec);
        let host = sent(request(path, CHAT), events(pieces));
        let body = String::from_utf8(host.response.body_bytes()).unwrap();
        assert_eq!(body, HIDDEN, "in pieces of {size}");
        assert_eq!(facts(&host), facts(&whole), "in pieces of {size}");
    }
}

#[test]
fn streams_of_every_dialect_flow_through_untouched_and_are_metered() {
    // What a provider sent, by the path that was asked.
    let streams = [
        (
            "/v1/responses",
            r#"{"model":"gpt-4o","stream":true,"input":"Hi"}"#,
            concat!(
                "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"r\",\"model\":\"gpt-4o-1\"}}\n\n",
                "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":1,\"item_id\":\"m\",\"output_index\":0,\"content_index\":0,\"delta\":\"Hello\"}\n\n",
                "event: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":2,\"response\":{\"id\":\"r\",\"status\":\"completed\",\"usage\":{\"input_tokens\":5,\"output_tokens\":6}}}\n\n",
            ),
        ),
        (
            "/v1beta/models/gpt-4o:streamGenerateContent?alt=sse",
            r#"{"contents":[{"parts":[{"text":"Hi"}]}]}"#,
            concat!(
                "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hello\"}]}}],\"usageMetadata\":{\"promptTokenCount\":5,\"candidatesTokenCount\":1}}\n\n",
                "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"!\"}]},\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":5,\"candidatesTokenCount\":2,\"thoughtsTokenCount\":4}}\n\n",
            ),
        ),
        (
            "/v1/messages",
            r#"{"model":"gpt-4o","stream":true,"messages":[]}"#,
            concat!(
                "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":5,\"output_tokens\":1}}}\n\n",
                "event: ping\ndata: {\"type\":\"ping\"}\n\n",
                "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":6}}\n\n",
                "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
            ),
        ),
    ];
    for (path, body, stream) in streams {
        for size in [1, 2, 7, 64, stream.len()] {
            let pieces = stream.as_bytes().chunks(size).map(<[u8]>::to_vec);
            let host = sent(request(path, body), events(pieces));
            assert_eq!(host.request.body_bytes(), body.as_bytes(), "{path}");
            assert_eq!(
                host.response.body_bytes(),
                stream.as_bytes(),
                "{path} in {size}"
            );
            let told = some(
                &facts(&host),
                &[
                    "input_tokens",
                    "output_tokens",
                    "usage_status",
                    "cost_status",
                ],
            );
            assert_eq!(told, ["5", "6", "complete", "priced"], "{path} in {size}");
        }
    }
}

#[test]
fn a_client_that_leaves_is_accounted_for() {
    let anthropic = concat!(
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"gpt-4o-2\",\"usage\":{\"input_tokens\":50,\"output_tokens\":1}}}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hello you\"}}\n\n",
    );
    let mut exchange = opened(METERED);
    let mut host = MemoryHost {
        request: request("/v1/messages", CHAT),
        response: events([""; 0]),
        ..MemoryHost::default()
    };
    host.send(&mut exchange, Direction::Request).unwrap();
    let _ = exchange.on_response_headers(&mut host, false);
    host.response.body = vec![anthropic.into()];
    host.nanoseconds = 250_000_000;
    let _ = exchange.on_response_body(&mut host, false);
    host.seconds = 2;
    assert_eq!(exchange.on_complete(&mut host), None);
    let names = [
        "input_tokens",
        "output_tokens",
        "total_tokens",
        "usage_status",
        "cost_usd",
        "ttft_ms",
    ];
    let told = some(&facts(&host), &names);
    assert_eq!(told, ["50", "1", "51", "partial", "0.000135", "250"]);
}

#[test]
fn a_request_without_an_answer_is_guessed_and_one_that_never_went_up_is_not() {
    let mut host = MemoryHost {
        request: request("/v1/chat/completions", CHAT),
        ..MemoryHost::default()
    };
    let mut exchange = opened(METERED);
    host.send(&mut exchange, Direction::Request).unwrap();
    assert_eq!(exchange.on_complete(&mut host), None);
    let names = [
        "input_tokens",
        "output_tokens",
        "usage_status",
        "estimated_input_tokens",
    ];
    assert_eq!(some(&facts(&host), &names), ["3", "0", "estimated", "3"]);

    let mut host = MemoryHost {
        request: request("/v1/chat/completions", ""),
        ..MemoryHost::default()
    };
    let mut exchange = opened(METERED);
    let _ = exchange.on_request_headers(&mut host, false);
    assert_eq!(exchange.on_complete(&mut host), None);
    assert_eq!(facts(&host).len(), 0);
}

#[test]
fn tokens_of_a_second_are_those_from_the_first_text_to_the_end() {
    let mut exchange = opened(METERED);
    let mut host = MemoryHost {
        request: request("/v1/chat/completions", CHAT),
        response: events([""; 0]),
        ..MemoryHost::default()
    };
    host.send(&mut exchange, Direction::Request).unwrap();
    let _ = exchange.on_response_headers(&mut host, false);
    let (first, rest) = STREAM.split_at(STREAM.find(": still").unwrap());
    for (seconds, piece, ends) in [(1, first, false), (3, rest, true)] {
        host.seconds = seconds;
        host.response.body = vec![piece.into()];
        let _ = exchange.on_response_body(&mut host, ends);
    }
    assert_eq!(
        some(&facts(&host), &["ttft_ms", "tokens_per_second"]),
        ["1000", "1.5"]
    );
    // All was told when the response ended, and is not told again.
    let written = host.metadata.clone();
    assert_eq!(exchange.on_complete(&mut host), None);
    assert_eq!(host.metadata, written);
}

#[test]
fn what_is_too_large_is_told_in_the_words_of_the_dialect_and_its_answer_passes() {
    let config = r#"{"ai": {"bodyBytes": 9, "usage": {}}, "response": {"set": [{"name": "x-rule", "value": "1"}]}}"#;
    let mut exchange = opened(config);
    let mut host = MemoryHost {
        request: request("/v1/messages", ""),
        ..MemoryHost::default()
    };
    let _ = exchange.on_request_headers(&mut host, false);
    host.request.body = vec![b"{\"a\": \"0123\"}".to_vec()];
    let Next::Reply(reply) = exchange.on_request_body(&mut host, true).next else {
        panic!("it was not refused");
    };
    assert_eq!(
        (reply.status, &*reply.details),
        (413, "rustformation_ai_body")
    );
    assert_eq!(
        reply.headers,
        [("content-type".to_owned(), "application/json".to_owned())]
    );
    assert_eq!(
        reply.body,
        r#"{"type":"error","error":{"type":"request_too_large","message":"The request has more than 9 bytes."}}"#
    );
    host.response = Message::new(&[(":status", "413")], "");
    assert_eq!(
        exchange.on_response_headers(&mut host, true).next,
        Next::Pass
    );
    assert_eq!(host.response.values("x-rule"), [""; 0]);
}
