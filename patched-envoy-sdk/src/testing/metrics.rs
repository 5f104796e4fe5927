//! The metrics of the fake host: definitions and values, shared by a config and its streams.
//!
//! Filters reach them through metric ids; tests read them back by name and label values. Refuses
//! unknown ids, a wrong number of label values, and definitions after [`FakeMetrics::freeze`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::abi::envoy_dynamic_module_type_metrics_result as MetricsResult;

/// Metrics by name. Clones share the same values, on any thread.
#[derive(Debug, Clone, Default)]
pub struct FakeMetrics {
    registry: Arc<Mutex<Registry>>,
}

#[derive(Debug, Default)]
struct Registry {
    definitions: Vec<Definition>,
    values: BTreeMap<(usize, Vec<String>), Value>,
    frozen: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

#[derive(Debug)]
struct Definition {
    kind: Kind,
    name: String,
    labels: usize,
    labelled: bool,
}

#[derive(Debug, Clone, Default)]
struct Value {
    number: u64,
    samples: Vec<u64>,
}

/// What happens to a metric.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change {
    Add(u64),
    Subtract(u64),
    Set(u64),
    Record(u64),
}

impl FakeMetrics {
    /// The value of a counter without labels; 0 when it was never raised or defined.
    #[must_use]
    pub fn counter(&self, name: &str) -> u64 {
        self.counter_with(name, &[])
    }

    /// The value of a counter with these label values.
    #[must_use]
    pub fn counter_with(&self, name: &str, labels: &[&str]) -> u64 {
        self.read(Kind::Counter, name, labels).number
    }

    /// The value of a gauge without labels; 0 when it was never set or defined.
    #[must_use]
    pub fn gauge(&self, name: &str) -> u64 {
        self.gauge_with(name, &[])
    }

    /// The value of a gauge with these label values.
    #[must_use]
    pub fn gauge_with(&self, name: &str, labels: &[&str]) -> u64 {
        self.read(Kind::Gauge, name, labels).number
    }

    /// What a histogram without labels recorded, in order.
    #[must_use]
    pub fn histogram(&self, name: &str) -> Vec<u64> {
        self.histogram_with(name, &[])
    }

    /// What a histogram with these label values recorded, in order.
    #[must_use]
    pub fn histogram_with(&self, name: &str, labels: &[&str]) -> Vec<u64> {
        self.read(Kind::Histogram, name, labels).samples
    }

    /// From now on defining is refused, as Envoy refuses it once the configuration is loaded.
    pub fn freeze(&self) {
        self.registry().frozen = true;
    }

    pub(crate) fn define(
        &self,
        kind: Kind,
        name: &str,
        labels: Option<&[&str]>,
    ) -> Result<usize, MetricsResult> {
        let mut registry = self.registry();
        if registry.frozen {
            return Err(MetricsResult::Frozen);
        }
        registry.definitions.push(Definition {
            kind,
            name: name.to_owned(),
            labels: labels.map_or(0, <[_]>::len),
            labelled: labels.is_some(),
        });
        // Counted from 1, so that an id nobody was given is never a metric.
        Ok(registry.definitions.len())
    }

    pub(crate) fn change(
        &self,
        kind: Kind,
        id: usize,
        labels: Option<&[&str]>,
        change: Change,
    ) -> Result<(), MetricsResult> {
        let mut registry = self.registry();
        let defined = id
            .checked_sub(1)
            .and_then(|index| registry.definitions.get(index));
        let Some(defined) =
            defined.filter(|defined| defined.kind == kind && defined.labelled == labels.is_some())
        else {
            return Err(MetricsResult::MetricNotFound);
        };
        let labels = labels.unwrap_or_default();
        if defined.labels != labels.len() {
            return Err(MetricsResult::InvalidLabels);
        }
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        let value = registry.values.entry((id, labels)).or_default();
        match change {
            Change::Add(by) => value.number = value.number.wrapping_add(by),
            Change::Subtract(by) => value.number = value.number.saturating_sub(by),
            Change::Set(to) => value.number = to,
            Change::Record(sample) => value.samples.push(sample),
        }
        Ok(())
    }

    fn read(&self, kind: Kind, name: &str, labels: &[&str]) -> Value {
        let registry = self.registry();
        let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
        // The same name may be defined by several configs: Envoy adds them up in one stat.
        let mut sum = Value::default();
        for (index, defined) in registry.definitions.iter().enumerate() {
            if defined.kind == kind
                && defined.name == name
                && let Some(value) = registry.values.get(&(index + 1, labels.clone()))
            {
                sum.number += value.number;
                sum.samples.extend_from_slice(&value.samples);
            }
        }
        sum
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_kept_apart_by_label_values() {
        let metrics = FakeMetrics::default();
        let id = metrics
            .define(Kind::Counter, "requests", Some(&["model"]))
            .expect("defined");
        for model in ["a", "b", "a"] {
            metrics
                .change(Kind::Counter, id, Some(&[model]), Change::Add(1))
                .expect("counted");
        }
        assert_eq!(metrics.counter_with("requests", &["a"]), 2);
        assert_eq!(metrics.counter_with("requests", &["b"]), 1);
        assert_eq!(metrics.counter("requests"), 0);
    }

    #[test]
    fn wrong_ids_kinds_and_labels_are_refused() {
        let metrics = FakeMetrics::default();
        let id = metrics.define(Kind::Gauge, "open", None).expect("defined");
        let change = |kind, id, labels| metrics.change(kind, id, labels, Change::Set(1));
        assert_eq!(
            change(Kind::Gauge, 0, None),
            Err(MetricsResult::MetricNotFound)
        );
        assert_eq!(
            change(Kind::Counter, id, None),
            Err(MetricsResult::MetricNotFound)
        );
        assert_eq!(
            change(Kind::Gauge, id, Some(&["x"])),
            Err(MetricsResult::MetricNotFound)
        );
        let vec = metrics
            .define(Kind::Gauge, "open_by", Some(&["a", "b"]))
            .expect("defined");
        assert_eq!(
            change(Kind::Gauge, vec, Some(&["x"])),
            Err(MetricsResult::InvalidLabels)
        );
    }

    #[test]
    fn nothing_is_defined_once_frozen() {
        let metrics = FakeMetrics::default();
        metrics.freeze();
        assert_eq!(
            metrics.define(Kind::Counter, "late", None),
            Err(MetricsResult::Frozen)
        );
    }
}
