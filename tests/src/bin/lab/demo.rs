//! `lab demo`: three requests, seen from both sides, and the proof that the module had its hand in them.
//! The first one is that of the articles; the second is in [`masked`], the third in [`failover`].

mod failover;
mod masked;

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustformations_tests::Answer;
use rustformations_tests::mock_llm::Asked;
use rustformations_tests::stand::{CHAT_BODY, CHAT_PATH, LISTENER_PORT, Stand};
use serde_json::Value;

/// What only the module puts there: header lines of the answer, exactly.
const PROOF: [(&str, &str); 2] = [
    ("x-custom-transformed", "true"),
    ("x-smart-header", "method=POST&path=/v1/chat/completions"),
];

/// Starts the lab, sends the requests, shows and checks what happened, stops everything.
pub(crate) fn show() -> Result<()> {
    let mut stand = Stand::start()?;
    println!(
        "Envoy {} with the module of {}\n",
        stand.binary.version(),
        stand.module_folder.display()
    );

    println!("The client sent");
    println!("  POST http://localhost:{LISTENER_PORT}{CHAT_PATH}");
    println!("  content-type: application/json");
    println!("\n  {CHAT_BODY}\n");
    let answer = stand.ask()?;

    let asked = stand.llm().next_asked(Duration::from_secs(5));
    print_asked(&asked.context("the request never reached the mock LLM")?);
    print_answer(&answer);

    stand.envoy().check_alive()?;
    prove_headers(&answer)?;
    masked::show(&mut stand)?;
    failover::show(&stand)
}

fn print_asked(asked: &Asked) {
    println!("The mock LLM received");
    println!("  {} {}", asked.method, asked.path);
    for (name, value) in &asked.headers {
        println!("  {name}: {value}");
    }
    println!("\n  {}\n", asked.body);
}

fn print_answer(answer: &Answer) {
    println!("The client got");
    println!("  {}", answer.status);
    for (name, value) in &answer.headers.0 {
        println!("  {name}: {}", String::from_utf8_lossy(value));
    }
    let document: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let pretty = document.and_then(|document| serde_json::to_string_pretty(&document).ok());
    println!();
    for line in pretty.unwrap_or_else(|| answer.text()).lines() {
        println!("  {line}");
    }
    println!();
}

fn prove_headers(answer: &Answer) -> Result<()> {
    println!("The proof");
    let mut missing = Vec::new();
    if answer.status != 200 {
        missing.push(format!("status 200 (it is {})", answer.status));
    }
    for (name, value) in PROOF {
        let wanted = answer
            .headers
            .0
            .iter()
            .any(|(line, bytes)| line == name && bytes == value.as_bytes());
        println!(
            "  {} {name}: {value}",
            if wanted { "found  " } else { "MISSING" }
        );
        if !wanted {
            missing.push(format!("{name}: {value}"));
        }
    }
    if !missing.is_empty() {
        bail!("the answer lacks {}", missing.join(", "));
    }
    Ok(())
}

/// Says of each claim whether it holds; an error names the first that does not.
fn prove(claims: &[(&str, bool)]) -> Result<()> {
    for (claim, holds) in claims {
        println!("  {} {claim}", if *holds { "found  " } else { "MISSING" });
    }
    let missing: Vec<_> = claims.iter().filter(|(_, holds)| !holds).collect();
    if let Some((claim, _)) = missing.first() {
        bail!("it does not hold that {claim}");
    }
    Ok(())
}
