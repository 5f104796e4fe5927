//! The transformation filter: runs a compiled [`Program`] on requests and responses.
//!
//! Configurations are compiled here, on Envoy's main thread; a bad one is logged with everything
//! that is wrong with it and refused, so that Envoy keeps what it had. A route's configuration
//! replaces the filter's wholesale. What happens to a stream is in [`filter`].

mod attributes;
mod build_gauge;
mod filter;
mod host;
mod limits;
mod metadata;
mod programs;
mod reports;
mod stats;

use std::any::Any;
use std::sync::Arc;

use envoy_proxy_dynamic_modules_rust_sdk::{
    Capabilities, Capability, EnvoyHttpFilter, EnvoyHttpFilterConfig, EnvoyVersion, HttpFilter,
    HttpFilterConfig, envoy_log_error, envoy_log_warn,
};
use once_cell::sync::Lazy;
use transformations::{CompileOptions, Program};

use self::build_gauge::BuildGauge;
use self::filter::TransformationFilter;
use self::reports::Reports;
use self::stats::Stats;

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
    let loaded = compile(name, config)?;
    let stats = Stats::define(envoy_filter_config)?;
    let build_gauge = BuildGauge::define(envoy_filter_config)?;
    Some(Box::new(TransformationConfig {
        loaded,
        stats,
        build_gauge,
    }))
}

/// Compiles a route's configuration; `None`, after logging why, if it is not valid.
pub(crate) fn new_per_route_config(name: &str, config: &[u8]) -> Option<Box<dyn Any>> {
    compile(name, config).map(|loaded| Box::new(RouteConfig(loaded)) as Box<dyn Any>)
}

/// What a route's configuration compiles to.
struct RouteConfig(Arc<Loaded>);

/// A program, and what was said of its failures.
struct Loaded {
    program: Arc<Program>,
    reports: Reports,
}

fn compile(name: &str, config: &[u8]) -> Option<Arc<Loaded>> {
    match programs::of_text(config, &OPTIONS) {
        Ok((loaded, is_new)) => {
            // A thousand routes may say the same; it is told once.
            if is_new {
                for warning in loaded.program.warnings() {
                    envoy_log_warn!("{name}: {warning}");
                }
            }
            Some(loaded)
        }
        Err(diagnostics) => {
            envoy_log_error!("{name}: the configuration is refused\n{diagnostics}");
            None
        }
    }
}

/// What the process and its Envoy allow every configuration. Asked for once: neither changes.
static OPTIONS: Lazy<Arc<CompileOptions>> = Lazy::new(|| {
    let mut options = CompileOptions::from_process();
    let host = Capabilities::of_host();
    options.capabilities.metadata_bool = host.has(Capability::MetadataBool);
    options.capabilities.metadata_list = host.has(Capability::MetadataLists);
    options.capabilities.metadata_struct = host.has(Capability::MetadataStruct);
    options.capabilities.header_lines = host.has(Capability::AddHeader);
    let envoy = EnvoyVersion::of_host().unwrap_or(EnvoyVersion::V1_36);
    options.capabilities.attributes_of_envoy = envoy.numbers();
    Arc::new(options)
});

struct TransformationConfig {
    loaded: Arc<Loaded>,
    stats: Stats,
    build_gauge: BuildGauge,
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for TransformationConfig {
    fn new_http_filter(&self, envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        self.build_gauge.set_once(envoy);
        Box::new(TransformationFilter::new(
            Arc::clone(&self.loaded),
            self.stats,
        ))
    }
}
