//! Statistics of LLM traffic in real Envoys, as Prometheus scrapes them: every exchange is counted once,
//! however it ends, and labels stay bounded.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::collections::BTreeSet;
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustformations_tests::mock_llm::MockLlm;
use rustformations_tests::{Envoy, EnvoyConfig, Lab, Request, Route, on_every_envoy};
use serde_json::{Value, json};

const CHAT: &str = "/provider/v1/chat/completions";
/// Whoever waits longer for a number waits in vain.
const PATIENCE: Duration = Duration::from_secs(20);

fn started() -> MockLlm {
    MockLlm::start("127.0.0.1:0").unwrap_or_else(|error| panic!("{error:#}"))
}

fn cluster(name: &str, port: u16) -> Value {
    json!({
        "name": name, "type": "STATIC", "connect_timeout": "5s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {
            "socket_address": {"address": "127.0.0.1", "port_value": port},
        }}}]}]},
    })
}

fn rules() -> Value {
    json!({"ai": {
        "model": {"aliases": {"fast": "m-1"}},
        "guard": {"deny": [{"name": "secret", "words": ["Bluebird"]}]},
        "cost": {"prices": {"m-*": {"input": "2", "cachedInput": "1", "output": "10"}}},
        "mask": {"detectors": {"email": "mask"}, "words": [{"name": "CODENAME", "words": ["Robin"], "action": "mask"}]},
        "publish": {"models": ["m-2"]},
    }})
}

/// An Envoy whose access log says of each exchange what is known of it.
fn lab_with(envoy: &Envoy, llm: &MockLlm, routes: impl IntoIterator<Item = Route>) -> Lab {
    let facts = ["usage_status", "total_tokens", "cost_status"];
    let facts = facts.map(|fact| format!("%DYNAMIC_METADATA(rustformations.ai:{fact})%"));
    let format = format!("[%REQ(X-ID)%: {}]\n", facts.join(" "));
    let config = EnvoyConfig::new()
        .cluster(cluster("llm", llm.address().port()))
        .cluster(cluster("nobody", 1))
        .connection_manager("access_log", json!([{
            "name": "envoy.access_loggers.stderr",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StderrAccessLog",
                "log_format": {"text_format_source": {"inline_string": format}},
            },
        }]));
    Lab::start(envoy, &routes.into_iter().fold(config, EnvoyConfig::route))
}

fn to_llm() -> Route {
    Route::at("/")
        .action("cluster", json!("llm"))
        .transform(rules())
}

fn ask(lab: &Lab, model: &str, text: &str, stream: bool) -> Request {
    let said = json!([{"role": "user", "content": text}]);
    let body = json!({"model": model, "stream": stream, "messages": said});
    lab.post(CHAT)
        .json(&body)
        .header("x-mock-tokens", "input:9,cached:4,output:3")
}

/// The value of a series, by its name without prefix and the labels that it must have; 0 without one.
fn scraped(lab: &Lab, name: &str, labels: &[(&str, &str)]) -> u64 {
    let metrics = lab.envoy().admin_get("/stats/prometheus").unwrap();
    let series = |line: &&str| {
        let ours = line.split_once('{').is_some_and(|(found, _)| {
            found
                .strip_prefix("envoy_dynamicmodulescustom_")
                .unwrap_or(found)
                == format!("rustformations_ai_{name}")
        });
        ours && labels
            .iter()
            .all(|(label, value)| line.contains(&format!("{label}=\"{value}\"")))
    };
    let values = metrics.lines().filter(series).map(|line| {
        let (_, value) = line.rsplit_once(' ').unwrap();
        value.parse::<u64>().unwrap_or_else(|_| panic!("{line}"))
    });
    values.sum()
}

