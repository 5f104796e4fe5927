//! Masking in real Envoys, with the mock LLM as its providers, which repeats what it is told: no value
//! goes up, every value comes back, and none is in a log.

use std::time::{Duration, Instant};

use rustformations_tests::mock_llm::MockLlm;
use rustformations_tests::{
    Answer, Body, Envoy, EnvoyConfig, Lab, Reply, Request, Route, Settings, on_every_envoy,
};
use serde_json::{Value, json};

const CHAT: &str = "/provider/v1/chat/completions";
const WAIT: Duration = Duration::from_secs(5);

/// What a client says, and what goes up of it.
const SAID: &str =
    "Write to marker-1@example.com and +49 170 5551234, then marker-1@example.com of Jo \"J\" Doe";
const MASKED: &str = "Write to [EMAIL_1] and [PHONE_1], then [EMAIL_1] of [NAME_1]";

/// The paths of each dialect, and how its requests say something.
const DIALECTS: [(&str, &str, &str, &str); 5] = [
    ("openai-chat", CHAT, CHAT, "messages"),
    (
        "openai-completions",
        "/provider/v1/completions",
        "/provider/v1/completions",
        "prompt",
    ),
    (
        "openai-responses",
        "/provider/v1/responses",
        "/provider/v1/responses",
        "input",
    ),
    (
        "anthropic-messages",
        "/provider/v1/messages",
        "/provider/v1/messages",
        "messages",
    ),
    (
        "gemini",
        "/provider/v1beta/models/m:generateContent",
        "/provider/v1beta/models/m:streamGenerateContent?alt=sse",
        "contents",
    ),
];

fn masking(response: &str) -> Value {
    json!({"ai": {"usage": {}, "mask": {
        "detectors": {"email": "mask", "phone": "mask", "credit-card": "block"},
        "words": [{"name": "NAME", "words": ["Jo \"J\" Doe"]}],
        "response": response,
    }}})
}

fn started() -> MockLlm {
    MockLlm::start("127.0.0.1:0").unwrap_or_else(|error| panic!("{error:#}"))
}

/// An Envoy in front of a mock LLM, which logs what was published, and all that the module says.
fn lab_with(envoy: &Envoy, llm: &MockLlm, config: Value) -> Lab {
    let address = llm.address();
    let cluster = json!({
        "name": "llm", "type": "STATIC", "connect_timeout": "5s",
        "load_assignment": {"cluster_name": "llm", "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {
            "socket_address": {"address": address.ip().to_string(), "port_value": address.port()},
        }}}]}]},
    });
    let facts = ["masked", "masked_kinds", "refused", "usage_status"];
    let facts = facts.map(|fact| format!("%DYNAMIC_METADATA(rustformations.ai:{fact})%"));
    let format = format!("[%REQ(X-ID)%: {}]\n", facts.join(" "));
    let config = EnvoyConfig::new()
        .buffer_limit(4096)
        .cluster(cluster)
        .connection_manager("access_log", json!([{
            "name": "envoy.access_loggers.stderr",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StderrAccessLog",
                "log_format": {"text_format_source": {"inline_string": format}},
            },
        }]))
        .route(Route::at("/").action("cluster", json!("llm")).transform(config));
    let settings = Settings {
        component_log_level: "dynamic_modules:trace".to_owned(),
        ..Settings::default()
    };
    Lab::start_with(envoy, &config, settings)
}

fn with(request: Request, headers: &[(&str, &str)]) -> Request {
    headers.iter().fold(request, |request, (name, value)| {
        request.header(name, value)
    })
}

fn body(member: &str, said: &str, stream: bool) -> Value {
    match member {
        "contents" => json!({"contents": [{"role": "user", "parts": [{"text": said}]}]}),
        "messages" => {
            let said = json!([{"role": "user", "content": said}]);
            json!({"model": "m", "max_tokens": 9, "stream": stream, "messages": said})
        }
        member => json!({"model": "m", "stream": stream, member: said}),
    }
}

/// The data of the events of a stream, without `[DONE]`.
fn events(answer: &Answer) -> Vec<Value> {
    let text = answer.text();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let data = data.filter(|it| *it != "[DONE]");
    data.map(|it| serde_json::from_str(it).unwrap_or_else(|error| panic!("{error}: {it}")))
        .collect()
}

