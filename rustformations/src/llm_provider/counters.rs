//! The counters of attempts at providers. Defined on the main thread for each configuration, raised by
//! workers.

use anyhow::{Result, anyhow};
use envoy_proxy_dynamic_modules_rust_sdk::{
    EnvoyCounterId, EnvoyHttpFilter, EnvoyHttpFilterConfig,
};
use transformations::provider::Counts;

/// Handles to the counters; copied into every stream.
#[derive(Clone, Copy)]
pub(crate) struct ProviderCounters([EnvoyCounterId; 4]);

impl ProviderCounters {
    /// Defines them.
    ///
    /// # Errors
    /// If Envoy refuses one.
    pub(crate) fn define<EC: EnvoyHttpFilterConfig>(envoy: &mut EC) -> Result<Self> {
        let mut define = |name| {
            let counter = envoy.define_counter(name);
            counter.map_err(|refusal| anyhow!("Envoy refused the counter {name}: {refusal:?}"))
        };
        Ok(Self([
            define("rustformations_provider_requests")?,
            define("rustformations_provider_refusals")?,
            define("rustformations_provider_dropped_fields")?,
            define("rustformations_provider_failures")?,
        ]))
    }

    /// Adds what was counted of an attempt.
    pub(crate) fn add<EHF: EnvoyHttpFilter>(self, envoy: &EHF, counts: Counts) {
        let counts = [
            counts.requests,
            counts.refusals,
            counts.dropped_fields,
            counts.failures,
        ];
        for (counter, count) in self.0.into_iter().zip(counts) {
            if count > 0 {
                // A counter that Envoy refuses to raise must not fail a request.
                let _ = envoy.increment_counter(counter, count);
            }
        }
    }
}
