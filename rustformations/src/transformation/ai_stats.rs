//! The statistics of LLM traffic: the library's table of metrics as Envoy's counters and histograms, and
//! the names that this process tells apart.
//!
//! Defined with every filter configuration, on the main thread: only a route may know of LLM traffic, and
//! Envoy defines nothing later. Raised by workers. Names are admitted where programs are compiled.

use std::sync::{Mutex, PoisonError};

use envoy_proxy_dynamic_modules_rust_sdk::prelude::*;
use once_cell::sync::Lazy;
use transformations::stats::{Labels, Metric, MetricKind, Names};

/// Every name that was admitted. Envoy never frees a label, so neither are these.
static NAMES: Lazy<Mutex<Names>> = Lazy::new(Mutex::default);

/// Admits the names of a configuration, as far as the process has room for them.
pub(super) fn admit(wanted: &Names) -> Labels {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    names.admit(wanted)
}

#[derive(Clone, Copy)]
enum Id {
    Counter(EnvoyCounterVecId),
    Histogram(EnvoyHistogramVecId),
}

/// Handles to the metrics, in the order of [`Metric::ALL`].
#[derive(Clone, Copy)]
pub(super) struct AiStats([Id; Metric::ALL.len()]);

impl AiStats {
    /// Defines them.
    ///
    /// # Errors
    /// If Envoy refuses one.
    pub(super) fn define<EC: EnvoyHttpFilterConfig>(
        envoy: &mut EC,
    ) -> Result<AiStats, MetricsResult> {
        let mut define = |metric: Metric| {
            let (name, labels) = (metric.name(), metric.labels());
            Ok(match metric.kind() {
                MetricKind::Counter => Id::Counter(envoy.define_counter_vec(name, labels)?),
                MetricKind::Histogram => Id::Histogram(envoy.define_histogram_vec(name, labels)?),
            })
        };
        let [first, rest @ ..] = Metric::ALL;
        let mut ids = [define(first)?; Metric::ALL.len()];
        for (id, metric) in ids.iter_mut().skip(1).zip(rest) {
            *id = define(metric)?;
        }
        Ok(AiStats(ids))
    }

    /// Adds to a counter, or records in a histogram.
    pub(super) fn add<EHF: EnvoyHttpFilter>(
        &self,
        envoy: &EHF,
        metric: Metric,
        labels: &[&str],
        value: u64,
    ) {
        // A metric that Envoy refuses to raise must not fail a request.
        let _ = match self.0.get(metric as usize) {
            Some(Id::Counter(id)) => envoy.increment_counter_vec(*id, labels, value),
            Some(Id::Histogram(id)) => envoy.record_histogram_value_vec(*id, labels, value),
            None => return,
        };
    }
}
