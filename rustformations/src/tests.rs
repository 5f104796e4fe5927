//! The filters of this module, asked for by name as Envoy does, on the SDK's Envoy in memory.
//!
//! What needs a real Envoy (routes, buffering limits, reloads) is in the end-to-end tests.

use envoy_proxy_dynamic_modules_rust_sdk::EnvoyVersion;
use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_attribute_id as Attribute;
use envoy_proxy_dynamic_modules_rust_sdk::testing::{
    Exchange, FakeEnvoy, FakeEnvoyConfig, FakeMessage, MetadataValue,
};

use super::*;

/// A module that was asked for one filter, and the streams it serves.
struct Loaded {
    host: FakeEnvoyConfig,
    config: Box<dyn HttpFilterConfig<FakeEnvoy>>,
}

impl Loaded {
    fn on(version: EnvoyVersion, name: &str, config: &str) -> Option<Self> {
        let mut host = FakeEnvoyConfig::new(version);
        let config = new_http_filter_config(&mut host, name, config.as_bytes())?;
        Some(Self { host, config })
    }

    fn new(name: &str, config: &str) -> Self {
        Self::on(EnvoyVersion::V1_40, name, config).expect("the configuration is valid")
    }

    fn exchange(&self) -> Exchange<'_> {
        Exchange::new(&*self.config, self.host.stream())
    }

    fn exchange_on_route(&self, name: &str, config: &str) -> Exchange<'_> {
        let route = new_http_filter_per_route_config(name, config.as_bytes()).expect("valid");
        Exchange::new(&*self.config, self.host.stream().with_route_config(route))
    }

    fn errors(&self, kind: &str) -> u64 {
        self.host
            .metrics()
            .counter_with("rustformations_errors", &[kind])
    }
}

fn chat() -> FakeMessage {
    FakeMessage::request("POST", "/v1/chat/completions?a=b")
        .header("content-type", "application/json")
        .chunk(r#"{"model":"#)
        .chunk(r#""gpt-4"}"#)
}

fn ok() -> FakeMessage {
    FakeMessage::response(200).chunk("answer")
}

#[test]
fn every_name_of_the_table_is_known_with_the_configuration_kgateway_gives_it() {
    for name in ["http_simple_mutations", "rustformation", "my-smart-header"] {
        assert!(
            Loaded::on(EnvoyVersion::V1_36, name, "").is_some(),
            "{name}"
        );
        assert!(
            Loaded::on(EnvoyVersion::V1_40, name, "{}").is_some(),
            "{name}"
        );
        assert!(
            new_http_filter_per_route_config(name, b"{}").is_some(),
            "{name}"
        );
        assert!(KNOWN.contains(name));
    }
    let acl = r#"{"defaultAction":"allow"}"#;
    assert!(Loaded::on(EnvoyVersion::V1_37, "http-acl", acl).is_some());
    assert!(new_http_filter_per_route_config("http-acl", acl.as_bytes()).is_some());
}

#[test]
fn an_unknown_name_is_refused() {
    assert!(Loaded::on(EnvoyVersion::V1_40, "rustformations", "{}").is_none());
    assert!(new_http_filter_per_route_config("", b"{}").is_none());
}

#[test]
fn an_invalid_configuration_is_refused_at_both_levels() {
    for config in ["{", r#"{"request":{"set":[{"name":"a","value":"{{"}]}}"#] {
        assert!(Loaded::on(EnvoyVersion::V1_40, "rustformation", config).is_none());
        assert!(new_http_filter_per_route_config("rustformation", config.as_bytes()).is_none());
    }
}

#[test]
fn the_tutorial_stays_short_enough_to_read() {
    assert!(include_str!("my_smart_header.rs").lines().count() < 100);
}

#[test]
fn my_smart_header_shows_method_and_original_path_on_every_response() {
    let module = Loaded::new("my-smart-header", "");
    let mut exchange = module.exchange();
    exchange.run(&chat(), &ok());
    let response = exchange.downstream();
    assert_eq!(
        response.header("x-custom-transformed").as_deref(),
        Some("true")
    );
    assert_eq!(
        response.header("x-smart-header").as_deref(),
        Some("method=POST&path=/v1/chat/completions?a=b")
    );
}

#[test]
fn a_transformation_of_headers_holds_nothing() {
    let module = Loaded::new(
        "rustformation",
        r#"{"request":{"set":[{"name":"x-path","value":"{{ request_header(':path') }}"}]},
            "response":{"add":[{"name":"x-method","value":"{{ request_header(':method') }}"}]}}"#,
    );
    let mut exchange = module.exchange();
    exchange
        .request_headers(&chat(), false)
        .request_body("first", false);
    assert_eq!(
        exchange.upstream().text(),
        "first",
        "the body flows before its end"
    );
    exchange
        .request_body("", true)
        .response_headers(&ok(), false);
    assert_eq!(
        exchange.upstream().header("x-path").as_deref(),
        Some("/v1/chat/completions?a=b")
    );
    assert_eq!(
        exchange.downstream().header("x-method").as_deref(),
        Some("POST")
    );
    assert_eq!(
        module
            .host
            .metrics()
            .counter("rustformations_requests_transformed"),
        1
    );
    assert_eq!(
        module
            .host
            .metrics()
            .counter("rustformations_responses_transformed"),
        1
    );
}

#[test]
fn a_template_that_reads_the_body_gets_all_of_it_and_the_length_fits() {
    let module = Loaded::new(
        "http_simple_mutations",
        r#"{"request":{"body":{"parseAs":"AsJson","value":"m={{ model }}"},
                       "set":[{"name":"x-model","value":"{{ model }}"}]}}"#,
    );
    let mut exchange = module.exchange();
    exchange.run(&chat().header("content-length", "17"), &ok());
    let request = exchange.upstream();
    assert_eq!(request.header("x-model").as_deref(), Some("gpt-4"));
    assert_eq!(request.text(), "m=gpt-4");
    assert_eq!(request.header("content-length").as_deref(), Some("7"));
}

