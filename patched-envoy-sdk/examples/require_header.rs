//! Write your own filter: refuse every request that lacks a header.
//!
//! Build it with `cargo build --example require_header`; the module is
//! `target/debug/examples/librequire_header.so`. Test it, without an Envoy, with
//! `cargo test --example require_header`. In Envoy's configuration its filter is named `require_header` and its
//! configuration is a `google.protobuf.StringValue` that holds the name of the header.

#![forbid(unsafe_code)]

use envoy_proxy_dynamic_modules_rust_sdk::prelude::*;

declare_init_functions!(init, new_http_filter_config);

/// Runs once, when Envoy loads the module.
fn init() -> bool {
    true
}

/// Runs for each filter configuration; `None` makes Envoy refuse it, so the log must say why.
fn new_http_filter_config<EC: EnvoyHttpFilterConfig, EHF: EnvoyHttpFilter>(
    envoy: &mut EC,
    name: &str,
    config: &[u8],
) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    if name != "require_header" {
        envoy_log_error!("unknown filter {name:?}; this module has: require_header");
        return None;
    }
    let header = match std::str::from_utf8(config) {
        Ok(header) if !header.is_empty() => header.to_owned(),
        _ => {
            envoy_log_error!("require_header: the configuration must be the name of a header");
            return None;
        }
    };
    let refused = envoy.define_counter("requests_refused").ok()?;
    Some(Box::new(RequireHeaderConfig { header, refused }))
}

/// Shared by all streams: what is worked out once.
struct RequireHeaderConfig {
    header: String,
    refused: EnvoyCounterId,
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for RequireHeaderConfig {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(RequireHeader {
            header: self.header.clone(),
            refused: self.refused,
        })
    }
}

/// One stream.
struct RequireHeader {
    header: String,
    refused: EnvoyCounterId,
}

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for RequireHeader {
    fn on_request_headers(
        &mut self,
        envoy: &mut EHF,
        _end_of_stream: bool,
    ) -> RequestHeadersStatus {
        if envoy.get_request_header_value(&self.header).is_some() {
            return RequestHeadersStatus::Continue;
        }
        if envoy.increment_counter(self.refused, 1).is_err() {
            envoy_log_warn!("requests_refused could not be counted");
        }
        envoy.send_response(
            401,
            &[("content-type", b"text/plain")],
            Some(b"a header is missing\n"),
            Some("required_header_missing"),
        );
        RequestHeadersStatus::StopIteration
    }
}

#[cfg(test)]
mod tests {
    use envoy_proxy_dynamic_modules_rust_sdk::testing::{
        Exchange, FakeEnvoy, FakeEnvoyConfig, FakeMessage, logged,
    };

    use super::*;

    #[test]
    fn a_request_without_the_header_is_refused_and_counted_on_every_envoy() {
        for version in EnvoyVersion::ALL {
            let mut host = FakeEnvoyConfig::new(version);
            let config = new_http_filter_config(&mut host, "require_header", b"x-team").unwrap();
            let mut exchange = Exchange::new(&*config, host.stream());
            exchange.request(&FakeMessage::request("GET", "/"));
            assert_eq!(exchange.downstream().status(), Some(401), "{version}");
            assert!(!exchange.upstream().has_headers(), "{version}");
            assert_eq!(host.metrics().counter("requests_refused"), 1, "{version}");
        }
    }

    #[test]
    fn a_request_with_the_header_passes() {
        let mut host = FakeEnvoyConfig::default();
        let config = new_http_filter_config(&mut host, "require_header", b"x-team").unwrap();
        let mut exchange = Exchange::new(&*config, host.stream());
        exchange.run(
            &FakeMessage::request("GET", "/").header("X-Team", "blue"),
            &FakeMessage::response(200).chunk("hello"),
        );
        assert!(exchange.upstream().is_complete());
        assert_eq!(exchange.downstream().text(), "hello");
        assert_eq!(host.metrics().counter("requests_refused"), 0);
    }

    #[test]
    fn a_configuration_that_names_no_header_is_refused_and_the_log_says_why() {
        let mut host = FakeEnvoyConfig::default();
        let (config, lines) =
            logged(|| new_http_filter_config::<_, FakeEnvoy>(&mut host, "require_header", b""));
        assert!(config.is_none());
        assert!(
            lines[0].1.contains("must be the name of a header"),
            "{lines:?}"
        );
    }
}
