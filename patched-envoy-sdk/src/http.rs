//! HTTP filters: the two traits a filter author implements, and the traits through which they talk
//! to Envoy.
//!
//! | who implements it | configuration | one stream |
//! |---|---|---|
//! | you | [`HttpFilterConfig`] | [`HttpFilter`] |
//! | Envoy (or `FakeEnvoy`) | [`EnvoyHttpFilterConfig`] | [`EnvoyHttpFilter`] |

mod catch_unwind;
mod envoy_bodies;
mod envoy_filter;
pub(crate) mod envoy_filter_config;
mod envoy_headers;
mod filter;
mod filter_config;
pub(crate) mod grpc;
pub(crate) mod ids;
pub(crate) mod scheduler;
mod span;
mod whole_body;

pub use catch_unwind::CatchUnwind;
pub use envoy_bodies::{EnvoyBodies, HttpMessage};
pub use envoy_filter::{ClusterHostCount, EnvoyHttpFilter};
pub use envoy_filter_config::EnvoyHttpFilterConfig;
pub use envoy_headers::EnvoyHeaderMaps;
pub use filter::HttpFilter;
pub use filter_config::HttpFilterConfig;
pub use ids::{
    EnvoyCounterId, EnvoyCounterVecId, EnvoyGaugeId, EnvoyGaugeVecId, EnvoyHistogramId,
    EnvoyHistogramVecId,
};
pub use scheduler::{EnvoyHttpFilterConfigScheduler, EnvoyHttpFilterScheduler};
pub use span::{EnvoyChildSpan, EnvoySpan};
pub use whole_body::{read_whole_request_body, read_whole_response_body};
