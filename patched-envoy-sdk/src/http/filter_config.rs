//! What a filter author implements once per filter configuration.

use super::{EnvoyHttpFilter, HttpFilter};
use crate::abi;
use crate::buffer::EnvoyBuffer;
use crate::host::config::EnvoyHttpFilterConfigImpl;

/// A filter configuration: made on the main thread, then shared by all workers, hence `Sync`.
///
/// The `on_*` hooks run on the main thread. Dropped when Envoy drops the configuration, usually on
/// the main thread.
pub trait HttpFilterConfig<EHF: EnvoyHttpFilter>: Sync {
    /// Makes the filter of one stream, on that stream's worker thread, right before its first hook.
    /// Every method of `envoy` may be used.
    fn new_http_filter(&self, envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>>;

    /// A commit on the config's scheduler has arrived (Envoy 1.37+).
    fn on_scheduled(&self, _event_id: u64) {}

    /// A callout of the config has ended (Envoy 1.38+).
    fn on_http_callout_done(
        &self,
        _envoy_config: &mut EnvoyHttpFilterConfigImpl,
        _callout_id: u64,
        _result: abi::envoy_dynamic_module_type_http_callout_result,
        _response_headers: Option<&[(EnvoyBuffer<'_>, EnvoyBuffer<'_>)]>,
        _response_body: Option<&[EnvoyBuffer<'_>]>,
    ) {
    }

    /// Response headers on an HTTP stream of the config (Envoy 1.38+).
    fn on_http_stream_headers(
        &self,
        _envoy_config: &mut EnvoyHttpFilterConfigImpl,
        _stream_handle: u64,
        _response_headers: &[(EnvoyBuffer<'_>, EnvoyBuffer<'_>)],
        _end_stream: bool,
    ) {
    }

    /// Response data on an HTTP stream of the config (Envoy 1.38+).
    fn on_http_stream_data(
        &self,
        _envoy_config: &mut EnvoyHttpFilterConfigImpl,
        _stream_handle: u64,
        _response_data: &[EnvoyBuffer<'_>],
        _end_stream: bool,
    ) {
    }

    /// Response trailers on an HTTP stream of the config (Envoy 1.38+).
    fn on_http_stream_trailers(
        &self,
        _envoy_config: &mut EnvoyHttpFilterConfigImpl,
        _stream_handle: u64,
        _response_trailers: &[(EnvoyBuffer<'_>, EnvoyBuffer<'_>)],
    ) {
    }

    /// An HTTP stream of the config is over; its handle is dead (Envoy 1.38+).
    fn on_http_stream_complete(
        &self,
        _envoy_config: &mut EnvoyHttpFilterConfigImpl,
        _stream_handle: u64,
    ) {
    }

    /// An HTTP stream of the config was reset; its handle is dead (Envoy 1.38+).
    fn on_http_stream_reset(
        &self,
        _envoy_config: &mut EnvoyHttpFilterConfigImpl,
        _stream_handle: u64,
        _reset_reason: abi::envoy_dynamic_module_type_http_stream_reset_reason,
    ) {
    }
}
