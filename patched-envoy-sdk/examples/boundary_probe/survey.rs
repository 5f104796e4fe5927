//! One call of everything, with values that a mistake in a signature would garble.

use envoy_proxy_dynamic_modules_rust_sdk::*;

use abi::{
    envoy_dynamic_module_type_attribute_id as AttributeId,
    envoy_dynamic_module_type_metadata_source as Source,
    envoy_dynamic_module_type_metrics_result as MetricsResult,
    envoy_dynamic_module_type_socket_direction as Direction,
    envoy_dynamic_module_type_socket_option_state as State,
};

use super::RouteConfig;

/// The metrics; an id is missing where the host refused to define it.
#[derive(Clone, Copy)]
pub(crate) struct Metrics {
    counter: Option<EnvoyCounterId>,
    counter_vec: Option<EnvoyCounterVecId>,
    gauge: Option<EnvoyGaugeId>,
    gauge_vec: Option<EnvoyGaugeVecId>,
    histogram: Option<EnvoyHistogramId>,
    histogram_vec: Option<EnvoyHistogramVecId>,
}

impl Metrics {
    pub(crate) fn define<EC: EnvoyHttpFilterConfig>(envoy: &mut EC) -> Self {
        fn told<T>(result: Result<T, MetricsResult>) -> Option<T> {
            result
                .inspect_err(|why| envoy_log_info!("define refused {why:?}"))
                .ok()
        }
        Self {
            counter: told(envoy.define_counter("probe_counter")),
            counter_vec: told(envoy.define_counter_vec("probe_counter_by", &["a", "b"])),
            gauge: told(envoy.define_gauge("probe_gauge")),
            gauge_vec: told(envoy.define_gauge_vec("probe_gauge_by", &["a"])),
            histogram: told(envoy.define_histogram("probe_histogram")),
            histogram_vec: told(envoy.define_histogram_vec("probe_histogram_by", &["a"])),
        }
    }

    fn raise<EHF: EnvoyHttpFilter>(&self, envoy: &EHF) {
        let told = |what, result| envoy_log_info!("{what} {result:?}");
        if let Some(id) = self.counter {
            told("counter", envoy.increment_counter(id, 11));
        }
        if let Some(id) = self.counter_vec {
            told(
                "counter_vec",
                envoy.increment_counter_vec(id, &["v1", "v2"], 12),
            );
        }
        if let Some(id) = self.gauge {
            told("gauge", envoy.increase_gauge(id, 13));
            told("gauge", envoy.decrease_gauge(id, 14));
            told("gauge", envoy.set_gauge(id, 15));
        }
        if let Some(id) = self.gauge_vec {
            told("gauge_vec", envoy.increase_gauge_vec(id, &["v3"], 16));
            told("gauge_vec", envoy.decrease_gauge_vec(id, &["v4"], 17));
            told("gauge_vec", envoy.set_gauge_vec(id, &["v5"], 18));
        }
        if let Some(id) = self.histogram {
            told("histogram", envoy.record_histogram_value(id, 19));
        }
        if let Some(id) = self.histogram_vec {
            told(
                "histogram_vec",
                envoy.record_histogram_value_vec(id, &["v6"], 20),
            );
        }
    }
}

fn text(buffer: EnvoyBuffer<'_>) -> String {
    String::from_utf8_lossy(buffer.as_slice()).into_owned()
}

fn texts(buffers: Vec<EnvoyBuffer<'_>>) -> Vec<String> {
    buffers.into_iter().map(text).collect()
}

