//! The counters of the transformation filter, and their names.
//!
//! Defined once for each filter configuration, on the main thread; raised by workers.

use anyhow::{Result, anyhow};
use envoy_proxy_dynamic_modules_rust_sdk::prelude::*;
use transformations::stats::Metric;
use transformations::{Direction, TransformErrorKind};

use super::ai_stats::AiStats;
use super::reloads;

const REQUESTS: &str = "rustformations_requests_transformed";
const RESPONSES: &str = "rustformations_responses_transformed";
const ERRORS: &str = "rustformations_errors";
const KIND: &str = "kind";
const RELOADS: &str = "rustformations_reloads";
const FILE: &str = "file";
const RESULT: &str = "result";

/// Handles to the counters; copied into every stream.
#[derive(Clone, Copy)]
pub(super) struct Stats {
    requests: EnvoyCounterId,
    responses: EnvoyCounterId,
    errors: EnvoyCounterVecId,
    reloads: EnvoyCounterVecId,
    ai: AiStats,
}

impl Stats {
    /// Defines the counters.
    ///
    /// # Errors
    /// If Envoy refuses one.
    pub(super) fn define<EC: EnvoyHttpFilterConfig>(envoy: &mut EC) -> Result<Self> {
        Self::try_define(envoy)
            .map_err(|refusal| anyhow!("Envoy refused to define a counter: {refusal:?}"))
    }

    fn try_define<EC: EnvoyHttpFilterConfig>(
        envoy: &mut EC,
    ) -> std::result::Result<Self, MetricsResult> {
        Ok(Self {
            requests: envoy.define_counter(REQUESTS)?,
            responses: envoy.define_counter(RESPONSES)?,
            errors: envoy.define_counter_vec(ERRORS, &[KIND])?,
            reloads: envoy.define_counter_vec(RELOADS, &[FILE, RESULT])?,
            ai: AiStats::define(envoy)?,
        })
    }

    /// A message was transformed.
    pub(super) fn transformed<EHF: EnvoyHttpFilter>(self, envoy: &EHF, direction: Direction) {
        let counter = match direction {
            Direction::Request => self.requests,
            Direction::Response => self.responses,
        };
        // Here and below: a counter that Envoy refuses to raise must not fail a request.
        let _ = envoy.increment_counter(counter, 1);
    }

    /// An exchange adds to a metric of LLM traffic.
    pub(super) fn ai<EHF: EnvoyHttpFilter>(
        self,
        envoy: &EHF,
        metric: Metric,
        labels: &[&str],
        value: u64,
    ) {
        self.ai.add(envoy, metric, labels, value);
    }

    /// The same went wrong so many times.
    pub(super) fn errors<EHF: EnvoyHttpFilter>(
        self,
        envoy: &EHF,
        kind: TransformErrorKind,
        times: u32,
    ) {
        let _ = envoy.increment_counter_vec(self.errors, &[kind.name()], u64::from(times));
    }

    /// Files have changed since this was asked last.
    pub(super) fn reloads<EHF: EnvoyHttpFilter>(self, envoy: &EHF) {
        reloads::tell(|reload, times| {
            let _ = envoy.increment_counter_vec(self.reloads, &reload.labels(), times);
        });
    }
}
