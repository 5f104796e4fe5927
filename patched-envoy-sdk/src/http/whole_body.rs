//! Copies of whole bodies, under the names the official crate gives them.

use super::{EnvoyHttpFilter, HttpMessage};

/// Copies the whole request body collected so far: buffered, then received, no byte twice.
///
/// Meant for the body hook at end of stream, or the trailers hook. Costs one allocation and one
/// copy; [`for_each_body_chunk`](super::EnvoyBodies::for_each_body_chunk) needs neither.
pub fn read_whole_request_body<EHF: EnvoyHttpFilter>(envoy_filter: &mut EHF) -> Vec<u8> {
    envoy_filter.copy_body(HttpMessage::Request)
}

/// Copies the whole response body collected so far; see [`read_whole_request_body`].
pub fn read_whole_response_body<EHF: EnvoyHttpFilter>(envoy_filter: &mut EHF) -> Vec<u8> {
    envoy_filter.copy_body(HttpMessage::Response)
}
