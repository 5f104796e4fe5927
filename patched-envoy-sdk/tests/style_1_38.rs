//! A module in the style of 1.38 and 1.39: `declare_all_init_functions!`, item-wise imports with
//! macros and enums by path, the panic wrapper, helpers over `&EHF`, ids built by hand, a config
//! context implemented by a test, and the callbacks those releases added.

// As its authors write: their crates have other lints than this workspace.
#![allow(elided_lifetimes_in_paths, clippy::unwrap_used)]

use envoy_proxy_dynamic_modules_rust_sdk::abi::{
    envoy_dynamic_module_type_attribute_id, envoy_dynamic_module_type_http_callout_init_result,
    envoy_dynamic_module_type_http_filter_stream_reset_reason,
    envoy_dynamic_module_type_metadata_source, envoy_dynamic_module_type_metrics_result,
    envoy_dynamic_module_type_on_http_filter_local_reply_status,
    envoy_dynamic_module_type_on_http_filter_request_headers_status,
    envoy_dynamic_module_type_on_http_filter_request_trailers_status,
    envoy_dynamic_module_type_on_http_filter_response_headers_status,
};
use envoy_proxy_dynamic_modules_rust_sdk::{
    CatchUnwind, EnvoyBuffer, EnvoyCounterId, EnvoyCounterVecId, EnvoyGaugeId, EnvoyGaugeVecId,
    EnvoyHistogramId, EnvoyHistogramVecId, EnvoyHttpFilter, EnvoyHttpFilterConfig,
    EnvoyHttpFilterConfigImpl, EnvoyHttpFilterConfigScheduler, HttpFilter, HttpFilterConfig,
    declare_all_init_functions, envoy_log_error, envoy_log_warn, read_whole_request_body,
};

declare_all_init_functions!(init, http: new_http_filter_config_fn, http_per_route: per_route);

fn init() -> bool {
    true
}

fn per_route(_name: &str, config: &[u8]) -> Option<Box<dyn std::any::Any>> {
    Some(Box::new(config.to_vec()))
}

fn new_http_filter_config_fn<EC: EnvoyHttpFilterConfig, EHF: EnvoyHttpFilter>(
    envoy_filter_config: &mut EC,
    filter_name: &str,
    filter_config: &[u8],
) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    if filter_name != "egress" {
        envoy_log_error!("unknown filter {filter_name}");
        return None;
    }
    Some(Box::new(EgressConfig {
        egress_total: envoy_filter_config.define_counter("egress_total").ok()?,
        default_port: String::from_utf8(filter_config.to_vec()).ok()?,
    }))
}

struct EgressConfig {
    egress_total: EnvoyCounterId,
    default_port: String,
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for EgressConfig {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(CatchUnwind::new(Egress {
            egress_total: self.egress_total,
            default_port: self.default_port.clone(),
            body_size: 0,
        }))
    }

    fn on_http_stream_complete(
        &self,
        envoy_config: &mut EnvoyHttpFilterConfigImpl,
        _stream_handle: u64,
    ) {
        let (result, _) = envoy_config.send_http_callout("audit", &[], None, 1);
        if result != envoy_dynamic_module_type_http_callout_init_result::Success {
            envoy_log_warn!("no audit: {result:?}");
        }
    }
}

struct Egress {
    egress_total: EnvoyCounterId,
    default_port: String,
    body_size: usize,
}

