//! The third act: two providers behind one API. The first one has no time, the second one answers, and the
//! client never notices. Envoy runs the bootstrap for that, `examples/providers/envoy.yaml`.

use anyhow::{Context as _, Result};
use rustformations_tests::example::{ANTHROPIC_KEY, Example, OPENAI_KEY, Transport};
use rustformations_tests::stand::Stand;
use rustformations_tests::{Origin, Received, Reply, Request};
use serde_json::{Value, json};

use super::prove;

const PATH: &str = "/v1/chat/completions";
const BODY: &str = r#"{"model":"gpt-4o","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hello"}]}"#;
const SAID: &str = "Hello to you.";
const BUSY: &str =
    r#"{"type":"error","error":{"type":"rate_limit_error","message":"too many requests"}}"#;

/// Sends a chat, shows each attempt at it and checks what it shows.
pub(super) fn show(stand: &Stand) -> Result<()> {
    println!("\nThe third act: the first provider has no time, the second one answers\n");
    let (anthropic, openai) = (Origin::start()?, Origin::start()?);
    let busy = Reply::new(429).header("content-type", "application/json");
    anthropic.answer("/v1/messages", busy.body(BUSY));
    openai.answer(PATH, Reply::json(&completion()));
    let providers = [anthropic.address(), openai.address()];
    let folder = stand.module_folder.clone();
    let mut example = Example::start(&stand.binary, folder, providers, Transport::Plain)?;

    println!("The client sent\n  POST http://localhost:10000{PATH}\n\n  {BODY}\n");
    let request = Request::new(example.address, "POST", PATH)
        .header("host", "localhost:10000")
        .header("content-type", "application/json")
        .header("authorization", "Bearer of-the-client");
    let answer = request.body(BODY).try_send();
    let answer = answer.context("Envoy gave no answer")?;
    let asked = print_attempts("Anthropic", "429", &anthropic, "x-api-key");
    let asked_again = print_attempts("OpenAI", "200", &openai, "authorization");
    println!(
        "The client got\n  {}\n\n  {}\n",
        answer.status,
        answer.text()
    );
    let line = "\"attempts\":2";
    let is_logged = example.process.wait_for_log(line);
    let logs = example.process.logs();
    let line = logs.lines().find(|it| it.contains(line));
    println!("The access log says\n\n  {}\n", line.unwrap_or_default());

    println!("The proof");
    let document: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let said = document.and_then(|it| Some(it.pointer("/choices/0/message/content")?.clone()));
    let sent: Option<Value> = serde_json::from_str(BODY).ok();
    let holds = |asked: &Option<Received>, header: &str, key: &str| {
        let asked = asked.as_ref();
        asked.is_some_and(|it| it.header(header) == key)
    };
    let body = |asked: &Option<Received>| {
        let asked = asked.as_ref()?;
        serde_json::from_slice::<Value>(&asked.body).ok()
    };
    let translated = body(&asked).is_some_and(|it| {
        it["system"] == json!([{"type": "text", "text": "Be brief."}]) && it["max_tokens"].is_u64()
    });
    prove(&[
        ("Anthropic was asked as Anthropic is", translated),
        (
            "with the gateway's key for it, and no other",
            holds(&asked, "x-api-key", ANTHROPIC_KEY) && holds(&asked, "authorization", ""),
        ),
        (
            "OpenAI was asked what the client had sent",
            sent.is_some() && body(&asked_again) == sent,
        ),
        (
            "with the key for that",
            holds(
                &asked_again,
                "authorization",
                &format!("Bearer {OPENAI_KEY}"),
            ) && holds(&asked_again, "x-api-key", ""),
        ),
        (
            "the client got an answer, and heard of no 429",
            answer.status == 200 && said == Some(json!(SAID)),
        ),
        ("the access log tells of both attempts", is_logged),
    ])?;
    example.process.check_alive()
}

fn completion() -> Value {
    let message = json!({"role": "assistant", "content": SAID});
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_790_000_000, "model": "gpt-4o",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 14, "completion_tokens": 4, "total_tokens": 18},
    })
}

/// Shows what a provider got, and gives the last of it.
fn print_attempts(name: &str, status: &str, provider: &Origin, key: &str) -> Option<Received> {
    // An attempt is on record before it is answered.
    let received = provider.received();
    for asked in &received {
        println!("{name} got, and answered {status}");
        println!("  POST https://{}{}", asked.header("host"), asked.path);
        println!("  {key}: {}", asked.header(key));
        println!("\n  {}\n", asked.text());
    }
    received.into_iter().next_back()
}