/// What every supported Envoy has.
pub(crate) fn request<EHF: EnvoyHttpFilter>(envoy: &mut EHF, metrics: &Metrics) {
    envoy_log_info!(
        "one {:?}",
        envoy.get_request_header_value("x-many").map(text)
    );
    envoy_log_info!("all {:?}", texts(envoy.get_request_header_values("X-MANY")));
    envoy_log_info!(
        "empty {:?}",
        envoy.get_request_header_value("x-empty").map(text)
    );
    envoy_log_info!(
        "absent {:?}",
        envoy.get_request_header_value("x-absent").map(text)
    );
    envoy_log_info!("lines {}", envoy.get_request_headers().len());
    envoy_log_info!("trailers {}", envoy.get_request_trailers().len());
    envoy_log_info!("set {}", envoy.set_request_header("x-set", b"value"));
    envoy_log_info!("set empty {}", envoy.set_request_header("x-set", b""));
    envoy_log_info!(
        "gone {:?}",
        envoy.get_request_header_value("x-set").map(text)
    );
    envoy_log_info!("removed {}", envoy.remove_request_header("x-empty"));
    envoy_log_info!("added {}", envoy.add_request_header("x-many", b"three"));
    envoy_log_info!(
        "many {:?}",
        texts(envoy.get_request_header_values("x-many"))
    );
    envoy_log_info!("early {}", envoy.set_response_header("x-early", b"1"));

    for source in [
        Source::Dynamic,
        Source::Route,
        Source::Cluster,
        Source::Host,
        Source::HostLocality,
    ] {
        let string = envoy
            .get_metadata_string(source, "a.namespace", "a-key")
            .map(text);
        envoy_log_info!("string {string:?}");
        let number = envoy.get_metadata_number(source, "a.namespace", "a-key");
        envoy_log_info!("number {number:?}");
    }
    envoy.set_dynamic_metadata_string("my.namespace", "my-key", "my value");
    envoy.set_dynamic_metadata_number("my.namespace", "my-number", 6.25);
    envoy_log_info!(
        "state {:?}",
        envoy.get_filter_state_bytes(b"state-key").map(text)
    );
    envoy_log_info!(
        "stored {}",
        envoy.set_filter_state_bytes(b"state-key", b"state bytes")
    );

    let path = envoy
        .get_attribute_string(AttributeId::RequestPath)
        .map(text);
    envoy_log_info!("path attribute {path:?}");
    let connection = envoy.get_attribute_int(AttributeId::ConnectionId);
    envoy_log_info!("connection attribute {connection:?}");
    envoy.clear_route_cache();
    match envoy.get_most_specific_route_config() {
        Some(config) => {
            let config = config
                .downcast_ref::<RouteConfig>()
                .map(|config| config.0.as_str());
            envoy_log_info!("route config {config:?}");
        }
        None => envoy_log_info!("no route config"),
    }
    metrics.raise(envoy);

    let scheduler = envoy.new_scheduler();
    let _ = std::thread::spawn(move || scheduler.commit(4_294_967_303)).join();
    envoy.add_custom_flag("PROBE");
}

/// What came with 1.38 and later; on older hosts every line shows its fallback.
pub(crate) fn since_138<EHF: EnvoyHttpFilter>(envoy: &mut EHF) {
    envoy.set_dynamic_metadata_bool("ns", "flag", true);
    let flag = envoy.get_metadata_bool(Source::Dynamic, "ns", "flag");
    envoy_log_info!("bool {flag:?}");
    envoy_log_info!(
        "keys {:?}",
        envoy.get_metadata_keys(Source::Route, "ns").map(texts)
    );
    envoy_log_info!(
        "spaces {:?}",
        envoy.get_metadata_namespaces(Source::Route).map(texts)
    );
    envoy_log_info!(
        "list {}",
        envoy.add_dynamic_metadata_list_number("ns", "list", 1.5)
    );
    envoy_log_info!(
        "list {}",
        envoy.add_dynamic_metadata_list_string("ns", "list", "two")
    );
    envoy_log_info!(
        "list {}",
        envoy.add_dynamic_metadata_list_bool("ns", "list", true)
    );
    let dynamic = Source::Dynamic;
    envoy_log_info!(
        "size {:?}",
        envoy.get_metadata_list_size(dynamic, "ns", "list")
    );
    envoy_log_info!(
        "item {:?}",
        envoy.get_metadata_list_number(dynamic, "ns", "list", 3)
    );
    let item = envoy
        .get_metadata_list_string(dynamic, "ns", "list", 2)
        .map(text);
    envoy_log_info!("item {item:?}");
    envoy_log_info!(
        "item {:?}",
        envoy.get_metadata_list_bool(dynamic, "ns", "list", 1)
    );
    envoy_log_info!("typed {}", envoy.set_filter_state_typed(b"typed", b"bytes"));
    envoy_log_info!(
        "typed {:?}",
        envoy.get_filter_state_typed(b"typed").map(text)
    );
    envoy_log_info!(
        "health {:?}",
        envoy.get_attribute_bool(AttributeId::HealthCheck)
    );
    envoy_log_info!("cluster {:?}", envoy.get_cluster_name().map(text));
    envoy_log_info!("hosts {:?}", envoy.get_cluster_host_count(2));
    envoy_log_info!(
        "override {}",
        envoy.set_upstream_override_host("1.2.3.4:5", true)
    );
    envoy.clear_route_cluster_cache();
    envoy_log_info!("limit {}", envoy.get_buffer_limit());
    envoy.set_buffer_limit(5_000_000_000);
    envoy_log_info!("worker {}", envoy.get_worker_index());
    let set = envoy.set_socket_option_int(6, 1, State::Bound, Direction::Upstream, -4);
    envoy_log_info!("socket {set}");
    let set = envoy.set_socket_option_bytes(6, 2, State::Listening, Direction::Downstream, b"raw");
    envoy_log_info!("socket {set}");
    let int = envoy.get_socket_option_int(6, 1, State::Bound, Direction::Upstream);
    envoy_log_info!("socket {int:?}");
    let bytes = envoy.get_socket_option_bytes(6, 2, State::Prebind, Direction::Upstream);
    envoy_log_info!("socket {:?}", bytes.map(|bytes| bytes.len()));
    spans(envoy);
    envoy_log_info!("upstream connection {:?}", envoy.upstream_connection_id());
}