#[test]
fn trailers_end_a_body() {
    let module = Loaded::new(
        "rustformation",
        r#"{"response":{"body":{"value":"<{{ body() }}>"}}}"#,
    );
    let mut exchange = module.exchange();
    exchange.run(&chat(), &ok().trailer("grpc-status", "0"));
    assert_eq!(exchange.downstream().text(), "<answer>");
    assert!(exchange.downstream().trailers().is_some());
}

#[test]
fn the_routes_configuration_replaces_the_filters() {
    let module = Loaded::new(
        "rustformation",
        r#"{"request":{"set":[{"name":"x-from","value":"filter"},{"name":"x-a","value":"1"}]}}"#,
    );
    let mut exchange = module.exchange_on_route(
        "http_simple_mutations",
        r#"{"request":{"set":[{"name":"x-from","value":"route"}]}}"#,
    );
    exchange.run(&chat(), &ok());
    assert_eq!(
        exchange.upstream().header("x-from").as_deref(),
        Some("route")
    );
    assert_eq!(exchange.upstream().header("x-a"), None);
}

#[test]
fn a_route_configuration_of_another_filter_leaves_the_filters_in_force_and_is_counted() {
    let module = Loaded::new(
        "rustformation",
        r#"{"request":{"set":[{"name":"x-from","value":"filter"}]}}"#,
    );
    let mut exchange = module.exchange_on_route("my-smart-header", "");
    exchange.run(&chat(), &ok());
    assert_eq!(
        exchange.upstream().header("x-from").as_deref(),
        Some("filter")
    );
    assert_eq!(module.errors("foreign_route_config"), 1);
}

#[test]
fn a_body_that_is_no_json_is_answered_with_400_and_counted() {
    let module = Loaded::new(
        "rustformation",
        r#"{"request":{"body":{"parseAs":"AsJson"},"set":[{"name":"m","value":"{{ model }}"}]}}"#,
    );
    let mut exchange = module.exchange();
    exchange.request(&FakeMessage::request("POST", "/").chunk("no json"));
    assert_eq!(exchange.downstream().status(), Some(400));
    assert_eq!(
        exchange.local_reply_details(),
        Some("rustformation_invalid_json{request.set[0].value}")
    );
    assert!(!exchange.upstream().has_headers());
    assert_eq!(module.errors("invalid_json"), 1);
}

#[test]
fn a_response_that_must_not_have_a_body_is_not_given_one() {
    let module = Loaded::new(
        "rustformation",
        r#"{"response":{"body":{"value":"text"},"set":[{"name":"x-a","value":"1"}]}}"#,
    );
    for (method, status) in [("HEAD", 200), ("GET", 204), ("GET", 304)] {
        let mut exchange = module.exchange();
        let response = FakeMessage::response(status).header("content-length", "12");
        exchange.run(&FakeMessage::request(method, "/"), &response);
        let response = exchange.downstream();
        assert_eq!(response.text(), "", "{method} {status}");
        assert_eq!(response.header("content-length"), None, "{method} {status}");
        assert_eq!(
            response.header("x-a").as_deref(),
            Some("1"),
            "{method} {status}"
        );
    }
}

