//! Headers, metadata, filter state, attributes and what older hosts lack.

use crate::abi::{
    envoy_dynamic_module_type_attribute_id as AttributeId,
    envoy_dynamic_module_type_metadata_source as Source,
    envoy_dynamic_module_type_socket_direction as Direction,
    envoy_dynamic_module_type_socket_option_state as State,
};
use crate::testing::{Exchange, FakeEnvoy, FakeMessage, MetadataValue};
use crate::{
    AbiError, Capability, ClusterHostCount, EnvoyHttpFilter, EnvoyVersion, HttpFilter,
    HttpFilterConfig,
};

use super::script::Script;

/// A stream in the middle of its request headers, given to `check`.
fn at_request_headers(envoy: FakeEnvoy, check: impl FnOnce(&mut FakeEnvoy)) {
    let script = Script::default();
    let head = FakeMessage::request("GET", "/a/b?c=d")
        .header("x-many", "one")
        .header("x-many", "two")
        .header("set-cookie", "a=1");
    let mut exchange = Exchange::new(&script, envoy);
    exchange.request_headers(&head, false);
    check(exchange.envoy_mut());
}

fn text(buffer: Option<crate::EnvoyBuffer<'_>>) -> Option<String> {
    buffer.map(|buffer| String::from_utf8_lossy(buffer.as_slice()).into_owned())
}

#[test]
fn maps_that_do_not_exist_yet_read_as_empty_and_refuse_writes() {
    at_request_headers(FakeEnvoy::default(), |envoy| {
        assert!(envoy.get_response_header_value(":status").is_none());
        assert!(envoy.get_request_trailers().is_empty());
        assert!(!envoy.set_response_header("a", b"1"));
        assert!(!envoy.add_request_trailer("a", b"1"));
        assert!(!envoy.remove_response_trailer("a"));
        assert_eq!(envoy.get_request_header_values("X-MANY").len(), 2);
    });
}

#[test]
fn the_oldest_host_joins_added_values_and_refuses_a_second_cookie() {
    at_request_headers(FakeEnvoy::new(EnvoyVersion::V1_36), |envoy| {
        assert!(envoy.add_request_header("x-many", b"three"));
        assert_eq!(
            text(envoy.get_request_header_value("x-many")).as_deref(),
            Some("one, two, three")
        );
        assert_eq!(
            envoy.try_add_request_header("set-cookie", b"b=2"),
            Err(AbiError::Unsupported {
                capability: Capability::AddHeader,
                host: Some(EnvoyVersion::V1_36)
            })
        );
    });
    at_request_headers(FakeEnvoy::default(), |envoy| {
        assert!(envoy.add_request_header("set-cookie", b"b=2"));
        assert_eq!(envoy.get_request_header_values("set-cookie").len(), 2);
    });
}

#[test]
fn metadata_is_kept_by_source_and_read_by_kind() {
    let envoy = FakeEnvoy::default()
        .with_metadata(Source::Route, "ns", "tier", "gold")
        .with_metadata(Source::Cluster, "ns", "weight", 2.5)
        .with_metadata(Source::Host, "ns", "list", vec![1.0, 2.0]);
    at_request_headers(envoy, |envoy| {
        let route = envoy.get_metadata_string(Source::Route, "ns", "tier");
        assert_eq!(text(route).as_deref(), Some("gold"));
        assert!(
            envoy
                .get_metadata_string(Source::Dynamic, "ns", "tier")
                .is_none()
        );
        assert!(
            envoy
                .get_metadata_number(Source::Route, "ns", "tier")
                .is_none()
        );
        assert_eq!(
            envoy.get_metadata_number(Source::Cluster, "ns", "weight"),
            Some(2.5)
        );
        assert_eq!(
            envoy.get_metadata_list_size(Source::Host, "ns", "list"),
            Some(2)
        );
        assert_eq!(
            envoy.get_metadata_list_number(Source::Host, "ns", "list", 1),
            Some(2.0)
        );
        assert_eq!(
            envoy.get_metadata_list_number(Source::Host, "ns", "list", 2),
            None
        );
        envoy.set_dynamic_metadata_bool("out", "flag", true);
        assert!(envoy.add_dynamic_metadata_list_string("out", "names", "a"));
        assert!(!envoy.add_dynamic_metadata_list_string("out", "flag", "a"));
        assert_eq!(
            envoy
                .get_metadata_keys(Source::Dynamic, "out")
                .map(|keys| keys.len()),
            Some(2)
        );
        assert!(
            envoy
                .get_metadata_namespaces(Source::HostLocality)
                .is_none()
        );
        assert_eq!(
            envoy.dynamic_metadata("out", "flag"),
            Some(&MetadataValue::Bool(true))
        );
    });
}

