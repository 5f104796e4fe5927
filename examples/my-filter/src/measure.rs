//! `measure`: counters and histograms.
//!
//! Metrics are defined when the configuration is loaded and used by their ids. Envoy keeps a metric for each
//! combination of label values until it ends: a value must be one of a few, and never the client's to choose.
//!
//! They are on Envoy's `/stats` as `dynamicmodulescustom.my_filter_...`.

use std::time::Instant;

use envoy_proxy_dynamic_modules_rust_sdk::prelude::*;

pub(crate) const NAME: &str = "measure";

#[derive(Clone, Copy)]
pub(crate) struct Measure {
    requests: EnvoyCounterVecId,
    bytes: EnvoyHistogramId,
    milliseconds: EnvoyHistogramVecId,
}

impl Measure {
    pub(crate) fn new(envoy: &mut impl EnvoyHttpFilterConfig) -> Result<Self, String> {
        let mut define = || {
            Ok(Self {
                requests: envoy.define_counter_vec("my_filter_requests", &["method"])?,
                bytes: envoy.define_histogram("my_filter_request_bytes")?,
                milliseconds: envoy.define_histogram_vec("my_filter_milliseconds", &["class"])?,
            })
        };
        define().map_err(|why: MetricsResult| format!("Envoy refused the metrics: {why:?}"))
    }
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for Measure {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(Measured {
            metrics: *self,
            begun: Instant::now(),
            bytes: 0,
        })
    }
}

/// One request.
struct Measured {
    metrics: Measure,
    begun: Instant,
    bytes: usize,
}

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for Measured {
    // Nothing is held: each piece is counted as it flows by.
    fn on_request_body(&mut self, envoy: &mut EHF, _end_of_stream: bool) -> RequestBodyStatus {
        self.bytes += envoy.body_view_size(BodyView::ReceivedRequestBody);
        RequestBodyStatus::Continue
    }

    // However the stream has ended: also when the client left.
    fn on_stream_complete(&mut self, envoy: &mut EHF) {
        let method = envoy.get_attribute_string(AttributeId::RequestMethod);
        let method = method_label(method.map_or(b"", |method| method.as_slice()));
        let class = class_label(envoy.get_attribute_int(AttributeId::ResponseCode));
        let milliseconds = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let Measure {
            requests,
            bytes,
            milliseconds: times,
        } = self.metrics;
        // What Envoy does not want to count must not fail a request.
        let _ = envoy.increment_counter_vec(requests, &[method], 1);
        let _ = envoy.record_histogram_value(bytes, self.bytes as u64);
        let _ = envoy.record_histogram_value_vec(times, &[class], milliseconds);
    }
}

fn method_label(method: &[u8]) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
    let found = known.into_iter().find(|known| known.as_bytes() == method);
    found.unwrap_or("other")
}

fn class_label(status: Option<i64>) -> &'static str {
    match status {
        Some(100..200) => "1xx",
        Some(200..300) => "2xx",
        Some(300..400) => "3xx",
        Some(400..500) => "4xx",
        Some(500..600) => "5xx",
        _ => "none",
    }
}

#[cfg(test)]
mod tests {
    use envoy_proxy_dynamic_modules_rust_sdk::testing::{Exchange, FakeEnvoyConfig, FakeMessage};

    use super::*;

    #[test]
    fn requests_are_counted_by_method_and_measured_by_class() {
        let mut host = FakeEnvoyConfig::default();
        let config = Measure::new(&mut host).unwrap();
        let post = FakeMessage::request("POST", "/")
            .chunk("12345")
            .chunk("678");
        for (request, status) in [
            (&post, 200),
            (&post, 503),
            (&FakeMessage::request("GET", "/"), 204),
            (&FakeMessage::request("BREW", "/"), 418),
        ] {
            let mut exchange = Exchange::new(&config, host.stream());
            exchange.run(request, &FakeMessage::response(status));
        }
        let metrics = host.metrics();
        let count = |method| metrics.counter_with("my_filter_requests", &[method]);
        assert_eq!(
            [count("POST"), count("GET"), count("other"), count("BREW")],
            [2, 1, 1, 0]
        );
        assert_eq!(metrics.histogram("my_filter_request_bytes"), [8, 8, 0, 0]);
        let times = |class| {
            metrics
                .histogram_with("my_filter_milliseconds", &[class])
                .len()
        };
        assert_eq!([times("2xx"), times("4xx"), times("5xx")], [2, 1, 1]);
    }

    #[test]
    fn a_request_without_an_answer_is_measured_too() {
        let mut host = FakeEnvoyConfig::default();
        let config = Measure::new(&mut host).unwrap();
        let mut exchange = Exchange::new(&config, host.stream());
        exchange.request(&FakeMessage::request("GET", "/"));
        exchange.downstream_closed();
        let times = host
            .metrics()
            .histogram_with("my_filter_milliseconds", &["none"]);
        assert_eq!(times.len(), 1);
    }

    #[test]
    fn metrics_that_envoy_refuses_refuse_the_configuration() {
        let mut host = FakeEnvoyConfig::default();
        host.metrics().freeze();
        let problem = Measure::new(&mut host).err().unwrap();
        assert!(problem.contains("Frozen"), "{problem}");
    }
}
