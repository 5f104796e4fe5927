//! JSON bodies edited in place: what a patch names changes, every other byte stays, and a body that a
//! patch does not fit is answered as documented.

use rustformations_tests::{
    Body, Envoy, EnvoyConfig, FilterConfig, Lab, Reply, Route, on_every_envoy,
};
use serde_json::json;

/// Spaces, an escape, a long number and an unusual spelling, none of which may change.
const CHAT: &str = "{ \"z\": 1.50, \"model\":\"gpt-4\",\n \"messages\": [{\"role\":\"user\",\"content\":\"H\\u0069\"}], \"n\": 12345678901234567890123 }";

/// A system message in front, from a template.
const SYSTEM_MESSAGE: &str = r#"{"request": {
    "body": {"patch": [{"op": "add", "path": "/messages/0",
                        "value": {"role": "system", "content": "Serve {{ header('x-who') }}"}}]},
    "set": [{"name": "x-set", "value": "1"}]
}}"#;

fn lab(envoy: &Envoy, transform: impl Into<FilterConfig>) -> Lab {
    Lab::start(
        envoy,
        &EnvoyConfig::new().route(Route::at("/").transform(transform)),
    )
}

on_every_envoy! {
    fn a_system_message_is_inserted_and_every_other_byte_survives(envoy) {
        let lab = lab(envoy, SYSTEM_MESSAGE);
        let expected = CHAT.replace("[{", "[{\"role\":\"system\",\"content\":\"Serve \\\"me\\\"\"},{");
        let bodies = [
            Body::whole(CHAT),
            Body::chunked().piece(&CHAT[..30]).piece(&CHAT[30..31]).piece(&CHAT[31..]),
            Body::chunked().piece(CHAT).trailer("x-end", "yes"),
        ];
        for body in bodies {
            let answer = lab.post("/").header("x-who", "\"me\"").stream(body).send();
            let received = lab.origin().last();
            assert_eq!((answer.status, received.text()), (200, expected.clone()));
            let length = received.headers.value("content-length");
            assert!(length.is_none_or(|length| length == expected.len().to_string()), "{received:?}");
        }
    }

    fn a_reply_is_patched_and_two_headers_read_the_same_document(envoy) {
        let lab = lab(envoy, json!({"response": {
            "set": [
                {"name": "x-tokens", "value": "{{ usage.total_tokens }}"},
                {"name": "x-model", "value": "{{ response.json.model }}"},
            ],
            "body": {"patch": [{"op": "remove", "path": "/usage"}, {"op": "replace", "path": "/model", "value": "hidden"}]},
        }}));
        let reply = r#"{"id":"1","model":"gpt-4","usage":{"total_tokens":42},"x":1e2}"#;
        lab.origin().answer("/", Reply::new(200).header("content-type", "application/json").body(reply));
        let answer = lab.get("/").send();
        assert_eq!(answer.text(), r#"{"id":"1","model":"hidden","x":1e2}"#);
        assert_eq!((answer.header("x-tokens"), answer.header("x-model")), ("42".to_owned(), "gpt-4".to_owned()));
        assert_eq!(answer.header("content-length"), answer.body.len().to_string());
        assert_eq!(answer.header("content-type"), "application/json");
    }

    fn a_shrunk_body_leaves_a_clean_connection_behind(envoy) {
        let lab = lab(envoy, json!({"request": {"body": {"patch": [{"op": "remove", "path": "/filler"}]}}}));
        let filler = "x".repeat(4096);
        let request = || lab.post("/").json(&json!({"filler": filler, "a": 1}));
        let answers = lab.connect().send(&[request(), request(), request()]).unwrap();
        assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200, 200, 200]);
        for received in lab.origin().received() {
            assert_eq!(received.text(), r#"{"a":1}"#);
        }
    }

    fn a_patch_that_only_tests_lets_the_body_pass_byte_for_byte(envoy) {
        let transform = json!({"request": {"body": {"patch": [{"op": "test", "path": "/model", "value": "gpt-4"}]}}});
        let lab = lab(envoy, transform);
        assert_eq!(lab.post("/").body(CHAT).send().status, 200);
        assert_eq!(lab.origin().last().text(), CHAT);
    }

    fn a_body_that_does_not_fit_is_answered_and_nothing_reaches_the_origin(envoy) {
        let lab = lab(envoy, json!({
            "request": {"body": {"patch": [{"op": "test", "path": "/model", "value": "gpt-4"}]}},
        }));
        for (body, kind) in [("{}", "patch_failed"), (r#"{"model":"x"}"#, "patch_failed"), ("nonsense", "invalid_json")] {
            assert_eq!(lab.post("/").body(body).send().status, 400, "{body}");
            assert!(lab.stat(&format!("rustformations_errors.kind.{kind}")) > 0, "{kind}");
        }
        assert!(lab.origin().received().is_empty());
        // There is nothing to patch in a message without a body.
        assert_eq!(lab.get("/").send().status, 200);
        assert_eq!(lab.origin().last().text(), "");
    }

    fn a_reply_that_does_not_fit_passes_unless_on_error_says_otherwise(envoy) {
        let patch = json!({"body": {"patch": [{"op": "remove", "path": "/missing"}]}, "set": [{"name": "x-set", "value": "1"}]});
        let with = |word: &str| {
            let mut rules = patch.clone();
            rules["onError"] = json!(word);
            json!({"response": rules})
        };
        let config = EnvoyConfig::new()
            .route(Route::at("/skip").transform(with("skip")))
            .route(Route::at("/continue").transform(with("continue")))
            .route(Route::at("/auto").transform(with("auto")))
            .route(Route::at("/").transform(with("fail")));
        let lab = Lab::start(envoy, &config);
        for path in ["/", "/skip", "/continue", "/auto"] {
            lab.origin().answer(path, Reply::new(200).body(CHAT));
        }
        let answer = lab.get("/").send();
        assert_eq!((answer.status, answer.text().as_str()), (502, ""));
        for (path, set) in [("/skip", ""), ("/continue", "1"), ("/auto", "1")] {
            let answer = lab.get(path).send();
            assert_eq!((answer.status, answer.text().as_str()), (200, CHAT));
            assert_eq!(answer.header("x-set"), set);
        }
        assert_eq!(lab.stat("rustformations_errors.kind.patch_failed"), 4);
        lab.expect_log("response.body.patch[0]: the body lacks what this operation expects");
    }

    fn a_megabyte_is_patched_both_ways(envoy) {
        let rules = json!({"body": {"patch": [{"op": "add", "path": "/messages/0", "value": {"role": "system"}}]}});
        let route = Route::at("/").transform(json!({"request": rules, "response": rules}));
        let lab = Lab::start(envoy, &EnvoyConfig::new().buffer_limit(4 << 20).route(route));
        let big = json!({"messages": [{"content": "x".repeat(1 << 20)}]}).to_string();
        let expected = big.replace("[{", "[{\"role\":\"system\"},{");
        lab.origin().answer("/", Reply::new(200).body(big.clone()));
        let answer = lab.post("/").body(big).send();
        assert_eq!(answer.status, 200);
        assert!(lab.origin().last().text() == expected && answer.text() == expected);
    }

    fn a_websocket_is_not_held_for_a_patch(envoy) {
        let route = Route::at("/").transform(SYSTEM_MESSAGE);
        let lab = Lab::start(envoy, &EnvoyConfig::new().websocket().route(route));
        lab.origin().answer("/", Reply::echo_tunnel());
        let exchange = lab.get("/").header("connection", "upgrade").header("upgrade", "websocket").begin().unwrap();
        assert_eq!(exchange.status, 101);
        assert_eq!(exchange.into_tunnel().echo(b"frame").unwrap(), b"frame");
        assert_eq!(lab.origin().last().header("x-set"), "1");
    }

    fn a_bad_patch_is_refused_with_all_its_faults(envoy) {
        let config = EnvoyConfig::new().route(Route::at("/").transform(json!({"request": {"body": {"patch": [
            {"op": "replcae", "path": "/a", "value": 1},
            {"op": "add", "path": "a", "value": "{{ heder('x') }}"},
        ]}}})));
        let log = Lab::refuse(envoy, &config);
        for sentence in [
            "request.body.patch[0].op: unknown operation",
            "did you mean \"replace\"?",
            "request.body.patch[1].path: a JSON Pointer must be empty or start with `/`",
            "request.body.patch[1].value: unknown function \"heder\"",
        ] {
            assert!(log.contains(sentence), "{sentence}\n{log}");
        }
    }
}
