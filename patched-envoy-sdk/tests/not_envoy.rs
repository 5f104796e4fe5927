//! A program that is not Envoy is refused, before any code of the module's author has run.

use std::sync::atomic::{AtomicBool, Ordering};

use envoy_proxy_dynamic_modules_rust_sdk::*;

declare_init_functions!(init, new_http_filter_config);

static RAN: AtomicBool = AtomicBool::new(false);

fn init() -> bool {
    RAN.store(true, Ordering::Relaxed);
    true
}

fn new_http_filter_config<EC: EnvoyHttpFilterConfig, EHF: EnvoyHttpFilter>(
    _envoy: &mut EC,
    _name: &str,
    _config: &[u8],
) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    None
}

#[test]
fn a_program_that_is_not_envoy_is_refused_before_author_code_runs() {
    assert!(envoy_dynamic_module_on_program_init().is_null());
    assert!(!RAN.load(Ordering::Relaxed));
    assert_eq!(EnvoyVersion::of_host(), None);
    assert!(NEW_HTTP_FILTER_CONFIG_FUNCTION.get().is_none());
}
