//! Paths and types under which filters for the official crate look for things.

use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_response_flag as Flag;
use envoy_proxy_dynamic_modules_rust_sdk::http::HttpFilter;
use envoy_proxy_dynamic_modules_rust_sdk::testing::FakeEnvoy;
use envoy_proxy_dynamic_modules_rust_sdk::{EnvoyHttpFilter, catch_unwind, utility};

/// A helper of a filter that does not care which Envoy it is called with.
fn mark(envoy: &mut dyn EnvoyHttpFilter) {
    envoy.set_dynamic_metadata_bytes("n", "k", b"bytes");
}

struct Filter;

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for Filter {
    fn on_stream_complete(&mut self, envoy: &mut EHF) {
        mark(envoy);
        let _ = utility::read_whole_request_body(envoy);
        let _ = utility::read_whole_response_body(envoy);
    }
}

#[test]
fn a_filter_is_wrapped_and_calls_helpers_that_take_any_envoy() {
    let mut filter = catch_unwind::CatchUnwind::new(Filter);
    let mut envoy = FakeEnvoy::default();
    HttpFilter::on_stream_complete(&mut filter, &mut envoy);
    let value = envoy.get_metadata_string(
        envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_metadata_source::Dynamic,
        "n",
        "k",
    );
    assert_eq!(
        value.map(|value| value.as_slice().to_vec()),
        Some(b"bytes".to_vec())
    );
}

#[test]
fn response_flags_have_the_values_of_the_abi() {
    for (flag, value) in [
        (Flag::FailedLocalHealthCheck, 0),
        (Flag::NoRouteFound, 8),
        (Flag::NoClusterFound, 24),
        (Flag::UnconditionalDropOverload, 29),
    ] {
        assert_eq!(flag as u32, value);
    }
}
