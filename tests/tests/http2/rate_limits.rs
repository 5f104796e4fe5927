//! Costs that the module reads from an answer, in Envoy's rate limits: a small rate limit service that
//! speaks gRPC and remembers what it was asked.
#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

mod budget;
mod question;
mod real;
mod stand_in;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Result;
use rustformations_tests::{EnvoyConfig, Lab, Received, Reply, Route, on_every_envoy};
use serde_json::{Value, json};

use crate::PATIENCE;
use crate::origin::Http2Origin;

const FILTER: &str = "envoy.filters.http.ratelimit";

/// A service that allows everything.
fn service() -> Result<Http2Origin> {
    let service = Http2Origin::start()?;
    service.answer(stand_in::SERVICE, stand_in::verdict(true));
    Ok(service)
}

fn cluster(address: SocketAddr) -> Value {
    json!({
        "name": "limits",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "limits", "endpoints": [{"lb_endpoints": [{"endpoint": {
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": address.port()}},
        }}]}]},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {}},
            },
        },
    })
}

/// The filter stands before the module, where kgateway has it.
fn limited(service: &Http2Origin) -> EnvoyConfig {
    EnvoyConfig::new()
        .cluster(cluster(service.address()))
        .filter_before(json!({
            "name": FILTER,
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimit",
                "domain": "lab",
                "timeout": "5s",
                "rate_limit_service": {
                    "transport_api_version": "V3",
                    "grpc_service": {"envoy_grpc": {"cluster_name": "limits"}},
                },
            },
        }))
}

/// The examples of the documentation, in their order: the module's configuration, the route's limits.
fn examples() -> [Value; 2] {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/neighbours.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut blocks = page.split("```json").skip(1).map(|rest| {
        let (block, _) = rest.split_once("```").unwrap();
        serde_json::from_str(block).unwrap()
    });
    [blocks.next().unwrap(), blocks.next().unwrap()]
}

/// The questions, once there are `count` of them.
fn asked(service: &Http2Origin, count: usize) -> Vec<Vec<u64>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let questions = service.received();
        if questions.len() >= count || Instant::now() > deadline {
            let addends = |question: &Received| {
                let descriptors = question::descriptors(&question.body);
                descriptors
                    .iter()
                    .map(|it| it.hits_addend.unwrap_or(0))
                    .collect()
            };
            return questions.iter().map(addends).collect();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

on_every_envoy! {
    fn the_tokens_of_an_answer_count_as_hits_when_the_stream_is_done(envoy) {
        let service = service().unwrap();
        let [counting, limits] = examples();
        let route = Route::at("/").transform(counting).per_filter(FILTER, limits);
        let lab = Lab::start(envoy, &limited(&service).route(route));
        lab.origin().answer("/", Reply::json(&json!({"usage": {"total_tokens": 41}})));
        assert_eq!(lab.get("/").header("x-team", "red").send().status, 200);
        let mut questions = asked(&service, 2);
        questions.sort();
        assert_eq!(questions, [[0], [41]]);
    }

    fn the_rate_limits_of_a_route_action_ignore_hits_addend(envoy) {
        let service = service().unwrap();
        let [counting, limits] = examples();
        let route = Route::at("/")
            .transform(counting)
            .action("rate_limits", limits["rate_limits"].clone());
        let lab = Lab::start(envoy, &limited(&service).route(route));
        lab.origin().answer("/", Reply::json(&json!({"usage": {"total_tokens": 41}})));
        assert_eq!(lab.get("/").header("x-team", "red").send().status, 200);
        assert_eq!(asked(&service, 2), [[0], [0]]);
    }
}
