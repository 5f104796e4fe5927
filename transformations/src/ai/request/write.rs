//! What a request is told to be, once it was made. On the worker of the exchange.

use crate::http::DIGESTS;
use crate::ops::TransformationOps;
use crate::stages::{Applied, BodyChange};

/// Gives a header one value.
pub(super) fn set(
    name: &str,
    value: &str,
    ops: &mut (impl TransformationOps + ?Sized),
    applied: &mut Applied,
) {
    applied.headers = true;
    applied.refused += u32::from(!ops.set_request_header(name, value.as_bytes()));
}

/// Says of the request that its body has another `length` now.
pub(super) fn describe(
    length: usize,
    ops: &mut (impl TransformationOps + ?Sized),
    applied: &mut Applied,
) {
    applied.body = BodyChange::Replaced;
    applied.headers = true;
    let mut has_length = false;
    ops.for_each_request_header_value("content-length", &mut |_| has_length = true);
    if has_length {
        let mut digits = itoa::Buffer::new();
        let length = digits.format(length).as_bytes();
        applied.refused += u32::from(!ops.set_request_header("content-length", length));
    }
    // They were about other bytes.
    for name in DIGESTS {
        ops.remove_request_header(name);
    }
}