/// What a client reads of an answer.
fn read(dialect: &str, stream: bool, answer: &Answer) -> String {
    let pointer = match (dialect, stream) {
        ("openai-chat", false) => "/choices/0/message/content",
        ("openai-chat", true) => "/choices/0/delta/content",
        ("openai-completions", _) => "/choices/0/text",
        ("openai-responses", false) => "/output/0/content/0/text",
        ("openai-responses", true) => "/delta",
        ("anthropic-messages", false) => "/content/0/text",
        ("anthropic-messages", true) => "/delta/text",
        _ => "/candidates/0/content/parts/0/text",
    };
    let all = match stream {
        true => events(answer),
        false => vec![answer.json()],
    };
    let said = |it: &Value| {
        it.pointer(pointer)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    all.iter().filter_map(said).collect()
}

on_every_envoy! {
    fn what_was_masked_comes_back_in_every_dialect_whole_and_streamed(envoy) {
        let llm = started();
        let lab = lab_with(envoy, &llm, masking("restore"));
        for (dialect, whole, streamed, member) in DIALECTS {
            for (stream, path) in [(false, whole), (true, streamed)] {
                for (pieces, delta) in [("whole", "word"), ("bytes:1", "word"), ("events:10", "1"), ("events:1", "4")] {
                    let id = format!("{dialect} {stream} {pieces}");
                    let answer = with(lab.post(path).json(&body(member, SAID, stream)), &[
                        ("x-id", &id), ("accept-encoding", "gzip"), ("x-mock-say", "$PROMPT"),
                        ("x-mock-pieces", pieces), ("x-mock-delta", delta), ("x-mock-gzip", "accepted"),
                    ]).send();
                    assert_eq!((answer.status, answer.cut), (200, false), "{id}: {}", answer.text());
                    assert_eq!(read(dialect, stream, &answer), SAID, "{id}: {}", answer.text());
                    assert!(!answer.text().contains("[EMAIL"), "{id}: {}", answer.text());
                    let asked = llm.next_asked(WAIT).unwrap();
                    assert!(asked.body.contains(&json!(MASKED).to_string()), "{id}: {}", asked.body);
                    lab.expect_log(&format!("[{id}: 4 EMAIL=2,NAME=1,PHONE=1 - complete]"));
                }
            }
        }
        assert_eq!(lab.stat("rustformations_errors"), 0);
        for value in ["marker-1", "5551234", "Jo \"J\"", "Jo \\\"J"] {
            assert!(!lab.logs().contains(value), "{value} is in the log");
        }
    }

    fn arguments_of_tools_and_choices_that_interleave_are_restored(envoy) {
        let llm = started();
        let lab = lab_with(envoy, &llm, masking("restore"));
        let tools = r#"[{"name":"f","arguments":{"said":"$PROMPT"}},{"name":"g","arguments":{"n":1,"said":"<$PROMPT>"}}]"#;
        for (pieces, delta) in [("events:1", "2"), ("bytes:7", "40"), ("events:10", "9")] {
            let mut request = body("messages", SAID, true);
            request["n"] = json!(2);
            let answer = with(lab.post(CHAT).json(&request), &[
                ("x-mock-tools", tools), ("x-mock-pieces", pieces), ("x-mock-say", "a $PROMPT b"), ("x-mock-delta", delta),
            ]).send();
            for choice in 0..2 {
                let (mut text, mut arguments) = (String::new(), [String::new(), String::new()]);
                for event in events(&answer) {
                    let choices = event["choices"].as_array().cloned().unwrap_or_default();
                    for it in choices.iter().filter(|it| it["index"] == choice) {
                        text += it["delta"]["content"].as_str().unwrap_or_default();
                        for call in it["delta"]["tool_calls"].as_array().into_iter().flatten() {
                            let at = call["index"].as_u64().unwrap() as usize;
                            arguments[at] += call["function"]["arguments"].as_str().unwrap_or_default();
                        }
                    }
                }
                assert_eq!(text, format!("a {SAID} b"), "{}", answer.text());
                let arguments = arguments.map(|it| serde_json::from_str::<Value>(&it).unwrap());
                assert_eq!(arguments, [json!({"said": SAID}), json!({"n": 1, "said": format!("<{SAID}>")})]);
            }
            assert!(!answer.cut && answer.text().ends_with("data: [DONE]\n\n"));
        }
        let answer = with(lab.post("/provider/v1/messages").json(&body("messages", SAID, true)), &[
            ("x-mock-tools", tools), ("x-mock-pieces", "events:10"), ("x-mock-delta", "3"),
        ]).send();
        let partial = |block: usize| -> String {
            let of = |it: &&Value| it["index"] == block;
            let all = events(&answer);
            all.iter().filter(of).filter_map(|it| it.pointer("/delta/partial_json")?.as_str().map(str::to_owned)).collect()
        };
        let blocks: Vec<_> = (0..3).map(partial).filter(|it| !it.is_empty()).collect();
        let first: Value = serde_json::from_str(&blocks[0]).unwrap();
        assert_eq!((first, blocks.len()), (json!({"said": SAID}), 2), "{}", answer.text());
    }

    fn what_the_response_has_of_its_own_is_masked_or_not(envoy) {
        let llm = started();
        let said = "Ask marker-2@example.com, and $PROMPT";
        for (response, expected) in [
            ("off", "Ask marker-2@example.com, and [EMAIL_1]"),
            ("restore", "Ask marker-2@example.com, and marker-1@example.com"),
            ("mask", "Ask [EMAIL_2], and [EMAIL_1]"),
            ("both", "Ask [EMAIL_2], and marker-1@example.com"),
        ] {
            let lab = lab_with(envoy, &llm, masking(response));
            for (dialect, whole, streamed, member) in DIALECTS {
                for (stream, path) in [(false, whole), (true, streamed)] {
                    let answer = with(lab.post(path).json(&body(member, "marker-1@example.com", stream)), &[
                        ("x-mock-say", said), ("x-mock-pieces", "bytes:9"), ("x-mock-delta", "4"), ("x-mock-gzip", "always"),
                    ]).send();
                    // What is left alone keeps its coding, unless usage is hidden in it.
                    if response == "off" && answer.headers.has("content-encoding") {
                        assert_eq!(answer.header("content-encoding"), "gzip");
                        continue;
                    }
                    assert!(!answer.headers.has("content-encoding") && !answer.cut, "{dialect} {stream}");
                    assert_eq!(read(dialect, stream, &answer), expected, "{dialect} {stream}: {}", answer.text());
                }
            }
            let error = with(lab.post(CHAT).json(&body("messages", "marker-1@example.com", false)), &[("x-mock-status", "429")]).send();
            assert_eq!((error.status, error.cut), (429, false), "{}", error.text());
            assert!(!lab.logs().contains("marker-"));
        }
    }

    fn what_must_not_be_sent_and_what_cannot_be_looked_at_is_refused(envoy) {
        let llm = started();
        let mut config = masking("restore");
        config["ai"]["bodyBytes"] = json!(1000);
        let lab = lab_with(envoy, &llm, config);
        let blocked = lab.post("/provider/v1/messages").json(&body("messages", "4111 1111 1111 1111", true)).header("x-id", "card").send();
        assert_eq!(blocked.status, 400);
        assert_eq!(blocked.json()["error"]["message"], "The request has a value of the kind CREDIT_CARD, which must not be sent.");
        lab.expect_log("[card: 1 CREDIT_CARD=1 mask:CREDIT_CARD -]");
        assert_eq!(lab.post(CHAT).body("{\"messages\":").header("content-type", "application/json").send().status, 400);
        assert_eq!(lab.post("/other").json(&json!({"a": "marker-1@example.com"})).send().status, 415);

        let long = format!("$PROMPT {}", "x".repeat(2000));
        let ask = |id: &str, stream: bool, knobs: &[(&str, &str)]| {
            let request = lab.post(CHAT).json(&body("messages", "marker-1@example.com", stream)).header("x-id", id);
            with(request.header("x-mock-say", &long), knobs).send()
        };
        let large = ask("large", false, &[]);
        assert_eq!((large.status, large.cut), (502, false), "{}", large.text());
        assert_eq!(large.json()["error"]["message"], "The response cannot be looked at, and is not passed on.");
        lab.expect_log("[large: 1 EMAIL=1 mask:response_too_large ");
        for pieces in ["events:1", "bytes:100", "whole"] {
            let id = format!("event {pieces}");
            let broken = ask(&id, true, &[("x-mock-delta", "whole"), ("x-mock-pieces", pieces)]);
            assert_eq!((broken.status, broken.cut), (200, false), "{pieces}: {}", broken.text());
            let last = events(&broken).pop().unwrap();
            assert_eq!(last["error"]["type"], "server_error", "{pieces}: {}", broken.text());
            assert!(!broken.text().contains("xxx") && !broken.text().contains("[DONE]"), "{}", broken.text());
            lab.expect_log(&format!("[{id}: 1 EMAIL=1 mask:response_too_large "));
        }
        assert_eq!(lab.get("/provider/v1/models").send().status, 405);
        assert!(!lab.logs().contains("marker-") && !lab.logs().contains("4111 1111"));
    }

    fn events_wait_no_longer_than_they_must_and_clients_may_leave(envoy) {
        let llm = started();
        let lab = lab_with(envoy, &llm, masking("restore"));
        let ask = |id: &str| with(lab.post(CHAT).json(&body("messages", "marker-1@example.com", true)), &[
            ("x-id", id), ("x-mock-say", "one two $PROMPT three four"), ("x-mock-pause", "150"),
        ]);
        let began = Instant::now();
        let mut answer = ask("slow").begin().unwrap();
        assert!(answer.next_piece().unwrap().is_some());
        let first = began.elapsed();
        let rest = answer.finish().unwrap();
        assert!(first < began.elapsed() / 3, "the first event came after {first:?} of {:?}", began.elapsed());
        assert!(rest.pieces.len() > 4 && rest.text().contains("marker-1@example.com"), "{}", rest.text());
        let mut left = ask("left").begin().unwrap();
        assert!(left.next_piece().unwrap().is_some());
        drop(left);
        lab.expect_log("[left: 1 EMAIL=1 - ");
    }

    fn templates_and_rules_for_events_see_what_was_restored(envoy) {
        let llm = started();
        let mut config = masking("restore");
        config["response"] = json!({
            "body": {"parseAs": "AsJson", "value": "<{{ choices[0].message.content }}>"},
            "stream": {"rules": [{"when": {"pointer": "/choices/0/delta/content", "exists": true},
                "patch": [{"op": "replace", "path": "/choices/0/delta/content", "value": "<{{ choices[0].delta.content }}>"}]}]},
        });
        let lab = lab_with(envoy, &llm, config);
        for pieces in ["whole", "bytes:1", "events:1"] {
            let ask = |stream: bool| with(lab.post(CHAT).json(&body("messages", "marker-1@example.com", stream)), &[
                ("x-mock-say", "$PROMPT"), ("x-mock-pieces", pieces), ("x-mock-delta", "whole"),
            ]).send();
            assert_eq!(ask(false).text(), "<marker-1@example.com>", "{pieces}");
            let streamed = ask(true);
            assert_eq!(read("openai-chat", true, &streamed).replace("<>", ""), "<marker-1@example.com>", "{}", streamed.text());
        }
    }

    fn bodies_of_any_length_and_trailers_arrive_behind_what_is_restored(envoy) {
        let templates = json!({"body": {"parseAs": "AsJson", "value": "{{ choices[0].message.content }}"}, "maxBodyBytes": 200_000});
        for templates in [json!({}), templates] {
            let mut config = masking("restore");
            let is_held_again = templates != json!({});
            config["response"] = templates;
            let config = EnvoyConfig::new().buffer_limit(4096).route(Route::at("/").transform(config));
            let lab = Lab::start(envoy, &config);
            for length in [0, 50_000] {
                let text = |said: &str| format!("{said} {}", "x".repeat(length));
                let whole = |said: &str| json!({"choices": [{"index": 0, "message": {"content": text(said)}}]}).to_string();
                let expected = match is_held_again {
                    true => text("marker-1@example.com"),
                    false => whole("marker-1@example.com"),
                };
                let came = whole("[EMAIL_1]");
                let body = came.as_bytes().chunks(10_000).fold(Body::chunked(), |body, piece| body.piece(piece));
                for body in [Body::whole(&*came), body.clone(), body.trailer("x-end", "yes")] {
                    let reply = Reply::new(200).header("content-type", "application/json").stream(body);
                    lab.origin().answer("/v1/chat/completions", reply);
                    let said = lab.post("/v1/chat/completions").json(&self::body("messages", "marker-1@example.com", false));
                    let answer = said.header("te", "trailers").send();
                    assert_eq!((answer.status, answer.cut), (200, false), "{length}");
                    assert!(answer.text() == expected, "{length}: {} bytes", answer.body.len());
                }
            }
            assert_eq!(lab.stat("rustformations_errors"), 0);
        }
    }

    fn a_mask_with_a_typing_error_does_not_stand_open(envoy) {
        let config = EnvoyConfig::new().filter_level(json!({"ai": {"mask": {"detectors": {"e-mial": "mask"}}}}));
        let logs = Lab::refuse(envoy, &config);
        assert!(logs.contains("error[RF1101] ai.mask.detectors.e-mial: this kind of value is not known"), "{logs}");
    }
}
