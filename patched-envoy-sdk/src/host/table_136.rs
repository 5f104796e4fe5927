//! The 1.36 family of callbacks: strings travel as two scalars, one function per header map and
//! body, counters with and without labels are different functions.
//!
//! Resolved once when the host is Envoy 1.36.3 or later in the 1.36 line. Never shares a function
//! type with the 1.37 family: a `{ptr, len}` struct that no longer fits the argument registers goes
//! to the stack whole, while two scalars are split between register and stack.

use super::raw::{Buf, ConfigPtr, FilterPtr, Pair};
use super::symbols::callback_table;

callback_table! {
    /// Callbacks whose signature is particular to 1.36.
    required Table136 {
        log: fn(u32, *const u8, usize);

        http_get_request_header: fn(FilterPtr, *const u8, usize, *mut *const u8, *mut usize, usize) -> usize;
        http_get_request_trailer: fn(FilterPtr, *const u8, usize, *mut *const u8, *mut usize, usize) -> usize;
        http_get_response_header: fn(FilterPtr, *const u8, usize, *mut *const u8, *mut usize, usize) -> usize;
        http_get_response_trailer: fn(FilterPtr, *const u8, usize, *mut *const u8, *mut usize, usize) -> usize;
        http_get_request_headers_count: fn(FilterPtr) -> usize;
        http_get_request_trailers_count: fn(FilterPtr) -> usize;
        http_get_response_headers_count: fn(FilterPtr) -> usize;
        http_get_response_trailers_count: fn(FilterPtr) -> usize;
        http_get_request_headers: fn(FilterPtr, *mut Pair) -> bool;
        http_get_request_trailers: fn(FilterPtr, *mut Pair) -> bool;
        http_get_response_headers: fn(FilterPtr, *mut Pair) -> bool;
        http_get_response_trailers: fn(FilterPtr, *mut Pair) -> bool;
        http_set_request_header: fn(FilterPtr, *const u8, usize, *const u8, usize) -> bool;
        http_set_request_trailer: fn(FilterPtr, *const u8, usize, *const u8, usize) -> bool;
        http_set_response_header: fn(FilterPtr, *const u8, usize, *const u8, usize) -> bool;
        http_set_response_trailer: fn(FilterPtr, *const u8, usize, *const u8, usize) -> bool;

        http_get_received_request_body_vector_size: fn(FilterPtr, *mut usize) -> bool;
        http_get_buffered_request_body_vector_size: fn(FilterPtr, *mut usize) -> bool;
        http_get_received_response_body_vector_size: fn(FilterPtr, *mut usize) -> bool;
        http_get_buffered_response_body_vector_size: fn(FilterPtr, *mut usize) -> bool;
        http_get_received_request_body_vector: fn(FilterPtr, *mut Buf) -> bool;
        http_get_buffered_request_body_vector: fn(FilterPtr, *mut Buf) -> bool;
        http_get_received_response_body_vector: fn(FilterPtr, *mut Buf) -> bool;
        http_get_buffered_response_body_vector: fn(FilterPtr, *mut Buf) -> bool;
        http_append_received_request_body: fn(FilterPtr, *const u8, usize) -> bool;
        http_append_buffered_request_body: fn(FilterPtr, *const u8, usize) -> bool;
        http_append_received_response_body: fn(FilterPtr, *const u8, usize) -> bool;
        http_append_buffered_response_body: fn(FilterPtr, *const u8, usize) -> bool;
        http_drain_received_request_body: fn(FilterPtr, usize) -> bool;
        http_drain_buffered_request_body: fn(FilterPtr, usize) -> bool;
        http_drain_received_response_body: fn(FilterPtr, usize) -> bool;
        http_drain_buffered_response_body: fn(FilterPtr, usize) -> bool;

        http_send_response: fn(FilterPtr, u32, *const Pair, usize, *const u8, usize);
        http_send_response_data: fn(FilterPtr, *const u8, usize, bool);

        http_set_dynamic_metadata_number: fn(FilterPtr, *const u8, usize, *const u8, usize, f64) -> bool;
        http_set_dynamic_metadata_string: fn(FilterPtr, *const u8, usize, *const u8, usize, *const u8, usize) -> bool;
        http_get_metadata_number: fn(FilterPtr, u32, *const u8, usize, *const u8, usize, *mut f64) -> bool;
        http_get_metadata_string: fn(FilterPtr, u32, *const u8, usize, *const u8, usize, *mut *const u8, *mut usize) -> bool;
        http_set_filter_state_bytes: fn(FilterPtr, *const u8, usize, *const u8, usize) -> bool;
        http_get_filter_state_bytes: fn(FilterPtr, *const u8, usize, *mut *const u8, *mut usize) -> bool;
        http_filter_get_attribute_string: fn(FilterPtr, u32, *mut *const u8, *mut usize) -> bool;

        http_filter_config_define_counter: fn(ConfigPtr, *const u8, usize, *mut usize) -> u32;
        http_filter_config_define_counter_vec: fn(ConfigPtr, *const u8, usize, *const Buf, usize, *mut usize) -> u32;
        http_filter_config_define_gauge: fn(ConfigPtr, *const u8, usize, *mut usize) -> u32;
        http_filter_config_define_gauge_vec: fn(ConfigPtr, *const u8, usize, *const Buf, usize, *mut usize) -> u32;
        http_filter_config_define_histogram: fn(ConfigPtr, *const u8, usize, *mut usize) -> u32;
        http_filter_config_define_histogram_vec: fn(ConfigPtr, *const u8, usize, *const Buf, usize, *mut usize) -> u32;
        http_filter_increment_counter: fn(FilterPtr, usize, u64) -> u32;
        http_filter_increment_counter_vec: fn(FilterPtr, usize, *const Buf, usize, u64) -> u32;
        http_filter_increase_gauge: fn(FilterPtr, usize, u64) -> u32;
        http_filter_increase_gauge_vec: fn(FilterPtr, usize, *const Buf, usize, u64) -> u32;
        http_filter_decrease_gauge: fn(FilterPtr, usize, u64) -> u32;
        http_filter_decrease_gauge_vec: fn(FilterPtr, usize, *const Buf, usize, u64) -> u32;
        http_filter_set_gauge: fn(FilterPtr, usize, u64) -> u32;
        http_filter_set_gauge_vec: fn(FilterPtr, usize, *const Buf, usize, u64) -> u32;
        http_filter_record_histogram_value: fn(FilterPtr, usize, u64) -> u32;
        http_filter_record_histogram_value_vec: fn(FilterPtr, usize, *const Buf, usize, u64) -> u32;

        http_filter_http_callout: fn(FilterPtr, u32, *const u8, usize, *const Pair, usize, *const u8, usize, u64) -> u32;
    }
}
