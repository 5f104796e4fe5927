//! HTTP/2 on both sides of real Envoys, and what templates learn of a connection with TLS.
//!
//! Each test is on its own thread; its client and its origin have one more thread each. Whatever waits
//! gives up after [`PATIENCE`], so that a hang is a failure.
#![forbid(unsafe_code)]

mod attributes;
mod bodies;
mod client;
mod continuing;
mod flow;
mod last_chunk;
mod message;
mod origin;
mod providers;
mod rate_limits;
mod refusals;
mod streams;
mod tls;

use std::time::Duration;

use anyhow::Result;
use rustformations_tests::{Envoy, EnvoyConfig, Lab, Route};
use serde_json::{Value, json};

use client::Http2;
use message::Message;
use origin::Http2Origin;

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A client, an Envoy and an origin that speak HTTP/2 with each other.
struct Ground {
    client: Http2,
    lab: Lab,
    origin: Http2Origin,
}

impl Ground {
    /// One route, with this transformation.
    fn with(envoy: &Envoy, transform: Value) -> Result<Self> {
        Self::routing(envoy, vec![Route::at("/").transform(transform)])
    }

    fn routing(envoy: &Envoy, routes: Vec<Route>) -> Result<Self> {
        let origin = Http2Origin::start()?;
        let config = EnvoyConfig::new()
            .buffer_limit(8 << 20)
            .http2_origin(origin.address());
        let lab = Lab::start(envoy, &routes.into_iter().fold(config, EnvoyConfig::route));
        let client = Http2::open(lab.address())?;
        Ok(Self {
            client,
            lab,
            origin,
        })
    }
}

fn both_ways(transform: &Value) -> Value {
    json!({"request": transform, "response": transform})
}

fn set(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

/// The beginning of a gRPC call, or of its answer.
fn grpc() -> Message {
    Message::new().header("content-type", "application/grpc")
}

/// A message of gRPC: a flag, the length of the payload in four bytes, the payload.
fn grpc_frame(payload: &str) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    [&[0], &length.to_be_bytes()[..], payload.as_bytes()].concat()
}
