//! That every fact is told under its name, and what is not known is not.

use super::*;
use crate::usage::Usage;

fn full() -> Facts {
    let usage = Usage {
        input_tokens: 10,
        output_tokens: 30,
        cached_tokens: Some(4),
        cache_creation_tokens: Some(0),
        reasoning_tokens: Some(5),
    };
    let mut facts = Facts {
        dialect: Some(Dialect::Gemini),
        request_model: Some("fast".to_owned()),
        model: Some("gemini-x".to_owned()),
        response_model: Some("gemini-x-001".to_owned()),
        stream: Some(true),
        metered: Some(Metered {
            usage: Some(usage),
            status: UsageStatus::Complete,
        }),
        finish_reason: Some("STOP".to_owned()),
        cost: Some(Cost::Priced(27_001)),
        time_to_first_token: Some(Duration::from_micros(1_999)),
        generation_time: Some(Duration::from_millis(700)),
        guard: Some("on-topic".to_owned()),
        refused: Some("guard:on-topic".to_owned()),
        estimated_input_tokens: Some(9),
        ..Facts::default()
    };
    facts.add_shadow("model", "renamed");
    facts.add_shadow("limits", "messages");
    facts.add_masked("PHONE", 1);
    facts.add_masked("EMAIL", 1);
    facts.add_masked("EMAIL", 1);
    facts.add_masked("SSN", 0);
    facts
}

#[test]
fn every_fact_has_its_published_name_and_spelling() {
    let facts = full();
    let printed: Vec<_> = (facts.known())
        .map(|(fact, value)| format!("{}: {}", fact.name(), value.to_text()))
        .collect();
    let expected = [
        "dialect: gemini",
        "request_model: fast",
        "model: gemini-x",
        "response_model: gemini-x-001",
        "stream: true",
        "input_tokens: 10",
        "cached_tokens: 4",
        "cache_creation_tokens: 0",
        "output_tokens: 30",
        "reasoning_tokens: 5",
        "total_tokens: 40",
        "usage_status: complete",
        "finish_reason: STOP",
        "cost_nano_usd: 27001",
        "cost_micro_usd: 28",
        "cost_usd: 0.000027001",
        "cost_status: priced",
        "ttft_ms: 1",
        "tokens_per_second: 42.9",
        "masked: 3",
        "masked_kinds: EMAIL=2,PHONE=1",
        "guard: on-topic",
        "refused: guard:on-topic",
        "shadow: model:renamed,limits:messages",
        "estimated_input_tokens: 9",
    ];
    assert_eq!(printed, expected);
    for (fact, value) in facts.known() {
        let is_text = matches!(value, FactValue::Text(_));
        assert_eq!(is_text, fact.kind() == FactKind::Text, "{}", fact.name());
        assert_eq!(Fact::named(fact.name()), Some(fact));
    }
    assert_eq!(printed.len(), Fact::ALL.len());
    let grouped = Fact::ALL.iter().filter(|it| it.group() == Some("usage"));
    assert!(
        grouped
            .map(|it| it.name())
            .all(|name| name.ends_with("_tokens"))
    );
    assert_eq!(Fact::EstimatedInputTokens.group(), None);
}

#[test]
fn what_is_not_known_is_not_there() {
    assert_eq!(Facts::default().known().count(), 0);
    let facts = Facts {
        cost: Some(Cost::UnknownModel),
        ..Facts::default()
    };
    let known: Vec<_> = facts.known().map(|(fact, _)| fact.name()).collect();
    assert_eq!(known, ["cost_status"]);
}

#[test]
fn dollars_are_exact() {
    let table = [
        (0, "0"),
        (1, "0.000000001"),
        (27_000, "0.000027"),
        (1_000_000_000, "1"),
        (12_340_000_000, "12.34"),
        (u64::MAX, "18446744073.709551615"),
    ];
    for (nano_usd, expected) in table {
        assert_eq!(usd(nano_usd), expected);
    }
}
