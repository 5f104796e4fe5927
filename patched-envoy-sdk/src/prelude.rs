//! What nearly every filter needs, under short names: one `use` instead of twenty.
//!
//! Envoy's C names are long (`envoy_dynamic_module_type_on_http_filter_request_headers_status`), and filters
//! written for the official crate rename them by hand. Here they are renamed once. Nothing is added: each name is
//! an alias of the one in [`abi`](crate::abi), so that both spellings fit each other.
//!
//! ```
//! use envoy_proxy_dynamic_modules_rust_sdk::prelude::*;
//!
//! struct Stop;
//!
//! impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for Stop {
//!     fn on_request_headers(&mut self, envoy: &mut EHF, _: bool) -> RequestHeadersStatus {
//!         let method = envoy.get_attribute_string(AttributeId::RequestMethod);
//!         if method.is_some_and(|method| method.as_slice() == b"TRACE") {
//!             envoy.send_response(405, &[], None, Some("trace_is_off"));
//!             return RequestHeadersStatus::StopIteration;
//!         }
//!         RequestHeadersStatus::Continue
//!     }
//! }
//! ```
//!
//! | short name | what it is |
//! |---|---|
//! | `RequestHeadersStatus`, `RequestBodyStatus`, `RequestTrailersStatus` | what a request hook returns |
//! | `ResponseHeadersStatus`, `ResponseBodyStatus`, `ResponseTrailersStatus` | what a response hook returns |
//! | `LocalReplyStatus` | what `on_local_reply` returns |
//! | `AttributeId`, `MetadataSource` | what to read of a stream |
//! | `HeaderMap`, `BodyView` | which headers, which part of a body |
//! | `CalloutInitResult`, `CalloutResult`, `HttpStreamResetReason` | how a request of the filter's own begins and ends |
//! | `MetricsResult`, `StreamResetReason`, `SocketDirection`, `SocketOptionState`, `LogLevel` | arguments and results of single methods |
//!
//! Beside them are the traits, the types of their arguments, and the macros; what concerns the module as a whole
//! (`log_loaded`, `panic_counter_name`) and [`testing`](crate) are not.

pub use crate::abi::{
    envoy_dynamic_module_type_attribute_id as AttributeId,
    envoy_dynamic_module_type_http_body_type as BodyView,
    envoy_dynamic_module_type_http_callout_init_result as CalloutInitResult,
    envoy_dynamic_module_type_http_callout_result as CalloutResult,
    envoy_dynamic_module_type_http_filter_stream_reset_reason as StreamResetReason,
    envoy_dynamic_module_type_http_header_type as HeaderMap,
    envoy_dynamic_module_type_http_stream_reset_reason as HttpStreamResetReason,
    envoy_dynamic_module_type_log_level as LogLevel,
    envoy_dynamic_module_type_metadata_source as MetadataSource,
    envoy_dynamic_module_type_metrics_result as MetricsResult,
    envoy_dynamic_module_type_on_http_filter_local_reply_status as LocalReplyStatus,
    envoy_dynamic_module_type_on_http_filter_request_body_status as RequestBodyStatus,
    envoy_dynamic_module_type_on_http_filter_request_headers_status as RequestHeadersStatus,
    envoy_dynamic_module_type_on_http_filter_request_trailers_status as RequestTrailersStatus,
    envoy_dynamic_module_type_on_http_filter_response_body_status as ResponseBodyStatus,
    envoy_dynamic_module_type_on_http_filter_response_headers_status as ResponseHeadersStatus,
    envoy_dynamic_module_type_on_http_filter_response_trailers_status as ResponseTrailersStatus,
    envoy_dynamic_module_type_socket_direction as SocketDirection,
    envoy_dynamic_module_type_socket_option_state as SocketOptionState,
};
pub use crate::buffer::{EnvoyBuffer, EnvoyMutBuffer};
pub use crate::capabilities::{Capabilities, Capability, EnvoyVersion};
pub use crate::error::AbiError;
pub use crate::http::{
    ClusterHostCount, EnvoyBodies, EnvoyChildSpan, EnvoyCounterId, EnvoyCounterVecId, EnvoyGaugeId,
    EnvoyGaugeVecId, EnvoyHeaderMaps, EnvoyHistogramId, EnvoyHistogramVecId, EnvoyHttpFilter,
    EnvoyHttpFilterConfig, EnvoyHttpFilterConfigScheduler, EnvoyHttpFilterScheduler, EnvoySpan,
    HttpFilter, HttpFilterConfig, HttpMessage,
};
pub use crate::{
    declare_all_init_functions, declare_init_functions, envoy_log, envoy_log_critical,
    envoy_log_debug, envoy_log_error, envoy_log_info, envoy_log_trace, envoy_log_warn,
};
