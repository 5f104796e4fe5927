//! What exchanges add to which metric, and that names stay bounded.

use std::time::Duration;

use super::*;
use crate::dialect::Dialect;
use crate::usage::{Metered, Usage};

fn names(models: &[&str]) -> Names {
    let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    Names {
        models: owned(models),
        rules: owned(&["jailbreak"]),
        kinds: owned(&["EMPLOYEE"]),
    }
}

fn counted(facts: &Facts, labels: &Labels) -> Vec<String> {
    let mut all = Vec::new();
    count(facts, labels, &mut |metric, labels, value| {
        assert_eq!(labels.len(), metric.labels().len());
        let name = metric.name().strip_prefix("rustformations_ai_").unwrap();
        all.push(format!("{name} {} {value}", labels.join(" ")));
    });
    all
}

fn full() -> Facts {
    let usage = Usage {
        input_tokens: 10,
        output_tokens: 31,
        cached_tokens: Some(4),
        cache_creation_tokens: Some(0),
        reasoning_tokens: Some(5),
    };
    let mut facts = Facts {
        dialect: Some(Dialect::Gemini),
        model: Some("gemini-x".to_owned()),
        metered: Some(Metered {
            usage: Some(usage),
            status: UsageStatus::Complete,
        }),
        cost: Some(Cost::Priced(27_001)),
        time_to_first_token: Some(Duration::from_micros(1_999)),
        generation_time: Some(Duration::from_millis(300)),
        guard: Some("jailbreak".to_owned()),
        ..Facts::default()
    };
    facts.add_shadow("model", "renamed");
    facts.add_shadow("limits", "messages");
    facts.add_masked("EMAIL", 2);
    facts.add_masked("EMPLOYEE", 1);
    facts.add_masked("SSN", 0);
    facts
}

#[test]
fn an_exchange_adds_what_is_known_of_it() {
    let labels = Names::default().admit(&names(&["gemini-x"]));
    let expected = [
        "requests gemini gemini-x 1",
        "cost_nano_usd gemini gemini-x 27001",
        "ttft_ms gemini gemini-x 1",
        "time_per_output_token_us gemini gemini-x 10000",
        "usage gemini gemini-x complete 1",
        "tokens gemini gemini-x input 10",
        "tokens gemini gemini-x output 31",
        "tokens gemini gemini-x cached 4",
        "tokens gemini gemini-x reasoning 5",
        "masked gemini gemini-x EMAIL 2",
        "masked gemini gemini-x EMPLOYEE 1",
        "guard gemini gemini-x jailbreak 1",
        "shadow gemini gemini-x model:renamed 1",
        "shadow gemini gemini-x limits:messages 1",
    ];
    assert_eq!(counted(&full(), &labels), expected);
}

#[test]
fn what_no_configuration_names_is_other() {
    let mut facts = full();
    facts.guard = Some("of a client".to_owned());
    let counted = counted(&facts, &Labels::default());
    let has = |line: &str| assert!(counted.iter().any(|it| it == line), "{line}: {counted:?}");
    has("requests gemini other 1");
    has("masked gemini other EMAIL 2");
    has("masked gemini other other 1");
    has("guard gemini other other 1");
}

#[test]
fn refused_requests_are_counted_and_what_is_no_llm_traffic_is_not() {
    let labels = Labels::default();
    assert_eq!(counted(&Facts::default(), &labels), [""; 0]);
    let facts = Facts {
        refused: Some("dialect:unknown".to_owned()),
        ..Facts::default()
    };
    let expected = [
        "requests unknown other 1",
        "refused unknown other dialect 1",
    ];
    assert_eq!(counted(&facts, &labels), expected);
    let facts = Facts {
        dialect: Some(Dialect::OpenaiChat),
        guard: Some("not_allowed".to_owned()),
        refused: Some("guard:not_allowed".to_owned()),
        ..Facts::default()
    };
    let expected = [
        "requests openai-chat other 1",
        "guard openai-chat other not_allowed 1",
        "refused openai-chat other guard 1",
    ];
    assert_eq!(counted(&facts, &labels), expected);
}

#[test]
fn time_per_token_is_known_of_streams_of_several_tokens_that_told_them() {
    let of = |change: &dyn Fn(&mut Facts)| {
        let mut facts = full();
        change(&mut facts);
        time_per_output_token(&facts)
    };
    assert_eq!(of(&|_| {}), Some(10_000));
    assert_eq!(of(&|facts| facts.generation_time = None), None);
    let told = |tokens, status| {
        move |facts: &mut Facts| {
            let metered = facts.metered.as_mut().unwrap();
            metered.status = status;
            metered.usage.as_mut().unwrap().output_tokens = tokens;
        }
    };
    assert_eq!(of(&told(0, UsageStatus::Complete)), None);
    assert_eq!(of(&told(1, UsageStatus::Complete)), None);
    assert_eq!(of(&told(2, UsageStatus::Complete)), Some(300_000));
    assert_eq!(of(&told(2, UsageStatus::Estimated)), None);
}

#[test]
fn a_process_admits_so_many_names_and_no_more() {
    let mut all = Names::default();
    let many: Vec<_> = (0..MAX_NAMES - 1)
        .map(|number| format!("m-{number:03}"))
        .collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let first = all.admit(&names(&many));
    assert_eq!(first.model(Some("m-007")), "m-007");
    let later = all.admit(&names(&["m-007", "x-1", "x-2"]));
    let told = ["m-007", "x-1", "x-2"].map(|name| later.model(Some(name)));
    assert_eq!(told, ["m-007", "x-1", OTHER]);
    // Another configuration does not count what it does not name.
    assert_eq!(later.model(Some("m-008")), OTHER);
    assert_eq!(later.model(None), OTHER);
    for number in 0..1000 {
        all.admit(&names(&[&format!("y-{number}")]));
    }
    assert_eq!(all.models.len(), MAX_NAMES);
}
