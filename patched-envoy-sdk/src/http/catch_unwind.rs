//! The official crate's opt-in panic wrapper, kept so that filters that use it compile.

use super::{EnvoyHttpFilter, HttpFilter};
use crate::abi;
use crate::buffer::EnvoyBuffer;

/// Passes every hook on to the filter inside.
///
/// In the official crate this is how a filter asks for its panics to be caught. Here every exported
/// hook is guarded anyway, so the wrapper has nothing left to do: a panic goes through it to that
/// guard, which answers 500 on the request path and resets on the response path.
pub struct CatchUnwind<F> {
    filter: F,
}

impl<F> CatchUnwind<F> {
    /// Wraps a filter.
    pub fn new(filter: F) -> Self {
        Self { filter }
    }
}

impl<EHF: EnvoyHttpFilter, F: HttpFilter<EHF>> HttpFilter<EHF> for CatchUnwind<F> {
    fn on_request_headers(
        &mut self,
        envoy_filter: &mut EHF,
        end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_request_headers_status {
        self.filter.on_request_headers(envoy_filter, end_of_stream)
    }

    fn on_request_body(
        &mut self,
        envoy_filter: &mut EHF,
        end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_request_body_status {
        self.filter.on_request_body(envoy_filter, end_of_stream)
    }

    fn on_request_trailers(
        &mut self,
        envoy_filter: &mut EHF,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_request_trailers_status {
        self.filter.on_request_trailers(envoy_filter)
    }

    fn on_response_headers(
        &mut self,
        envoy_filter: &mut EHF,
        end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_response_headers_status {
        self.filter.on_response_headers(envoy_filter, end_of_stream)
    }

    fn on_response_body(
        &mut self,
        envoy_filter: &mut EHF,
        end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_response_body_status {
        self.filter.on_response_body(envoy_filter, end_of_stream)
    }

    fn on_response_trailers(
        &mut self,
        envoy_filter: &mut EHF,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_response_trailers_status {
        self.filter.on_response_trailers(envoy_filter)
    }

    fn on_stream_complete(&mut self, envoy_filter: &mut EHF) {
        self.filter.on_stream_complete(envoy_filter);
    }

    fn on_http_callout_done(
        &mut self,
        envoy_filter: &mut EHF,
        callout_id: u64,
        result: abi::envoy_dynamic_module_type_http_callout_result,
        response_headers: Option<&[(EnvoyBuffer<'_>, EnvoyBuffer<'_>)]>,
        response_body: Option<&[EnvoyBuffer<'_>]>,
    ) {
        self.filter.on_http_callout_done(
            envoy_filter,
            callout_id,
            result,
            response_headers,
            response_body,
        );
    }

    fn on_http_stream_headers(
        &mut self,
        envoy_filter: &mut EHF,
        stream_handle: u64,
        response_headers: &[(EnvoyBuffer<'_>, EnvoyBuffer<'_>)],
        end_stream: bool,
    ) {
        self.filter.on_http_stream_headers(
            envoy_filter,
            stream_handle,
            response_headers,
            end_stream,
        );
    }

    fn on_http_stream_data(
        &mut self,
        envoy_filter: &mut EHF,
        stream_handle: u64,
        response_data: &[EnvoyBuffer<'_>],
        end_stream: bool,
    ) {
        self.filter
            .on_http_stream_data(envoy_filter, stream_handle, response_data, end_stream);
    }

    fn on_http_stream_trailers(
        &mut self,
        envoy_filter: &mut EHF,
        stream_handle: u64,
        response_trailers: &[(EnvoyBuffer<'_>, EnvoyBuffer<'_>)],
    ) {
        self.filter
            .on_http_stream_trailers(envoy_filter, stream_handle, response_trailers);
    }

    fn on_http_stream_complete(&mut self, envoy_filter: &mut EHF, stream_handle: u64) {
        self.filter
            .on_http_stream_complete(envoy_filter, stream_handle);
    }

    fn on_http_stream_reset(
        &mut self,
        envoy_filter: &mut EHF,
        stream_handle: u64,
        reset_reason: abi::envoy_dynamic_module_type_http_stream_reset_reason,
    ) {
        self.filter
            .on_http_stream_reset(envoy_filter, stream_handle, reset_reason);
    }

    fn on_scheduled(&mut self, envoy_filter: &mut EHF, event_id: u64) {
        self.filter.on_scheduled(envoy_filter, event_id);
    }

    fn on_downstream_above_write_buffer_high_watermark(&mut self, envoy_filter: &mut EHF) {
        self.filter
            .on_downstream_above_write_buffer_high_watermark(envoy_filter);
    }

    fn on_downstream_below_write_buffer_low_watermark(&mut self, envoy_filter: &mut EHF) {
        self.filter
            .on_downstream_below_write_buffer_low_watermark(envoy_filter);
    }

    fn on_local_reply(
        &mut self,
        envoy_filter: &mut EHF,
        response_code: u32,
        details: EnvoyBuffer<'_>,
        reset_imminent: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_local_reply_status {
        self.filter
            .on_local_reply(envoy_filter, response_code, details, reset_imminent)
    }
}
