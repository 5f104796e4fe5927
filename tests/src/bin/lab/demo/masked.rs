//! The second act: a streamed chat with a prompt put in, and with values that the provider never sees and
//! the client reads all the same; what it took and cost, in the access log and on `/stats`.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustformations_tests::stand::{LISTENER_PORT, Stand};
use serde_json::Value;

use super::prove;

const PATH: &str = "/assistant/v1/chat/completions";
const BODY: &str = r#"{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"Write to jo@example.com or call +1 212 555 0134."}]}"#;
/// Whose request it is; and for the mock LLM, what to say, in deltas of how many characters, and how many
/// tokens that took.
const HEADERS: [(&str, &str); 4] = [
    ("x-team", "red"),
    ("x-mock-say", "I am to do this: $PROMPT"),
    ("x-mock-delta", "6"),
    ("x-mock-tokens", "input:100,output:20"),
];
/// What the provider must not see.
const SECRETS: [&str; 2] = ["jo@example.com", "212 555 0134"];
/// What it sees in their place.
const PLACEHOLDERS: [&str; 2] = ["[EMAIL_1]", "[PHONE_1]"];
const PROMPT: &str = "You are the assistant of team red.";
/// 100 and 20 tokens at the prices of the route.
const COST: &str = "0.000027";

/// Sends the chat, shows each side and checks what it shows.
pub(super) fn show(stand: &mut Stand) -> Result<()> {
    println!(
        "\nThe second act: a prompt put in, values masked and restored in a stream, tokens and cost\n"
    );
    println!("The client sent");
    println!("  POST http://localhost:{LISTENER_PORT}{PATH}");
    for (name, value) in HEADERS {
        println!("  {name}: {value}");
    }
    println!("\n  {BODY}\n");
    let answer = stand.post(PATH, &HEADERS, BODY)?;

    let patience = Duration::from_secs(5);
    let asked = stand.llm().next_asked(patience);
    let asked = asked.context("the chat never reached the mock LLM")?.body;
    println!("The provider got\n\n  {asked}\n");
    let said = stand.llm().next_said(patience);
    let said = deltas(&said.context("the mock LLM did not stream")?);
    println!(
        "The provider streamed, in these deltas\n\n  {}\n",
        quoted(&said)
    );
    let read = deltas(&answer.text());
    println!("The client read\n\n  {}\n", quoted(&read));

    let line = logged(stand).context("nothing is in the access log")?;
    println!("The access log says\n\n  {line}\n");
    println!("On /stats is\n");
    let stats = stand.envoy().stats()?;
    let ours = |name: &str| {
        ["tokens", "cost_nano_usd", "masked"]
            .iter()
            .any(|metric| name.contains(&format!("rustformations_ai_{metric}.")))
    };
    for (name, value) in stats
        .iter()
        .filter(|(name, value)| ours(name.as_str()) && **value > 0)
    {
        println!("  {name}: {value}");
    }
    let cost = stats
        .iter()
        .find(|(name, _)| name.contains("rustformations_ai_cost_nano_usd."));

    println!("\nThe proof");
    let said = said.concat();
    let read = read.concat();
    let [email, phone] = SECRETS;
    prove(&[
        ("the prompt went to the provider", asked.contains(PROMPT)),
        (
            "neither the address nor the number did",
            !asked.contains(email) && !asked.contains(phone),
        ),
        (
            "it spoke of placeholders",
            PLACEHOLDERS.iter().all(|it| said.contains(it)),
        ),
        (
            "the client read the address and the number",
            read.contains(email) && read.contains(phone) && !read.contains('['),
        ),
        (
            "usage was asked for, and hidden from a client that did not ask",
            asked.contains("\"include_usage\":true") && !answer.text().contains("\"usage\""),
        ),
        ("the access log has the cost", line.contains(COST)),
        (
            "and so has /stats",
            cost.is_some_and(|(_, cost)| *cost == 27_000),
        ),
    ])?;
    stand.envoy().check_alive()
}

/// The texts of a streamed chat, one for each event that has one.
fn deltas(events: &str) -> Vec<String> {
    let data = events
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    let documents = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    let text = |event: Value| {
        let text = event.pointer("/choices/0/delta/content")?.as_str()?;
        Some(text.to_owned()).filter(|text| !text.is_empty())
    };
    documents.filter_map(text).collect()
}

fn quoted(deltas: &[String]) -> String {
    let deltas: Vec<_> = deltas.iter().map(|delta| format!("{delta:?}")).collect();
    deltas.join(" ")
}

/// The line that Envoy writes when the exchange is over.
fn logged(stand: &mut Stand) -> Option<String> {
    let deadline = Instant::now() + Duration::from_secs(5);
    while Instant::now() < deadline {
        let logs = stand.envoy().logs();
        let line = logs.lines().find(|line| line.contains("\"cost_usd\""));
        if let Some(line) = line {
            return Some(line.to_owned());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}
