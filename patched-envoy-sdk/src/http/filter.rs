//! What a filter author implements for one stream.

use super::EnvoyHttpFilter;
use crate::abi;
use crate::buffer::EnvoyBuffer;

/// The filter of one stream, and thus its state.
///
/// Every hook runs on the stream's worker thread, never two at a time and never one inside another.
/// A panic in a hook ends the stream, not Envoy. After `on_stream_complete` the filter is dropped;
/// `Drop` must not panic. All hooks have a default that lets everything pass.
pub trait HttpFilter<EHF: EnvoyHttpFilter> {
    /// The request headers have arrived. With `end_of_stream` there is no body: neither body nor
    /// trailers hook will follow.
    fn on_request_headers(
        &mut self,
        _envoy_filter: &mut EHF,
        _end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_request_headers_status {
        abi::envoy_dynamic_module_type_on_http_filter_request_headers_status::Continue
    }

    /// A chunk of the request body has arrived. The last one may be empty; with trailers to come,
    /// no chunk has `end_of_stream`.
    fn on_request_body(
        &mut self,
        _envoy_filter: &mut EHF,
        _end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_request_body_status {
        abi::envoy_dynamic_module_type_on_http_filter_request_body_status::Continue
    }

    /// The request trailers have arrived; the request is complete.
    fn on_request_trailers(
        &mut self,
        _envoy_filter: &mut EHF,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_request_trailers_status {
        abi::envoy_dynamic_module_type_on_http_filter_request_trailers_status::Continue
    }

    /// The response headers have arrived, from upstream or from a local reply of someone else.
    fn on_response_headers(
        &mut self,
        _envoy_filter: &mut EHF,
        _end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_response_headers_status {
        abi::envoy_dynamic_module_type_on_http_filter_response_headers_status::Continue
    }

    /// A chunk of the response body has arrived; as for the request.
    fn on_response_body(
        &mut self,
        _envoy_filter: &mut EHF,
        _end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_response_body_status {
        abi::envoy_dynamic_module_type_on_http_filter_response_body_status::Continue
    }

    /// The response trailers have arrived; the response is complete.
    fn on_response_trailers(
        &mut self,
        _envoy_filter: &mut EHF,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_response_trailers_status {
        abi::envoy_dynamic_module_type_on_http_filter_response_trailers_status::Continue
    }

    /// The stream is over, however it ended; access logs are written after this. Everything can
    /// still be read, metadata set and counters raised; nothing can be sent, resumed, called out or
    /// chosen again.
    fn on_stream_complete(&mut self, _envoy_filter: &mut EHF) {}

    /// A callout has ended. Headers and body are there only on `Success`.
    fn on_http_callout_done(
        &mut self,
        _envoy_filter: &mut EHF,
        _callout_id: u64,
        _result: abi::envoy_dynamic_module_type_http_callout_result,
        _response_headers: Option<&[(EnvoyBuffer<'_>, EnvoyBuffer<'_>)]>,
        _response_body: Option<&[EnvoyBuffer<'_>]>,
    ) {
    }

    /// Response headers on an HTTP stream of this filter (Envoy 1.37+).
    fn on_http_stream_headers(
        &mut self,
        _envoy_filter: &mut EHF,
        _stream_handle: u64,
        _response_headers: &[(EnvoyBuffer<'_>, EnvoyBuffer<'_>)],
        _end_stream: bool,
    ) {
    }

    /// Response data on an HTTP stream of this filter (Envoy 1.37+).
    fn on_http_stream_data(
        &mut self,
        _envoy_filter: &mut EHF,
        _stream_handle: u64,
        _response_data: &[EnvoyBuffer<'_>],
        _end_stream: bool,
    ) {
    }

    /// Response trailers on an HTTP stream of this filter (Envoy 1.37+).
    fn on_http_stream_trailers(
        &mut self,
        _envoy_filter: &mut EHF,
        _stream_handle: u64,
        _response_trailers: &[(EnvoyBuffer<'_>, EnvoyBuffer<'_>)],
    ) {
    }

    /// An HTTP stream of this filter is over; its handle is dead (Envoy 1.37+).
    fn on_http_stream_complete(&mut self, _envoy_filter: &mut EHF, _stream_handle: u64) {}

    /// An HTTP stream of this filter was reset; its handle is dead (Envoy 1.37+).
    fn on_http_stream_reset(
        &mut self,
        _envoy_filter: &mut EHF,
        _stream_handle: u64,
        _reset_reason: abi::envoy_dynamic_module_type_http_stream_reset_reason,
    ) {
    }

    /// A commit on a scheduler of this filter has arrived.
    fn on_scheduled(&mut self, _envoy_filter: &mut EHF, _event_id: u64) {}

    /// The client reads more slowly than the filter writes; of use to terminal filters (Envoy
    /// 1.37+).
    fn on_downstream_above_write_buffer_high_watermark(&mut self, _envoy_filter: &mut EHF) {}

    /// The client has caught up (Envoy 1.37+).
    fn on_downstream_below_write_buffer_low_watermark(&mut self, _envoy_filter: &mut EHF) {}

    /// A local reply is about to be sent, also the filter's own (Envoy 1.38+).
    fn on_local_reply(
        &mut self,
        _envoy_filter: &mut EHF,
        _response_code: u32,
        _details: EnvoyBuffer<'_>,
        _reset_imminent: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_local_reply_status {
        abi::envoy_dynamic_module_type_on_http_filter_local_reply_status::Continue
    }
}