#[test]
fn what_came_with_138_is_absent_before() {
    let stream = |version| {
        FakeEnvoy::new(version)
            .with_metadata(Source::Dynamic, "ns", "flag", true)
            .with_attribute_bool(AttributeId::HealthCheck, true)
            .with_chosen_cluster(
                "c",
                ClusterHostCount {
                    total: 3,
                    healthy: 2,
                    degraded: 1,
                },
            )
            .with_span("t", "s")
            .with_worker_index(4)
            .with_buffer_limit(99)
    };
    at_request_headers(stream(EnvoyVersion::V1_37), |envoy| {
        assert_eq!(envoy.get_metadata_bool(Source::Dynamic, "ns", "flag"), None);
        assert_eq!(envoy.get_attribute_bool(AttributeId::HealthCheck), None);
        assert!(envoy.get_cluster_name().is_none());
        assert!(envoy.get_active_span().is_none());
        assert_eq!((envoy.get_worker_index(), envoy.get_buffer_limit()), (0, 0));
        assert!(!envoy.set_upstream_override_host("1.2.3.4:5", true));
        assert!(!envoy.recreate_stream(None));
        assert!(!envoy.set_socket_option_int(1, 2, State::Bound, Direction::Upstream, 3));
        envoy.clear_route_cluster_cache();
        assert_eq!(
            (
                envoy.route_cache_clears(),
                envoy.route_cluster_cache_clears()
            ),
            (1, 0)
        );
    });
    at_request_headers(stream(EnvoyVersion::V1_38), |envoy| {
        assert_eq!(
            envoy.get_metadata_bool(Source::Dynamic, "ns", "flag"),
            Some(true)
        );
        assert_eq!(
            envoy.get_attribute_bool(AttributeId::HealthCheck),
            Some(true)
        );
        assert_eq!(
            envoy.get_cluster_host_count(0).map(|hosts| hosts.healthy),
            Some(2)
        );
        assert_eq!(
            (envoy.get_worker_index(), envoy.get_buffer_limit()),
            (4, 99)
        );
        assert!(envoy.set_upstream_override_host("1.2.3.4:5", true));
        assert_eq!(envoy.override_host(), Some(("1.2.3.4:5", true)));
        assert!(envoy.set_socket_option_int(1, 2, State::Bound, Direction::Upstream, 3));
        let option = envoy.get_socket_option_int(1, 2, State::Bound, Direction::Upstream);
        assert_eq!(option, Some(3));
        envoy.get_active_span().expect("traced").set_tag("k", "v");
        assert_eq!(envoy.span().expect("traced").record().tags["k"], "v");
    });
    for (version, has) in [(EnvoyVersion::V1_38, false), (EnvoyVersion::V1_39, true)] {
        at_request_headers(stream(version), |envoy| {
            let span = envoy.get_active_span().expect("traced");
            span.disable_local_decision();
            drop(span);
            let record = envoy.span().expect("traced").record();
            assert_eq!(record.local_decision_disabled, has, "{version}");
            envoy.set_dynamic_metadata_string_batch("ns", &[("a", "1"), ("b", "2"), ("a", "3")]);
            let text = |key| match envoy.dynamic_metadata("ns", key) {
                Some(MetadataValue::String(text)) => Some(text.clone()),
                _ => None,
            };
            assert_eq!(text("a").as_deref(), Some("3"));
            assert_eq!(text("b").as_deref(), Some("2"));
        });
    }
    at_request_headers(
        stream(EnvoyVersion::V1_40).without(Capability::Spans),
        |envoy| {
            assert!(envoy.get_active_span().is_none());
        },
    );
}

#[test]
fn attributes_of_the_message_need_not_be_given() {
    let envoy = FakeEnvoy::default().with_attribute_int(AttributeId::ConnectionId, 9);
    at_request_headers(envoy, |envoy| {
        let string = |id| text(envoy.get_attribute_string(id));
        assert_eq!(
            string(AttributeId::RequestPath).as_deref(),
            Some("/a/b?c=d")
        );
        assert_eq!(string(AttributeId::RequestUrlPath).as_deref(), Some("/a/b"));
        assert_eq!(string(AttributeId::RequestQuery).as_deref(), Some("c=d"));
        assert_eq!(string(AttributeId::RequestMethod).as_deref(), Some("GET"));
        assert_eq!(string(AttributeId::UpstreamAddress), None);
        assert_eq!(envoy.get_attribute_int(AttributeId::ConnectionId), Some(9));
        assert_eq!(envoy.get_attribute_int(AttributeId::ResponseCode), None);
    });
}

#[test]
fn filter_state_and_route_config_reach_the_filter() {
    let envoy = FakeEnvoy::default()
        .with_filter_state("in", "bytes")
        .with_route_config(Box::new("per route".to_owned()));
    at_request_headers(envoy, |envoy| {
        assert_eq!(
            text(envoy.get_filter_state_bytes(b"in")).as_deref(),
            Some("bytes")
        );
        assert!(envoy.set_filter_state_bytes(b"out", b"\xff"));
        assert_eq!(envoy.filter_state("out"), Some(b"\xff".as_slice()));
        let config = envoy
            .get_most_specific_route_config()
            .expect("there is one");
        assert_eq!(
            config.downcast_ref::<String>().map(String::as_str),
            Some("per route")
        );
    });
}

#[test]
fn the_filter_is_made_when_the_request_is_there() {
    struct Peek;
    struct Nothing;
    impl HttpFilter<FakeEnvoy> for Nothing {}
    impl HttpFilterConfig<FakeEnvoy> for Peek {
        fn new_http_filter(&self, envoy: &mut FakeEnvoy) -> Box<dyn HttpFilter<FakeEnvoy>> {
            let path = text(envoy.get_request_header_value(":path"));
            assert_eq!(path.as_deref(), Some("/early"));
            Box::new(Nothing)
        }
    }
    Exchange::new(&Peek, FakeEnvoy::default()).request(&FakeMessage::request("GET", "/early"));
}
