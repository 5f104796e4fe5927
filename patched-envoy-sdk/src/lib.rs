//! An Envoy dynamic module in Rust: one binary for every Envoy from 1.36 to 1.40.
//!
//! A dynamic module is a shared library that Envoy loads into its own process and asks about every
//! HTTP stream. This crate is the Rust side of that conversation. Its HTTP API is that of the
//! official SDK of Envoy 1.36 to 1.39, name for name; what differs is underneath:
//!
//! - **One binary.** Envoy's functions are looked up when the module is loaded, and the module tells
//!   each Envoy the ABI version it wants to hear. Nothing is rebuilt for another Envoy.
//! - **No surprises.** What an Envoy lacks is a capability one can ask for while the configuration is
//!   loaded; what Envoys do differently is made equal. See [`docs::support`].
//! - **No crashes.** A panic ends one stream. Hooks never run inside hooks, a filter is never freed
//!   under its own feet, and views of Envoy's memory end where the borrow checker says.
//!
//! # A module
//!
//! ```toml
//! [lib]
//! crate-type = ["cdylib"]
//!
//! [dependencies]
//! envoy-proxy-dynamic-modules-rust-sdk = { path = "..." }
//! ```
//!
//! ```no_run
//! #![forbid(unsafe_code)]
//! use envoy_proxy_dynamic_modules_rust_sdk::prelude::*;
//!
//! declare_init_functions!(init, new_http_filter_config);
//!
//! // Once, when Envoy loads the module.
//! fn init() -> bool {
//!     true
//! }
//!
//! // Once for each filter configuration, on the main thread. `None` refuses it.
//! fn new_http_filter_config<EC: EnvoyHttpFilterConfig, EHF: EnvoyHttpFilter>(
//!     _envoy: &mut EC,
//!     name: &str,
//!     config: &[u8],
//! ) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
//!     (name == "stamp").then(|| Box::new(StampConfig(config.to_vec())) as Box<_>)
//! }
//!
//! // Shared by all workers.
//! struct StampConfig(Vec<u8>);
//!
//! impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for StampConfig {
//!     fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
//!         Box::new(Stamp(self.0.clone()))
//!     }
//! }
//!
//! // One stream.
//! struct Stamp(Vec<u8>);
//!
//! impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for Stamp {
//!     fn on_response_headers(
//!         &mut self,
//!         envoy: &mut EHF,
//!         _end_of_stream: bool,
//!     ) -> ResponseHeadersStatus {
//!         envoy.set_response_header("x-stamp", &self.0);
//!         ResponseHeadersStatus::Continue
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! Envoy finds `libNAME.so` in the directory of `ENVOY_DYNAMIC_MODULES_SEARCH_PATH`. Give the filter
//! its configuration as a `google.protobuf.StringValue`: of all types, this one arrives as the same
//! bytes in every Envoy.
//!
//! The same module with a test, a counter and a refusal: `examples/require_header.rs`. A project to copy, with a
//! filter for each of callouts, shared state, metrics, routes and threads: `examples/my-filter` of the repository;
//! its page is `docs/filters.md`.
//!
//! # Where to read on
//!
//! | to learn about | read |
//! |---|---|
//! | short names for all of this | [`prelude`] |
//! | the hooks of a filter, and when each runs | [`HttpFilter`] |
//! | everything one can ask Envoy about a stream | [`EnvoyHttpFilter`], [`EnvoyHeaderMaps`], [`EnvoyBodies`] |
//! | metrics, callouts and wake-ups of a configuration | [`EnvoyHttpFilterConfig`], [`HttpFilterConfig`] |
//! | per-route configurations | [`NewHttpFilterPerRouteConfigFunction`], [`EnvoyHttpFilter::get_most_specific_route_config`] |
//! | working on another thread meanwhile | [`EnvoyHttpFilterScheduler`] |
//! | what this Envoy can do | [`Capabilities`], [`docs::support`] |
//! | threads, lifetimes, unloading | [`docs::threads_and_lifetimes`] |
//! | moving a filter here from the official crate | [`docs::coming_from_the_official_crate`] |
//! | testing without Envoy | the feature `testing` |
//!
//! # Rules of thumb
//!
//! - To change headers after the body is known, hold them: return `StopIteration` from the headers
//!   hook. After `Continue` the setters still say `true`, but nobody sees the change.
//! - A message without a body never calls the body hook. `end_of_stream` in the headers hook says so.
//! - With trailers, no body chunk has `end_of_stream`; the trailers hook is the end.
//! - Whoever changes a body removes `content-length` or sets it: Envoy does not.
//! - Header values are bytes from a stranger. Do not put them into logs.
//!
//! # Features
//!
//! - `testing`: `testing::FakeEnvoy`, a small host in memory. For `dev-dependencies`.
//!
//! The crate has no dependencies, and refuses to compile under `panic = "abort"`, which would turn
//! every panic of a filter into a crash of Envoy.

pub mod abi;

pub mod buffer;
mod capabilities;
mod declare;
mod error;
mod filter_config;
mod guard;
mod hooks;
mod host;
pub mod http;
mod log;
pub mod prelude;
mod slot;
mod stream;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

/// Where the official crate has its panic wrapper, too.
pub mod catch_unwind {
    pub use crate::http::CatchUnwind;
}

/// Where the official crate has its copies of whole bodies, too.
pub mod utility {
    pub use crate::http::{read_whole_request_body, read_whole_response_body};
}

/// Reference beyond single items: support by version, differences, threads.
#[cfg(any(doc, doctest))]
pub mod docs {
    #[doc = include_str!("../docs/support.md")]
    pub mod support {}

    #[doc = include_str!("../docs/coming_from_the_official_crate.md")]
    pub mod coming_from_the_official_crate {}

    #[doc = include_str!("../docs/threads_and_lifetimes.md")]
    pub mod threads_and_lifetimes {}
}

/// The examples of the page for filter authors, which is not part of this crate's documentation.
#[cfg(doctest)]
#[doc = include_str!("../../docs/filters.md")]
mod page_for_authors {}

pub use buffer::{EnvoyBuffer, EnvoyMutBuffer};
pub use capabilities::{Capabilities, Capability, EnvoyVersion};
pub use declare::{
    NEW_HTTP_FILTER_CONFIG_FUNCTION, NEW_HTTP_FILTER_PER_ROUTE_CONFIG_FUNCTION,
    NewHttpFilterConfigFunction, NewHttpFilterPerRouteConfigFunction, ProgramInitFunction,
};
pub use error::AbiError;
pub use guard::{panic_counter_name, panics_caught};
pub use host::config::EnvoyHttpFilterConfigImpl;
pub use host::filter::EnvoyHttpFilterImpl;
pub use host::loaded::log_loaded;
pub use host::once::hooks_skipped;
pub use host::server::{
    get_function, get_server_concurrency, get_shared_data, is_validation_mode, register_function,
    register_shared_data,
};
pub use http::*;
pub use log::{get_log_level, is_log_enabled};

/// What the exported macros expand to. Not for use by hand.
#[doc(hidden)]
pub mod macro_support {
    pub use crate::declare::{Registration, program_init};
    pub use crate::log::write_arguments as log;
}