fn authority<EHF: EnvoyHttpFilter>(envoy_filter: &EHF) -> Option<String> {
    let host = envoy_filter.get_request_header_value("host")?;
    Some(String::from_utf8_lossy(host.as_slice()).into_owned())
}

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for Egress {
    fn on_request_headers(
        &mut self,
        envoy_filter: &mut EHF,
        _end_of_stream: bool,
    ) -> envoy_dynamic_module_type_on_http_filter_request_headers_status {
        let _ = envoy_filter.increment_counter(self.egress_total, 1);
        let Some(host) = authority(envoy_filter) else {
            envoy_filter.send_response(
                400,
                &[("x-reason", b"host"), ("content-type", b"text/plain")],
                None,
                None,
            );
            return envoy_dynamic_module_type_on_http_filter_request_headers_status::StopIteration;
        };
        let port = host
            .rsplit_once(':')
            .map_or(self.default_port.clone(), |(_, p)| p.to_string());
        envoy_filter.set_filter_state_bytes(b"egress.host", host.as_bytes());
        match port.parse::<f64>() {
            Ok(number) => envoy_filter.set_dynamic_metadata_number("egress", "port", number),
            Err(_) => envoy_filter.set_dynamic_metadata_string("egress", "port", &port),
        }
        envoy_filter.set_dynamic_metadata_bool("egress", "seen", true);
        if envoy_filter.get_attribute_bool(envoy_dynamic_module_type_attribute_id::HealthCheck)
            == Some(true)
        {
            envoy_filter.set_upstream_override_host("127.0.0.1:1", false);
        }
        if let Some(span) = envoy_filter.get_active_span() {
            span.set_tag("egress.port", &port);
            if let Some(mut child) = span.spawn_child("egress") {
                child.finish();
            }
        }
        envoy_filter.set_buffer_limit(1 << 20);
        envoy_dynamic_module_type_on_http_filter_request_headers_status::Continue
    }

    fn on_request_trailers(
        &mut self,
        envoy_filter: &mut EHF,
    ) -> envoy_dynamic_module_type_on_http_filter_request_trailers_status {
        self.body_size = read_whole_request_body(envoy_filter).len();
        envoy_dynamic_module_type_on_http_filter_request_trailers_status::Continue
    }

    fn on_response_headers(
        &mut self,
        envoy_filter: &mut EHF,
        _end_of_stream: bool,
    ) -> envoy_dynamic_module_type_on_http_filter_response_headers_status {
        let blocked = envoy_filter.get_metadata_string(
            envoy_dynamic_module_type_metadata_source::Route,
            "egress",
            "block",
        );
        if blocked.is_some_and(|value| value.as_slice() == b"yes") {
            envoy_filter.reset_stream(
                envoy_dynamic_module_type_http_filter_stream_reset_reason::LocalReset,
                "blocked",
            );
            return envoy_dynamic_module_type_on_http_filter_response_headers_status::StopIteration;
        }
        envoy_dynamic_module_type_on_http_filter_response_headers_status::Continue
    }

    fn on_local_reply(
        &mut self,
        envoy_filter: &mut EHF,
        response_code: u32,
        details: EnvoyBuffer,
        _reset_imminent: bool,
    ) -> envoy_dynamic_module_type_on_http_filter_local_reply_status {
        envoy_filter.set_dynamic_metadata_string(
            "egress",
            "reply",
            &format!(
                "{response_code} {}",
                String::from_utf8_lossy(details.as_slice())
            ),
        );
        envoy_dynamic_module_type_on_http_filter_local_reply_status::Continue
    }
}

type Metrics<T> = Result<T, envoy_dynamic_module_type_metrics_result>;

/// A config context written by hand, as tests of that generation do.
struct TestConfig;

struct NoScheduler;

impl EnvoyHttpFilterConfigScheduler for NoScheduler {
    fn commit(&self, _event_id: u64) {}
}

