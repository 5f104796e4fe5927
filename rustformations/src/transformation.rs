//! The transformation filter: runs a compiled [`Program`](transformations::Program) on requests and responses.
//!
//! Configurations are compiled here, on Envoy's main thread; a bad one is logged with everything
//! that is wrong with it and refused, so that Envoy keeps what it had. A route's configuration
//! replaces the filter's wholesale. What happens to a stream is in [`filter`].

mod ai_stats;
mod attributes;
mod build_gauge;
mod configuration;
mod configured;
mod filter;
pub(crate) mod host;
mod limits;
mod loaded;
mod metadata;
mod prices;
mod profiles;
mod programs;
mod provided;
mod reloads;
mod reports;
mod stats;
mod status;

use std::any::Any;

use anyhow::Result;
use envoy_proxy_dynamic_modules_rust_sdk::{
    EnvoyHttpFilter, EnvoyHttpFilterConfig, HttpFilter, HttpFilterConfig,
};

use self::build_gauge::BuildGauge;
use self::configuration::{Configuration, RouteConfig};
use self::filter::TransformationFilter;
use self::stats::Stats;
use crate::llm_provider::ProviderCounters;
use crate::refusal::log_refusal;

/// Compiles a filter-level configuration; `None`, after logging why, if it is not valid.
pub(crate) fn new_http_filter_config<EC, EHF>(
    envoy_filter_config: &mut EC,
    name: &str,
    config: &[u8],
) -> Option<Box<dyn HttpFilterConfig<EHF>>>
where
    EC: EnvoyHttpFilterConfig,
    EHF: EnvoyHttpFilter,
{
    let configured = TransformationConfig::new(envoy_filter_config, name, config);
    log_refusal(name, configured).map(|it| Box::new(it) as Box<dyn HttpFilterConfig<EHF>>)
}

/// Compiles a route's configuration; `None`, after logging why, if it is not valid.
pub(crate) fn new_per_route_config(name: &str, config: &[u8]) -> Option<Box<dyn Any>> {
    let configured = log_refusal(name, Configuration::new(name, config))?;
    Some(Box::new(RouteConfig(configured)))
}

struct TransformationConfig {
    configuration: Configuration,
    stats: Stats,
    counters: ProviderCounters,
    build_gauge: BuildGauge,
}

impl TransformationConfig {
    fn new<EC: EnvoyHttpFilterConfig>(envoy: &mut EC, name: &str, config: &[u8]) -> Result<Self> {
        Ok(Self {
            configuration: Configuration::new(name, config)?,
            stats: Stats::define(envoy)?,
            counters: ProviderCounters::define(envoy)?,
            build_gauge: BuildGauge::define(envoy)?,
        })
    }
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for TransformationConfig {
    fn new_http_filter(&self, envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        self.build_gauge.set_once(envoy);
        Box::new(TransformationFilter::new(
            self.configuration.chosen.now(),
            self.stats,
            self.counters,
        ))
    }
}
