//! A module in the style of 1.36, compiled against this crate: one glob import, two-argument
//! `declare_init_functions!`, statuses spelled out, metric ids copied into the filter, helpers
//! generic over the host. Changed from its original are only the spellings that
//! `docs/coming_from_the_official_crate.md` lists for 1.36.

// As its authors write: their crates have other lints than this workspace.
#![allow(elided_lifetimes_in_paths, clippy::unwrap_used)]
#![forbid(unsafe_code)]

use std::time::Instant;

use envoy_proxy_dynamic_modules_rust_sdk::*;

declare_init_functions!(init, new_http_filter_config_fn);

fn init() -> bool {
    true
}

fn new_http_filter_config_fn<EC: EnvoyHttpFilterConfig, EHF: EnvoyHttpFilter>(
    envoy_filter_config: &mut EC,
    filter_name: &str,
    filter_config: &[u8],
) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    match filter_name {
        "latency" => Some(Box::new(LatencyConfig::new(envoy_filter_config))),
        "body_echo" => BodyEchoConfig::new(std::str::from_utf8(filter_config).ok()?)
            .map(|config| Box::new(config) as Box<dyn HttpFilterConfig<EHF>>),
        _ => None,
    }
}

struct LatencyConfig {
    latency: EnvoyHistogramVecId,
    streams: EnvoyGaugeId,
    requests: EnvoyCounterVecId,
}

impl LatencyConfig {
    fn new<EC: EnvoyHttpFilterConfig>(envoy_filter_config: &mut EC) -> Self {
        LatencyConfig {
            latency: envoy_filter_config
                .define_histogram_vec("latency", &["route"])
                .unwrap(),
            streams: envoy_filter_config.define_gauge("streams").unwrap(),
            requests: envoy_filter_config
                .define_counter_vec("requests", &["route", "status"])
                .unwrap(),
        }
    }
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for LatencyConfig {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(Latency {
            start: None,
            route: String::new(),
            latency: self.latency,
            streams: self.streams,
            requests: self.requests,
        })
    }
}

struct Latency {
    start: Option<Instant>,
    route: String,
    latency: EnvoyHistogramVecId,
    streams: EnvoyGaugeId,
    requests: EnvoyCounterVecId,
}