impl EnvoyHttpFilterConfig for TestConfig {
    fn define_counter(&mut self, _name: &str) -> Metrics<EnvoyCounterId> {
        Ok(EnvoyCounterId(7))
    }
    fn define_counter_vec(&mut self, _: &str, _: &[&str]) -> Metrics<EnvoyCounterVecId> {
        Ok(EnvoyCounterVecId(0))
    }
    fn define_gauge(&mut self, _name: &str) -> Metrics<EnvoyGaugeId> {
        Ok(EnvoyGaugeId(0))
    }
    fn define_gauge_vec(&mut self, _: &str, _: &[&str]) -> Metrics<EnvoyGaugeVecId> {
        Ok(EnvoyGaugeVecId(0))
    }
    fn define_histogram(&mut self, _name: &str) -> Metrics<EnvoyHistogramId> {
        Ok(EnvoyHistogramId(0))
    }
    fn define_histogram_vec(&mut self, _: &str, _: &[&str]) -> Metrics<EnvoyHistogramVecId> {
        Ok(EnvoyHistogramVecId(0))
    }
    fn new_scheduler(&self) -> Box<dyn EnvoyHttpFilterConfigScheduler> {
        Box::new(NoScheduler)
    }
    fn send_http_callout<'a>(
        &mut self,
        _cluster_name: &'a str,
        _headers: &'a [(&'a str, &'a [u8])],
        _body: Option<&'a [u8]>,
        _timeout_milliseconds: u64,
    ) -> (envoy_dynamic_module_type_http_callout_init_result, u64) {
        (
            envoy_dynamic_module_type_http_callout_init_result::ClusterNotFound,
            0,
        )
    }
    fn start_http_stream<'a>(
        &mut self,
        _cluster_name: &'a str,
        _headers: &'a [(&'a str, &'a [u8])],
        _body: Option<&'a [u8]>,
        _end_stream: bool,
        _timeout_milliseconds: u64,
    ) -> (envoy_dynamic_module_type_http_callout_init_result, u64) {
        (
            envoy_dynamic_module_type_http_callout_init_result::ClusterNotFound,
            0,
        )
    }
    unsafe fn send_http_stream_data(&mut self, _: u64, _: &[u8], _: bool) -> bool {
        false
    }
    unsafe fn send_http_stream_trailers<'a>(
        &mut self,
        _stream_handle: u64,
        _trailers: &'a [(&'a str, &'a [u8])],
    ) -> bool {
        false
    }
    unsafe fn reset_http_stream(&mut self, _stream_handle: u64) {}
}

#[cfg(test)]
mod tests {
    use envoy_proxy_dynamic_modules_rust_sdk::EnvoyVersion;
    use envoy_proxy_dynamic_modules_rust_sdk::testing::{
        Exchange, FakeEnvoy, FakeEnvoyConfig, FakeMessage, MetadataValue,
    };

    use super::*;

    fn run(envoy: FakeEnvoy, host: &mut FakeEnvoyConfig, request: &FakeMessage) -> FakeEnvoy {
        let config = new_http_filter_config_fn(host, "egress", b"443").unwrap();
        let mut exchange = Exchange::new(&*config, envoy);
        exchange.run(request, &FakeMessage::response(200));
        std::mem::take(exchange.envoy_mut())
    }

    #[test]
    fn a_config_context_written_by_hand_is_enough_to_make_a_config() {
        let made = new_http_filter_config_fn::<_, FakeEnvoy>(&mut TestConfig, "egress", b"443");
        assert!(made.is_some());
        let made = new_http_filter_config_fn::<_, FakeEnvoy>(&mut TestConfig, "other", b"443");
        assert!(made.is_none());
        assert_eq!(TestConfig.define_counter("x"), Ok(EnvoyCounterId(7)));
    }

    #[test]
    fn every_line_of_releases_runs_the_same_filter() {
        for version in EnvoyVersion::ALL {
            let mut host = FakeEnvoyConfig::new(version);
            let request = FakeMessage::request("POST", "/")
                .chunk("x")
                .trailer("t", "1");
            let envoy = FakeEnvoy::new(version).with_span("0a", "0b");
            let envoy = run(envoy, &mut host, &request);
            assert_eq!(
                envoy.filter_state("egress.host"),
                Some(&b"fake.example"[..]),
                "{version}"
            );
            assert_eq!(
                envoy.dynamic_metadata("egress", "port"),
                Some(&MetadataValue::from(443.0)),
                "{version}"
            );
            let seen = envoy.dynamic_metadata("egress", "seen").is_some();
            assert_eq!(seen, version >= EnvoyVersion::V1_38, "{version}");
        }
    }

    #[test]
    fn a_response_can_be_reset() {
        let source = envoy_dynamic_module_type_metadata_source::Route;
        let envoy = FakeEnvoy::default().with_metadata(source, "egress", "block", "yes");
        let mut host = FakeEnvoyConfig::default();
        let config = new_http_filter_config_fn(&mut host, "egress", b"443").unwrap();
        let mut exchange = Exchange::new(&*config, envoy);
        exchange.run(
            &FakeMessage::request("GET", "/"),
            &FakeMessage::response(200),
        );
        assert_eq!(exchange.reset(), Some("blocked"));
    }
}
