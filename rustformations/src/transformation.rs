//! The transformation filter: runs a compiled [`Program`] on requests and responses.
//!
//! Configurations are compiled here, on Envoy's main thread; a bad one is logged with everything
//! that is wrong with it and refused, so that Envoy keeps what it had. A route's configuration
//! replaces the filter's wholesale. What happens to a stream is in [`filter`].

mod ai_stats;
mod attributes;
mod build_gauge;
mod configured;
mod filter;
pub(crate) mod host;
mod limits;
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
use std::sync::Arc;

use anyhow::Result;
use envoy_proxy_dynamic_modules_rust_sdk::{
    Capabilities, Capability, EnvoyHttpFilter, EnvoyHttpFilterConfig, EnvoyVersion, HttpFilter,
    HttpFilterConfig, envoy_log_warn,
};
use once_cell::sync::Lazy;
use transformations::stats::Labels;
use transformations::{CompileOptions, Program};

use self::build_gauge::BuildGauge;
use self::filter::TransformationFilter;
use self::profiles::ModuleFiles;
use self::programs::Chosen;
use self::reports::Reports;
use self::stats::Stats;
use crate::llm_provider::ProviderCounters;
use crate::refusal::{log_refusal, refused};
use crate::watch::{Watcher, Watching};

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

/// What a route's configuration compiles to.
struct RouteConfig(Configuration);

/// A configuration that Envoy holds.
struct Configuration {
    chosen: Chosen,
    /// Has files watched, if it follows any. Only here: what Envoy holds is never freed by the watcher.
    _watching: Option<Watching>,
}

/// A program, what was said of its failures, and what its statistics may name.
struct Loaded {
    program: Arc<Program>,
    labels: Labels,
    reports: Reports,
}

impl Loaded {
    fn new(program: Program) -> Arc<Self> {
        Arc::new(Self {
            labels: program.names().map(ai_stats::admit).unwrap_or_default(),
            program: Arc::new(program),
            reports: Reports::default(),
        })
    }
}

impl Configuration {
    fn new(name: &str, config: &[u8]) -> Result<Self> {
        let files = ModuleFiles::new(&OPTIONS);
        let (chosen, is_new) = programs::of_text(config, &OPTIONS, files).map_err(refused)?;
        let loaded = chosen.now();
        // A thousand routes may say the same; it is told once.
        if is_new {
            for warning in loaded.program.warnings() {
                envoy_log_warn!("{name}: {warning}");
            }
        }
        let follows = loaded.program.follows_files();
        let watching = follows.then(|| Watcher::of_process().watch());
        Ok(Self {
            chosen,
            _watching: watching,
        })
    }
}

/// What the process and its Envoy allow every configuration. Asked for once: neither changes.
static OPTIONS: Lazy<Arc<CompileOptions>> = Lazy::new(|| {
    let mut options = CompileOptions::from_process();
    let envoy = EnvoyVersion::of_host().unwrap_or(EnvoyVersion::V1_36);
    options.capabilities = capabilities(Capabilities::of_host(), envoy);
    Arc::new(options)
});

/// What configurations may ask of an Envoy that has these callbacks.
fn capabilities(host: Capabilities, envoy: EnvoyVersion) -> transformations::Capabilities {
    let mut capabilities = transformations::Capabilities::all();
    capabilities.metadata_bool = host.has(Capability::MetadataBool);
    capabilities.metadata_list = host.has(Capability::MetadataLists);
    capabilities.metadata_struct = host.has(Capability::MetadataStruct);
    capabilities.header_lines = host.has(Capability::AddHeader);
    capabilities.attributes_of_envoy = envoy.numbers();
    capabilities
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

#[cfg(test)]
mod tests {
    use super::{Capabilities, EnvoyVersion, capabilities};

    /// Whoever checks configurations away from an Envoy says the same as the Envoy.
    #[test]
    fn each_release_has_the_capabilities_that_are_known_of_it() {
        for envoy in EnvoyVersion::ALL {
            let known = transformations::Capabilities::of_envoy(envoy.numbers());
            assert_eq!(
                capabilities(Capabilities::of(envoy), envoy),
                known,
                "{envoy:?}"
            );
        }
    }
}
