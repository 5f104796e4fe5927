//! A gauge that says on `/stats` which module this is: 1 under the labels of version and revision.
//!
//! Defined with each filter configuration, on the main thread, and set there where Envoy can (1.39 and
//! later), else with the first stream.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, anyhow};
use envoy_proxy_dynamic_modules_rust_sdk::prelude::*;

const NAME: &str = "rustformations_build";
const LABELS: [&str; 2] = ["version", "revision"];
const VALUES: [&str; 2] = [env!("CARGO_PKG_VERSION"), env!("RUSTFORMATIONS_REVISION")];

/// The gauge, and whether it has been set.
pub(super) struct BuildGauge {
    id: EnvoyGaugeVecId,
    is_set: AtomicBool,
}

impl BuildGauge {
    /// Defines it.
    ///
    /// # Errors
    /// If Envoy refuses.
    pub(super) fn define<EC: EnvoyHttpFilterConfig>(envoy: &mut EC) -> Result<Self> {
        let id = envoy
            .define_gauge_vec(NAME, &LABELS)
            .map_err(|refusal| anyhow!("Envoy refused to define a gauge: {refusal:?}"))?;
        let is_set = envoy.set_gauge_vec(id, &VALUES, 1).is_ok().into();
        Ok(Self { id, is_set })
    }

    /// Sets it with the first stream, where that could not be done before. Costs one relaxed load.
    pub(super) fn set_once<EHF: EnvoyHttpFilter>(&self, envoy: &EHF) {
        if !self.is_set.load(Ordering::Relaxed) && !self.is_set.swap(true, Ordering::Relaxed) {
            // A gauge that Envoy refuses to set must not fail a request.
            let _ = envoy.set_gauge_vec(self.id, &VALUES, 1);
        }
    }
}
