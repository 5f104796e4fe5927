//! The C structs and pointer types of the ABI that cross the boundary by name.

use std::ffi::{c_char, c_void};

/// Bytes that belong to Envoy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct envoy_dynamic_module_type_envoy_buffer {
    /// First byte; may be null if `length` is 0.
    pub ptr: *const c_char,
    /// Number of bytes.
    pub length: usize,
}

/// Bytes that belong to the module; Envoy copies them during the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct envoy_dynamic_module_type_module_buffer {
    /// First byte; may be null if `length` is 0.
    pub ptr: *const c_char,
    /// Number of bytes.
    pub length: usize,
}

/// A header line that belongs to Envoy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct envoy_dynamic_module_type_envoy_http_header {
    /// First byte of the name.
    pub key_ptr: *const c_char,
    /// Length of the name.
    pub key_length: usize,
    /// First byte of the value.
    pub value_ptr: *const c_char,
    /// Length of the value.
    pub value_length: usize,
}

/// A header line that belongs to the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct envoy_dynamic_module_type_module_http_header {
    /// First byte of the name.
    pub key_ptr: *const c_char,
    /// Length of the name.
    pub key_length: usize,
    /// First byte of the value.
    pub value_ptr: *const c_char,
    /// Length of the value.
    pub value_length: usize,
}

/// Envoy's filter config object.
pub type envoy_dynamic_module_type_http_filter_config_envoy_ptr = *mut c_void;
/// The module's filter config object.
pub type envoy_dynamic_module_type_http_filter_config_module_ptr = *const c_void;
/// The module's per-route config object.
pub type envoy_dynamic_module_type_http_filter_per_route_config_module_ptr = *const c_void;
/// Envoy's filter object.
pub type envoy_dynamic_module_type_http_filter_envoy_ptr = *mut c_void;
/// The module's filter object.
pub type envoy_dynamic_module_type_http_filter_module_ptr = *const c_void;
/// A scheduler that the module owns.
pub type envoy_dynamic_module_type_http_filter_scheduler_module_ptr = *mut c_void;
/// A scheduler of a filter config that the module owns.
pub type envoy_dynamic_module_type_http_filter_config_scheduler_module_ptr = *mut c_void;
/// A span that Envoy owns.
pub type envoy_dynamic_module_type_span_envoy_ptr = *mut c_void;
/// A span that the module must finish.
pub type envoy_dynamic_module_type_child_span_module_ptr = *mut c_void;
/// The version string that `program_init` answers.
pub type envoy_dynamic_module_type_abi_version_module_ptr = *const c_char;
