//! `librust_module.so`: the filters that Envoy can ask this module for, by name.
//!
//! Envoy loads the module once for each process and then, on its main thread, asks for a filter by
//! `filter_name` (or, for a route, by `filter_name` or `per_route_config_name`) with its
//! configuration. This file is the table of names; an unknown one is refused with the list of those
//! that are known, and nothing here can bring Envoy down.
//!
//! | name | filter |
//! |---|---|
//! | `http_simple_mutations` | the transformation filter, as kgateway 2.2 asks for it |
//! | `rustformation` | the same, as kgateway 2.3 and later ask for it |
//! | `http-acl` | kgateway's access control by client address |
//! | `llm-provider` | requests of LLM clients, translated for the provider that answers |
//! | `my-smart-header` | the smallest example of a filter of your own |

#![forbid(unsafe_code)]

mod http_acl;
mod llm_provider;
mod my_smart_header;
mod refusal;
mod transformation;
mod watch;

use std::any::Any;

use envoy_proxy_dynamic_modules_rust_sdk::{
    EnvoyHttpFilter, EnvoyHttpFilterConfig, HttpFilterConfig, declare_init_functions,
    envoy_log_error, log_loaded, panic_counter_name,
};

declare_init_functions!(
    init,
    new_http_filter_config,
    new_http_filter_per_route_config
);

/// Every name in the table above, for the error that refuses others.
const KNOWN: &str = "http_simple_mutations, rustformation, http-acl, llm-provider, my-smart-header";

/// What this file is, in one piece for those who look into it. The revision is found out when it is built;
/// see `build.rs`.
const IDENTITY: &str = concat!(
    "rustformations ",
    env!("CARGO_PKG_VERSION"),
    " (revision ",
    env!("RUSTFORMATIONS_REVISION"),
    ")"
);

fn init() -> bool {
    log_loaded(IDENTITY);
    panic_counter_name("rustformations_panics");
    true
}

/// What Envoy asks for a filter of a filter chain: `None`, after logging why, if the module has no
/// filter of this name, or the configuration is none of its own.
pub fn new_http_filter_config<EC, EHF>(
    envoy_filter_config: &mut EC,
    name: &str,
    config: &[u8],
) -> Option<Box<dyn HttpFilterConfig<EHF>>>
where
    EC: EnvoyHttpFilterConfig,
    EHF: EnvoyHttpFilter,
{
    match name {
        "http_simple_mutations" | "rustformation" => {
            transformation::new_http_filter_config(envoy_filter_config, name, config)
        }
        http_acl::NAME => http_acl::new_http_filter_config(envoy_filter_config, config),
        llm_provider::NAME => llm_provider::new_http_filter_config(envoy_filter_config, config),
        my_smart_header::NAME => Some(Box::new(my_smart_header::MySmartHeaderConfig)),
        unknown => refuse(unknown),
    }
}

/// What Envoy asks for the configuration of a filter on a route; `None` as for
/// [`new_http_filter_config`].
pub fn new_http_filter_per_route_config(name: &str, config: &[u8]) -> Option<Box<dyn Any>> {
    match name {
        "http_simple_mutations" | "rustformation" => {
            transformation::new_per_route_config(name, config)
        }
        http_acl::NAME => http_acl::new_per_route_config(config),
        llm_provider::NAME => llm_provider::new_per_route_config(config),
        // It has nothing to configure: naming it on a route is allowed and changes nothing.
        my_smart_header::NAME => Some(Box::new(())),
        unknown => refuse(unknown),
    }
}

fn refuse<T>(unknown: &str) -> Option<T> {
    envoy_log_error!("this module has no filter named {unknown:?}; it has: {KNOWN}");
    None
}

#[cfg(test)]
mod tests;
