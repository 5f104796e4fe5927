//! Answers in place of the upstream's, in the protocol that the client speaks.
//!
//! On workers. Envoy makes a gRPC status of an answer to a gRPC call, but takes from a module no other
//! status than 0, which stands for success: a call that is refused would look like one that went well.
//! So the status is sent along here.

use envoy_proxy_dynamic_modules_rust_sdk::EnvoyHttpFilter;

const GRPC_STATUS: &str = "grpc-status";

/// Ends the stream with `status` and no body; `details` are for the access log. A `grpc-status` among
/// `headers` is left alone.
pub(crate) fn send<EHF: EnvoyHttpFilter>(
    envoy: &mut EHF,
    status: u32,
    headers: &[(&str, &[u8])],
    details: &str,
) {
    let mut headers = headers.to_vec();
    let is_given = |(name, _): &(&str, &[u8])| name.eq_ignore_ascii_case(GRPC_STATUS);
    if is_grpc_call(envoy) && !headers.iter().any(is_given) {
        headers.push((GRPC_STATUS, grpc_status(status)));
    }
    envoy.send_response(status, &headers, None, Some(details));
}

/// As Envoy knows one: `application/grpc`, or that with a suffix such as `+proto`.
fn is_grpc_call<EHF: EnvoyHttpFilter>(envoy: &EHF) -> bool {
    let content_type = envoy.get_request_header_value("content-type");
    let suffix = content_type
        .as_ref()
        .and_then(|value| value.as_slice().strip_prefix(b"application/grpc"));
    suffix.is_some_and(|suffix| matches!(suffix.first(), None | Some(b'+')))
}

/// The status that gRPC has for an HTTP status, by its own table for clients without any better.
fn grpc_status(status: u32) -> &'static [u8] {
    match status {
        400 => b"13",                   // INTERNAL
        401 => b"16",                   // UNAUTHENTICATED
        403 => b"7",                    // PERMISSION_DENIED
        404 => b"12",                   // UNIMPLEMENTED
        429 | 502 | 503 | 504 => b"14", // UNAVAILABLE
        _ => b"2",                      // UNKNOWN
    }
}