fn expect(lab: &Lab, name: &str, labels: &[(&str, &str)], value: u64) {
    let until = Instant::now() + PATIENCE;
    while scraped(lab, name, labels) != value {
        assert!(
            Instant::now() < until,
            "{name} {labels:?}: {} is not {value}\n{}",
            scraped(lab, name, labels),
            lab.envoy().admin_get("/stats/prometheus").unwrap(),
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

on_every_envoy! {
    fn prometheus_sees_what_exchanges_took(envoy) {
        let llm = started();
        let lab = lab_with(envoy, &llm, [to_llm()]);
        assert_eq!(ask(&lab, "fast", "Hello", false).send().status, 200);
        let streamed = ask(&lab, "m-1", "Hello", true).header("x-mock-pause", "20").send();
        assert_eq!((streamed.status, streamed.cut), (200, false));
        assert_eq!(ask(&lab, "m-2", "Write to jo@example.com and jim@example.com of Robin", false).send().status, 200);
        assert_eq!(ask(&lab, "m-1", "What of bluebird?", false).send().status, 403);
        let one = [("dialect", "openai-chat"), ("model", "m-1")];
        let typed = |of| [("dialect", "openai-chat"), ("model", "m-1"), ("type", of)];
        expect(&lab, "requests", &one, 3);
        expect(&lab, "requests", &[("model", "m-2")], 1);
        expect(&lab, "tokens", &typed("input"), 18);
        expect(&lab, "tokens", &typed("cached"), 8);
        expect(&lab, "tokens", &typed("output"), 6);
        // 5 * 2 + 4 * 1 + 3 * 10 millionths, twice.
        expect(&lab, "cost_nano_usd", &one, 88_000);
        expect(&lab, "usage", &typed("complete"), 2);
        expect(&lab, "guard", &typed("secret"), 1);
        expect(&lab, "refused", &typed("guard"), 1);
        expect(&lab, "masked", &[("model", "m-2"), ("type", "EMAIL")], 2);
        expect(&lab, "masked", &[("model", "m-2"), ("type", "CODENAME")], 1);
        // Histograms are merged once in a while.
        expect(&lab, "ttft_ms_count", &one, 2);
        expect(&lab, "time_per_output_token_us_count", &one, 1);
        let names = ["requests", "tokens", "cost_nano_usd"].map(|name| format!("rustformations_ai_{name}.dialect"));
        let stats = lab.stats();
        assert!(names.iter().all(|name| stats.keys().any(|stat| stat.contains(name))), "{stats:?}");
    }

    fn what_no_configuration_names_is_other_and_names_are_bounded(envoy) {
        let llm = started();
        // More names than there is room for, and a client that makes up more.
        let named = |route: usize| (0..60).map(|number| format!("named-{route}-{number}")).collect::<Vec<_>>();
        let route = |number: usize| {
            let config = json!({"ai": {"usage": {}, "publish": {"models": named(number)}}});
            Route::at(&format!("/{number}")).action("cluster", json!("llm")).rewrite_path(CHAT).transform(config)
        };
        let lab = lab_with(envoy, &llm, [route(0), route(1), to_llm()]);
        for made_up in ["m-3", "made-up-1", "m-1\",x=\"", "made.up.2"] {
            assert_eq!(ask(&lab, made_up, "Hello", false).send().status, 200);
        }
        expect(&lab, "requests", &[("model", "other")], 4);
        for (number, path) in ["/0", "/1"].into_iter().enumerate() {
            for model in named(number) {
                let body = json!({"model": model, "messages": [{"role": "user", "content": "Hello"}]});
                assert_eq!(lab.post(path).json(&body).send().status, 200, "{model}");
            }
        }
        expect(&lab, "requests", &[("dialect", "openai-chat")], 124);
        let metrics = lab.envoy().admin_get("/stats/prometheus").unwrap();
        let labels: BTreeSet<_> = metrics
            .lines()
            .filter(|line| line.contains("rustformations_ai_"))
            .filter_map(|line| line.split_once("model=\"")?.1.split_once('"'))
            .map(|(model, _)| model)
            .collect();
        assert!(labels.contains("named-0-7") && labels.contains("other"), "{labels:?}");
        assert_eq!(labels.len(), 101, "{labels:?}");
    }

    fn every_exchange_is_counted_once_however_it_ends(envoy) {
        let llm = started();
        let at = |path: &str, target: &str| {
            Route::at(path).action("cluster", json!(target)).rewrite_path(CHAT).transform(rules())
        };
        let late = at("/late", "llm").field("route", json!({"cluster": "llm", "prefix_rewrite": CHAT, "timeout": "0.3s"}));
        let lab = lab_with(envoy, &llm, [at("/nobody", "nobody"), late, to_llm()]);
        let body = json!({"model": "m-1", "stream": true, "messages": [{"role": "user", "content": "Hello there"}]});
        let ask = |path: &str, id: &str, knobs: &[(&str, &str)]| {
            let request = lab.post(path).json(&body).header("x-id", id);
            knobs.iter().fold(request, |request, (name, value)| request.header(name, *value))
        };
        assert_eq!(ask("/nobody", "nobody", &[]).send().status, 503);
        lab.expect_log("[nobody: error - no_usage]");
        assert_eq!(ask("/late", "late", &[("x-mock-head-pause", "3000")]).send().status, 504);
        lab.expect_log("[late: error - no_usage]");
        assert!(ask("/late", "slow", &[("x-mock-pause", "200"), ("x-mock-say", "one two three four five six")]).send().cut);
        lab.expect_log("[slow: estimated ");
        assert!(ask(CHAT, "reset", &[("x-mock-cut-after", "2")]).send().cut);
        lab.expect_log("[reset: estimated ");
        let mut left = ask(CHAT, "left", &[("x-mock-pause", "300"), ("x-mock-say", "one two three four")]).begin().unwrap();
        assert!(left.next_piece().unwrap().is_some());
        drop(left);
        lab.expect_log("[left: estimated ");
        // Gone before anything was answered.
        let mut silent = TcpStream::connect(lab.address()).unwrap();
        let body = body.to_string();
        write!(
            silent,
            "POST {CHAT} HTTP/1.1\r\nhost: a\r\nx-id: silent\r\nx-mock-head-pause: 3000\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len(),
        ).unwrap();
        while !llm.next_asked(PATIENCE).unwrap().headers.iter().any(|(_, value)| value == "silent") {}
        drop(silent);
        lab.expect_log("[silent: estimated 3 priced]");
        for id in ["slow", "reset", "left"] {
            let logs = lab.logs();
            let line = logs.lines().find(|line| line.contains(&format!("[{id}: "))).unwrap();
            let words: Vec<_> = line.split([' ', ']']).collect();
            let at = words.iter().position(|word| *word == "estimated").unwrap();
            assert!(words[at + 1].parse::<u64>().unwrap() >= 3 && words[at + 2] == "priced", "{line}");
        }
        expect(&lab, "usage", &[("type", "error")], 2);
        expect(&lab, "usage", &[("type", "estimated")], 4);
        expect(&lab, "requests", &[("model", "m-1")], 6);
    }
}