impl Latency {
    fn record<EHF: EnvoyHttpFilter>(&mut self, envoy_filter: &mut EHF) {
        let Some(start) = self.start.take() else {
            return;
        };
        let elapsed = u64::try_from(start.elapsed().as_millis()).unwrap();
        envoy_filter
            .record_histogram_value_vec(self.latency, &[&self.route], elapsed)
            .unwrap();
        let status = envoy_filter
            .get_attribute_int(abi::envoy_dynamic_module_type_attribute_id::ResponseCode)
            .unwrap_or_default()
            .to_string();
        envoy_filter
            .increment_counter_vec(self.requests, &[&self.route, &status], 1)
            .unwrap();
        envoy_filter.decrease_gauge(self.streams, 1).unwrap();
    }
}

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for Latency {
    fn on_request_headers(
        &mut self,
        envoy_filter: &mut EHF,
        _end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_request_headers_status {
        self.start = Some(Instant::now());
        let route = envoy_filter
            .get_attribute_string(abi::envoy_dynamic_module_type_attribute_id::XdsRouteName)
            .unwrap_or_default()
            .as_slice()
            .to_vec();
        self.route = String::from_utf8_lossy(&route).into_owned();
        envoy_filter.increase_gauge(self.streams, 1).unwrap();
        envoy_filter.set_request_header("x-seen-by", b"latency");
        envoy_filter.remove_request_header("x-internal");
        abi::envoy_dynamic_module_type_on_http_filter_request_headers_status::Continue
    }

    fn on_stream_complete(&mut self, envoy_filter: &mut EHF) {
        self.record(envoy_filter);
    }
}

struct BodyEchoConfig {
    prefix: String,
}

impl BodyEchoConfig {
    fn new(prefix: &str) -> Option<Self> {
        (!prefix.is_empty()).then(|| BodyEchoConfig {
            prefix: prefix.to_string(),
        })
    }
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for BodyEchoConfig {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(BodyEcho {
            prefix: self.prefix.clone(),
        })
    }
}

struct BodyEcho {
    prefix: String,
}

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for BodyEcho {
    fn on_request_headers(
        &mut self,
        _envoy_filter: &mut EHF,
        end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_request_headers_status {
        if end_of_stream {
            return abi::envoy_dynamic_module_type_on_http_filter_request_headers_status::Continue;
        }
        abi::envoy_dynamic_module_type_on_http_filter_request_headers_status::StopIteration
    }

    fn on_request_body(
        &mut self,
        envoy_filter: &mut EHF,
        end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_request_body_status {
        if !end_of_stream {
            return abi::envoy_dynamic_module_type_on_http_filter_request_body_status::StopIterationAndBuffer;
        }
        let mut body = self.prefix.clone().into_bytes();
        for chunks in [
            copy_out(envoy_filter.get_buffered_request_body()),
            copy_out(envoy_filter.get_received_request_body()),
        ] {
            body.extend_from_slice(&chunks);
        }
        envoy_filter.set_dynamic_metadata_number("echo", "length", body.len() as f64);
        envoy_filter.send_response(200, &[("x-echo", b"yes")], Some(&body), None);
        abi::envoy_dynamic_module_type_on_http_filter_request_body_status::StopIterationNoBuffer
    }
}

fn copy_out(chunks: Option<Vec<EnvoyMutBuffer>>) -> Vec<u8> {
    chunks
        .unwrap_or_default()
        .iter()
        .flat_map(|chunk| chunk.as_slice().to_vec())
        .collect()
}

#[cfg(test)]
mod tests {
    use envoy_proxy_dynamic_modules_rust_sdk::testing::{Exchange, FakeEnvoyConfig, FakeMessage};

    use super::*;

    #[test]
    fn metrics_and_headers_work_as_on_1_36() {
        let mut host = FakeEnvoyConfig::new(EnvoyVersion::V1_36);
        let config = new_http_filter_config_fn(&mut host, "latency", b"").unwrap();
        let envoy = host.stream().with_attribute_string(
            abi::envoy_dynamic_module_type_attribute_id::XdsRouteName,
            "chat",
        );
        let mut exchange = Exchange::new(&*config, envoy);
        exchange.run(
            &FakeMessage::request("GET", "/").header("x-internal", "1"),
            &FakeMessage::response(200),
        );
        assert_eq!(
            exchange.upstream().header("x-seen-by").as_deref(),
            Some("latency")
        );
        assert_eq!(exchange.upstream().header("x-internal"), None);
        assert_eq!(host.metrics().counter_with("requests", &["chat", "200"]), 1);
        assert_eq!(host.metrics().histogram_with("latency", &["chat"]).len(), 1);
        assert_eq!(host.metrics().gauge("streams"), 0);
    }

    #[test]
    fn a_body_is_collected_and_answered() {
        let mut host = FakeEnvoyConfig::new(EnvoyVersion::V1_36);
        let config = new_http_filter_config_fn(&mut host, "body_echo", b"got ").unwrap();
        let mut exchange = Exchange::new(&*config, host.stream());
        exchange.request(&FakeMessage::request("POST", "/").chunk("one ").chunk("two"));
        assert_eq!(exchange.downstream().status(), Some(200));
        assert_eq!(
            exchange.downstream().header("x-echo").as_deref(),
            Some("yes")
        );
        assert_eq!(exchange.downstream().text(), "got one two");
        assert!(!exchange.upstream().has_headers());
    }

    #[test]
    fn an_unknown_name_and_a_bad_configuration_are_refused() {
        let mut host = FakeEnvoyConfig::new(EnvoyVersion::V1_36);
        let mut make = |name, config| {
            new_http_filter_config_fn::<_, testing::FakeEnvoy>(&mut host, name, config).is_some()
        };
        assert!(!make("other", b""));
        assert!(!make("body_echo", b""));
        assert!(make("body_echo", b"x"));
    }
}
