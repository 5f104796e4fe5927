//! Answering, resuming and ending the stream: the calls that may run other hooks of this filter.
//!
//! Only the slot calls these, with the filter back in its place; see `crate::slot`. Every function
//! wants `envoy` to be the live Envoy object of the stream, which may be gone when it returns.

use crate::capabilities::Capability;
use crate::host::raw::{Borrowed, Buf, FilterPtr};
use crate::host::{Family, Host, once};
use crate::stream::Stream;

/// # Safety
/// `envoy` is the live Envoy object of this stream.
pub(crate) unsafe fn continue_decoding(host: &Host, envoy: FilterPtr) {
    // SAFETY: the caller's promise.
    unsafe { (host.common.http_filter_continue_decoding)(envoy) }
}

/// # Safety
/// `envoy` is the live Envoy object of this stream.
pub(crate) unsafe fn continue_encoding(host: &Host, envoy: FilterPtr) {
    // SAFETY: the caller's promise.
    unsafe { (host.common.http_filter_continue_encoding)(envoy) }
}

/// Sends a local reply. Envoy resets the stream instead if response headers are already out.
/// 1.36 has no details and drops them.
///
/// # Safety
/// `envoy` is the live Envoy object of this stream.
pub(crate) unsafe fn send_response<K: AsRef<[u8]>, V: AsRef<[u8]>>(
    host: &Host,
    envoy: FilterPtr,
    status: u32,
    headers: &[(K, V)],
    body: &[u8],
    details: &str,
) {
    let headers = Borrowed::pairs(headers);
    let (lines, count) = (headers.as_ptr(), headers.len());
    let body = if body.is_empty() {
        Buf::EMPTY
    } else {
        Buf::of(body)
    };
    // SAFETY: the caller's promise; Envoy copies everything during the call.
    unsafe {
        match &host.family {
            Family::V136(table) => {
                (table.http_send_response)(envoy, status, lines, count, body.ptr, body.len);
            }
            Family::V137(table) => {
                let details = Buf::of(details.as_bytes());
                (table.http_send_response)(envoy, status, lines, count, body, details);
            }
        }
    }
}

/// # Safety
/// `envoy` is the live Envoy object of this stream.
pub(crate) unsafe fn send_headers<K: AsRef<[u8]>, V: AsRef<[u8]>>(
    host: &Host,
    envoy: FilterPtr,
    headers: &[(K, V)],
    end_stream: bool,
) {
    let headers = Borrowed::pairs(headers);
    let (lines, count) = (headers.as_ptr(), headers.len());
    // SAFETY: the caller's promise; Envoy copies the lines during the call.
    unsafe { (host.common.http_send_response_headers)(envoy, lines, count, end_stream) }
}

/// # Safety
/// `envoy` is the live Envoy object of this stream.
pub(crate) unsafe fn send_data(host: &Host, envoy: FilterPtr, data: &[u8], end_stream: bool) {
    let data = Buf::of(data);
    // SAFETY: the caller's promise; Envoy copies the data during the call.
    unsafe {
        match &host.family {
            Family::V136(table) => {
                (table.http_send_response_data)(envoy, data.ptr, data.len, end_stream);
            }
            Family::V137(table) => (table.http_send_response_data)(envoy, data, end_stream),
        }
    }
}

/// # Safety
/// `envoy` is the live Envoy object of this stream.
pub(crate) unsafe fn send_trailers<K: AsRef<[u8]>, V: AsRef<[u8]>>(
    host: &Host,
    envoy: FilterPtr,
    trailers: &[(K, V)],
) {
    let trailers = Borrowed::pairs(trailers);
    let (lines, count) = (trailers.as_ptr(), trailers.len());
    // SAFETY: the caller's promise; Envoy copies the lines during the call.
    unsafe { (host.common.http_send_response_trailers)(envoy, lines, count) }
}

/// Whether this stream can be reset on request: the host has the call, and the filter does not stand
/// where the call crashes every host.
pub(crate) fn can_reset(stream: &Stream) -> bool {
    stream.host.later.http_filter_reset_stream.is_some() && !stream.is_upstream()
}

/// Resets the stream, if it [can](can_reset) be.
///
/// # Safety
/// `envoy` is the live Envoy object of this stream.
pub(crate) unsafe fn reset_stream(host: &Host, envoy: FilterPtr, reason: u32, details: &str) {
    if let Some(reset) = host.later.http_filter_reset_stream {
        // SAFETY: the caller's promise; Envoy copies the details during the call.
        unsafe { reset(envoy, reason, Buf::of(details.as_bytes())) }
    }
}

/// # Safety
/// `envoy` is the live Envoy object of this stream.
pub(crate) unsafe fn go_away(host: &Host, envoy: FilterPtr, graceful: bool) {
    match host.later.http_filter_send_go_away_and_close {
        // SAFETY: the caller's promise.
        Some(send) => unsafe { send(envoy, graceful) },
        None => once::warn_unsupported(host, Capability::GoAway, "send_go_away_and_close"),
    }
}
