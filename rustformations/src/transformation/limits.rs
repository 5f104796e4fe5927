//! Bodies larger than Envoy will hold, as they came or as a rule made them: raising the limit
//! beforehand, and saying afterwards which setting would have let a message pass.
//!
//! Used by a stream's filter and its host on the worker. Envoy answers a request that
//! is too large with 413 and a response with 500, on its own; a filter sees no more of it than
//! the details of that reply, once the stream is over.

use envoy_proxy_dynamic_modules_rust_sdk::prelude::*;
use transformations::Direction;

/// How many bytes a stream may hold of a body in memory of its own; none if Envoy is to hold it.
///
/// Envoy holds what no configuration speaks of, so that its own limit stays in force: before 1.38 nobody
/// can ask for that, and a body that is too large is to be answered alike in every Envoy. Where a size is
/// wanted, Envoy's limit counts if it is higher.
///
/// Neither way is dearer for sure. By the rows of `loopback` on Envoy 1.39.3, CPU to no filter, medians of
/// five runs in turn on a busy machine: chat by patch 1.37 with Envoy and 1.38 here, 64 KiB by patch 1.41
/// and 1.31. Single runs of either differ by 0.1 and more.
pub(super) fn hold_at_most<EHF: EnvoyHttpFilter>(envoy: &EHF, wanted: Option<u64>) -> Option<u64> {
    let wanted = wanted?;
    if !can_raise(envoy) {
        return Some(wanted);
    }
    match envoy.get_buffer_limit() {
        // No limit at all.
        0 => None,
        limit => Some(wanted.max(limit)),
    }
}

/// Raises what Envoy may hold of this stream to `wanted` bytes, if that is more than now and Envoy
/// can do it. The limit is one for both directions.
pub(super) fn raise<EHF: EnvoyHttpFilter>(envoy: &mut EHF, wanted: Option<u64>) {
    let Some(wanted) = wanted else { return };
    if !can_raise(envoy) {
        return;
    }
    let limit = envoy.get_buffer_limit();
    // No limit at all is 0.
    if limit != 0 && limit < wanted {
        envoy.set_buffer_limit(wanted);
    }
}

/// Whether Envoy ended the stream because `held`, the message that this filter was holding, was too
/// large.
///
/// Before Envoy 1.39 a filter cannot ask for the details of a reply; its status says as much, as
/// long as the held message is known: nobody behind this filter has seen it.
pub(super) fn was_too_large<EHF: EnvoyHttpFilter>(envoy: &EHF, held: HttpMessage) -> bool {
    let (details, status) = match held {
        HttpMessage::Request => ("request_payload_too_large", 413),
        HttpMessage::Response => ("response_payload_too_large", 500),
    };
    match envoy.get_attribute_string(AttributeId::ResponseCodeDetails) {
        Some(found) => found.as_slice() == details.as_bytes(),
        None => envoy.get_attribute_int(AttributeId::ResponseCode) == Some(status),
    }
}

/// Whether Envoy ended the stream because of what this filter wrote into `written`. Never where the
/// limit can be raised, since it was. Of a response, only to be asked if its own status was not 500.
pub(super) fn became_too_large<EHF: EnvoyHttpFilter>(envoy: &EHF, written: HttpMessage) -> bool {
    // A request that was refused here has met nobody who could have refused it.
    let is_from_here = || match written {
        HttpMessage::Request => envoy
            .get_attribute_string(AttributeId::UpstreamAddress)
            .is_none(),
        HttpMessage::Response => true,
    };
    !can_raise(envoy) && was_too_large(envoy, written) && is_from_here()
}

/// Whether this Envoy can raise its limit for a stream.
pub(super) fn can_raise<EHF: EnvoyHttpFilter>(envoy: &EHF) -> bool {
    envoy.capabilities().has(Capability::BufferLimit)
}

/// What to do about a body that is too large.
pub(super) fn advice(direction: Direction) -> String {
    let (name, kgateway) = match direction {
        Direction::Request => (
            "request",
            "ListenerPolicy perConnectionBufferLimitBytes or TrafficPolicy buffer.maxRequestSize",
        ),
        Direction::Response => ("response", "ListenerPolicy perConnectionBufferLimitBytes"),
    };
    format!(
        "a {name} body is larger than Envoy may hold, and this transform reads or writes it: raise \
         per_connection_buffer_limit_bytes of the listener (in kgateway: {kgateway}), or set \
         {name}.maxBodyBytes in the transform"
    )
}
