//! A small real host in memory, so that filters are tested without an Envoy (feature `testing`).
//!
//! Not mocks: a [`FakeEnvoy`] holds headers, bodies, metadata, metrics and the rest, and an
//! [`Exchange`] takes a filter through a whole request and response by Envoy's rules. Tests say what
//! comes in and assert on what comes out. Everything runs on the test's own thread, only schedulers
//! may be used from others.
//!
//! ```
//! use envoy_proxy_dynamic_modules_rust_sdk::prelude::*;
//! use envoy_proxy_dynamic_modules_rust_sdk::testing::*;
//!
//! // The filter under test: counts responses and stamps them.
//! struct Stamp(EnvoyCounterId);
//!
//! impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for Stamp {
//!     fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
//!         Box::new(Stamp(self.0))
//!     }
//! }
//!
//! impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for Stamp {
//!     fn on_response_headers(&mut self, envoy: &mut EHF, _: bool) -> ResponseHeadersStatus {
//!         let _ = envoy.increment_counter(self.0, 1);
//!         envoy.set_response_header("x-stamp", b"yes");
//!         ResponseHeadersStatus::Continue
//!     }
//! }
//!
//! // The function the module registers.
//! fn new_http_filter_config<EC: EnvoyHttpFilterConfig, EHF: EnvoyHttpFilter>(
//!     envoy: &mut EC,
//!     _name: &str,
//!     _config: &[u8],
//! ) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
//!     Some(Box::new(Stamp(envoy.define_counter("stamped").ok()?)))
//! }
//!
//! // Configuration time, on an Envoy of the oldest supported line.
//! let mut host = FakeEnvoyConfig::new(EnvoyVersion::V1_36);
//! let config = new_http_filter_config(&mut host, "stamp", b"").unwrap();
//!
//! // One stream.
//! let mut exchange = Exchange::new(&*config, host.stream());
//! exchange.run(
//!     &FakeMessage::request("POST", "/v1/chat/completions").chunk("hello"),
//!     &FakeMessage::response(200).chunk("world"),
//! );
//! assert_eq!(exchange.upstream().text(), "hello");
//! assert_eq!(exchange.downstream().header("x-stamp").as_deref(), Some("yes"));
//! assert_eq!(host.metrics().counter("stamped"), 1);
//! assert!(exchange.is_over());
//! ```
//!
//! # What it keeps of Envoy
//!
//! - Headers: names without case, repeats, `host` = `:authority`, single-line headers join, a map
//!   that does not exist yet refuses writes, and changes after the headers went on go nowhere.
//! - Bodies: received and buffered views, the end as an empty last chunk, trailers that end a body
//!   without one, bodies that an earlier filter buffered (both views the same bytes), appending to a
//!   header-only message, and `content-length` left alone.
//! - Statuses: every one of them, with the buffer limit behind them (413, 500, reset, or a pause).
//! - Local replies: the filter's own skip its response hooks, others' pass through them; both are
//!   announced to `on_local_reply` where the host has it.
//! - What older hosts lack: choose an [`EnvoyVersion`](crate::EnvoyVersion), or take single
//!   capabilities away with [`FakeEnvoy::without`].
//!
//! - Threads: what a filter's own thread commits to a scheduler is waited for with
//!   [`Exchange::wait_scheduled`].
//! - The log: [`logged`] keeps the lines of one piece of code for the test.
//!
//! As in the real SDK, calls that may end the stream or run other hooks are carried out right after
//! the hook that made them, and completions that come inline are delivered then.
//!
//! # What it does not keep
//!
//! Routes are not chosen and timeouts do not pass. Attributes are what the test says they are,
//! except for those the message itself tells. Panics of a filter are not turned into a 500.

mod actions;
mod body;
mod callouts;
mod config;
mod envoy;
mod exchange;
mod header_map;
mod in_flight;
pub(crate) mod log;
mod message;
mod metadata;
mod metrics;
mod scheduler;
mod spans;
#[cfg(test)]
mod tests;

pub use callouts::{FakeCallout, FakeHttpStream};
pub use config::FakeEnvoyConfig;
pub use envoy::FakeEnvoy;
pub use exchange::Exchange;
pub use header_map::FakeHeaderMap;
pub use log::logged;
pub use message::{DeliveredMessage, FakeMessage};
pub use metadata::MetadataValue;
pub use metrics::FakeMetrics;
pub use scheduler::FakeScheduler;
pub use spans::{FakeSpan, SpanRecord};
