//! Callbacks that every supported Envoy exports with one and the same C signature.
//!
//! Resolved once; called through [`Host`](super::Host) on whatever thread the caller is on.

use std::ffi::c_void;

use super::raw::{FilterPtr, Pair, SchedulerPtr};
use super::symbols::callback_table;

callback_table! {
    /// The part of the ABI that did not change from 1.36.4 to 1.40.
    required Common {
        log_enabled: fn(u32) -> bool;
        get_most_specific_route_config: fn(FilterPtr) -> *const c_void;
        http_clear_route_cache: fn(FilterPtr);
        http_filter_continue_decoding: fn(FilterPtr);
        http_filter_continue_encoding: fn(FilterPtr);
        http_filter_get_attribute_int: fn(FilterPtr, u32, *mut u64) -> bool;
        http_filter_scheduler_new: fn(FilterPtr) -> SchedulerPtr;
        http_filter_scheduler_commit: fn(SchedulerPtr, u64);
        http_filter_scheduler_delete: fn(SchedulerPtr);
        http_send_response_headers: fn(FilterPtr, *const Pair, usize, bool);
        http_send_response_trailers: fn(FilterPtr, *const Pair, usize);
    }
}
