//! The dashboard and the rules name counters that the module has, in both of their spellings.
#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::collections::BTreeSet;

use k8s_check::tree;
use serde_json::Value;
use transformations::stats::{Metric, MetricKind};

/// The module's counters of all traffic, without prefix.
const COUNTERS: [&str; 5] = [
    "rustformations_requests_transformed",
    "rustformations_responses_transformed",
    "rustformations_errors",
    "rustformations_panics",
    "rustformations_reloads",
];

/// The module's metrics of LLM traffic, as Prometheus spells them.
fn of_llm_traffic() -> Vec<String> {
    let series = Metric::ALL.into_iter().map(|metric| match metric.kind() {
        MetricKind::Counter => metric.name().to_owned(),
        MetricKind::Histogram => format!("{}_bucket", metric.name()),
    });
    series.collect()
}

/// Metrics of Envoy itself that the files may use. The name of a route table is inside the name of its
/// metric, so that one is asked for by a pattern.
const ENVOYS: [&str; 3] = [
    "envoy_server_live",
    "envoy_http_rds_",
    "envoy_listener_manager_lds_update_rejected",
];

fn file(name: &str) -> String {
    std::fs::read_to_string(tree::root().join("k8s/observability").join(name)).unwrap()
}

fn texts(value: &Value, key: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == key => found.push(text.clone()),
                    _ => texts(value, key, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, key, found)),
        _ => {}
    }
}

fn expressions() -> Vec<(&'static str, Vec<String>)> {
    let dashboard: Value = serde_json::from_str(&file("rustformations.json")).unwrap();
    let rules = tree::read_documents(&file("prometheusrule.yaml"))
        .unwrap()
        .remove(0);
    [
        ("rustformations.json", dashboard),
        ("prometheusrule.yaml", rules),
    ]
    .into_iter()
    .map(|(name, document)| {
        let mut found = Vec::new();
        texts(&document, "expr", &mut found);
        (name, found)
    })
    .collect()
}

#[test]
fn every_counter_of_the_module_is_shown_and_no_other_is_named() {
    for (file, expressions) in expressions() {
        // Alerts are about what goes wrong with the module.
        let mut known: BTreeSet<_> = COUNTERS.map(str::to_owned).into();
        if file.ends_with(".json") {
            known.extend(of_llm_traffic());
        }
        let mut named = BTreeSet::new();
        for expression in &expressions {
            let words =
                expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
            for word in words.filter(|word| !word.contains(':')) {
                // The rest of the pattern that stands for both spellings.
                let word = word
                    .strip_prefix("envoy_dynamicmodulescustom_")
                    .unwrap_or(word);
                if word.starts_with("rustformations_") {
                    assert!(
                        known.contains(word),
                        "{file}: {word} is no metric of the module"
                    );
                    named.insert(word.to_owned());
                } else if word.starts_with("envoy_") {
                    assert!(ENVOYS.contains(&word), "{file}: {word} is unknown");
                }
            }
        }
        assert_eq!(named, known, "{file}");
    }
}

#[test]
fn counters_are_always_asked_for_in_both_spellings() {
    for (file, expressions) in expressions() {
        for expression in expressions {
            for (at, _) in expression.match_indices("rustformations_") {
                let both = r#"{__name__=~"(envoy_dynamicmodulescustom_)?"#;
                assert!(expression[..at].ends_with(both), "{file}: {expression}");
            }
        }
    }
}

#[test]
fn recorded_series_are_used_under_the_names_they_are_recorded_by() {
    let rules = tree::read_documents(&file("prometheusrule.yaml"))
        .unwrap()
        .remove(0);
    let (mut recorded, mut used) = (Vec::new(), Vec::new());
    texts(&rules, "record", &mut recorded);
    texts(&rules, "expr", &mut used);
    let words = used
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':'));
    for word in words.filter(|word| word.starts_with("rustformations:")) {
        assert!(
            recorded.iter().any(|name| name == word),
            "{word} is not recorded"
        );
    }
}
