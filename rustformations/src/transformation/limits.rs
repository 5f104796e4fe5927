//! Bodies larger than Envoy will hold, as they came or as a rule made them: raising the limit
//! beforehand, and saying afterwards which setting would have let a message pass.
//!
//! Used by the stream's state machine and its host on the worker. Envoy answers a request that
//! is too large with 413 and a response with 500, on its own; a filter sees no more of it than
//! the details of that reply, once the stream is over.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_attribute_id as AttributeId;
use envoy_proxy_dynamic_modules_rust_sdk::{
    Capability, EnvoyHttpFilter, HttpMessage, envoy_log_debug, envoy_log_warn,
};

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

/// Says what to do about it: as a warning once a minute, since a client can do this at will.
pub(super) fn explain(message: HttpMessage) {
    static NEXT_REQUEST: AtomicU64 = AtomicU64::new(0);
    static NEXT_RESPONSE: AtomicU64 = AtomicU64::new(0);
    let (next, name, kgateway) = match message {
        HttpMessage::Request => (
            &NEXT_REQUEST,
            "request",
            "ListenerPolicy perConnectionBufferLimitBytes or TrafficPolicy buffer.maxRequestSize",
        ),
        HttpMessage::Response => (
            &NEXT_RESPONSE,
            "response",
            "ListenerPolicy perConnectionBufferLimitBytes",
        ),
    };
    let sentence = format!(
        "a {name} body is larger than Envoy may hold, and this transform reads or writes it: raise \
         per_connection_buffer_limit_bytes of the listener (in kgateway: {kgateway}), or set \
         {name}.maxBodyBytes in the transform (Envoy 1.38 and later)"
    );
    if is_due(next) {
        envoy_log_warn!("{sentence}");
    } else {
        envoy_log_debug!("{sentence}");
    }
}

/// Whether a minute has passed since this last answered yes.
fn is_due(next: &AtomicU64) -> bool {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let due = next.load(Ordering::Relaxed);
    // Of several workers, the one that moves the time forward speaks.
    now >= due
        && next
            .compare_exchange(due, now + 60, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_due_once_a_minute() {
        let next = AtomicU64::new(0);
        assert!(is_due(&next));
        assert!(!is_due(&next));
        next.fetch_sub(61, Ordering::Relaxed);
        assert!(is_due(&next));
    }
}
