//! Costs that the module reads from an answer, in Envoy's rate limits: a small rate limit service that
//! speaks gRPC and remembers what it was asked.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says no by panicking"
)]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Result;
use rustformations_tests::{EnvoyConfig, Lab, Reply as Http1Reply, Route, on_every_envoy};
use serde_json::{Value, json};

use crate::PATIENCE;
use crate::message::Message;
use crate::origin::{Http2Origin, Reply};

const SERVICE: &str = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit";
const FILTER: &str = "envoy.filters.http.ratelimit";

/// What of a question matters here: its `hits_addend`s, by descriptor; 0 where there is none.
fn addends(question: &[u8]) -> Vec<u64> {
    // Five bytes of gRPC come before the message.
    let request = fields(question.get(5..).unwrap_or_default());
    let descriptors = request.iter().filter(|(number, _)| *number == 2);
    let addend = |(_, descriptor): &(u64, Field)| {
        let fields = fields(descriptor.bytes());
        let wrapped = fields.iter().find(|(number, _)| *number == 3);
        let value = wrapped.map(|(_, value)| self::fields(value.bytes()));
        value.map_or(0, |fields| {
            fields.iter().map(|(_, field)| field.number()).sum()
        })
    };
    descriptors.map(addend).collect()
}

/// A field of a protobuf message, as far as these messages have them.
enum Field {
    Number(u64),
    Bytes(Vec<u8>),
}

impl Field {
    fn number(&self) -> u64 {
        match self {
            Self::Number(number) => *number,
            Self::Bytes(_) => 0,
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Number(_) => &[],
            Self::Bytes(bytes) => bytes,
        }
    }
}

fn fields(mut message: &[u8]) -> Vec<(u64, Field)> {
    let mut found = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let field = match key & 7 {
            0 => Field::Number(varint(&mut message)),
            2 => {
                let length = usize::try_from(varint(&mut message)).unwrap();
                let (bytes, rest) = message.split_at(length);
                message = rest;
                Field::Bytes(bytes.to_vec())
            }
            other => panic!("wire type {other} is not in these messages"),
        };
        found.push((key >> 3, field));
    }
    found
}

fn varint(message: &mut &[u8]) -> u64 {
    let mut number = 0;
    let mut shift = 0;
    loop {
        let (byte, rest) = message.split_first().expect("a number that ends");
        *message = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return number;
        }
        shift += 7;
    }
}

/// A service that allows everything.
fn service() -> Result<Http2Origin> {
    let service = Http2Origin::start()?;
    // A message of two bytes: overall_code is OK.
    let allowed = Message::new()
        .header("content-type", "application/grpc")
        .piece(vec![0, 0, 0, 0, 2, 8, 1])
        .trailer("grpc-status", "0");
    service.answer(SERVICE, Reply::new(200, allowed));
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
            return questions
                .iter()
                .map(|question| addends(&question.body))
                .collect();
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
        lab.origin().answer("/", Http1Reply::json(&json!({"usage": {"total_tokens": 41}})));
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
        lab.origin().answer("/", Http1Reply::json(&json!({"usage": {"total_tokens": 41}})));
        assert_eq!(lab.get("/").header("x-team", "red").send().status, 200);
        assert_eq!(asked(&service, 2), [[0], [0]]);
    }
}
