//! `libmy_filter.so`: filters for Envoy, by the name that its configuration gives as `filter_name`.
//!
//! | name | filter | shows |
//! |---|---|---|
//! | `ask-first` | lets requests on only if a service agrees with their bodies | holding a body, a callout, going on |
//! | `at-most` | limits how many requests of a client run at a time | state of the whole process |
//! | `measure` | counts requests, and measures their sizes and times | counters and histograms with labels |
//! | `stamp` | puts a header on responses | a configuration for each route |
//! | `api-keys` | knows clients by their keys, which are in a file | work on another thread |
//!
//! Copy the folder, keep what is like yours, and give it a name in the two functions below.

#![forbid(unsafe_code)]

mod api_keys;
mod ask_first;
mod at_most;
mod measure;
mod stamp;

use std::any::Any;

use envoy_proxy_dynamic_modules_rust_sdk::prelude::*;
use serde::de::DeserializeOwned;

declare_init_functions!(
    init,
    new_http_filter_config,
    new_http_filter_per_route_config
);

const NAMES: &str = "api-keys, ask-first, at-most, measure, stamp";

/// Once for each process, when Envoy loads the module.
fn init() -> bool {
    true
}

/// Once for each filter in a configuration, on the main thread. `None` has Envoy refuse the configuration; the
/// log says why.
fn new_http_filter_config<EC: EnvoyHttpFilterConfig, EHF: EnvoyHttpFilter>(
    envoy: &mut EC,
    name: &str,
    config: &[u8],
) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    let made = match name {
        api_keys::NAME => boxed(api_keys::ApiKeys::new(config)),
        ask_first::NAME => boxed(ask_first::AskFirst::new(config)),
        at_most::NAME => boxed(at_most::AtMost::new(config)),
        measure::NAME => boxed(measure::Measure::new(envoy)),
        stamp::NAME => boxed(stamp::Stamps::new(config)),
        _ => Err(format!("no filter of this module; it has: {NAMES}")),
    };
    or_log(name, made)
}

/// Once for each route that configures a filter, on the main thread.
fn new_http_filter_per_route_config(name: &str, config: &[u8]) -> Option<Box<dyn Any>> {
    let made = match name {
        stamp::NAME => stamp::for_route(config),
        _ => Err("routes cannot configure it; they can: stamp".to_owned()),
    };
    or_log(name, made)
}

fn boxed<EHF: EnvoyHttpFilter>(
    made: Result<impl HttpFilterConfig<EHF> + 'static, String>,
) -> Result<Box<dyn HttpFilterConfig<EHF>>, String> {
    made.map(|config| Box::new(config) as Box<_>)
}

fn or_log<T>(name: &str, made: Result<T, String>) -> Option<T> {
    made.map_err(|problem| envoy_log_error!("{name}: {problem}"))
        .ok()
}

/// A configuration in JSON, or what is wrong with it and where.
fn parse<T: DeserializeOwned>(config: &[u8]) -> Result<T, String> {
    serde_json::from_slice(config).map_err(|problem| format!("the configuration: {problem}"))
}

#[cfg(test)]
mod tests;
