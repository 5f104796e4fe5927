//! Recipes of `docs/llm.md`, run as they are printed. The one with a rate limit is in `http2`, where gRPC is.
#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::time::{Duration, Instant};

use rustformations_tests::mock_llm::MockLlm;
use rustformations_tests::recipe::{LLM_PORT, Running};
use rustformations_tests::{Envoy, Recipe, Request, on_every_envoy};
use serde_json::{Value, json};

const CHAT: &str = "/provider/v1/chat/completions";

fn started(envoy: &Envoy, recipe: &Recipe, text: &str) -> (MockLlm, Running) {
    let llm = MockLlm::start("127.0.0.1:0").unwrap();
    let ports = [(LLM_PORT, llm.address().port())];
    let running = recipe.start_text(envoy, text, &ports).unwrap();
    (llm, running)
}

/// What `find` finds, once it does.
fn eventually<T>(what: &str, find: impl Fn() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} never comes");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The lines of the log that are JSON.
fn logged(running: &Running) -> Vec<Value> {
    let logs = running.process.logs();
    let lines = logs.lines();
    lines
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// What all models have cost by the module's own counters, in billionths of a dollar.
fn module_cost(running: &Running) -> u64 {
    let stats = running.process.stats().unwrap();
    let own = stats
        .iter()
        .filter(|(name, _)| name.contains("rustformations_ai_cost_nano_usd"));
    own.map(|(_, cost)| cost).sum()
}

/// The file without the logger that 1.36 lacks.
fn without_stats_logger(text: &str) -> String {
    let from = text.find("          # Counters by team").unwrap();
    let to = text.find("          http_filters:").unwrap();
    [&text[..from], &text[to..]].concat()
}

on_every_envoy! {
    fn what_each_team_costs_is_in_the_access_log_and_in_prometheus(envoy) {
        let recipe = Recipe::read("cost").unwrap();
        let text = recipe.file("envoy.yaml").unwrap();
        let has_stats_logger = envoy.version().at_least(1, 37);
        let text = if has_stats_logger { text.to_owned() } else { without_stats_logger(text) };
        let (_llm, running) = started(envoy, &recipe, &text);
        let ask = |team: &str, model: &str, tokens: &str, stream: bool| {
            let said = json!([{"role": "user", "content": "Hello"}]);
            Request::new(running.address, "POST", CHAT)
                .header("x-team", team)
                .header("x-mock-tokens", tokens)
                .json(&json!({"model": model, "stream": stream, "messages": said}))
                .send()
                .status
        };
        for stream in [false, true] {
            assert_eq!(ask("red", "gpt-4o", "input:1000,cached:400,output:200", stream), 200);
        }
        assert_eq!(ask("blue", "gpt-4o-mini", "input:4,output:1", true), 200);
        assert_eq!(ask("blue", "no-price", "input:4,output:1", true), 200);
        let lines = eventually("the log", || Some(logged(&running)).filter(|lines| lines.len() == 4));
        let printed: Value = serde_json::from_str(recipe.file("access.log").unwrap()).unwrap();
        assert_eq!(lines[..2], [printed.clone(), printed]);
        assert_eq!((&lines[2]["team"], &lines[2]["cost_usd"]), (&json!("blue"), &json!("0.00002")));
        assert_eq!((&lines[3]["cost"], &lines[3]["cost_usd"]), (&json!("unknown_model"), &Value::Null));
        let by_model = || Some(module_cost(&running)).filter(|cost| *cost > 0);
        assert_eq!(eventually("the module's counter", by_model), 2 * 4_000_000 + 20_000);
        if !has_stats_logger {
            return;
        }
        let own = || {
            let page = running.process.admin_get("/stats/prometheus").unwrap();
            let own = page.lines().filter(|line| line.starts_with("envoy_llm_"));
            own.map(str::to_owned).collect::<Vec<_>>()
        };
        let counters = eventually("the counters", || Some(own()).filter(|counters| counters.len() == 4));
        for line in recipe.file("prometheus").unwrap().lines() {
            assert!(counters.iter().any(|counter| counter == line), "no {line} in {counters:#?}");
        }
        assert!(counters.contains(&r#"envoy_llm_tokens{team="blue"} 5"#.to_owned()), "{counters:#?}");
    }

    fn values_are_masked_for_the_provider_and_restored_for_the_client(envoy) {
        let recipe = Recipe::read("mask").unwrap();
        let (llm, running) = started(envoy, &recipe, recipe.file("envoy.yaml").unwrap());
        let asked = recipe.file("request.json").unwrap();
        let post = |body: &str| {
            Request::new(running.address, "POST", CHAT)
                .header("content-type", "application/json")
                .header("x-mock-say", "Of course: $PROMPT Done.")
                .body(body)
        };
        // Placeholders come whole, cut into deltas of a few characters, and cut anywhere.
        for (delta, pieces) in [("whole", "events:1"), ("3", "events:1"), ("4", "bytes:7")] {
            let request = post(asked).header("x-mock-delta", delta).header("x-mock-pieces", pieces);
            let answer = request.send();
            assert_eq!((answer.status, answer.cut), (200, false), "{}", answer.text());
            let got = llm.next_asked(Duration::from_secs(5)).unwrap();
            assert_eq!(got.body, recipe.file("provider.json").unwrap());
            let said = "Of course: Write to jo@example.com or call +1 212 555 0134. Done.";
            assert_eq!(streamed(&answer.text()), said, "{delta} {pieces}");
        }
        let card = asked.replace("jo@example.com", "4111 1111 1111 1111");
        let refused = post(&card).send();
        assert_eq!(refused.status, 400);
        assert!(!refused.text().contains("4111"), "{}", refused.text());
        assert!(llm.next_asked(Duration::from_millis(200)).is_none());
    }
}

/// The text that a stream of a chat says.
fn streamed(events: &str) -> String {
    let data = events
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    let documents = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    let text = |event: Value| {
        let delta = &event["choices"][0]["delta"]["content"];
        delta.as_str().map(str::to_owned)
    };
    documents.filter_map(text).collect()
}
