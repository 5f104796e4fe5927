//! The lab: real Envoys of every supported release, a recording origin, a client that shows the wire,
//! a mock LLM, and what the programs `lab`, `mock-llm` and `loopback` are made of.
//!
//! End-to-end tests live in `tests/*.rs` and look like this:
//!
//! ```ignore
//! on_every_envoy! {
//!     fn a_request_header_is_set_from_a_template(envoy) {
//!         let transform = json!({"request": {"set": [{"name": "x-b", "value": "{{ header('x-a') }}"}]}});
//!         let lab = Lab::start(envoy, EnvoyConfig::new().route(Route::at("/").transform(transform)));
//!         let answer = lab.get("/hello").header("x-a", "1").send();
//!         assert_eq!(answer.status, 200);
//!         assert_eq!(lab.origin().last().header("x-b"), "1");
//!     }
//! }
//! ```
//!
//! which makes one test for each Envoy, so that a failure names the release. Nothing here runs inside
//! Envoy; the module under test is the shared library as shipped. HTTP/2 and TLS are with their tests, in
//! `tests/http2`: the demo is built without them.
#![forbid(unsafe_code)]

pub mod client;
pub mod config;
pub mod differences;
pub mod envoy;
pub mod example;
pub mod lab;
pub mod mock_llm;
pub mod origin;
pub mod recipe;
pub mod record;
pub mod stand;
pub mod tools;
pub mod two_providers;
pub mod wire;
pub mod workspace;

pub use client::{Answer, Connection, Request};
pub use config::{EnvoyConfig, FilterConfig, Route};
pub use envoy::{Envoy, EnvoyProcess, PATCH_RELEASES, Settings, VERSIONS, Version};
pub use lab::Lab;
#[cfg(feature = "strict")]
pub use mock_llm::strict;
pub use origin::{Origin, Reply};
pub use recipe::Recipe;
pub use record::Received;
pub use record::Record;
pub use two_providers::TwoProviders;
pub use wire::{Body, Headers};
