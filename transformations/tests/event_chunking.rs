//! However a streamed response is cut into chunks, its transformed events are the same, and rules
//! that select nothing change no byte.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use transformations::testing::{MemoryHost, Message};
use transformations::{CompileOptions, Program};

/// The output, how many events failed, and whether the stream was stopped: then the output is what was
/// good before the chunk that stopped it, and nobody counts.
fn transform(config: &Value, kind: &str, chunks: &[&[u8]]) -> (Vec<u8>, u32, bool) {
    let bytes = config.to_string();
    let program = Program::compile(bytes.as_bytes(), &CompileOptions::default()).unwrap();
    let mut host = MemoryHost {
        response: Message::new(&[("content-type", kind)], ""),
        ..MemoryHost::default()
    };
    let mut exchange = Arc::new(program).open();
    let _ = exchange.on_response_headers(&mut host, false);
    let (mut out, mut failed) = (Vec::new(), 0);
    for chunk in chunks.iter().copied().map(Some).chain([None]) {
        host.response.body = chunk.map(<[u8]>::to_vec).into_iter().collect();
        match exchange
            .on_response_body(&mut host, chunk.is_none())
            .into_result()
        {
            Ok(applied) => {
                let failures = applied.failures.len() + applied.more_failures as usize;
                failed += u32::try_from(failures).unwrap();
            }
            Err(_) => return (out, 0, true),
        }
        out.extend(host.response.body_bytes());
    }
    (out, failed, false)
}

fn rules(on_error: &str) -> Value {
    json!({"response": {"onError": on_error, "stream": {
        "maxEventBytes": 40,
        "rules": [
            {"event": "a", "drop": true},
            {"when": {"pointer": "/n", "equals": 1}, "data": "{{ 6 // m }}\n{{ event.id }}", "after": [{"data": "x"}]},
            {"when": {"pointer": "/n"}, "patch": [{"op": "remove", "path": "/m"}], "before": [{"event": "b", "data": "{{ event.data }}"}]},
            {"when": {"data": "[DONE]"}, "before": [{"data": "almost"}]},
        ],
        "atEnd": [{"data": "end"}],
    }}})
}

/// Pieces that make up streams, good and bad.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "data: ",
        "data:",
        "data",
        "event: a",
        "event: b",
        "id: 7",
        ": comment",
        "\n",
        "\n\n",
        "\r",
        "\r\n",
        "\u{feff}",
        "{\"n\":1,\"m\":2}",
        "{\"n\":1,\"m\":0}",
        "{\"n\":2,\"m\":3}",
        "{\"n\":null}",
        "[DONE]",
        "a long text that is longer than the limit of all events",
        "é",
    ]);
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat().into_bytes())
}

fn cut<'a>(body: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    places.sort_unstable();
    let mut chunks = Vec::new();
    let mut start = 0;
    for place in places.into_iter().chain([body.len()]) {
        chunks.push(&body[start..place]);
        start = place;
    }
    chunks
}

proptest! {
    #[test]
    fn chunks_never_change_the_result(
        body in body(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        on_error in prop::sample::select(vec!["auto", "fail", "skip", "continue"]),
        kind in prop::sample::select(vec!["text/event-stream", "application/x-ndjson"]),
    ) {
        let config = rules(on_error);
        let bytes: Vec<_> = body.chunks(1).collect();
        let all = transform(&config, kind, &bytes);
        for mut other in [
            transform(&config, kind, &[&body]),
            transform(&config, kind, &cut(&body, &cuts)),
        ] {
            if other.2 {
                // What was good in the chunk that stopped the stream is lost with it.
                prop_assert!(all.0.starts_with(&other.0));
                other.0.clone_from(&all.0);
            }
            prop_assert_eq!(&other, &all);
        }
    }

    #[test]
    fn rules_that_select_nothing_change_no_byte(
        body in prop::collection::vec(any::<u8>(), 0..200),
        structured in body(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        kind in prop::sample::select(vec!["text/event-stream", "application/x-ndjson"]),
    ) {
        let config = json!({"response": {"stream": {"rules": [{"when": {"data": "never"}, "drop": true}]}}});
        for body in [body, structured] {
            prop_assert_eq!(transform(&config, kind, &cut(&body, &cuts)), (body, 0, false));
        }
    }
}
