//! Body rules on real Envoys: what becomes of a body and of its length, however it arrives, and what
//! templates see of it as text and as JSON.

use std::time::Duration;

use rustformations_tests::{
    Answer, Body, Envoy, EnvoyConfig, Lab, Received, Reply, Route, on_every_envoy,
};
use serde_json::{Value, json};

fn lab_with(envoy: &Envoy, transform: Value) -> Lab {
    let config = EnvoyConfig::new().buffer_limit(8 << 20);
    Lab::start(envoy, &config.route(Route::at("/").transform(transform)))
}

fn both_ways(transform: Value) -> Value {
    json!({"request": transform, "response": transform})
}

fn set(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

/// Asserts that both sides got `body`, announced as exactly that long and in no other way.
fn assert_bodies(received: &Received, answer: &Answer, body: &str) {
    assert_eq!(received.text(), body);
    assert_eq!(answer.text(), body);
    assert!(!answer.cut && !received.cut);
    for headers in [&received.headers, &answer.headers] {
        assert_eq!(headers.values("content-length"), [body.len().to_string()]);
        assert!(!headers.has("transfer-encoding"), "{headers:?}");
    }
}

on_every_envoy! {
    fn a_body_is_replaced_and_its_length_is_right_when_it_grows_and_when_it_shrinks(envoy) {
        let grown = "grown".repeat(1000);
        let config = EnvoyConfig::new()
            .route(Route::at("/grow").transform(both_ways(json!({"body": {"value": grown}}))))
            .route(Route::at("/shrink").transform(both_ways(json!({"body": {"value": "s"}}))))
            .route(
                Route::at("/wrap")
                    .transform(both_ways(json!({"body": {"value": "<{{ body() }}>"}}))),
            );
        let lab = Lab::start(envoy, &config);
        for (path, expected) in [
            ("/grow", grown.as_str()),
            ("/shrink", "s"),
            ("/wrap", "<as it was>"),
        ] {
            let typed = |reply: Reply| reply.header("content-type", "text/x-kept");
            lab.origin()
                .answer(path, typed(Reply::new(200)).body("as it was"));
            let answer = lab
                .post(path)
                .header("content-type", "text/x-kept")
                .body("as it was")
                .send();
            let received = lab.origin().last();
            assert_bodies(&received, &answer, expected);
            assert_eq!(received.header("content-type"), "text/x-kept");
            assert_eq!(answer.header("content-type"), "text/x-kept");
        }
    }

    fn a_message_without_a_body_gets_one(envoy) {
        let lab = lab_with(envoy, both_ways(json!({"body": {"value": "injected"}})));
        lab.origin().answer("/", Reply::new(200));
        let answer = lab.get("/").send();
        assert_bodies(&lab.origin().last(), &answer, "injected");
    }

    fn a_body_that_renders_empty_is_removed_with_its_type(envoy) {
        let lab = lab_with(
            envoy,
            both_ways(json!({"body": {"value": "{{ header('x-none') }}"}})),
        );
        lab.origin().answer("/", Reply::json(&json!({"a": 1})));
        let answer = lab.post("/").json(&json!({"a": 1})).send();
        let received = lab.origin().last();
        assert_bodies(&received, &answer, "");
        for headers in [&received.headers, &answer.headers] {
            assert!(!headers.has("content-type"), "{headers:?}");
        }
    }

    fn an_absent_or_empty_body_template_leaves_the_body_alone(envoy) {
        let config = EnvoyConfig::new()
            .route(
                Route::at("/absent")
                    .transform(both_ways(json!({"body": {}, "set": [set("x-a", "1")]}))),
            )
            .route(Route::at("/empty").transform(both_ways(
                json!({"body": {"value": ""}, "set": [set("x-a", "1")]}),
            )));
        let lab = Lab::start(envoy, &config);
        for path in ["/absent", "/empty"] {
            lab.origin().answer(path, Reply::new(200).body("answer"));
            let answer = lab.post(path).body("question").send();
            let received = lab.origin().last();
            assert_eq!(
                (received.text().as_str(), answer.text().as_str()),
                ("question", "answer")
            );
            assert_eq!(received.header("x-a") + &answer.header("x-a"), "11");
            assert_eq!(received.header("content-length"), "8");
        }
    }

    fn a_chunked_body_is_collected_however_many_chunks_it_has(envoy) {
        let rules = json!({"body": {"value": "{{ body()|length }}:{{ body() }}"}});
        let lab = lab_with(envoy, both_ways(rules));
        let script = |pieces: usize| {
            (0..pieces).fold(Body::chunked(), |body, index| {
                let body = if index % 100 == 99 {
                    body.pause(Duration::from_millis(5))
                } else {
                    body
                };
                body.piece(format!("{index},"))
            })
        };
        for pieces in [0, 1, 2, 1000] {
            lab.origin()
                .answer("/", Reply::new(200).stream(script(pieces)));
            let answer = lab.post("/").stream(script(pieces)).send();
            let text: String = (0..pieces).map(|index| format!("{index},")).collect();
            let expected = format!("{}:{text}", text.len());
            let received = lab.origin().last();
            assert_eq!((received.text(), answer.text()), (expected.clone(), expected));
            assert!(!answer.cut && !received.cut);
        }
    }

    fn trailers_end_a_body_and_pass(envoy) {
        let rules = json!({"set": [set("x-length", "{{ body()|length }}")], "body": {"value": "<{{ body() }}>"}});
        let lab = lab_with(envoy, both_ways(rules));
        let script = |pieces: &[&str]| {
            let body = pieces
                .iter()
                .fold(Body::chunked(), |body, piece| body.piece(*piece));
            body.pause(Duration::from_millis(20))
                .trailer("x-end", "yes")
        };
        for pieces in [&["one", "two"][..], &["only"], &[]] {
            lab.origin()
                .answer("/", Reply::new(200).stream(script(pieces)));
            let answer = lab.post("/").stream(script(pieces)).send();
            let received = lab.origin().last();
            let was = pieces.concat();
            assert_eq!(received.text(), format!("<{was}>"));
            assert_eq!(answer.text(), format!("<{was}>"));
            for headers in [&received.headers, &answer.headers] {
                assert_eq!(headers.values("x-length"), [was.len().to_string()]);
            }
        }
        assert_eq!(lab.stat("rustformations_requests_transformed"), 3);
        assert_eq!(lab.stat("rustformations_responses_transformed"), 3);
    }

    fn trailers_pass_a_transform_that_leaves_the_body_alone(envoy) {
        let lab = lab_with(
            envoy,
            both_ways(json!({"set": [set("x-length", "{{ body()|length }}")]})),
        );
        let script = || {
            Body::chunked()
                .piece("one")
                .pause(Duration::from_millis(20))
                .piece("two")
                .trailer("x-end", "yes")
        };
        lab.origin().answer("/", Reply::new(200).stream(script()));
        let answer = lab.post("/").stream(script()).send();
        let received = lab.origin().last();
        assert_eq!(
            (received.text().as_str(), answer.text().as_str()),
            ("onetwo", "onetwo")
        );
        assert_eq!(
            received.header("x-length") + &answer.header("x-length"),
            "66"
        );
        assert_eq!(received.trailers.values("x-end"), ["yes"]);
        assert_eq!(answer.trailers.values("x-end"), ["yes"]);
    }

    fn a_header_template_may_read_the_body(envoy) {
        let rules = json!({"set": [set("x-body", "{{ body() }}"), set("x-part", "{{ substring(body(), 1, 2) }}")]});
        let lab = lab_with(envoy, both_ways(rules));
        lab.origin().answer(
            "/",
            Reply::new(200).stream(Body::chunked().piece("ans").piece("wer")),
        );
        let answer = lab
            .post("/")
            .stream(Body::chunked().piece("ques").piece("tion"))
            .send();
        let received = lab.origin().last();
        assert_eq!(
            (received.header("x-body").as_str(), received.text().as_str()),
            ("question", "question")
        );
        assert_eq!(
            (answer.header("x-body").as_str(), answer.text().as_str()),
            ("answer", "answer")
        );
        assert_eq!(received.header("x-part") + &answer.header("x-part"), "uens");
    }

    fn one_mebibyte_is_transformed_both_ways(envoy) {
        let big = "0123456789abcdef".repeat(1 << 16);
        let document = json!({"model": "m", "text": big});
        let lab = lab_with(
            envoy,
            both_ways(json!({
                "body": {"parseAs": "AsJson", "value": "{{ model }}:{{ text }}"},
            })),
        );
        lab.origin().answer("/", Reply::json(&document));
        let answer = lab.post("/").json(&document).send();
        assert_bodies(&lab.origin().last(), &answer, &format!("m:{big}"));
    }

    fn a_kept_connection_is_clean_after_bodies_have_changed_length(envoy) {
        let config = EnvoyConfig::new()
            .route(Route::at("/shrink").transform(both_ways(json!({"body": {"value": "s"}}))))
            .route(Route::at("/empty").transform(both_ways(
                json!({"body": {"value": "{{ header('x-none') }}"}}),
            )))
            .route(Route::at("/grow").transform(both_ways(
                json!({"body": {"value": "<{{ body() }}{{ body() }}>"}}),
            )))
            .route(Route::at("/plain"));
        let lab = Lab::start(envoy, &config);
        // What is cut off a body would be taken for this request if it stayed on the connection.
        let smuggled = "GET /smuggled HTTP/1.1\r\nhost: evil.test\r\n\r\n";
        let mut connection = lab.connect();
        let turns = [
            ("/shrink", "s".to_owned()),
            ("/plain", smuggled.to_owned()),
            ("/empty", String::new()),
            ("/plain", smuggled.to_owned()),
            ("/grow", format!("<{smuggled}{smuggled}>")),
            ("/plain", smuggled.to_owned()),
        ];
        for path in ["/shrink", "/empty", "/grow", "/plain"] {
            lab.origin().answer(path, Reply::new(200).body(smuggled));
        }
        for (path, expected) in &turns {
            let answers = connection.send(&[lab.post(path).body(smuggled)]).unwrap();
            assert_eq!(answers[0].text(), *expected, "{path}");
        }
        let paths: Vec<_> = lab
            .origin()
            .received()
            .into_iter()
            .map(|received| received.path)
            .collect();
        assert_eq!(paths, turns.map(|(path, _)| path));
        assert_eq!(lab.stat("http.lab.downstream_cx_total"), 1);
        assert_eq!(lab.stat("cluster.origin.upstream_cx_total"), 1);
    }

    fn pipelined_requests_do_not_mix(envoy) {
        let rules = json!({"body": {"value": "[{{ body() }}]"}});
        let lab = lab_with(envoy, both_ways(rules));
        lab.origin()
            .answer_with("/", |received| Reply::new(200).body(received.text()));
        let requests: Vec<_> = (0..20)
            .map(|index| match index % 3 {
                0 => lab.post("/").body(format!("{index}")),
                1 => lab
                    .post("/")
                    .stream(Body::chunked().piece(format!("{index}")).piece("+")),
                _ => lab.get("/"),
            })
            .collect();
        let answers = lab.connect().send(&requests).unwrap();
        for (index, answer) in answers.iter().enumerate() {
            let body = match index % 3 {
                0 => format!("{index}"),
                1 => format!("{index}+"),
                _ => String::new(),
            };
            assert_eq!(answer.text(), format!("[[{body}]]"));
        }
    }

    fn an_answer_before_the_request_has_ended_does_not_hang(envoy) {
        // The origin answers at once; the request is still on its way.
        let lab = lab_with(
            envoy,
            json!({"response": {"body": {"value": "<{{ body() }}>"}}}),
        );
        lab.origin()
            .answer("/", Reply::new(200).body("early").before_body());
        let slow = Body::chunked()
            .piece("a")
            .pause(Duration::from_millis(300))
            .piece("b");
        let answer = lab.post("/").stream(slow).send();
        assert_eq!((answer.status, answer.text().as_str()), (200, "<early>"));
    }
}
