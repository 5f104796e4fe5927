//! However a streamed response is cut into chunks, its transformed events are the same, and rules
//! that select nothing change no byte.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use transformations::testing::{MemoryHost, Message};
use transformations::{CompileOptions, OpenedEvents, Program};

/// The output, how many events failed, and whether the stream was stopped.
fn transform(config: &Value, kind: &str, chunks: &[&[u8]]) -> (Vec<u8>, u32, bool) {
    let bytes = config.to_string();
    let program = Program::compile(bytes.as_bytes(), &CompileOptions::default()).unwrap();
    let host = MemoryHost {
        response: Message::new(&[("content-type", kind)], ""),
        ..MemoryHost::default()
    };
    let Ok(OpenedEvents::Stream(mut events)) = Arc::new(program).open().open_events(&host) else {
        panic!("{kind} is no stream of events");
    };
    let mut out = Vec::new();
    let (mut failed, mut stopped) = (0, false);
    let mut add = |step: Result<transformations::Streamed, _>| match step {
        Ok(step) => failed += step.failed,
        Err(_) => stopped = true,
    };
    for chunk in chunks {
        add(events.push(chunk, &mut out));
    }
    add(events.finish(&mut out));
    // What passed in the chunk that ended the stream is told with it, and not counted.
    let failed = if stopped { 0 } else { failed };
    (out, failed, stopped)
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
        let whole = transform(&config, kind, &[&body]);
        prop_assert_eq!(&transform(&config, kind, &cut(&body, &cuts)), &whole);
        let bytes: Vec<_> = body.chunks(1).collect();
        prop_assert_eq!(&transform(&config, kind, &bytes), &whole);
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