/// What came with 1.39; on older hosts every call shows its fallback.
pub(crate) fn since_139<EHF: EnvoyHttpFilter>(envoy: &mut EHF) {
    envoy.set_dynamic_metadata_string_batch("my.namespace", &[("one", "1"), ("two", "")]);
    envoy.set_dynamic_metadata_string_batch("my.namespace", &[]);
    envoy.set_dynamic_metadata_struct("my.namespace", b"\x0a\x00serialised");
    if let Some(span) = envoy.get_active_span() {
        span.disable_local_decision();
    }
}

fn spans<EHF: EnvoyHttpFilter>(envoy: &EHF) {
    let Some(span) = envoy.get_active_span() else {
        envoy_log_info!("not traced");
        return;
    };
    span.set_tag("tag", "value");
    span.set_operation("operation");
    span.log("event");
    span.set_sampled(true);
    span.set_baggage("bag", "gage");
    envoy_log_info!("baggage {:?}", span.get_baggage("bag"));
    envoy_log_info!("trace {:?} {:?}", span.get_trace_id(), span.get_span_id());
    if let Some(mut child) = span.spawn_child("child") {
        child.set_tag("child-tag", "value");
        drop(child.spawn_child("grandchild"));
        child.finish();
        child.finish();
    }
    drop(envoy.spawn_child_span("other child"));
}

/// Both views of the request body, and a replacement of the whole.
pub(crate) fn bodies<EHF: EnvoyHttpFilter>(envoy: &mut EHF) {
    let sizes = (
        envoy.get_buffered_request_body_size(),
        envoy.get_received_request_body_size(),
    );
    envoy_log_info!("sizes {sizes:?}");
    let chunks = envoy.get_received_request_body().map(|chunks| chunks.len());
    envoy_log_info!("received chunks {chunks:?}");
    let chunks = envoy.get_buffered_request_body().map(|chunks| chunks.len());
    envoy_log_info!("buffered chunks {chunks:?}");
    let whole = envoy.copy_body(HttpMessage::Request);
    envoy_log_info!("whole {:?}", String::from_utf8_lossy(&whole));
    if let Some(mut chunks) = envoy.get_received_request_body()
        && let Some(chunk) = chunks.first_mut()
    {
        chunk.as_mut_slice().make_ascii_uppercase();
    }
    envoy_log_info!(
        "replaced {}",
        envoy.replace_body(HttpMessage::Request, b"replaced")
    );
    let whole = envoy.copy_body(HttpMessage::Request);
    envoy_log_info!("whole {:?}", String::from_utf8_lossy(&whole));
}
