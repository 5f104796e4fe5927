//! Attempts by themselves: half of the requests for each provider, answers that break off before anybody has
//! heard of them, and what Envoy itself says when there is nobody to ask.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use rustformations_tests::config::module_filter;
use rustformations_tests::differences::HELD_RESPONSES_ARE_RETRIED;
use rustformations_tests::two_providers::{CHAT, KEY, MESSAGES, assert_sane, retries, said, says};
use rustformations_tests::{
    Body, EnvoyConfig, Lab, Origin, Reply, Route, TwoProviders, on_every_envoy,
};
use serde_json::{Value, json};

use crate::{completion, message, overloaded};

/// Where nobody listens.
fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

fn both() -> (Origin, Origin) {
    let (a, b) = (Origin::start().unwrap(), Origin::start().unwrap());
    a.answer(MESSAGES, Reply::json(&message("of A")));
    b.answer(CHAT, Reply::json(&completion("of B")));
    (a, b)
}

/// Takes connections, and never says a word.
fn silent() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

on_every_envoy! {
    fn half_of_the_requests_go_to_each_and_each_is_translated_for_whom_it_goes_to(envoy) {
        let (a, b) = both();
        let lab = TwoProviders::at(a.address(), b.address()).start_halves(envoy);
        let mut of_a = 0;
        for turn in 0..60 {
            let text = format!("turn {turn}");
            let answer = lab.post(CHAT).header("x-api-key", "of-the-client").json(&says(&text, false)).send();
            let is_a = said(&answer).as_deref() == Some("of A");
            if is_a {
                let seen = a.last();
                let content = json!([{"type": "text", "text": text}]);
                assert_eq!((seen.path.as_str(), &seen.json()["messages"][0]["content"]), (MESSAGES, &content));
                assert_eq!((seen.header("host").as_str(), seen.header("x-api-key").as_str()), ("api.anthropic.com", KEY));
            } else {
                assert_eq!(said(&answer).as_deref(), Some("of B"), "{}", answer.text());
                let seen = b.last();
                assert_eq!((seen.path.as_str(), seen.json()), (CHAT, says(&text, false)));
                assert_eq!((seen.header("host").as_str(), seen.headers.has("x-api-key")), ("b.test", false));
            }
            of_a += usize::from(is_a);
        }
        assert_eq!((a.received().len(), b.received().len()), (of_a, 60 - of_a));
        // Less likely than once in a million if it is half of them.
        assert!((10..=50).contains(&of_a), "{of_a} of 60");
        // Where a cluster holds one provider, its failure stays the client's.
        a.answer(MESSAGES, overloaded(529));
        let statuses = (0..20).map(|_| lab.post(CHAT).json(&says("x", false)).send().status);
        let statuses: Vec<_> = statuses.collect();
        assert!(statuses.iter().all(|status| matches!(status, 200 | 529)), "{statuses:?}");
        assert_sane(&lab);
    }

    fn an_answer_that_breaks_off_before_it_was_passed_on_is_asked_for_again(envoy) {
        let (a, b) = both();
        let lab = TwoProviders::at(a.address(), b.address()).start(envoy);
        let pause = Duration::from_millis(50);
        for body in [
            Body::whole("{\"id\":").declared(100),
            Body::chunked().piece("{\"id\":").cut(),
            Body::chunked().piece("{\"id\":").pause(pause).cut(),
            Body::chunked().cut(),
        ] {
            a.answer(MESSAGES, Reply::new(200).header("content-type", "application/json").stream(body));
            let answer = lab.post(CHAT).json(&says("x", false)).send();
            assert_eq!(said(&answer).as_deref(), Some("of B"), "{}", answer.text());
        }
        assert_sane(&lab);
    }

    fn a_stream_that_fails_before_it_says_anything_is_asked_for_again(envoy) {
        let (a, b) = both();
        let chunk = r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"g","choices":[{"index":0,"delta":{"content":"of B"},"finish_reason":"stop"}]}"#;
        b.answer(CHAT, Reply::events(&[chunk, "[DONE]"], Duration::ZERO));
        let lab = TwoProviders::at(a.address(), b.address()).start(envoy);
        let stream = |body| {
            a.answer(MESSAGES, Reply::new(200).header("content-type", "text/event-stream").stream(body));
            lab.post(CHAT).json(&says("x", true)).send()
        };
        let ping = r#"{"type":"ping"}"#;
        let pause = Duration::from_millis(30);
        for body in [Body::chunked().cut(), Body::events(&[ping], pause).pause(pause).cut()] {
            let answer = stream(body);
            assert_eq!(said(&answer).as_deref(), Some("of B"), "{}", answer.text());
        }
        // What is held has another status then, and Envoy repeats it where that is no crash.
        let error = r#"{"type":"error","error":{"type":"overloaded_error","message":"later"}}"#;
        for events in [&[ping, error][..], &[ping]] {
            let answer = stream(Body::events(events, pause).pause(pause));
            if HELD_RESPONSES_ARE_RETRIED.is_in(envoy.version()) {
                assert_eq!(said(&answer).as_deref(), Some("of B"), "{}", answer.text());
            } else {
                assert!(matches!(answer.status, 529 | 502), "{}", answer.status);
                assert!(answer.json()["error"]["message"].is_string());
            }
        }
        assert_sane(&lab);
    }

    fn a_document_in_the_place_of_a_stream_is_read_as_one(envoy) {
        let (a, b) = both();
        let lab = TwoProviders::at(a.address(), b.address()).start(envoy);
        let answer = lab.post(CHAT).json(&says("x", true)).send();
        assert_eq!(answer.header("content-type"), "text/event-stream");
        assert_eq!(said(&answer).as_deref(), Some("of A"), "{}", answer.text());
    }

    fn the_log_is_not_filled_with_what_is_looked_for_and_not_there(envoy) {
        let (a, b) = both();
        let lab = TwoProviders::at(a.address(), b.address()).start(envoy);
        for _ in 0..10 {
            assert_eq!(lab.post(CHAT).json(&says("x", false)).send().status, 200);
        }
        // Where Envoy does not count attempts, the first has to look for the note of an earlier one.
        let most = if envoy.version().at_least(1, 39) { 0 } else { 10 };
        let logs = lab.logs();
        let lines = logs.lines().filter(|line| line.contains("rustformations.llm")).count();
        assert!(lines <= most, "{logs}");
    }

    fn whoever_does_not_answer_is_not_waited_for_where_there_is_another(envoy) {
        let (_a, b) = both();
        let (_listener, nothing) = silent();
        let mut policy = retries();
        policy["per_try_timeout"] = json!("0.2s");
        let start = |a, b| {
            let providers = TwoProviders::at(a, b).action("retry_policy", policy.clone());
            providers.start(envoy)
        };
        let lab = start(nothing, b.address());
        let answer = lab.post(CHAT).json(&says("x", false)).send();
        assert_eq!(said(&answer).as_deref(), Some("of B"), "{}", answer.text());
        assert_eq!(b.last().json(), says("x", false));
        let lab = start(nothing, nothing);
        assert_eq!(lab.post(CHAT).json(&says("x", true)).send().status, 504);
        assert_sane(&lab);
        let lab = TwoProviders::at(nobody(), b.address()).start(envoy);
        assert_eq!(said(&lab.post(CHAT).json(&says("x", false)).send()).as_deref(), Some("of B"));
        assert!(lab.stat("cluster.llm.upstream_cx_connect_fail") > 0);
        let lab = TwoProviders::at(nobody(), nobody()).start(envoy);
        assert_eq!(lab.post(CHAT).json(&says("x", true)).send().status, 503);
        assert_sane(&lab);
    }

    fn what_envoy_says_of_an_upstream_reaches_clients_of_a_listeners_filter_in_their_shape(envoy) {
        let filter = module_filter("llm", "llm-provider", &json!({"provider": "anthropic"}).into(), false);
        let (_listener, nothing) = silent();
        let cluster = |name: &str, endpoints: Value| {
            let assignment = json!({"cluster_name": name, "endpoints": endpoints});
            json!({"name": name, "type": "STATIC", "load_assignment": assignment})
        };
        let address = json!({"address": "127.0.0.1", "port_value": nothing.port()});
        let host = json!({"endpoint": {"address": {"socket_address": address}}});
        let config = EnvoyConfig::new()
            .filter_after(filter)
            .cluster(cluster("empty", json!([])))
            .cluster(cluster("silent", json!([{"lb_endpoints": [host]}])))
            .route(Route::at("/late").action("timeout", json!("0.2s")).action("cluster", json!("silent")))
            .route(Route::at("/").action("cluster", json!("empty")));
        let lab = Lab::start(envoy, &config);
        for stream in [false, true] {
            for (path, status) in [("/v1/chat/completions", 503), ("/late/v1/chat/completions", 504)] {
                let answer = lab.post(path).json(&says("x", stream)).send();
                let error: Value = answer.json();
                assert_eq!((answer.status, error["error"]["type"].is_string()), (status, true), "{}", answer.text());
                assert_eq!(answer.header("content-type"), "application/json");
            }
        }
    }
}
