//! The hooks of one stream that Envoy takes no answer from. All on the stream's worker thread.

use std::ffi::c_void;

use super::{chunks, guarded, lines};
use crate::abi::envoy_dynamic_module_type_http_callout_result as CalloutResult;
use crate::abi::envoy_dynamic_module_type_http_stream_reset_reason as ResetReason;
use crate::capabilities::EnvoyVersion;
use crate::host::raw::{Buf, FilterPtr, Pair};
use crate::slot::Visit;
use crate::stream::event::{Event, Kind};

/// How a callout ended; a value we do not know is not a success.
pub(super) fn callout_result(raw: u32) -> CalloutResult {
    CalloutResult::from_raw(raw).unwrap_or(CalloutResult::Reset)
}

/// Why a stream was reset; a value we do not know is a reset all the same.
pub(super) fn reset_reason(raw: u32) -> ResetReason {
    ResetReason::from_raw(raw).unwrap_or(ResetReason::LocalReset)
}

/// # Safety
/// The live pair of objects of one stream, or a null `filter`.
unsafe fn tell(envoy: FilterPtr, filter: *const c_void, event: Event<'_>) {
    guarded(event.kind.hook(), (), || {
        // SAFETY: promised by the caller.
        if let Some(visit) = unsafe { Visit::enter(filter.cast(), envoy) } {
            visit.tell(event);
        }
    });
}

/// A callout has ended.
///
/// # Safety
/// Called by Envoy on the stream's worker with the live pair of objects of one stream, and with
/// arrays that stay while the call runs.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_http_callout_done(
    envoy: FilterPtr,
    filter: *const c_void,
    callout_id: u64,
    result: u32,
    headers: *const Pair,
    headers_len: usize,
    body: *const Buf,
    body_len: usize,
) {
    let narrow = crate::host::current().is_none_or(|host| host.version == EnvoyVersion::V1_36);
    let id = if narrow {
        callout_id & u64::from(u32::MAX)
    } else {
        callout_id
    };
    // SAFETY: Envoy keeps the arrays while the hook runs.
    let (lines, chunks) = unsafe { (lines(headers, headers_len), chunks(body, body_len)) };
    let kind = Kind::CalloutDone {
        id,
        result: callout_result(result),
        responded: headers_len > 0,
    };
    // SAFETY: the live pair.
    unsafe {
        tell(
            envoy,
            filter,
            Event {
                kind,
                lines: &lines,
                chunks: &chunks,
            },
        )
    }
}

/// Response headers on an HTTP stream of the filter.
///
/// # Safety
/// As for the callout.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_http_stream_headers(
    envoy: FilterPtr,
    filter: *const c_void,
    stream: u64,
    headers: *const Pair,
    headers_len: usize,
    end: bool,
) {
    // SAFETY: Envoy keeps the array while the hook runs.
    let lines = unsafe { lines(headers, headers_len) };
    let kind = Kind::StreamHeaders { stream, end };
    // SAFETY: the live pair.
    unsafe {
        tell(
            envoy,
            filter,
            Event {
                kind,
                lines: &lines,
                chunks: &[],
            },
        )
    }
}

/// Response data on an HTTP stream of the filter.
///
/// # Safety
/// As for the callout.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_http_stream_data(
    envoy: FilterPtr,
    filter: *const c_void,
    stream: u64,
    data: *const Buf,
    data_len: usize,
    end: bool,
) {
    // SAFETY: Envoy keeps the array while the hook runs.
    let chunks = unsafe { chunks(data, data_len) };
    let kind = Kind::StreamData { stream, end };
    // SAFETY: the live pair.
    unsafe {
        tell(
            envoy,
            filter,
            Event {
                kind,
                lines: &[],
                chunks: &chunks,
            },
        )
    }
}

/// Response trailers on an HTTP stream of the filter.
///
/// # Safety
/// As for the callout.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_http_stream_trailers(
    envoy: FilterPtr,
    filter: *const c_void,
    stream: u64,
    trailers: *const Pair,
    trailers_len: usize,
) {
    // SAFETY: Envoy keeps the array while the hook runs.
    let lines = unsafe { lines(trailers, trailers_len) };
    let kind = Kind::StreamTrailers { stream };
    // SAFETY: the live pair.
    unsafe {
        tell(
            envoy,
            filter,
            Event {
                kind,
                lines: &lines,
                chunks: &[],
            },
        )
    }
}

/// An event that brings at most numbers.
macro_rules! bare_hooks {
    ($($export:ident($($arg:ident: $type:ty),*) => $kind:expr;)*) => {$(
        /// See `HttpFilter`.
        ///
        /// # Safety
        /// Called by Envoy on the stream's worker with the live pair of objects of one stream.
        #[unsafe(no_mangle)]
        pub(super) unsafe extern "C" fn $export(
            envoy: FilterPtr,
            filter: *const c_void,
            $($arg: $type,)*
        ) {
            // SAFETY: the live pair.
            unsafe { tell(envoy, filter, Event::bare($kind)) }
        }
    )*};
}

bare_hooks! {
    envoy_dynamic_module_on_http_filter_http_stream_complete(stream: u64)
        => Kind::StreamComplete { stream };
    envoy_dynamic_module_on_http_filter_http_stream_reset(stream: u64, reason: u32)
        => Kind::StreamReset { stream, reason: reset_reason(reason) };
    envoy_dynamic_module_on_http_filter_scheduled(event: u64)
        => Kind::Scheduled { event };
    envoy_dynamic_module_on_http_filter_stream_complete()
        => Kind::Complete;
    envoy_dynamic_module_on_http_filter_downstream_above_write_buffer_high_watermark()
        => Kind::AboveHighWatermark;
    envoy_dynamic_module_on_http_filter_downstream_below_write_buffer_low_watermark()
        => Kind::BelowLowWatermark;
}
