//! Messages that cannot be transformed: the client gets an answer or the message as it was, as the
//! configuration says; never half of a transform, and never a word of what the message held.

use rustformations_tests::differences::LOCAL_REPLY_SAYS_WHY;
use rustformations_tests::{Body, EnvoyConfig, Lab, Reply, Route, on_every_envoy};
use serde_json::{Value, json};

fn set(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

/// Fails in the middle: a rule before it, a body, and a rule behind it would work.
fn failing(on_error: Option<&str>) -> Value {
    let mut rules = json!({
        "body": {"parseAs": "AsJson", "value": "<{{ n }}>"},
        "set": [set("x-first", "1"), set("x-broken", "{{ n + [] }}"), set("x-last", "3")],
    });
    if let Some(word) = on_error {
        rules["onError"] = json!(word);
    }
    rules
}

/// Shows the details of local replies in `x-details`.
fn showing_details() -> EnvoyConfig {
    let any = json!({"status_code_filter": {"comparison": {
        "op": "GE", "value": {"default_value": 0, "runtime_key": "none"},
    }}});
    let details = json!([{"header": {"key": "x-details", "value": "%RESPONSE_CODE_DETAILS%"}}]);
    EnvoyConfig::new().connection_manager(
        "local_reply_config",
        json!({"mappers": [{"filter": any, "headers_to_add": details}]}),
    )
}

on_every_envoy! {
    fn a_template_that_fails_is_a_500_and_nothing_reaches_the_origin(envoy) {
        let route = Route::at("/").transform(json!({"request": failing(Some("fail"))}));
        let lab = Lab::start(envoy, &EnvoyConfig::new().route(route));
        let answer = lab
            .post("/")
            .json(&json!({"n": 1, "secret": "sesame"}))
            .send();
        assert_eq!((answer.status, answer.text().as_str()), (500, ""));
        assert!(lab.origin().received().is_empty());
        assert_eq!(lab.stat("rustformations_errors.kind.render_error"), 1);
        assert_eq!(lab.stat("rustformations_requests_transformed"), 0);
        lab.expect_log("request.set[1].value: the template could not be rendered");
        assert!(!lab.logs().contains("sesame"));
    }

    fn a_response_that_fails_is_a_500_without_its_headers_and_its_body(envoy) {
        let route = Route::at("/").transform(json!({"response": failing(Some("fail"))}));
        let lab = Lab::start(envoy, &EnvoyConfig::new().route(route));
        let body = r#"{"n":1,"secret":"sesame"}"#;
        for stream in [
            Body::whole(body),
            Body::chunked().piece(body).trailer("x-end", "yes"),
        ] {
            lab.origin().answer(
                "/",
                Reply::new(200).header("x-secret", "sesame").stream(stream),
            );
            let answer = lab.get("/").send();
            assert_eq!((answer.status, answer.text().as_str()), (500, ""));
            for name in ["x-secret", "x-first", "x-last"] {
                assert!(!answer.headers.has(name), "{answer:?}");
            }
        }
        assert_eq!(lab.stat("rustformations_errors.kind.render_error"), 2);
        lab.expect_log("response.set[1].value: the template could not be rendered");
        assert!(!lab.logs().contains("sesame"));
    }

    fn on_error_skip_passes_the_message_as_it_came(envoy) {
        let rules = failing(Some("skip"));
        let route = Route::at("/").transform(json!({"request": rules, "response": rules}));
        let lab = Lab::start(envoy, &EnvoyConfig::new().route(route));
        lab.origin().answer("/", Reply::json(&json!({"n": 1})));
        let answer = lab
            .post("/")
            .header("x-broken", "kept")
            .json(&json!({"n": 1}))
            .send();
        let received = lab.origin().last();
        assert_eq!(
            (answer.status, answer.text(), received.text()),
            (200, r#"{"n":1}"#.to_owned(), r#"{"n":1}"#.to_owned())
        );
        assert_eq!(received.header("x-broken"), "kept");
        for headers in [&received.headers, &answer.headers] {
            assert!(
                !headers.has("x-first") && !headers.has("x-last"),
                "{headers:?}"
            );
        }
        assert_eq!(lab.stat("rustformations_errors.kind.render_error"), 2);
    }

    fn on_error_continue_leaves_out_what_failed(envoy) {
        let rules = failing(Some("continue"));
        let route = Route::at("/").transform(json!({"request": rules, "response": rules}));
        let lab = Lab::start(envoy, &EnvoyConfig::new().route(route));
        lab.origin().answer(
            "/",
            Reply::json(&json!({"n": 1})).header("x-broken", "stale"),
        );
        let answer = lab
            .post("/")
            .header("x-broken", "stale")
            .json(&json!({"n": 1}))
            .send();
        let received = lab.origin().last();
        assert_eq!(
            (
                answer.status,
                answer.text().as_str(),
                received.text().as_str()
            ),
            (200, "<1>", "<1>")
        );
        for headers in [&received.headers, &answer.headers] {
            assert!(!headers.has("x-broken"), "{headers:?}");
            assert_eq!(
                headers.values("x-first").concat() + &headers.values("x-last").concat(),
                "13"
            );
        }
        assert_eq!(lab.stat("rustformations_errors.kind.render_error"), 2);
    }

    fn on_error_continue_never_loses_a_body(envoy) {
        let rules = json!({"body": {"parseAs": "AsJson", "value": "<{{ n + [] }}>"}, "onError": "continue"});
        let route = Route::at("/").transform(json!({"request": rules, "response": rules}));
        let lab = Lab::start(envoy, &EnvoyConfig::new().route(route));
        lab.origin().answer("/", Reply::json(&json!({"n": 2})));
        let answer = lab.post("/").json(&json!({"n": 1})).send();
        let received = lab.origin().last();
        assert_eq!(
            (received.text().as_str(), answer.text().as_str()),
            (r#"{"n":1}"#, r#"{"n":2}"#)
        );
        assert_eq!(
            (
                received.header("content-length"),
                answer.header("content-length")
            ),
            ("7".to_owned(), "7".to_owned())
        );
    }

    fn the_details_of_an_answer_name_the_error_and_the_field(envoy) {
        let json_rules = json!({
            "onError": "fail",
            "body": {"parseAs": "AsJson"},
            "set": [set("x-model", "{{ 1 + model }}")],
        });
        let config =
            showing_details()
                .route(Route::at("/json").transform(json!({"request": json_rules})))
                .route(
                    Route::at("/undeclared")
                        .transform(json!({"request": {"set": [set("x-a", "{{ model }}")]}})),
                )
                .route(Route::at("/response").transform(json!({"response": json_rules})))
                .route(Route::at("/status").transform(
                    json!({"onError": "fail", "response": {"set": [set(":status", "{{ header('x-s') }}")]}}),
                ))
                .route(Route::at("/deep").transform(json!({
                    "onError": "fail",
                    "response": {"body": {"parseAs": "AsJson"}, "set": [set("x-a", &format!("{{{{ a{} }}}}", "[0]".repeat(128)))]},
                })));
        let lab = Lab::start(envoy, &config);
        lab.origin()
            .answer("/response", Reply::new(200).body("nonsense"));
        let deep = [r#"{"a":"#, &"[".repeat(128), &"]".repeat(128), "}"].concat();
        lab.origin().answer("/deep", Reply::new(200).body(deep));
        lab.origin()
            .answer("/status", Reply::new(200).header("x-s", "teapot"));
        let cases = [
            (lab.post("/json").body("nonsense"), 400, "invalid_json{request.body.parseAs}"),
            (lab.post("/json").body("{}"), 500, "render_error{request.set[0].value}"),
            (lab.post("/undeclared"), 400, "undeclared_variable{request.set[0].value}"),
            (lab.get("/response"), 502, "invalid_json{response.body.parseAs}"),
            (lab.get("/deep"), 502, "json_too_deep{response.set[0].value}"),
            (lab.get("/status"), 500, "invalid_header_value{response.set[0].value}"),
        ];
        for (request, status, why) in cases {
            let answer = request.send();
            assert_eq!(answer.status, status, "{why}");
            let says_why = answer.header("x-details") == format!("rustformation_{why}");
            assert_eq!(
                says_why,
                LOCAL_REPLY_SAYS_WHY.is_in(envoy.version()),
                "{answer:?}"
            );
        }
    }

    fn by_itself_a_value_that_fails_is_left_out_in_both_directions(envoy) {
        let rules = json!({"body": {"parseAs": "AsJson", "value": "<{{ n }}>"}, "set": [
            set("x-first", "1"), set("x-broken", "{{ n + [] }}"), set("x-last", "3"),
        ]});
        let route = Route::at("/").transform(json!({"request": rules, "response": rules}));
        let lab = Lab::start(envoy, &EnvoyConfig::new().route(route));
        let reply = Reply::json(&json!({"n": 1})).header("x-broken", "stale");
        lab.origin().answer("/", reply);
        let asked = lab.post("/").header("x-broken", "stale");
        let answer = asked.json(&json!({"n": 1})).send();
        let received = lab.origin().last();
        assert_eq!((answer.text(), received.text()), ("<1>".to_owned(), "<1>".to_owned()));
        for headers in [&received.headers, &answer.headers] {
            assert!(!headers.has("x-broken"), "{headers:?}");
            assert!(headers.has("x-first") && headers.has("x-last"), "{headers:?}");
        }
        assert_eq!(lab.stat("rustformations_errors.kind.render_error"), 2);
        lab.expect_log("request.set[1].value: the template could not be rendered: ");
    }

    fn by_itself_a_body_that_cannot_be_made_is_a_500(envoy) {
        let rules = json!({"body": {"value": "{{ fromjson(body()).n }}"}});
        let config = EnvoyConfig::new()
            .route(Route::at("/request").transform(json!({"request": rules})))
            .route(Route::at("/response").transform(json!({"response": rules})));
        let lab = Lab::start(envoy, &config);
        lab.origin().answer("/response", Reply::new(200).body("sesame"));
        assert_eq!(lab.post("/request").body("sesame").send().status, 500);
        assert_eq!(lab.get("/response").send().status, 500);
        lab.expect_log("request.body.value: the template could not be rendered: fromjson: ");
        lab.expect_log("(render_error");
        assert!(!lab.logs().contains("sesame"));
    }

    fn a_client_cannot_fill_the_log_with_its_mistakes(envoy) {
        let rules = json!({"body": {"parseAs": "AsJson"}, "set": [set("x-model", "{{ model }}")]});
        let route = Route::at("/").transform(json!({"request": rules}));
        let settings = rustformations_tests::Settings {
            component_log_level: "dynamic_modules:info".to_owned(),
            ..Default::default()
        };
        let lab = Lab::start_with(envoy, &EnvoyConfig::new().route(route), settings);
        let before = lab.logs().lines().count();
        for _ in 0..20 {
            assert_eq!(lab.post("/").body("nonsense").send().status, 400);
        }
        lab.expect_log("request.set[0].value: the body is not valid JSON: ");
        assert_eq!(lab.logs().lines().count(), before + 1, "{}", lab.logs());
        assert_eq!(lab.stat("rustformations_errors.kind.invalid_json"), 20);
    }

    fn the_modules_own_answer_is_not_transformed(envoy) {
        let rules = json!({"set": [set("x-a", "{{ model }}")]});
        let answering = json!({"set": [set("x-own", "1")], "body": {"value": "transformed"}});
        let route = Route::at("/").transform(json!({"request": rules, "response": answering}));
        let lab = Lab::start(envoy, &EnvoyConfig::new().route(route));
        for request in [lab.get("/"), lab.post("/").body("b")] {
            let answer = request.send();
            assert_eq!((answer.status, answer.text().as_str()), (400, ""));
            assert!(!answer.headers.has("x-own"), "{answer:?}");
        }
        assert_eq!(lab.stat("rustformations_responses_transformed"), 0);
    }
}
