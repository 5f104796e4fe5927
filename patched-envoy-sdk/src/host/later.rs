//! Callbacks that only later Envoys have: each is an `Option`, and its absence is a capability that
//! the host lacks.
//!
//! Resolved once on every host. On 1.36 and 1.37 nearly all of them are `None`.

use std::ffi::c_void;

use super::raw::{Buf, ConfigPtr, FilterPtr, Pair, SpanPtr};
use super::symbols::callback_table;

callback_table! {
    /// What 1.38, 1.39 and 1.40 added, in the order of the release that added it.
    optional Later {
        // 1.38
        http_received_buffered_request_body: fn(FilterPtr) -> bool;
        http_received_buffered_response_body: fn(FilterPtr) -> bool;
        http_filter_get_attribute_bool: fn(FilterPtr, u32, *mut bool) -> bool;
        http_filter_get_worker_index: fn(FilterPtr) -> u32;
        http_get_buffer_limit: fn(FilterPtr) -> u64;
        http_set_buffer_limit: fn(FilterPtr, u64);
        http_filter_reset_stream: fn(FilterPtr, u32, Buf);
        http_filter_send_go_away_and_close: fn(FilterPtr, bool);
        http_filter_recreate_stream: fn(FilterPtr, *const Pair, usize) -> bool;
        http_clear_route_cluster_cache: fn(FilterPtr);
        http_set_upstream_override_host: fn(FilterPtr, Buf, bool) -> bool;
        http_get_cluster_name: fn(FilterPtr, *mut Buf) -> bool;
        http_get_cluster_host_count: fn(FilterPtr, u32, *mut usize, *mut usize, *mut usize) -> bool;

        http_set_dynamic_metadata_bool: fn(FilterPtr, Buf, Buf, bool);
        http_get_metadata_bool: fn(FilterPtr, u32, Buf, Buf, *mut bool) -> bool;
        http_get_metadata_keys_count: fn(FilterPtr, u32, Buf) -> usize;
        http_get_metadata_keys: fn(FilterPtr, u32, Buf, *mut Buf) -> bool;
        http_get_metadata_namespaces_count: fn(FilterPtr, u32) -> usize;
        http_get_metadata_namespaces: fn(FilterPtr, u32, *mut Buf) -> bool;
        http_add_dynamic_metadata_list_number: fn(FilterPtr, Buf, Buf, f64) -> bool;
        http_add_dynamic_metadata_list_string: fn(FilterPtr, Buf, Buf, Buf) -> bool;
        http_add_dynamic_metadata_list_bool: fn(FilterPtr, Buf, Buf, bool) -> bool;
        http_get_metadata_list_size: fn(FilterPtr, u32, Buf, Buf, *mut usize) -> bool;
        http_get_metadata_list_number: fn(FilterPtr, u32, Buf, Buf, usize, *mut f64) -> bool;
        http_get_metadata_list_string: fn(FilterPtr, u32, Buf, Buf, usize, *mut Buf) -> bool;
        http_get_metadata_list_bool: fn(FilterPtr, u32, Buf, Buf, usize, *mut bool) -> bool;

        http_set_filter_state_typed: fn(FilterPtr, Buf, Buf) -> bool;
        http_get_filter_state_typed: fn(FilterPtr, Buf, *mut Buf) -> bool;

        http_set_socket_option_int: fn(FilterPtr, i64, i64, u32, u32, i64) -> bool;
        http_set_socket_option_bytes: fn(FilterPtr, i64, i64, u32, u32, Buf) -> bool;
        http_get_socket_option_int: fn(FilterPtr, i64, i64, u32, u32, *mut i64) -> bool;
        http_get_socket_option_bytes: fn(FilterPtr, i64, i64, u32, u32, *mut Buf) -> bool;

        http_get_active_span: fn(FilterPtr) -> SpanPtr;
        http_span_set_tag: fn(SpanPtr, Buf, Buf);
        http_span_set_operation: fn(SpanPtr, Buf);
        http_span_log: fn(FilterPtr, SpanPtr, Buf);
        http_span_set_sampled: fn(SpanPtr, bool);
        http_span_get_baggage: fn(SpanPtr, Buf, *mut Buf) -> bool;
        http_span_set_baggage: fn(SpanPtr, Buf, Buf);
        http_span_get_trace_id: fn(SpanPtr, *mut Buf) -> bool;
        http_span_get_span_id: fn(SpanPtr, *mut Buf) -> bool;
        http_span_spawn_child: fn(FilterPtr, SpanPtr, Buf) -> SpanPtr;
        http_child_span_finish: fn(SpanPtr);

        http_filter_config_http_callout: fn(ConfigPtr, *mut u64, Buf, *const Pair, usize, Buf, u64) -> u32;
        http_filter_config_start_http_stream: fn(ConfigPtr, *mut u64, Buf, *const Pair, usize, Buf, bool, u64) -> u32;
        http_filter_config_reset_http_stream: fn(ConfigPtr, u64);
        http_filter_config_stream_send_data: fn(ConfigPtr, u64, Buf, bool) -> bool;
        http_filter_config_stream_send_trailers: fn(ConfigPtr, u64, *const Pair, usize) -> bool;

        get_concurrency: fn() -> u32;
        is_validation_mode: fn() -> bool;
        register_function: fn(Buf, *mut c_void) -> bool;
        get_function: fn(Buf, *mut *mut c_void) -> bool;
        register_shared_data: fn(Buf, *mut c_void) -> bool;
        get_shared_data: fn(Buf, *mut *mut c_void) -> bool;

        // 1.39
        get_log_level: fn() -> u32;
        http_get_header_values: fn(FilterPtr, u32, Buf, *mut Buf) -> bool;
        http_get_upstream_connection_id: fn(FilterPtr) -> u64;
        http_set_dynamic_metadata_string_batch: fn(FilterPtr, Buf, *const Pair, usize);
        http_span_disable_local_decision: fn(SpanPtr);
        http_filter_config_increment_counter: fn(ConfigPtr, usize, *const Buf, usize, u64) -> u32;
        http_filter_config_increment_gauge: fn(ConfigPtr, usize, *const Buf, usize, u64) -> u32;
        http_filter_config_decrement_gauge: fn(ConfigPtr, usize, *const Buf, usize, u64) -> u32;
        http_filter_config_set_gauge: fn(ConfigPtr, usize, *const Buf, usize, u64) -> u32;
        http_filter_config_record_histogram_value: fn(ConfigPtr, usize, *const Buf, usize, u64) -> u32;

        // 1.40
        log_v2: fn(u32, Buf, Buf, u32);
        http_set_dynamic_metadata_struct: fn(FilterPtr, Buf, Buf);
    }
}
