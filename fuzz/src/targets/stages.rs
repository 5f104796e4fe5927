//! What the stages of LLM traffic make of a request: whatever they edit stays JSON, a model is found in
//! any chunks as in the whole, and no price table and no counts make a wrong sum.

use formats::json::read;
use llm::dialect::Dialect;
use llm::facts::Cost;
use llm::limits::{Limits, OnExcess};
use llm::model::{ModelScan, ScanFault, ScannedModel, rename};
use llm::place::Edits;
use llm::price::{HIGHEST_NANO_USD, Prices};
use llm::prompt::{Prompt, PromptRole, enrich};
use llm::request::Request;
use llm::usage::{Usage, ask};

use super::{Choices, Outcome};

const PROMPTS: [Prompt<'static>; 4] = [
    prompt(PromptRole::System, "Be \"brief\".\n\n"),
    prompt(PromptRole::User, "Hi"),
    prompt(PromptRole::Developer, "Hi"),
    prompt(PromptRole::Assistant, "ß"),
];

pub(super) fn run(input: &[u8]) -> Outcome {
    let text = String::from_utf8_lossy(input);
    let mut choices = Choices::of(input);
    let edited: Vec<_> = Dialect::ALL.into_iter().map(|it| edit(it, &text)).collect();
    let scanned = scan(&[text.as_bytes()]);
    let chunks = choices.chunks(text.as_bytes());
    match (&scanned, scan(&chunks)) {
        // Which of two faults is met first depends on the cuts.
        (Err(_), Err(_)) => {}
        (whole, cut) => assert_eq!(*whole, cut, "chunks change the model"),
    }
    compare(&scanned, &text);
    Outcome::of((edited, scanned.is_ok(), price(&text, &mut choices)))
}

const fn prompt(role: PromptRole, content: &'static str) -> Prompt<'static> {
    Prompt { role, content }
}

/// What was edited.
fn edit(dialect: Dialect, body: &str) -> Option<[bool; 4]> {
    let request = Request::read(dialect, body).ok()?;
    let limits = Limits {
        prompt_bytes: Some(1 << 20),
        max_output_tokens: Some(9),
        on_excess: OnExcess::Clamp,
        ..Limits::default()
    };
    let mut edits = Edits::new();
    let renamed = rename(&request, "other \"model\"", &mut edits);
    let clamped = limits.apply(&request, body, false, &mut edits);
    let [system, user, developer, assistant] = PROMPTS;
    let put = enrich(
        &request,
        body,
        &[system, user],
        &[developer, assistant],
        &mut edits,
    );
    let asks = ask(&request, body, &mut edits);
    let result = [renamed, clamped.is_ok(), put.is_ok(), asks];
    // A stage that refuses may leave edits, which nobody makes then.
    if clamped.is_ok() && put.is_ok() {
        let edited = edits.write(body);
        assert!(Request::read(dialect, &edited).is_ok(), "not JSON any more");
    }
    Some(result)
}

fn scan(chunks: &[&[u8]]) -> Result<ScannedModel, ScanFault> {
    let mut scan = ModelScan::new();
    for chunk in chunks {
        scan.feed(chunk)?;
    }
    scan.finish().cloned()
}

/// The scanner takes what the reader takes, and finds the same.
fn compare(scanned: &Result<ScannedModel, ScanFault>, body: &str) {
    if read(body, |_| Ok(())).is_err() {
        assert!(scanned.is_err(), "only the scanner takes this");
        return;
    }
    let Ok(request) = Request::read(Dialect::OpenaiEmbeddings, body) else {
        assert_eq!(*scanned, Ok(ScannedModel::Absent));
        return;
    };
    match scanned {
        Ok(ScannedModel::Named(model)) => {
            let name = request.model.and_then(|place| place.contents(body));
            assert_eq!(name.as_deref(), Some(model.name.as_str()));
            assert_eq!(
                request.model.map(|place| place.range()),
                Some(model.range.clone())
            );
        }
        Ok(_) => assert_eq!(request.model, None),
        Err(fault) => assert!(*fault != ScanFault::NotJson, "only the reader takes this"),
    }
}

/// Whether the text is a price table, and what it makes of some counts.
fn price(text: &str, choices: &mut Choices) -> Option<bool> {
    let prices = Prices::read(text).ok()?.prices;
    let mut count = || [0, 1, 1_000, 250_000, u64::MAX][choices.below(5)];
    let usage = Usage {
        input_tokens: count(),
        output_tokens: count(),
        cached_tokens: Some(count()),
        cache_creation_tokens: Some(count()),
        reasoning_tokens: Some(count()),
    };
    let name = prices.names().next().unwrap_or("any").to_owned();
    let cost = prices.cost(Some(&name), Some(&usage));
    if let Cost::Priced(nano) = cost {
        assert!(nano <= HIGHEST_NANO_USD);
    }
    Some(matches!(cost, Cost::Priced(_)))
}