#[test]
fn a_websocket_is_never_held() {
    let module = Loaded::new(
        "rustformation",
        r#"{"request":{"body":{"value":"{{ body() }}!"},"set":[{"name":"x-a","value":"1"}]}}"#,
    );
    let mut exchange = module.exchange();
    let upgrade = FakeMessage::request("GET", "/chat").header("upgrade", "WebSocket");
    exchange
        .request_headers(&upgrade, false)
        .request_body("frame", false);
    assert_eq!(exchange.upstream().text(), "frame");
    assert_eq!(exchange.upstream().header("x-a").as_deref(), Some("1"));
}

#[test]
fn an_access_list_denies_and_says_by_what() {
    let module = Loaded::new("http-acl", r#"{"defaultAction":"allow"}"#);
    let policy = r#"{"defaultAction":"allow",
        "rules":[{"name":"internal","cidrs":["10.0.0.0/8"],"action":"deny"}],
        "denyResponse":{"statusCode":451,"blockedByHeaderName":"x-blocked-by"}}"#;
    let route = new_http_filter_per_route_config("http-acl", policy.as_bytes()).expect("valid");
    let stream = module.host.stream().with_route_config(route);
    let stream = stream.with_attribute_string(Attribute::SourceAddress, "10.1.2.3:4567");
    let mut exchange = Exchange::new(&*module.config, stream);
    exchange.request(&chat());
    assert_eq!(exchange.downstream().status(), Some(451));
    assert_eq!(
        exchange.downstream().header("x-blocked-by").as_deref(),
        Some("internal")
    );
    let blocked_by = exchange
        .envoy()
        .dynamic_metadata("dev.kgateway.http.acl", "blocked-by");
    assert!(matches!(blocked_by, Some(MetadataValue::String(by)) if by == "internal"));
    assert_eq!(
        module
            .host
            .metrics()
            .counter("dev.kgateway.http.acl.blocked"),
        1
    );
}

