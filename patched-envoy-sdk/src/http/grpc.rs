//! Replies to gRPC calls.
//!
//! Envoy makes a gRPC status of a local reply to a gRPC call, but takes from a module no other than 0,
//! which stands for success: a call that is refused would look like one that went well. So the status is
//! sent along, by every host of this crate.

/// The header with the status of a call.
pub(crate) const STATUS: &str = "grpc-status";

/// Whether a request with this `content-type` is a gRPC call, as Envoy sees it: `application/grpc`, or
/// that with a suffix such as `+proto`.
pub(crate) fn is_call(content_type: &[u8]) -> bool {
    let suffix = content_type.strip_prefix(b"application/grpc");
    suffix.is_some_and(|suffix| matches!(suffix.first(), None | Some(b'+')))
}

/// The status that gRPC has for an HTTP status, by its own table for clients without any better. None
/// for a success, which Envoy gets right.
fn status_of(http: u32) -> Option<&'static str> {
    match http {
        200..=299 => None,
        400 => Some("13"),                   // INTERNAL
        401 => Some("16"),                   // UNAUTHENTICATED
        403 => Some("7"),                    // PERMISSION_DENIED
        404 => Some("12"),                   // UNIMPLEMENTED
        429 | 502 | 503 | 504 => Some("14"), // UNAVAILABLE
        _ => Some("2"),                      // UNKNOWN
    }
}

/// The status to send along with a reply to a gRPC call, unless its headers have one.
pub(crate) fn status_for<'h>(
    http: u32,
    names: impl IntoIterator<Item = &'h str>,
) -> Option<&'static str> {
    let mut names = names.into_iter();
    status_of(http).filter(|_| !names.any(|name| name.eq_ignore_ascii_case(STATUS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_told_by_their_content_type() {
        for call in ["application/grpc", "application/grpc+proto"] {
            assert!(is_call(call.as_bytes()), "{call}");
        }
        for other in ["application/json", "application/grpc-web", ""] {
            assert!(!is_call(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn a_reply_that_says_its_status_is_left_alone() {
        assert_eq!(status_for(403, ["x-a"]), Some("7"));
        assert_eq!(status_for(418, []), Some("2"));
        assert_eq!(status_for(403, ["Grpc-Status"]), None);
        assert_eq!(status_for(200, []), None);
    }
}
