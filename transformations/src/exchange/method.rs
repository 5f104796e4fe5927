//! What the method of the request, and a response that switches protocols, mean for the bodies.

use crate::ops::TransformationOps;
use crate::stages::BodyAccess;

/// The method of the request, as far as bodies depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// The bodies have no end to wait for.
    Upgrade,
    /// The response has no body.
    Head,
    Other,
}

impl Method {
    pub(super) fn of_request(ops: &(impl TransformationOps + ?Sized)) -> Method {
        let mut method = Method::Other;
        ops.for_each_request_header_value(":method", &mut |value| match value {
            b"CONNECT" => method = Method::Upgrade,
            b"HEAD" => method = Method::Head,
            _ => {}
        });
        if method != Method::Upgrade {
            // The host has removed those that it does not let through.
            ops.for_each_request_header_value("upgrade", &mut |_| method = Method::Upgrade);
        }
        method
    }

    pub(super) fn request_access(self) -> BodyAccess {
        match self {
            Method::Upgrade => BodyAccess::HeadersOnly,
            Method::Head | Method::Other => BodyAccess::Whole,
        }
    }

    pub(super) fn response_access(self) -> BodyAccess {
        match self {
            Method::Upgrade => BodyAccess::HeadersOnly,
            Method::Head => BodyAccess::Absent,
            Method::Other => BodyAccess::Whole,
        }
    }
}

/// Whether the response opens a tunnel of another protocol.
pub(super) fn switches_protocols(ops: &(impl TransformationOps + ?Sized)) -> bool {
    has_status(ops, b"101")
}

/// Whether the response has this status.
pub(super) fn has_status(ops: &(impl TransformationOps + ?Sized), code: &[u8]) -> bool {
    let mut found = false;
    ops.for_each_response_header_value(":status", &mut |status| found |= status == code);
    found
}
