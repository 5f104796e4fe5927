//! The statuses of both directions as one type each: their values are the same.

use crate::abi::{
    envoy_dynamic_module_type_on_http_filter_request_body_status as RequestBody,
    envoy_dynamic_module_type_on_http_filter_request_headers_status as RequestHeaders,
    envoy_dynamic_module_type_on_http_filter_request_trailers_status as RequestTrailers,
    envoy_dynamic_module_type_on_http_filter_response_body_status as ResponseBody,
    envoy_dynamic_module_type_on_http_filter_response_headers_status as ResponseHeaders,
    envoy_dynamic_module_type_on_http_filter_response_trailers_status as ResponseTrailers,
};
use crate::{HttpFilter, HttpMessage};

use crate::testing::FakeEnvoy;

/// Calls the headers hook of this direction.
pub(super) fn headers(
    message: HttpMessage,
    filter: &mut dyn HttpFilter<FakeEnvoy>,
    envoy: &mut FakeEnvoy,
    end: bool,
) -> RequestHeaders {
    match message {
        HttpMessage::Request => filter.on_request_headers(envoy, end),
        HttpMessage::Response => match filter.on_response_headers(envoy, end) {
            ResponseHeaders::Continue => RequestHeaders::Continue,
            ResponseHeaders::StopIteration => RequestHeaders::StopIteration,
            ResponseHeaders::ContinueAndDontEndStream => RequestHeaders::ContinueAndDontEndStream,
            ResponseHeaders::StopAllIterationAndBuffer => RequestHeaders::StopAllIterationAndBuffer,
            ResponseHeaders::StopAllIterationAndWatermark => {
                RequestHeaders::StopAllIterationAndWatermark
            }
        },
    }
}

/// Calls the body hook of this direction.
pub(super) fn body(
    message: HttpMessage,
    filter: &mut dyn HttpFilter<FakeEnvoy>,
    envoy: &mut FakeEnvoy,
    end: bool,
) -> RequestBody {
    match message {
        HttpMessage::Request => filter.on_request_body(envoy, end),
        HttpMessage::Response => match filter.on_response_body(envoy, end) {
            ResponseBody::Continue => RequestBody::Continue,
            ResponseBody::StopIterationAndBuffer => RequestBody::StopIterationAndBuffer,
            ResponseBody::StopIterationAndWatermark => RequestBody::StopIterationAndWatermark,
            ResponseBody::StopIterationNoBuffer => RequestBody::StopIterationNoBuffer,
        },
    }
}

/// Calls the trailers hook of this direction; true is Continue.
pub(super) fn trailers(
    message: HttpMessage,
    filter: &mut dyn HttpFilter<FakeEnvoy>,
    envoy: &mut FakeEnvoy,
) -> bool {
    match message {
        HttpMessage::Request => filter.on_request_trailers(envoy) == RequestTrailers::Continue,
        HttpMessage::Response => filter.on_response_trailers(envoy) == ResponseTrailers::Continue,
    }
}