#[test]
fn an_access_list_fails_closed_on_a_route_configuration_of_another_filter() {
    let module = Loaded::new("http-acl", r#"{"defaultAction":"allow"}"#);
    let mut exchange = module.exchange_on_route("rustformation", "{}");
    exchange.request(&chat());
    assert_eq!(exchange.downstream().status(), Some(500));
    assert_eq!(
        exchange.local_reply_details(),
        Some("http_acl_foreign_route_config")
    );
    assert_eq!(
        module
            .host
            .metrics()
            .counter("dev.kgateway.http.acl.blocked"),
        1
    );
}

#[test]
fn an_access_list_fails_closed_without_a_client_address() {
    let module = Loaded::new("http-acl", r#"{"defaultAction":"allow"}"#);
    let stream = module
        .host
        .stream()
        .with_attribute_string(Attribute::SourceAddress, "/a/socket");
    let mut exchange = Exchange::new(&*module.config, stream);
    exchange.request(&chat());
    assert_eq!(exchange.downstream().status(), Some(403));
}

#[test]
fn a_grpc_call_is_refused_with_the_status_that_grpc_has_for_it() {
    let refusal = |content_type: &str, policy: &str| {
        let module = Loaded::new("http-acl", policy);
        let mut exchange = module.exchange();
        let call = FakeMessage::request("POST", "/").header("content-type", content_type);
        exchange.request(&call);
        exchange.downstream().header("grpc-status")
    };
    let deny = r#"{"defaultAction":"deny"}"#;
    for grpc in ["application/grpc", "application/grpc+proto"] {
        assert_eq!(refusal(grpc, deny).as_deref(), Some("7"), "{grpc}");
    }
    for other in ["application/json", "application/grpc-web", ""] {
        assert_eq!(refusal(other, deny), None, "{other}");
    }
    let policy =
        |response: &str| format!(r#"{{"defaultAction":"deny","denyResponse":{response}}}"#);
    let teapot = policy(r#"{"statusCode":418}"#);
    assert_eq!(refusal("application/grpc", &teapot).as_deref(), Some("2"));
    let own = policy(r#"{"headers":[{"name":"grpc-status","value":"16"}]}"#);
    assert_eq!(refusal("application/grpc", &own).as_deref(), Some("16"));
}

#[test]
fn command_operators_read_headers_trailers_metadata_and_attributes() {
    let module = Loaded::new(
        "rustformation",
        r#"{"request":{"dynamicMetadata":[{"namespace":"n","key":"k","value":{"stringValue":"v"}}]},
            "response":{"body":{"value":"{{ body() }}!"},"set":[{"name":"x-a","value":
            "%REQ(:METHOD)% %RESPONSE_CODE% %TRAILER(grpc-status)% %DYNAMIC_METADATA(n:k)% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %PROTOCOL%"}]}}"#,
    );
    let stream = module.host.stream();
    let stream = stream.with_attribute_string(Attribute::SourceAddress, "[2001:db8::1]:4567");
    let mut exchange = Exchange::new(&*module.config, stream);
    exchange.run(&chat(), &ok().trailer("grpc-status", "5"));
    assert_eq!(
        exchange.downstream().header("x-a").as_deref(),
        Some("POST 200 5 v 2001:db8::1 -")
    );
}

/// Chunks that do not fall on events.
fn event_stream() -> FakeMessage {
    FakeMessage::response(200)
        .header("content-type", "text/event-stream")
        .header("content-length", "30")
        .chunk("data: {\"n\":2}\n\ndata: {")
        .chunk("\"n\":0}\n\ndata: tail")
}

#[test]
fn events_of_a_response_are_transformed_chunk_by_chunk_and_nothing_is_held() {
    let module = Loaded::new(
        "rustformation",
        r#"{"response":{"body":{"value":"never"},"stream":{
            "rules":[{"when":{"pointer":"/n"},"data":"{{ n }}!"}],"atEnd":[{"data":"end"}]}}}"#,
    );
    let expected = [
        "data: 2!\n\n",
        "data: 0!\n\n",
        "data: tail\n\ndata: end\n\n",
    ]
    .concat();
    for response in [event_stream(), event_stream().trailer("x-end", "1")] {
        let mut exchange = module.exchange();
        exchange.request(&chat()).response_headers(&response, false);
        assert_eq!(exchange.downstream().header("content-length"), None);
        assert_eq!(exchange.downstream().status(), Some(200));
        let mut exchange = module.exchange();
        exchange.run(&chat(), &response);
        assert_eq!(exchange.downstream().text(), expected);
        assert_eq!(exchange.downstream().chunks()[0], b"data: 2!\n\n");
    }
}

#[test]
fn an_event_that_fails_ends_the_response_or_is_counted() {
    let config = |on_error: &str| {
        format!(
            r#"{{"response":{{"onError":"{on_error}","stream":{{"rules":[
                {{"when":{{"pointer":"/n"}},"data":"{{{{ 6 // n }}}}"}}]}}}}}}"#
        )
    };
    let module = Loaded::new("rustformation", &config("continue"));
    let mut exchange = module.exchange();
    exchange.run(&chat(), &event_stream());
    assert_eq!(
        exchange.downstream().text(),
        "data: 3\n\ndata: {\"n\":0}\n\ndata: tail"
    );
    assert_eq!(module.errors("render_error"), 1);

    let module = Loaded::new("rustformation", &config("fail"));
    let mut exchange = module.exchange();
    exchange.run(&chat(), &event_stream());
    assert_eq!(exchange.downstream().text(), "data: 3\n\n");
    assert!(!exchange.downstream().is_complete());
    assert_eq!(module.errors("render_error"), 1);
}

#[test]
fn a_compressed_stream_is_refused_or_passes_as_it_came() {
    let config = |on_error: &str| {
        format!(
            r#"{{"response":{{"onError":"{on_error}","stream":{{"rules":[{{"drop":true}}]}}}}}}"#
        )
    };
    let compressed = event_stream().header("content-encoding", "br");
    for (on_error, status) in [("fail", 502), ("auto", 200), ("skip", 200)] {
        let module = Loaded::new("rustformation", &config(on_error));
        let mut exchange = module.exchange();
        exchange.run(&chat(), &compressed);
        assert_eq!(exchange.downstream().status(), Some(status));
        assert_eq!(exchange.downstream().text().is_empty(), on_error == "fail");
        assert_eq!(module.errors("compressed_stream"), 1);
    }
}
