//! Responses that come compressed all the same: they are read, and arrive as they came, unless something of
//! them has to change.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::sync::Arc;

use transformations::testing::{MemoryHost, Message, MetadataValue};
use transformations::{CompileOptions, Direction, Program};

const USAGE: &str = r#"{"ai": {"usage": {"estimate": false}}}"#;
const TOLD: &str = r#"{"ai": {"usage": {}, "publish": {"headers": {"x-tokens": "total_tokens"}}}}"#;
const BODY: &str = r#"{"model":"m-1","choices":[{"index":0,"message":{"content":"Grüße"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":2}}"#;
const STREAM: &str = concat!(
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}],\"usage\":null}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":2}}\n\n",
    "data: [DONE]\n\n",
);
const HIDDEN: &str = concat!(
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n",
    "data: [DONE]\n\n",
);

/// The zlib format, which HTTP calls deflate, with nothing compressed in it.
fn deflate(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let length = u16::try_from(bytes.len()).unwrap();
    let mut out = vec![0x78, 0x01, 1];
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend(bytes);
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    out.extend((b << 16 | a).to_be_bytes());
    out
}

/// What arrives of a response with this body, in pieces, to a request that may ask for usage.
fn sent(
    config: &str,
    asks: bool,
    is_stream: bool,
    coding: &str,
    body: &[u8],
    size: usize,
) -> MemoryHost {
    let options = if asks {
        r#","stream_options":{"include_usage":true}"#
    } else {
        ""
    };
    let request = format!(r#"{{"model":"m","stream":{is_stream}{options},"messages":[]}}"#);
    let headers = [
        (":path", "/v1/chat/completions"),
        ("content-type", "application/json"),
        ("accept-encoding", "gzip"),
    ];
    let content_type = if is_stream {
        "text/event-stream"
    } else {
        "application/json"
    };
    let length = body.len().to_string();
    let response = [
        (":status", "200"),
        ("content-type", content_type),
        ("content-encoding", coding),
        ("content-length", length.as_str()),
    ];
    let mut host = MemoryHost {
        request: Message::new(&headers, request),
        response: Message::new(&response, ""),
        ..MemoryHost::default()
    };
    host.response.body = body.chunks(size).map(<[u8]>::to_vec).collect();
    let program = Program::compile(config.as_bytes(), &CompileOptions::default()).unwrap();
    let mut exchange = Arc::new(program).open();
    host.send(&mut exchange, Direction::Request).unwrap();
    host.send(&mut exchange, Direction::Response).unwrap();
    assert_eq!(exchange.on_complete(&mut host), None);
    host
}

fn fact(host: &MemoryHost, name: &str) -> String {
    let mut ours = host
        .metadata
        .iter()
        .filter(|it| it.0 == "rustformations.ai");
    match ours.find(|it| it.1 == name).map(|it| &it.2) {
        Some(MetadataValue::String(text)) => text.clone(),
        Some(MetadataValue::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

#[test]
fn what_is_only_read_arrives_as_it_came() {
    for (config, asks, is_stream, text) in [
        (USAGE, false, false, BODY),
        (TOLD, false, false, BODY),
        (USAGE, true, true, STREAM),
        (
            r#"{"ai": {"usage": {"force": false}}}"#,
            false,
            true,
            STREAM,
        ),
    ] {
        let coded = deflate(text);
        for size in 1..=coded.len() {
            let host = sent(config, asks, is_stream, "deflate", &coded, size);
            assert_eq!(host.response.body_bytes(), coded, "{text} in {size}");
            assert_eq!(host.response.values("content-encoding"), ["deflate"]);
            assert_eq!(
                host.response.values("content-length"),
                [coded.len().to_string()]
            );
            assert_eq!(
                (fact(&host, "total_tokens"), fact(&host, "usage_status")),
                ("12".to_owned(), "complete".to_owned())
            );
            let told = host.response.values("x-tokens");
            assert_eq!(told, if config == TOLD { vec!["12"] } else { vec![] });
        }
    }
}

#[test]
fn what_changes_arrives_without_its_coding() {
    let coded = deflate(STREAM);
    for size in 1..=coded.len() {
        let host = sent(USAGE, false, true, "deflate", &coded, size);
        assert_eq!(
            String::from_utf8(host.response.body_bytes()).unwrap(),
            HIDDEN,
            "in {size}"
        );
        for name in ["content-encoding", "content-length"] {
            assert_eq!(host.response.values(name), [""; 0]);
        }
        assert_eq!(
            (fact(&host, "total_tokens"), fact(&host, "usage_status")),
            ("12".to_owned(), "complete".to_owned())
        );
    }
}

#[test]
fn what_does_not_decode_passes_unread() {
    let mut broken = deflate(BODY);
    *broken.last_mut().unwrap() ^= 1;
    let cut = deflate(BODY);
    let (cut, _) = cut.split_at(cut.len() - 9);
    for (coding, body) in [
        ("deflate", broken.as_slice()),
        ("deflate", cut),
        ("deflate", b"plain"),
        ("other", b"plain"),
    ] {
        for config in [USAGE, TOLD] {
            let host = sent(config, false, false, coding, body, 16);
            assert_eq!(host.response.body_bytes(), body, "{coding}");
            assert_eq!(host.response.values("content-encoding"), [coding]);
            assert_ne!(fact(&host, "usage_status"), "complete");
        }
    }
    let host = sent(USAGE, true, true, "deflate", b"no stream", 3);
    assert_eq!(host.response.body_bytes(), b"no stream");
    // Nothing of it could be hidden, nor read by its client.
    let host = sent(USAGE, false, true, "deflate", b"no stream", 3);
    assert_eq!(host.response.body_bytes(), b"");
    assert_eq!(fact(&host, "refused"), "usage:response_coding");
}

#[test]
fn what_becomes_too_large_passes_unread() {
    let config = r#"{"ai": {"usage": {"estimate": false}, "bodyBytes": 100}}"#;
    let coded = deflate(BODY);
    let host = sent(config, false, false, "deflate", &coded, 50);
    assert_eq!(
        (host.response.body_bytes(), fact(&host, "total_tokens")),
        (coded, String::new())
    );
}
