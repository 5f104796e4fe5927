//! LLM traffic whose route is chosen by its model, sent again and redirected, in real Envoys: the rules of the
//! model's own route hold, once.

use std::time::Duration;

use rustformations_tests::{Body, Envoy, EnvoyConfig, Lab, Reply, Request, Route, on_every_envoy};
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";

/// Whatever names the model `name` in the header, and goes by these rules.
fn of_model(name: &str, rules: Value) -> Route {
    let by_model = json!({"prefix": "/", "headers": [{"name": "x-ai-model", "string_match": {"exact": name}}]});
    Route::at("/").field("match", by_model).transform(rules)
}

fn chat(model: &str, text: &str) -> String {
    json!({"model": model, "messages": [{"role": "user", "content": text}]}).to_string()
}

fn strict() -> Value {
    json!({"ai": {
        "model": {},
        "guard": {"deny": [{"name": "secret", "words": ["Bluebird"]}], "message": "No."},
        "usage": {},
    }})
}

fn logging(config: EnvoyConfig) -> EnvoyConfig {
    let facts = ["model", "guard", "refused", "total_tokens", "usage_status"];
    let facts = facts.map(|fact| format!("%DYNAMIC_METADATA(rustformations.ai:{fact})%"));
    let format = format!("[%REQ(X-ID)%: {}]\n", facts.join(" "));
    config.connection_manager("access_log", json!([{
        "name": "envoy.access_loggers.stderr",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StderrAccessLog",
            "log_format": {"text_format_source": {"inline_string": format}},
        },
    }]))
}

