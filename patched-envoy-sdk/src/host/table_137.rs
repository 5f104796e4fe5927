//! The 1.37 family of callbacks: `{ptr, len}` travels by value, one function takes the header map
//! or body as an argument, labels are an array that may be empty.
//!
//! Resolved once when the host is Envoy 1.37 or later; these signatures are the same up to 1.40.

use super::raw::{Buf, ConfigPtr, FilterPtr, Pair, SchedulerPtr};
use super::symbols::callback_table;

callback_table! {
    /// Callbacks that every Envoy from 1.37 on exports, with signatures that differ from 1.36.
    required Table137 {
        log: fn(u32, Buf);

        http_get_header: fn(FilterPtr, u32, Buf, *mut Buf, usize, *mut usize) -> bool;
        http_get_headers_size: fn(FilterPtr, u32) -> usize;
        http_get_headers: fn(FilterPtr, u32, *mut Pair) -> bool;
        http_set_header: fn(FilterPtr, u32, Buf, Buf) -> bool;
        http_add_header: fn(FilterPtr, u32, Buf, Buf) -> bool;

        http_get_body_chunks_size: fn(FilterPtr, u32) -> usize;
        http_get_body_chunks: fn(FilterPtr, u32, *mut Buf) -> bool;
        http_get_body_size: fn(FilterPtr, u32) -> usize;
        http_append_body: fn(FilterPtr, u32, Buf) -> bool;
        http_drain_body: fn(FilterPtr, u32, usize) -> bool;

        http_send_response: fn(FilterPtr, u32, *const Pair, usize, Buf, Buf);
        http_send_response_data: fn(FilterPtr, Buf, bool);
        http_add_custom_flag: fn(FilterPtr, Buf);

        http_set_dynamic_metadata_number: fn(FilterPtr, Buf, Buf, f64);
        http_set_dynamic_metadata_string: fn(FilterPtr, Buf, Buf, Buf);
        http_get_metadata_number: fn(FilterPtr, u32, Buf, Buf, *mut f64) -> bool;
        http_get_metadata_string: fn(FilterPtr, u32, Buf, Buf, *mut Buf) -> bool;
        http_set_filter_state_bytes: fn(FilterPtr, Buf, Buf) -> bool;
        http_get_filter_state_bytes: fn(FilterPtr, Buf, *mut Buf) -> bool;
        http_filter_get_attribute_string: fn(FilterPtr, u32, *mut Buf) -> bool;

        http_filter_config_define_counter: fn(ConfigPtr, Buf, *const Buf, usize, *mut usize) -> u32;
        http_filter_config_define_gauge: fn(ConfigPtr, Buf, *const Buf, usize, *mut usize) -> u32;
        http_filter_config_define_histogram: fn(ConfigPtr, Buf, *const Buf, usize, *mut usize) -> u32;
        http_filter_increment_counter: fn(FilterPtr, usize, *const Buf, usize, u64) -> u32;
        http_filter_increment_gauge: fn(FilterPtr, usize, *const Buf, usize, u64) -> u32;
        http_filter_decrement_gauge: fn(FilterPtr, usize, *const Buf, usize, u64) -> u32;
        http_filter_set_gauge: fn(FilterPtr, usize, *const Buf, usize, u64) -> u32;
        http_filter_record_histogram_value: fn(FilterPtr, usize, *const Buf, usize, u64) -> u32;

        http_filter_http_callout: fn(FilterPtr, *mut u64, Buf, *const Pair, usize, Buf, u64) -> u32;
        http_filter_start_http_stream: fn(FilterPtr, *mut u64, Buf, *const Pair, usize, Buf, bool, u64) -> u32;
        http_stream_send_data: fn(FilterPtr, u64, Buf, bool) -> bool;
        http_stream_send_trailers: fn(FilterPtr, u64, *const Pair, usize) -> bool;
        http_filter_reset_http_stream: fn(FilterPtr, u64);

        http_filter_config_scheduler_new: fn(ConfigPtr) -> SchedulerPtr;
        http_filter_config_scheduler_commit: fn(SchedulerPtr, u64);
        http_filter_config_scheduler_delete: fn(SchedulerPtr);
    }
}
