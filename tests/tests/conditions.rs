//! Conditions, answers of our own and edits of single lines in real Envoys: what is not concerned is
//! neither held nor changed.

use std::time::{Duration, Instant};

use rustformations_tests::differences::{ADD_MAKES_A_LINE, LOCAL_REPLY_SAYS_WHY};
use rustformations_tests::{
    Body, Connection, Envoy, EnvoyConfig, Lab, Reply, Route, on_every_envoy,
};
use serde_json::{Value, json};

const PAUSE: Duration = Duration::from_millis(300);

/// A lab whose Envoy holds no more than a kilobyte.
fn small_lab(envoy: &Envoy, transform: Value) -> Lab {
    let config = EnvoyConfig::new().buffer_limit(1024);
    Lab::start(envoy, &config.route(Route::at("/").transform(transform)))
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

fn error_pages() -> Value {
    json!({"response": {
        "when": "response.status >= 500",
        "body": {"value": "{\"code\":{{ response.status }},\"cause\":{{ body() | tojson }}}"},
        "set": [{"name": "content-type", "value": "application/json"}],
    }})
}

on_every_envoy! {
    fn a_rule_for_error_pages_neither_delays_nor_limits_a_download(envoy) {
        let lab = small_lab(envoy, error_pages());
        let half = vec![b'x'; 8 << 10];
        let body = Body::chunked().piece(half.clone()).pause(PAUSE).piece(half);
        lab.origin().answer("/", Reply::new(200).header("content-type", "video/mp4").stream(body));
        let began = Instant::now();
        let mut exchange = lab.get("/").begin().unwrap();
        exchange.next_piece().unwrap().unwrap();
        assert!(began.elapsed() < PAUSE, "the first bytes came after {:?}", began.elapsed());
        assert_eq!(exchange.finish().unwrap().status, 200);
        let events = Reply::events(&["1", "2"], PAUSE);
        lab.origin().answer("/", events);
        let began = Instant::now();
        let mut exchange = lab.get("/").begin().unwrap();
        exchange.next_piece().unwrap().unwrap();
        assert!(began.elapsed() < PAUSE, "the first event came after {:?}", began.elapsed());
        assert_eq!(exchange.finish().unwrap().text(), "data: 2\n\n");
    }

    fn an_error_page_is_replaced_whoever_made_it(envoy) {
        let config = EnvoyConfig::new()
            .route(Route::at("/own").direct_response(503, "no healthy upstream").transform(error_pages()))
            .route(Route::at("/").transform(error_pages()));
        let lab = Lab::start(envoy, &config);
        lab.origin().answer("/", Reply::new(502).header("content-type", "text/html").body("<p>bad"));
        for (path, expected) in [
            ("/", json!({"code": 502, "cause": "<p>bad"})),
            ("/own", json!({"code": 503, "cause": "no healthy upstream"})),
        ] {
            let answer = lab.get(path).send();
            assert_eq!(answer.json(), expected);
            assert_eq!(answer.header("content-type"), "application/json");
        }
        lab.origin().answer("/", Reply::new(404).header("content-type", "text/html").body("<p>none"));
        let answer = lab.get("/").send();
        assert_eq!((answer.status, answer.text().as_str(), answer.header("content-type").as_str()), (404, "<p>none", "text/html"));
    }

    fn the_content_type_decides_what_is_done_and_held(envoy) {
        let lab = small_lab(envoy, json!({"response": [
            {"when": "\"json\" in header(\"content-type\")", "body": {"parseAs": "AsJson"}, "set": [{"name": "x-id", "value": "{{ id }}"}]},
            {"when": "header(\"content-type\")", "set": [{"name": "x-id", "value": "other"}]},
            {"set": [{"name": "x-id", "value": "none"}]},
        ]}));
        let large = "x".repeat(8 << 10);
        for (kind, body, id) in [
            ("application/json; charset=utf-8", r#"{"id":7}"#, "7"),
            ("text/html", large.as_str(), "other"),
            ("", large.as_str(), "none"),
        ] {
            let reply = match kind {
                "" => Reply::new(200),
                kind => Reply::new(200).header("content-type", kind),
            };
            lab.origin().answer("/", reply.body(body));
            let answer = lab.get("/").send();
            assert_eq!((answer.status, answer.header("x-id").as_str(), answer.text().as_str()), (200, id, body), "{kind}");
        }
    }

    fn a_request_is_held_by_the_transform_that_was_chosen_alone(envoy) {
        let lab = small_lab(envoy, json!({"request": [
            {"when": "\"json\" in header(\"content-type\")", "body": {"parseAs": "AsJson", "value": "{{ model }}"}},
            {"set": [{"name": "x-passed", "value": "1"}]},
        ]}));
        let json = lab.post("/").header("content-type", "application/json").body(r#"{"model":"m"}"#);
        assert_eq!(json.send().status, 200);
        assert_eq!(lab.origin().last().text(), "m");
        let upload = lab.post("/").header("content-type", "application/octet-stream").body(vec![b'x'; 64 << 10]);
        assert_eq!(upload.send().status, 200);
        let received = lab.origin().last();
        assert_eq!((received.body.len(), received.header("x-passed").as_str()), (64 << 10, "1"));
    }

    fn a_reply_takes_the_place_of_the_upstream(envoy) {
        let lab = Lab::start(envoy, &showing_details().route(Route::at("/").transform(json!({
            "request": {"reply": {
                "when": "not header(\"x-team\")",
                "status": 401,
                "headers": [
                    {"name": "www-authenticate", "value": "Bearer realm=\"{{ request.host }}\""},
                    {"name": "content-type", "value": "application/json"},
                ],
                "body": "{\"path\":\"{{ raw_string(request.path) }}\"}",
            }, "set": [{"name": "x-a", "value": "1"}]},
            "response": {"set": [{"name": "x-response", "value": "1"}]},
        }))));
        let answer = lab.get("/a?b").header("host", "lab.test").send();
        assert_eq!((answer.status, answer.json()), (401, json!({"path": "/a?b"})));
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"lab.test\"");
        assert_eq!(answer.headers.values("content-type"), ["application/json"]);
        assert!(!answer.headers.has("x-response"), "an answer of our own passes no rule");
        assert!(lab.origin().received().is_empty());
        if LOCAL_REPLY_SAYS_WHY.is_in(lab.version()) {
            assert_eq!(answer.header("x-details"), "rustformation_reply{request.reply}");
        }
        assert_eq!(lab.get("/").header("x-team", "red").send().status, 200);
        assert_eq!(lab.origin().last().header("x-a"), "1");
    }

    fn a_reply_without_content_is_not_followed_by_any(envoy) {
        let lab = small_lab(envoy, json!({"request": {
            "reply": {"when": "header(\"x-status\")", "status": "{{ header(\"x-status\") }}", "body": "HTTP/1.1 200 OK"},
        }}));
        for status in [204, 205, 304] {
            let mut kept = Connection::open(lab.address()).unwrap();
            let refused = lab.get("/").header("x-status", status.to_string());
            let answers = kept.send(&[refused, lab.get("/")]).unwrap();
            let said: Vec<_> = answers.iter().map(|it| (it.status, it.text())).collect();
            assert_eq!(said, [(status, String::new()), (200, "ok".to_owned())]);
        }
    }

    fn a_reply_does_not_wait_for_an_upload_that_it_does_not_read(envoy) {
        let lab = small_lab(envoy, json!({"request": {
            "reply": {"when": "header(\"x-bad\")", "status": 403},
            "body": {"parseAs": "AsJson", "value": "{{ model }}"},
        }}));
        let upload = Body::chunked().piece(vec![b'x'; 512]).pause(PAUSE).piece(vec![b'x'; 64 << 10]);
        let began = Instant::now();
        let exchange = lab.post("/").header("x-bad", "1").stream(upload).begin().unwrap();
        assert_eq!(exchange.status, 403);
        assert!(began.elapsed() < 2 * PAUSE);
    }

    fn a_reply_may_read_the_body_and_answers_head_without_one(envoy) {
        let lab = small_lab(envoy, json!({"request": {
            "reply": {"when": "model not in [\"small\", \"large\"]", "status": 422, "body": "no {{ model }}"},
            "body": {"parseAs": "AsJson"},
        }}));
        let ask = |model: &str| lab.post("/").json(&json!({"model": model})).send();
        assert_eq!((ask("huge").status, ask("huge").text().as_str()), (422, "no huge"));
        assert!(lab.origin().received().is_empty());
        assert_eq!(ask("small").text(), "ok");
        let always = small_lab(envoy, json!({"request": {"reply": {"status": 410, "body": "gone"}}}));
        let answer = always.request("HEAD", "/").send();
        assert_eq!((answer.status, answer.text().as_str()), (410, ""));
        assert_eq!(always.get("/").send().text(), "gone");
    }

    fn each_line_of_a_header_is_edited_alone(envoy) {
        let edit = json!({"response": {"edit": [
            {"name": "set-cookie", "value": "{% if not \"debug=\" in value %}{{ value }}; SameSite=Lax{% endif %}"},
        ]}});
        let config = EnvoyConfig::new().route(Route::at("/").transform(edit));
        if !ADD_MAKES_A_LINE.is_in(envoy.version()) {
            assert!(Lab::refuse(envoy, &config).contains("cannot write several lines of set-cookie"));
            return;
        }
        let lab = Lab::start(envoy, &config);
        let reply = Reply::new(200)
            .header("set-cookie", "a=1; Path=/")
            .header("set-cookie", "debug=1")
            .header("x-a", "1")
            .header("set-cookie", "b=2, still b");
        lab.origin().answer("/", reply);
        let cookies = lab.get("/").send().headers.values("set-cookie");
        assert_eq!(cookies, ["a=1; Path=/; SameSite=Lax", "b=2, still b; SameSite=Lax"]);
    }

    fn lines_that_are_no_text_stay(envoy) {
        let lab = small_lab(envoy, json!({"request": {"edit": [{"name": "x-a", "value": "<{{ value }}>"}]}}));
        let request = lab.get("/").header("x-a", b"\xff\xfe").header("x-a", "1");
        assert_eq!(request.send().status, 200);
        let lines = lab.origin().last().headers;
        let mut lines: Vec<_> = lines.0.iter().filter(|(name, _)| name == "x-a").map(|(_, value)| value.clone()).collect();
        if !ADD_MAKES_A_LINE.is_in(envoy.version()) {
            lines = lines.concat().split(|byte| *byte == b',').map(|line| line.trim_ascii().to_vec()).collect();
        }
        assert_eq!(lines, [b"\xff\xfe".to_vec(), b"<1>".to_vec()]);
    }

    fn patterns_remove_what_they_match_and_nothing_that_a_message_needs(envoy) {
        let lab = small_lab(envoy, json!({
            "request": {"remove": ["*"]},
            "response": {"remove": ["x-internal-*", {"name": "x-powered-*", "when": "response.status < 400"}]},
        }));
        let reply = Reply::new(200).header("x-internal-a", "1").header("x-internal-b", "2").header("x-powered-by", "3").header("x-a", "4");
        lab.origin().answer("/p", reply);
        let answer = lab.post("/p").header("x-secret", "1").body("body").send();
        assert_eq!((answer.status, answer.text().as_str()), (200, ""));
        let names: Vec<_> = answer.headers.0.iter().map(|(name, _)| name.to_lowercase()).filter(|name| name.starts_with("x-") && !name.starts_with("x-envoy")).collect();
        assert_eq!(names, ["x-a"]);
        let received = lab.origin().last();
        assert_eq!((received.method.as_str(), received.path.as_str(), received.text().as_str()), ("POST", "/p", "body"));
        assert!(received.headers.has("host") && !received.headers.has("x-secret"));
    }

    fn a_variable_is_one_value_in_both_directions_and_in_events(envoy) {
        let lab = small_lab(envoy, json!({
            "vars": {"call": "{{ uuid() }}", "team": "{{ header(\"x-team\") | lower }}"},
            "request": {"set": [{"name": "x-call", "value": "{{ call }}"}, {"name": "x-team", "value": "gone"}]},
            "response": {
                "when": "team == \"red\"",
                "set": [{"name": "x-call", "value": "{{ call }}"}, {"name": "x-team", "value": "{{ team }}"}],
                "stream": {"rules": [{"data": "{{ call }}/{{ team }}/{{ event.data }}"}]},
            },
        }));
        let mut calls = Vec::new();
        for _ in 0..2 {
            lab.origin().answer("/", Reply::events(&["1", "2"], Duration::from_millis(1)));
            let answer = lab.get("/").header("x-team", "RED").send();
            let call = answer.header("x-call");
            assert_eq!((call.len(), answer.header("x-team").as_str()), (36, "red"));
            assert_eq!(lab.origin().last().header("x-call"), call);
            assert_eq!(answer.text(), format!("data: {call}/red/1\n\ndata: {call}/red/2\n\n"));
            calls.push(call);
        }
        assert_ne!(calls[0], calls[1]);
        lab.origin().answer("/", Reply::new(200));
        assert!(!lab.get("/").header("x-team", "blue").send().headers.has("x-call"));
    }
}
