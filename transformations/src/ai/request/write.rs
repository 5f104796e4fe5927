//! What a request is told to be, once it was made. On the worker of the exchange.

use crate::applied::{Applied, BodyChange};
use crate::http::DIGESTS;
use crate::ops::TransformationOps;

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

/// How long a body has become.
#[derive(Clone, Copy)]
pub(super) enum Length {
    Is(usize),
    /// By so much more than it was told to be: the rest of it is not here.
    Grows(i64),
}

/// Says of the request that its body has another length now.
pub(super) fn describe(
    length: Length,
    ops: &mut (impl TransformationOps + ?Sized),
    applied: &mut Applied,
) {
    applied.body = BodyChange::Replaced;
    applied.headers = true;
    let mut told = None;
    ops.for_each_request_header_value("content-length", &mut |value| told = Some(number(value)));
    if let Some(told) = told {
        let length = match length {
            Length::Is(length) => u64::try_from(length).ok(),
            Length::Grows(by) => told.and_then(|told| told.checked_add_signed(by)),
        };
        let is_told = match length {
            Some(length) => {
                let mut digits = itoa::Buffer::new();
                ops.set_request_header("content-length", digits.format(length).as_bytes())
            }
            // It is told by the end of the body then.
            None => ops.remove_request_header("content-length"),
        };
        applied.refused += u32::from(!is_told);
    }
    // They were about other bytes.
    for name in DIGESTS {
        ops.remove_request_header(name);
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.trim().parse().ok()
}
