//! Where messages end, whatever rules make of them: every test asks a second time on the same
//! connection, and the second answer must be its own.

use std::time::Duration;

use rustformations_tests::{
    Answer, Body, Envoy, EnvoyConfig, Lab, Reply, Request, Route, on_every_envoy,
};
use serde_json::{Value, json};

fn set(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

fn lab_with(envoy: &Envoy, config: EnvoyConfig, transform: Value) -> Lab {
    let config = config
        .route(Route::at("/next"))
        .route(Route::at("/").transform(transform));
    let lab = Lab::start(envoy, &config);
    lab.origin().answer("/next", Reply::new(200).body("next"));
    lab
}

/// Sends a request, and another one behind it on the same connection.
fn ask(lab: &Lab, request: Request) -> Answer {
    let mut connection = lab.connect();
    let mut turn = |request| match connection.send(&[request]) {
        Ok(mut answers) => answers.remove(0),
        Err(error) => panic!("{error:#}"),
    };
    let answer = turn(request);
    let next = turn(lab.get("/next"));
    assert_eq!((next.status, next.text().as_str()), (200, "next"));
    answer
}

on_every_envoy! {
    fn a_head_stays_a_head(envoy) {
        let rules = json!({
            "request": {"set": [set(":method", "POST"), set("x-a", "1")]},
            "response": {"set": [set("x-a", "{{ request_header(':method') }}")]},
        });
        let lab = lab_with(envoy, EnvoyConfig::new(), rules);
        lab.origin().answer("/", Reply::new(200).header("content-length", "5"));
        let answer = ask(&lab, lab.request("HEAD", "/"));
        assert_eq!((answer.status, answer.header("content-length").as_str(), answer.header("x-a").as_str()), (200, "5", "HEAD"));
        let received = lab.origin().received();
        assert_eq!((received[0].method.as_str(), received[0].header("x-a").as_str()), ("HEAD", "1"));
    }

    fn no_request_becomes_a_head(envoy) {
        let rules = json!({"request": {"onError": "fail", "set": [set(":method", "{{ header('x-method') }}")]}});
        let lab = lab_with(envoy, EnvoyConfig::new(), rules);
        for method in ["HEAD", "CONNECT"] {
            assert_eq!(ask(&lab, lab.post("/").header("x-method", method)).status, 500);
        }
        assert_eq!(ask(&lab, lab.post("/").header("x-method", "PATCH")).status, 200);
        let methods: Vec<_> = lab.origin().received().into_iter().map(|it| it.method).collect();
        assert_eq!(methods, ["GET", "GET", "PATCH", "GET"]);
    }

    fn a_status_without_content_takes_the_body_of_the_origin_away(envoy) {
        let status = set(":status", "{{ header('x-status') }}");
        let programs = [
            ("/headers", json!({"set": [status]})),
            ("/value", json!({"set": [status], "body": {"value": "{{ body() }} and more"}})),
            ("/reads", json!({"set": [status, set("x-length", "{{ body()|length }}")]})),
            ("/stream", json!({"set": [status], "stream": {"rules": [{"when": {"data": "a"}, "data": "b"}]}})),
        ];
        let config = programs.iter().fold(EnvoyConfig::new(), |config, (path, program)| {
            config.route(Route::at(path).transform(json!({"response": program})))
        });
        let lab = lab_with(envoy, config, json!({}));
        let event = "data: a\n\n";
        let pause = Duration::from_millis(20);
        let bodies = [
            Body::whole(event),
            Body::chunked().piece(event).pause(pause).piece(event),
            Body::chunked().piece(event).trailer("x-end", "yes"),
            Body::none(),
        ];
        for status in ["204", "205", "304"] {
            for (path, _) in &programs {
                for body in &bodies {
                    let reply = Reply::new(200).header("content-type", "text/event-stream").header("x-status", status);
                    lab.origin().answer(path, reply.stream(body.clone()));
                    let answer = ask(&lab, lab.get(path));
                    let what = format!("{status} {path} {answer:?}");
                    assert_eq!(answer.status.to_string(), status, "{what}");
                    assert!(answer.body.is_empty() && !answer.cut, "{what}");
                    assert!(matches!(answer.header("content-length").as_str(), "" | "0"), "{what}");
                    assert!(status == "205" || !answer.headers.has("transfer-encoding"), "{what}");
                }
            }
        }
    }

    fn a_response_without_content_can_be_given_a_status_with_some(envoy) {
        let status = set(":status", "200");
        let config = EnvoyConfig::new().route(
            Route::at("/value").transform(json!({"response": {"set": [status], "body": {"value": "new"}}})),
        );
        let lab = lab_with(envoy, config, json!({"response": {"set": [status]}}));
        for (path, expected) in [("/value", "new"), ("/headers", "")] {
            for code in [204, 304] {
                let reply = Reply::new(code);
                lab.origin().answer(path, if code == 304 { reply.header("content-length", "9") } else { reply });
                let answer = ask(&lab, lab.get(path));
                assert_eq!((answer.status, answer.text().as_str()), (200, expected), "{path} {code}");
            }
        }
    }

    fn what_told_of_the_untouched_body_goes_with_it(envoy) {
        let rules = json!({"response": {"body": {"value": "<{{ body() }}>"}, "set": [set("x-a", "1")]}});
        let lab = lab_with(envoy, EnvoyConfig::new(), rules);
        let reply = |status| Reply::new(status).header("etag", "\"a\"").header("digest", "x").header("last-modified", "yesterday");
        lab.origin().answer("/head", reply(200).header("content-length", "5"));
        lab.origin().answer("/unchanged", reply(304).header("content-length", "5"));
        lab.origin().answer("/body", reply(200).body("hello"));
        for (method, path, status) in [("HEAD", "/head", 200), ("GET", "/unchanged", 304), ("GET", "/body", 200)] {
            let answer = ask(&lab, lab.request(method, path));
            assert_eq!((answer.status, answer.header("x-a").as_str()), (status, "1"));
            assert_eq!(answer.header("last-modified"), "yesterday");
            assert!(!answer.headers.has("etag") && !answer.headers.has("digest"), "{answer:?}");
            if path == "/body" {
                assert_eq!((answer.text().as_str(), answer.header("content-length").as_str()), ("<hello>", "7"));
            } else {
                assert!(answer.body.is_empty() && answer.header("content-length") != "5", "{answer:?}");
            }
        }
    }

    fn trailers_survive_a_body_that_is_written(envoy) {
        let rules = json!({"body": {"value": "<{{ body() }}>"}});
        let lab = lab_with(envoy, EnvoyConfig::new(), json!({"request": rules, "response": rules}));
        let body = || Body::chunked().piece("one").piece("two").trailer("x-end", "yes");
        lab.origin().answer("/", Reply::new(200).header("trailer", "x-end").stream(body()));
        let answer = ask(&lab, lab.post("/").header("te", "trailers").stream(body()));
        let received = lab.origin().received().remove(0);
        assert_eq!((received.text().as_str(), answer.text().as_str()), ("<onetwo>", "<onetwo>"));
        assert_eq!(received.trailers.values("x-end"), ["yes"]);
        assert_eq!(answer.trailers.values("x-end"), ["yes"]);
    }

    fn a_body_that_came_in_chunks_goes_on_in_chunks(envoy) {
        let rules = json!({"body": {"value": "<{{ body() }}>"}});
        let lab = lab_with(envoy, EnvoyConfig::new(), json!({"request": rules, "response": rules}));
        lab.origin().answer("/", Reply::new(200).stream(Body::chunked().piece("one").piece("two")));
        let answer = ask(&lab, lab.post("/").stream(Body::chunked().piece("one").piece("two")));
        let received = lab.origin().received().remove(0);
        for (text, headers) in [(received.text(), &received.headers), (answer.text(), &answer.headers)] {
            assert_eq!(text, "<onetwo>");
            assert_eq!(headers.values("transfer-encoding"), ["chunked"]);
            assert!(!headers.has("content-length"), "{headers:?}");
        }
    }

    fn an_empty_body_that_stays_empty_keeps_its_type(envoy) {
        let lab = lab_with(envoy, EnvoyConfig::new(), json!({"response": {"body": {"value": "{{ body() }}"}}}));
        lab.origin().answer("/", Reply::new(200).header("content-type", "text/x-kept"));
        let answer = ask(&lab, lab.get("/"));
        assert_eq!((answer.header("content-type").as_str(), answer.text().as_str()), ("text/x-kept", ""));
    }

    fn every_upgrade_that_envoy_lets_through_flows(envoy) {
        let rules = json!({"set": [set("x-set", "!"), set(":status", "204")], "body": {"value": "<{{ body() }}>"}});
        let request = json!({"body": {"value": "<{{ body() }}>"}});
        let upgrades = json!([{"upgrade_type": "spdy/3.1"}, {"upgrade_type": "made-up"}]);
        let config = EnvoyConfig::new().connection_manager("upgrade_configs", upgrades);
        let lab = lab_with(envoy, config, json!({"request": request, "response": rules}));
        for protocol in ["spdy/3.1", "SPDY/3.1", "made-up"] {
            lab.origin().answer("/", Reply::upgrade(protocol));
            let request = lab.get("/").header("connection", "Upgrade").header("upgrade", protocol);
            let exchange = request.begin().unwrap();
            assert_eq!((exchange.status, exchange.headers.values("x-set").concat().as_str()), (101, "!"));
            let mut tunnel = exchange.into_tunnel();
            assert_eq!(tunnel.echo(b"ping").unwrap(), b"ping");
            assert_eq!(tunnel.echo(b"pong").unwrap(), b"pong");
        }
    }

    fn a_refused_upgrade_may_be_given_a_status_without_content(envoy) {
        let rules = json!({"set": [set(":status", "204")], "body": {"value": "<{{ body() }}>"}});
        let lab = lab_with(envoy, EnvoyConfig::new().websocket(), json!({"response": rules}));
        lab.origin().answer("/", Reply::new(403).body("no"));
        let request = lab.get("/").header("connection", "Upgrade").header("upgrade", "websocket");
        let answer = request.send();
        assert_eq!((answer.status, answer.text().as_str()), (204, ""));
    }

    fn the_answer_that_refuses_a_tunnel_does_not_open_one(envoy) {
        let upgrades = json!([{"upgrade_type": "CONNECT"}]);
        let config = EnvoyConfig::new().connection_manager("upgrade_configs", upgrades);
        let rules = json!({"response": {"set": [set(":status", "{{ header('x-status') }}"), set("x-a", "1")]}});
        let route = Route::at("/").field("match", json!({"connect_matcher": {}}));
        let lab = Lab::start(envoy, &config.route(route.transform(rules)));
        for (status, expected) in [("200", 403), ("204", 403), ("404", 404)] {
            lab.origin().answer("far.test:443", Reply::new(403).header("x-status", status).body("no"));
            let answer = lab.request("CONNECT", "far.test:443").header("host", "far.test:443").send();
            assert_eq!((answer.status, answer.header("x-a").as_str()), (expected, "1"), "{answer:?}");
        }
    }

    fn headers_of_the_connection_and_control_characters_stay_away(envoy) {
        let rules = json!({
            "body": {"parseAs": "AsJson"},
            "set": [set("connection", "x-a, close"), set("upgrade", "websocket"), set("x-a", "[{{ v }}]")],
        });
        let lab = lab_with(envoy, EnvoyConfig::new(), json!({"request": rules, "response": rules}));
        let document = json!({"v": "a\r\nx-b: 1\u{0}\u{1}\u{7f}"});
        lab.origin().answer("/", Reply::json(&document));
        let answer = ask(&lab, lab.post("/").json(&document));
        let received = lab.origin().received().remove(0);
        for headers in [&received.headers, &answer.headers] {
            assert_eq!(headers.values("x-a"), ["[a  x-b: 1   ]"]);
            for name in ["x-b", "connection", "upgrade"] {
                assert!(!headers.has(name), "{headers:?}");
            }
        }
        lab.expect_log("RF1018");
    }
}
