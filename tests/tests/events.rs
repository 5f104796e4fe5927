//! Streamed responses are transformed event by event (`response.stream`): at once, whatever the
//! chunks, and with nothing held by Envoy.

use std::time::{Duration, Instant};

use rustformations_tests::{Body, Envoy, EnvoyConfig, Lab, Reply, Route, on_every_envoy};
use serde_json::{Value, json};

const PAUSE: Duration = Duration::from_millis(200);

/// A lab whose Envoy holds no more than a kilobyte.
fn lab_with(envoy: &Envoy, response: Value) -> Lab {
    let config = EnvoyConfig::new().buffer_limit(1024);
    Lab::start(
        envoy,
        &config.route(Route::at("/").transform(json!({"response": response}))),
    )
}

fn stream(kind: &str, body: Body) -> Reply {
    Reply::new(200).header("content-type", kind).stream(body)
}

fn events(body: Body) -> Reply {
    stream("text/event-stream", body)
}

fn chunk(text: &str) -> String {
    format!(
        "data: {{\"model\":\"m-1\",\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n"
    )
}

on_every_envoy! {
    fn each_event_is_transformed_as_soon_as_it_is_complete(envoy) {
        let lab = lab_with(envoy, json!({
            "set": [{"name": "x-set", "value": "1"}],
            "stream": {"rules": [{"when": {"pointer": "/choices/0/delta/content"}, "data": "{{ choices[0].delta.content|upper }}"}]},
        }));
        let (first, second) = (chunk("one"), chunk("two"));
        let (head, tail) = second.split_at(20);
        let body = Body::chunked().piece(first).pause(PAUSE).piece(head).pause(PAUSE).piece(tail).piece("data: [DONE]\n\n");
        lab.origin().answer("/", events(body));
        let began = Instant::now();
        let mut exchange = lab.get("/").begin().unwrap();
        assert_eq!(exchange.headers.values("x-set"), ["1"]);
        assert_eq!(exchange.next_piece().unwrap().unwrap(), b"data: ONE\n\n");
        assert!(began.elapsed() < 2 * PAUSE, "the first event came after {:?}", began.elapsed());
        assert_eq!(exchange.finish().unwrap().text(), "data: TWO\n\ndata: [DONE]\n\n");
        assert_eq!(lab.stat("rustformations_responses_transformed"), 1);
    }

    fn chunks_that_cut_events_anywhere_give_the_same_events(envoy) {
        let lab = lab_with(envoy, json!({"stream": {"rules": [
            {"event": "ping", "drop": true},
            {"when": {"data": "[DONE]"}, "before": [{"event": "note", "data": "{{ request_header('x-who') }}"}]},
            {"patch": [{"op": "replace", "path": "/model", "value": "{{ model }}-{{ event.name }}"}]},
        ]}}));
        let text = format!("{}event: ping\ndata: {{}}\n\n: comment\n\n{}data: [DONE]\n\n", chunk("é€"), chunk("two"));
        let expected = format!("{}: comment\n\n{}event: note\ndata: me\n\ndata: [DONE]\n\n", chunk("é€"), chunk("two"))
            .replace("m-1", "m-1-message");
        for size in [1, 7, 50, 1000] {
            let body = text.as_bytes().chunks(size).fold(Body::chunked(), |body, piece| body.piece(piece));
            lab.origin().answer("/", events(body));
            let answer = lab.get("/").header("x-who", "me").send();
            assert_eq!((answer.text(), answer.cut), (expected.clone(), false), "in chunks of {size}");
        }
        let declared = Reply::new(200).header("content-type", "text/event-stream").body(text);
        lab.origin().answer("/", declared);
        let answer = lab.get("/").header("x-who", "me").send();
        assert_eq!((answer.text(), answer.header("content-length").as_str()), (expected, ""));
    }

    fn trailers_end_a_stream_after_what_was_held(envoy) {
        let lab = lab_with(envoy, json!({"stream": {
            "rules": [{"data": "<{{ event.data }}>"}],
            "atEnd": [{"data": "end"}],
        }}));
        let bodies = [
            (&["data: 1\n\n", "data: 2"][..], "data: <1>\n\ndata: <2>\n\ndata: end\n\n"),
            (&["data: 1\n\n"], "data: <1>\n\ndata: end\n\n"),
            (&["data: 1"], "data: <1>\n\ndata: end\n\n"),
            (&["da", "ta: 1\n\n", "data: 2"], "data: <1>\n\ndata: <2>\n\ndata: end\n\n"),
            (&["data: 1\n\nda", "ta", ": 2\n\n", "data: 3"], "data: <1>\n\ndata: <2>\n\ndata: <3>\n\ndata: end\n\n"),
            (&[], "data: end\n\n"),
        ];
        for (pieces, expected) in bodies {
            // Each piece is read by itself.
            let pause = Duration::from_millis(20);
            let body = pieces.iter().fold(Body::chunked(), |body, piece| body.piece(*piece).pause(pause));
            lab.origin().answer("/", events(body.trailer("x-end", "yes")));
            let answer = lab.get("/").send();
            assert_eq!((answer.text().as_str(), answer.cut), (expected, false), "{pieces:?}");
            assert_eq!(answer.trailers.values("x-end"), ["yes"]);
            let body = pieces.iter().fold(Body::chunked(), |body, piece| body.piece(*piece));
            lab.origin().answer("/", events(body));
            assert_eq!(lab.get("/").send().text(), expected, "{pieces:?} without trailers");
        }
    }

    fn lines_of_json_are_events(envoy) {
        let lab = lab_with(envoy, json!({"stream": {"rules": [
            {"when": {"pointer": "/done", "equals": true}, "after": [{"data": "{\"bye\":{{ n }}}"}]},
            {"patch": [{"op": "remove", "path": "/secret"}]},
        ]}}));
        let body = Body::chunked().piece("{\"secret\":1,\"a\":1.0}\n{\"sec").piece("ret\":2}\n{\"done\":true,\"n\":3}");
        lab.origin().answer("/", stream("application/x-ndjson", body));
        assert_eq!(lab.get("/").send().text(), "{\"a\":1.0}\n{}\n{\"done\":true,\"n\":3}\n{\"bye\":3}\n");
    }

    fn megabytes_of_events_pass_under_a_limit_of_one_kilobyte(envoy) {
        let lab = lab_with(envoy, json!({"stream": {"rules": [{"data": "{{ n }}"}]}}));
        let block: String = (0..10_000).map(|n| format!("data: {{\"n\":{n},\"padding\":\"{}\"}}\n\n", "x".repeat(80))).collect();
        lab.origin().answer("/", events(Body::chunked().piece(block.clone()).piece(block)));
        let expected: String = (0..10_000).map(|n| format!("data: {n}\n\n")).collect();
        assert_eq!(lab.get("/").send().text(), expected.repeat(2));
    }

    fn other_responses_get_the_transform_of_the_body_and_streams_do_not(envoy) {
        let lab = lab_with(envoy, json!({
            "set": [{"name": "x-model", "value": "{{ model }}"}],
            "body": {"parseAs": "AsJson", "value": "{{ model }}!"},
            "stream": {"rules": [{"drop": true}], "atEnd": [{"data": "gone"}]},
        }));
        lab.origin().answer("/json", Reply::json(&json!({"model": "m"})));
        lab.origin().answer("/events", events(Body::chunked().piece(chunk("one"))));
        let answer = lab.get("/json").send();
        assert_eq!((answer.text().as_str(), answer.header("x-model").as_str()), ("m!", "m"));
        let answer = lab.get("/events").send();
        assert_eq!((answer.status, answer.text().as_str()), (200, "data: gone\n\n"));
        assert!(!answer.headers.has("x-model"));
    }

    fn a_compressed_stream_is_refused_or_passes_untouched_and_is_counted(envoy) {
        let rules = |on_error: &str| json!({"response": {"onError": on_error, "stream": {"rules": [{"drop": true}]}}});
        let config = EnvoyConfig::new()
            .route(Route::at("/fail").transform(rules("fail")))
            .route(Route::at("/skip").transform(rules("skip")));
        let lab = Lab::start(envoy, &config);
        for path in ["/fail", "/skip"] {
            let body = Body::chunked().piece("not really gzip");
            lab.origin().answer(path, events(body).header("content-encoding", "gzip"));
        }
        assert_eq!(lab.get("/fail").send().status, 502);
        let answer = lab.get("/skip").send();
        assert_eq!((answer.status, answer.text().as_str()), (200, "not really gzip"));
        assert_eq!(lab.stat("rustformations_errors.kind.compressed_stream"), 2);
        lab.expect_log("compressed stream");
    }

    fn a_failed_event_cuts_the_stream_unless_the_configuration_lets_it_pass(envoy) {
        let rules = |on_error: &str| json!({"response": {"onError": on_error, "stream": {"rules": [{"data": "{{ 6 // n }}"}]}}});
        let config = EnvoyConfig::new()
            .route(Route::at("/fail").transform(rules("fail")))
            .route(Route::at("/skip").transform(rules("skip")));
        let lab = Lab::start(envoy, &config);
        for path in ["/fail", "/skip"] {
            let body = Body::chunked().piece("data: {\"n\":2}\n\n").pause(PAUSE).piece("data: {\"n\":0}\n\n").pause(PAUSE).piece("data: {\"n\":3}\n\n");
            lab.origin().answer(path, events(body));
        }
        let answer = lab.get("/fail").send();
        assert_eq!((answer.status, answer.text().as_str(), answer.cut), (200, "data: 3\n\n", true));
        let answer = lab.get("/skip").send();
        assert_eq!((answer.text().as_str(), answer.cut), ("data: 3\n\ndata: {\"n\":0}\n\ndata: 2\n\n", false));
        assert_eq!(lab.stat("rustformations_errors.kind.render_error"), 2);
        lab.expect_log("response.stream.rules[0].data");
    }

    fn an_event_that_is_too_large_cuts_the_stream_or_passes(envoy) {
        let rules = |on_error: &str| json!({"response": {"onError": on_error, "stream": {"maxEventBytes": 100, "rules": [{"data": "x"}]}}});
        let config = EnvoyConfig::new()
            .route(Route::at("/fail").transform(rules("fail")))
            .route(Route::at("/skip").transform(rules("skip")));
        let lab = Lab::start(envoy, &config);
        let large = format!("data: {}\n\n", "y".repeat(100_000));
        for path in ["/fail", "/skip"] {
            let body = Body::chunked().piece("data: 1\n\n").pause(PAUSE).piece(large.clone()).piece("data: 2\n\n");
            lab.origin().answer(path, events(body));
        }
        let answer = lab.get("/fail").send();
        assert_eq!((answer.text().as_str(), answer.cut), ("data: x\n\n", true));
        assert_eq!(lab.get("/skip").send().text(), format!("data: x\n\n{large}data: x\n\n"));
        assert_eq!(lab.stat("rustformations_errors.kind.event_too_large"), 2);
    }
}
