//! The counters of the transformation filter, and their names.
//!
//! Defined once for each filter configuration, on the main thread; raised by workers.

use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_metrics_result as MetricsResult;
use envoy_proxy_dynamic_modules_rust_sdk::{
    EnvoyCounterId, EnvoyCounterVecId, EnvoyHttpFilter, EnvoyHttpFilterConfig, envoy_log_error,
};

const REQUESTS: &str = "rustformations_requests_transformed";
const RESPONSES: &str = "rustformations_responses_transformed";
const ERRORS: &str = "rustformations_errors";
const KIND: &str = "kind";

/// Handles to the counters; copied into every stream.
#[derive(Clone, Copy)]
pub(super) struct Stats {
    requests: EnvoyCounterId,
    responses: EnvoyCounterId,
    errors: EnvoyCounterVecId,
}

impl Stats {
    /// Defines the counters; `None`, after logging why, if Envoy refuses one.
    pub(super) fn define<EC: EnvoyHttpFilterConfig>(envoy_filter_config: &mut EC) -> Option<Self> {
        Self::try_define(envoy_filter_config)
            .inspect_err(|refusal| {
                envoy_log_error!("Envoy refused to define a counter: {refusal:?}")
            })
            .ok()
    }

    fn try_define<EC: EnvoyHttpFilterConfig>(envoy: &mut EC) -> Result<Self, MetricsResult> {
        Ok(Self {
            requests: envoy.define_counter(REQUESTS)?,
            responses: envoy.define_counter(RESPONSES)?,
            errors: envoy.define_counter_vec(ERRORS, &[KIND])?,
        })
    }

    /// A request was transformed.
    pub(super) fn request_transformed<EHF: EnvoyHttpFilter>(self, envoy: &EHF) {
        // Here and below: a counter that Envoy refuses to raise must not fail a request.
        let _ = envoy.increment_counter(self.requests, 1);
    }

    /// A response was transformed.
    pub(super) fn response_transformed<EHF: EnvoyHttpFilter>(self, envoy: &EHF) {
        let _ = envoy.increment_counter(self.responses, 1);
    }

    /// Something went wrong with one message; `kind` is one of a small fixed set.
    pub(super) fn error<EHF: EnvoyHttpFilter>(self, envoy: &EHF, kind: &'static str) {
        self.errors(envoy, kind, 1);
    }

    /// The same went wrong so many times.
    pub(super) fn errors<EHF: EnvoyHttpFilter>(self, envoy: &EHF, kind: &'static str, times: u32) {
        let _ = envoy.increment_counter_vec(self.errors, &[kind], u64::from(times));
    }
}