fn answer() -> Value {
    json!({
        "model": "large-1",
        "choices": [{"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2},
    })
}

fn ask(lab: &Lab, id: &str, body: &str) -> Request {
    let request = lab.post(CHAT).header("content-type", "application/json");
    request.header("x-id", id).body(body)
}

/// What the origin got, in order.
fn received(lab: &Lab) -> Vec<String> {
    lab.origin().received().iter().map(|it| it.text()).collect()
}

fn labelled(envoy: &Envoy) -> Lab {
    let open = json!({"ai": {"model": {}, "publish": {"metadata": [{"namespace": "n", "key": "k", "from": "model"}]}}});
    let rewriting = json!({
        "request": {"set": [{"name": "x-by", "value": "rewriting"}], "body": {"value": "{\"model\":\"large\"}"}, "maxBodyBytes": 100_000},
        "ai": {"model": {}},
    });
    let config = EnvoyConfig::new()
        .buffer_limit(4096)
        .route(of_model("cheap", open))
        .route(of_model("rewriting", rewriting))
        .route(of_model("bare", json!({})))
        .route(of_model("large", strict()))
        .route(Route::at("/").transform(json!({"ai": {"model": {"aliases": {"big": "large"}}}})));
    let lab = Lab::start(envoy, &logging(config));
    lab.origin().answer(CHAT, Reply::json(&answer()));
    lab
}

on_every_envoy! {
    fn a_client_does_not_choose_its_rules_by_the_header_of_the_model(envoy) {
        let lab = labelled(envoy);
        let denied = chat("large", "What of bluebird?");
        for forged in ["cheap", "rewriting", "large", "none", ""] {
            let request = || ask(&lab, forged, &denied).header("x-ai-model", forged);
            let (one, rest) = denied.split_at(20);
            let pause = Duration::from_millis(20);
            let chunked = || Body::chunked().piece(one).pause(pause).piece(rest);
            for script in [Body::whole(&*denied), chunked(), chunked().trailer("x-end", "1")] {
                let answer = request().stream(script).send();
                assert_eq!((answer.status, &answer.json()["error"]["message"]), (403, &json!("No.")), "{forged}");
            }
            lab.expect_log(&format!("[{forged}: large secret guard:secret - -]"));
        }
        assert!(lab.origin().received().is_empty());
        for forged in ["cheap", "rewriting", "none"] {
            // Larger than what Envoy holds.
            let long = chat("large", &"x".repeat(50_000));
            let answer = ask(&lab, "long", &long).header("x-ai-model", forged).send();
            assert_eq!(answer.status, 200, "{forged}: {}", answer.text());
            let sent = lab.origin().last();
            assert_eq!((sent.text(), sent.header("x-ai-model"), sent.header("x-by")), (long, "large".to_owned(), String::new()));
        }
        lab.expect_log("[long: large - - 7 complete]");
        assert_eq!(lab.stat("rustformations_errors"), 0);
    }

    fn a_route_without_rules_gets_what_the_client_sent_and_the_header_of_the_model(envoy) {
        let lab = labelled(envoy);
        let body = chat("bare", "What of bluebird?");
        let answer = ask(&lab, "bare", &body).header("x-ai-model", "large").send();
        assert_eq!(answer.status, 200);
        let sent = lab.origin().last();
        assert_eq!((sent.text(), sent.header("x-ai-model")), (body.clone(), "bare".to_owned()));
        assert_eq!(sent.header("content-length"), body.len().to_string());
        // An alias leads to the rules of its model, which do not have it.
        assert_eq!(ask(&lab, "alias", &chat("big", "Hello")).send().status, 200);
        lab.expect_log("[alias: big - - 7 complete]");
        // Without a model the header goes, with a body and without one.
        for request in [lab.get("/v1/models"), lab.post("/other").body("a=b")] {
            assert_eq!(request.header("x-ai-model", "large").send().status, 200);
            assert!(!lab.origin().last().headers.has("x-ai-model"));
        }
    }

    fn what_is_sent_again_is_what_was_made_once(envoy) {
        let rules = json!({"ai": {
            "model": {"aliases": {"fast": "slow"}},
            "prompt": {"prepend": [{"role": "system", "content": "Be brief."}]},
            "usage": {},
        }});
        let policy = json!({"retry_on": "5xx", "num_retries": 2, "retry_back_off": {"base_interval": "0.001s"}});
        let route = Route::at("/").transform(rules).action("retry_policy", policy);
        let config = EnvoyConfig::new().virtual_host("include_request_attempt_count", json!(true));
        let lab = Lab::start(envoy, &logging(config.route(route)));
        lab.origin().answer_with(CHAT, |asked| match asked.header("x-envoy-attempt-count").as_str() {
            "3" => Reply::json(&answer()),
            _ => Reply::new(503).body("busy"),
        });
        assert_eq!(ask(&lab, "again", &chat("fast", "Hello")).send().status, 200);
        let made = r#"{"model":"slow","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hello"}]}"#;
        assert_eq!(received(&lab), [made; 3]);
        lab.expect_log("[again: slow - - 7 complete]");
    }

    fn what_is_redirected_gets_no_prompt_twice(envoy) {
        let rules = json!({"ai": {
            "model": {"aliases": {"fast": "slow"}},
            "limits": {"maxOutputTokens": 100, "onExcess": "clamp"},
            "prompt": {"prepend": [{"role": "system", "content": "Be brief."}], "append": [{"role": "user", "content": "In one word."}]},
            "usage": {},
        }});
        let route = Route::at("/").transform(rules).action("internal_redirect_policy", json!({"max_internal_redirects": 1}));
        let lab = Lab::start(envoy, &logging(EnvoyConfig::new().route(route)));
        let there = "/there/v1/chat/completions";
        lab.origin().answer_with(CHAT, move |asked| {
            Reply::new(302).header("location", format!("http://{}{there}", asked.header("host")))
        });
        lab.origin().answer(there, Reply::json(&answer()));
        let answer = ask(&lab, "there", &chat("fast", "Hello")).send();
        assert_eq!(answer.status, 200, "{}", answer.text());
        let made = received(&lab);
        assert_eq!(made.len(), 2);
        assert_eq!(made.first(), made.last());
        assert_eq!(made[0].matches("Be brief.").count() + made[0].matches("In one word.").count(), 2);
        lab.expect_log("[there: slow - - 7 complete]");
        // What was asked in the client's name is taken for the client's own then.
        let events = [r#"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}"#, "[DONE]"];
        lab.origin().answer(there, Reply::events(&events, Duration::from_millis(10)));
        let body = r#"{"model":"fast","stream":true,"messages":[]}"#;
        let answer = ask(&lab, "stream", body).send();
        assert!(answer.status == 200 && answer.text().contains("\"usage\""), "{}", answer.text());
        lab.expect_log("[stream: slow - - 7 complete]");
    }

    fn a_request_goes_on_with_its_model_while_its_client_is_writing(envoy) {
        let rules = json!({"ai": {"model": {"aliases": {"fast": "much-slower"}, "allow": ["m*", "large"]}, "bodyBytes": 2000}});
        let large = of_model("large", json!({"request": {"body": {"value": "<{{ body() }}>"}, "maxBodyBytes": 100_000}}));
        let config = EnvoyConfig::new().buffer_limit(4096).route(large).route(Route::at("/").transform(rules));
        let lab = Lab::start(envoy, &config);
        let pause = Duration::from_millis(300);
        let filler = "x".repeat(20_000);
        let body = |model: &str| format!(r#"{{"model": "{model}", "messages": [{{"content": "{filler}"}}]}}"#);
        let send = |head: &str, rest: &str, has_length: bool| {
            let script = Body::chunked().piece(head).pause(pause).piece(rest);
            let script = if has_length { script.with_length() } else { script };
            let request = lab.post(CHAT).header("content-type", "application/json");
            request.stream(script).send()
        };
        for (model, is) in [("fast", "much-slower"), ("m", "m")] {
            let (was, is) = (body(model), body(is));
            for cut in [12 + model.len() + 1, 40, 10_000] {
                let (head, rest) = was.split_at(cut);
                for (has_length, told) in [(true, vec![is.len().to_string()]), (false, vec![])] {
                    let answer = send(head, rest, has_length);
                    assert_eq!(answer.status, 200, "{model} {cut}");
                    let sent = lab.origin().last();
                    assert_eq!((sent.text() == is, sent.headers.values("content-length")), (true, told), "{model} {cut}");
                    let (first, last) = (sent.pieces.first().unwrap().0, sent.pieces.last().unwrap().0);
                    assert!(last - first > pause / 2, "{model} {cut}: it waited for its end");
                }
            }
        }
        // Rules that need it whole get it whole.
        let was = body("large");
        let (head, rest) = was.split_at(1000);
        assert_eq!(send(head, rest, false).status, 200);
        assert_eq!(lab.origin().last().text(), format!("<{was}>"));
        // Twice, when the first is upstream already.
        lab.origin().forget();
        let twice = r#"{"model": "m", "messages": [1], "model": "other"}"#;
        let (head, rest) = twice.split_at(25);
        let answer = send(head, rest, false);
        assert_eq!((answer.status, &answer.json()["error"]["param"]), (400, &json!("model")));
        let refused = chat("o3", &"x".repeat(1900));
        let (head, rest) = refused.split_at(1000);
        assert_eq!(send(head, rest, false).status, 404);
        let whole = lab.origin().received().iter().filter(|it| !it.cut).count();
        assert_eq!(whole, 0);
        assert_eq!(lab.stat("rustformations_errors"), 0);
    }

    fn a_client_that_writes_before_it_reads_is_told_that_its_request_is_too_large(envoy) {
        let rules = json!({"ai": {"usage": {}, "bodyBytes": 100_000}});
        let lab = Lab::start(envoy, &EnvoyConfig::new().buffer_limit(4096).route(Route::at("/").transform(rules)));
        for bytes in [100_001, 150_000, 199_000] {
            for chunked in [false, true] {
                let body = chat("large", &"x".repeat(bytes));
                let mut script = Body::chunked();
                // Slowly enough that an early answer would find the client writing.
                for piece in body.as_bytes().chunks(20_000) {
                    script = script.piece(piece).pause(Duration::from_millis(20));
                }
                let script = if chunked { script } else { script.with_length() };
                let answer = lab.post(CHAT).header("content-type", "application/json").stream(script).send();
                assert_eq!((answer.status, answer.cut), (413, false), "{bytes}");
                assert_eq!(answer.json()["error"]["message"], "The request has more than 100000 bytes.");
            }
        }
        assert!(lab.origin().received().is_empty());
        assert_eq!(lab.stat("rustformations_errors.kind.body_too_large"), 6, "{:?}", lab.stats());
    }
}
