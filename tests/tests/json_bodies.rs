//! Bodies parsed as JSON on real Envoys: what templates see of a document, what a rewrite keeps of it,
//! and what happens when there is none.

use rustformations_tests::{Body, Envoy, EnvoyConfig, Lab, Reply, Route, on_every_envoy};
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

on_every_envoy! {
    fn json_fields_are_variables(envoy) {
        let lab = lab_with(
            envoy,
            both_ways(json!({
                "body": {"parseAs": "AsJson", "value": "{{ model }}|{{ messages[0].content }}|{{ n + 1 }}|{{ a['x-y'] }}"},
                "set": [
                    set("x-model", "{{ model }}"), set("x-big", "{{ big }}"),
                    set("x-bool", "{{ yes }}/{{ no }}/{{ nothing }}"), set("x-missing", "{{ missing }}"),
                ],
            })),
        );
        let document = r#"{"model":"gpt-4","messages":[{"role":"user","content":"héllo"}],"n":1,"a":{"x-y":"z"},
            "big":123456789012345678901234567890,"yes":true,"no":false,"nothing":null}"#;
        lab.origin().answer("/", Reply::new(200).body(document));
        let answer = lab
            .post("/")
            .header("x-missing", "there")
            .body(document)
            .send();
        let received = lab.origin().last();
        let expected = "gpt-4|héllo|2|z";
        assert_eq!(
            (received.text().as_str(), answer.text().as_str()),
            (expected, expected)
        );
        for headers in [&received.headers, &answer.headers] {
            assert_eq!(headers.values("x-model"), ["gpt-4"]);
            assert_eq!(headers.values("x-big"), ["123456789012345678901234567890"]);
            assert_eq!(headers.values("x-bool"), ["true/false/null"]);
            assert!(!headers.has("x-missing"), "{headers:?}");
        }
    }

    fn the_document_as_a_whole_is_context(envoy) {
        let lab = lab_with(
            envoy,
            json!({"request": {
                "body": {"parseAs": "AsJson"},
                "set": [set("x-second", "{{ context()[1] }}")],
            }}),
        );
        lab.post("/").json(&json!(["a", "b"])).send();
        let received = lab.origin().last();
        assert_eq!(received.header("x-second"), "b");
        assert_eq!(received.text(), r#"["a","b"]"#);
        // What is no object is parsed, though it defines no variables.
        let rules = json!({"body": {"parseAs": "AsJson"}, "set": [
            set("x-all", "{{ context() }}"), set("x-model", "[{{ model }}]"),
        ]});
        let lab = lab_with(envoy, json!({"request": rules}));
        for (document, printed) in [("\"text\"", "text"), ("12", "12"), ("false", "false")] {
            assert_eq!(lab.post("/").body(document).send().status, 200);
            let received = lab.origin().last();
            assert_eq!(received.header("x-all"), printed);
            assert_eq!(received.header("x-model"), "[]");
        }
    }

    fn what_a_rewrite_does_not_touch_keeps_its_spelling(envoy) {
        let lab = lab_with(
            envoy,
            json!({"request": {"body": {
                "parseAs": "AsJson",
                "value": "[{{ kept|tojson }},{{ temperature }},{{ temperature|tojson }}]",
            }}}),
        );
        let kept =
            r#"{"z":1.10,"a":1e400,"b":-0,"c":123456789012345678901234567890,"d":"é\u00e9\/"}"#;
        let document = format!(r#"{{"kept":{kept},"temperature":0.70}}"#);
        lab.post("/").body(document).send();
        assert_eq!(lab.origin().last().text(), format!("[{kept},0.70,0.70]"));
    }

    fn a_json_key_never_shadows_a_function(envoy) {
        let lab = lab_with(
            envoy,
            json!({"request": {
                "body": {"parseAs": "AsJson"},
                "set": [set("x-path", "{{ header(':path') }}"), set("x-key", "{{ context().header }}")],
            }}),
        );
        let hostile =
            json!({"header": "mine", "context": 1, "request_header": [], "body": {}, "env": null});
        assert_eq!(lab.post("/p").json(&hostile).send().status, 200);
        let received = lab.origin().last();
        assert_eq!(
            (
                received.header("x-path").as_str(),
                received.header("x-key").as_str()
            ),
            ("/p", "mine")
        );
    }

    fn a_system_message_is_put_before_the_messages_by_a_loop(envoy) {
        let template = concat!(
            r#"{"model":{{ model|tojson }},"messages":[{"role":"system","content":"Be brief."}"#,
            r#"{% for message in messages %},{{ message|tojson }}{% endfor %}]}"#,
        );
        let lab = lab_with(
            envoy,
            json!({"request": {"body": {"parseAs": "AsJson", "value": template}}}),
        );
        let question = json!({"model": "gpt-4", "messages": [
            {"role": "user", "content": "a \"quoted\"\nline é"}, {"role": "assistant", "content": null},
        ]});
        lab.post("/").json(&question).send();
        let received = lab.origin().last().json();
        assert_eq!(
            received["messages"][0],
            json!({"role": "system", "content": "Be brief."})
        );
        assert_eq!(received["messages"][1], question["messages"][0]);
        assert_eq!(received["messages"][2], question["messages"][1]);
    }

    fn what_is_no_json_is_a_400_in_requests_and_passes_in_responses(envoy) {
        let rules = json!({"body": {"parseAs": "AsJson"}, "set": [set("x-model", "{{ model }}")]});
        let config = EnvoyConfig::new()
            .route(Route::at("/request").transform(json!({"request": rules})))
            .route(Route::at("/response").transform(json!({"response": rules})))
            .route(Route::at("/fail").transform(json!({"onError": "fail", "response": rules})));
        let lab = Lab::start(envoy, &config);
        for bad in [
            "{",
            "nonsense",
            "{\"model\":}",
            "{} {}",
            "\u{feff}[",
            "{\"model\":1,}",
        ] {
            let answer = lab.post("/request").body(bad).send();
            assert_eq!((answer.status, answer.text().as_str()), (400, ""), "{bad}");
            assert!(
                lab.origin().received().is_empty(),
                "{bad} reached the origin"
            );
            for path in ["/response", "/fail"] {
                let reply = Reply::new(200).header("x-secret", "s").header("x-model", "old");
                lab.origin().answer(path, reply.body(bad));
            }
            let answer = lab.post("/response").send();
            assert_eq!((answer.status, answer.text().as_str()), (200, bad));
            assert!(answer.headers.has("x-secret") && !answer.headers.has("x-model"), "{answer:?}");
            let answer = lab.post("/fail").send();
            assert_eq!((answer.status, answer.text().as_str()), (502, ""), "{bad}");
            assert!(!answer.headers.has("x-secret"), "{answer:?}");
            lab.origin().forget();
        }
        assert_eq!(lab.stat("rustformations_errors.kind.invalid_json"), 18);
    }

    fn a_json_variable_without_a_json_body_is_a_400(envoy) {
        let rules = json!({"body": {"parseAs": "AsJson"}, "set": [set("x-model", "{{ model }}")]});
        let lab = lab_with(envoy, json!({"request": rules}));
        for request in [
            lab.get("/"),
            lab.post("/").body("null"),
            lab.post("/").stream(Body::chunked()),
        ] {
            let answer = request.send();
            assert_eq!((answer.status, answer.text().as_str()), (400, ""));
        }
        assert!(lab.origin().received().is_empty());
        assert_eq!(
            lab.stat("rustformations_errors.kind.undeclared_variable"),
            3
        );
        // Parsed, though it has no such field: the header is removed.
        assert_eq!(
            lab.post("/")
                .header("x-model", "there")
                .body("[1]")
                .send()
                .status,
            200
        );
        assert!(!lab.origin().last().headers.has("x-model"));
    }

    fn a_response_is_never_turned_into_an_error_because_it_has_no_json(envoy) {
        let rules = json!({
            "body": {"parseAs": "AsJson", "value": "{\"id\":{{ id }}}"},
            "set": [set("x-id", "{{ id }}"), set("x-guard", "{% if 'json' in header('content-type') %}{{ response.json.id }}{% endif %}"),
                    set("x-else", "{{ id | default('none') }}"), set("x-ok", "1")],
        });
        let patch = json!({"body": {"patch": [{"op": "add", "path": "/user", "value": "x"}]}, "set": [set("x-ok", "1")]});
        let config = EnvoyConfig::new()
            .route(Route::at("/patch").transform(json!({"response": patch})))
            .route(Route::at("/").transform(json!({"response": rules})));
        let lab = Lab::start(envoy, &config);
        let html = |status| Reply::new(status).header("content-type", "text/html").body("<html>");
        let replies = [
            ("/204", Reply::new(204).header("x-kept", "1"), "x-kept", ""),
            ("/304", Reply::new(304).header("etag", "W/\"a\""), "etag", ""),
            ("/302", Reply::new(302).header("location", "/there").body(""), "location", ""),
            ("/401", Reply::new(401).header("www-authenticate", "Basic").body(""), "www-authenticate", ""),
            ("/201", Reply::new(201).header("location", "/7").body(""), "location", ""),
            ("/503", html(503).header("retry-after", "7"), "retry-after", "<html>"),
            ("/200", html(200), "content-type", "<html>"),
            ("/patch/502", html(502), "content-type", "<html>"),
            ("/gzip/200", Reply::new(200).header("content-encoding", "gzip").body("zzz"), "content-encoding", "zzz"),
        ];
        for (path, reply, kept, body) in replies {
            lab.origin().answer(path, reply);
            let answer = lab.get(path).send();
            let status = path.rsplit('/').next().unwrap_or_default();
            assert_eq!((answer.status.to_string().as_str(), answer.text().as_str()), (status, body), "{path}");
            assert_eq!(answer.header("x-ok"), "1", "{answer:?}");
            let expected = if path.starts_with("/patch") { "" } else { "none" };
            assert_eq!(answer.header("x-else"), expected, "{answer:?}");
            assert!(!answer.headers.has("x-id") && !answer.headers.has("x-guard"), "{answer:?}");
            assert!(answer.headers.has(kept), "{answer:?}");
        }
        lab.origin().answer("/head", Reply::json(&json!({"id": 1})));
        let answer = lab.request("HEAD", "/head").send();
        assert_eq!((answer.status, answer.header("x-ok").as_str()), (200, "1"));
    }

    fn an_event_stream_flows_past_rules_for_whole_bodies(envoy) {
        let rules = json!({
            "body": {"value": "{% if header(':status')|int >= 500 %}{\"e\":1}{% else %}{{ body() }}{% endif %}"},
            "set": [set("x-ok", "1"), set("x-size", "{{ body()|length }}")],
        });
        let parsed = json!({"body": {"parseAs": "AsJson"}, "set": [set("x-ok", "1"), set("x-id", "{{ id }}")]});
        let config = EnvoyConfig::new()
            .route(Route::at("/text").transform(json!({"response": rules})))
            .route(Route::at("/json").transform(json!({"response": parsed})));
        let lab = Lab::start(envoy, &config);
        for path in ["/text", "/json"] {
            let body = Body::chunked().piece("data: 1\n\n").pause(std::time::Duration::from_millis(300)).piece("data: 2\n\n");
            let reply = Reply::new(200).header("content-type", "Text/Event-Stream; charset=utf-8");
            lab.origin().answer(path, reply.header("x-id", "old").stream(body));
            let answer = lab.get(path).send();
            assert_eq!((answer.status, answer.text().as_str()), (200, "data: 1\n\ndata: 2\n\n"));
            assert_eq!(answer.header("x-ok"), "1");
            assert!(!answer.headers.has("x-size"), "{answer:?}");
            assert_eq!(answer.headers.has("x-id"), path == "/text", "{answer:?}");
        }
        assert_eq!(lab.stat("rustformations_errors.kind.streamed_body"), 2);
    }

    fn bytes_that_are_no_text_pass_as_they_are(envoy) {
        let rules = json!({"body": {"value": "{{ body() | replace('b', 'c') }}"}, "set": [set("x-ok", "1")]});
        let lab = lab_with(envoy, both_ways(rules));
        let bytes = vec![b'a', b'b', 0xe9, 0xff];
        lab.origin().answer("/", Reply::new(200).body(bytes.clone()));
        let answer = lab.post("/").body(bytes.clone()).send();
        let received = lab.origin().last();
        assert_eq!((&answer.body, &received.body), (&bytes, &bytes));
        assert_eq!((answer.header("x-ok"), received.header("x-ok")), ("1".into(), "1".into()));
        assert_eq!(lab.stat("rustformations_errors.kind.body_not_text"), 2);
    }

    fn an_undeclared_variable_is_a_400_in_the_body_of_a_request_as_in_a_header(envoy) {
        let config = EnvoyConfig::new()
            .route(
                Route::at("/header")
                    .transform(json!({"request": {"set": [set("x-a", "{{ model }}")]}})),
            )
            .route(
                Route::at("/body")
                    .transform(json!({"request": {"body": {"value": "{{ model }}"}}})),
            )
            .route(
                Route::at("/response")
                    .transform(json!({"response": {"body": {"value": "{{ model }}"}}})),
            );
        let lab = Lab::start(envoy, &config);
        for path in ["/header", "/body"] {
            let answer = lab.post(path).body("kept").send();
            assert_eq!((answer.status, answer.text().as_str()), (400, ""), "{path}");
        }
        lab.origin().answer("/response", Reply::new(200).body("kept"));
        let answer = lab.post("/response").send();
        assert_eq!((answer.status, answer.text().as_str()), (200, "kept"));
    }

    fn json_that_is_never_parsed_is_missed_wherever_a_template_wants_it(envoy) {
        let unparsed = json!({"body": {"parseAs": "None"}, "set": [set("x-a", "{{ model }}")]});
        let metadata = json!({"dynamicMetadata": [
            {"namespace": "lab.test", "key": "model", "value": {"stringValue": "{{ model }}"}},
        ]});
        let config = EnvoyConfig::new()
            .route(Route::at("/request").transform(json!({"request": unparsed})))
            .route(Route::at("/metadata").transform(json!({"request": metadata})))
            .route(Route::at("/response").transform(json!({"response": unparsed})));
        let lab = Lab::start(envoy, &config);
        let document = json!({"model": "gpt-4"});
        lab.origin().answer("/response", Reply::json(&document));
        for path in ["/request", "/metadata"] {
            let answer = lab.post(path).json(&document).send();
            assert_eq!((answer.status, answer.text().as_str()), (400, ""), "{path}");
        }
        assert_eq!(lab.post("/response").json(&document).send().status, 200);
        assert_eq!(lab.origin().received().len(), 1);
        let undeclared = "rustformations_errors.kind.undeclared_variable";
        assert_eq!(lab.stat(undeclared), 3);
    }

    fn a_template_that_deals_with_absence_is_no_error(envoy) {
        let rules = json!({"body": {"parseAs": "AsJson"}, "set": [
            set("x-model", "{{ model|default('none') }}"),
        ]});
        let lab = lab_with(envoy, json!({"request": rules}));
        for request in [lab.get("/"), lab.post("/").body("null"), lab.post("/").body("{}")] {
            assert_eq!(request.send().status, 200);
            assert_eq!(lab.origin().last().header("x-model"), "none");
        }
    }
}
