//! Per-route configs: made on the main thread, read by all workers, destroyed on either.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use super::{bytes, guarded};
use crate::abi::envoy_dynamic_module_type_log_level as Level;
use crate::declare::NEW_HTTP_FILTER_PER_ROUTE_CONFIG_FUNCTION;
use crate::host::filter::route::PerRouteConfig;

/// Makes a per-route config; null refuses the configuration.
///
/// # Safety
/// Called by Envoy on the main thread with strings that stay while the call runs.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_per_route_config_new(
    name_ptr: *const u8,
    name_len: usize,
    config_ptr: *const u8,
    config_len: usize,
) -> *const c_void {
    const HOOK: &str = "http_filter_per_route_config_new";
    guarded(HOOK, ptr::null(), || {
        // SAFETY: Envoy keeps both strings while the hook runs.
        let (name, config) = unsafe { (bytes(name_ptr, name_len), bytes(config_ptr, config_len)) };
        let Some(make) = NEW_HTTP_FILTER_PER_ROUTE_CONFIG_FUNCTION.get() else {
            let reason = "a per-route configuration was given, but this module takes none";
            crate::host::write(Level::Error, reason, file!(), line!());
            return ptr::null();
        };
        make(&String::from_utf8_lossy(name), config).map_or(ptr::null(), |made| {
            let shared: PerRouteConfig = Arc::from(made);
            Box::into_raw(Box::new(shared)).cast_const().cast()
        })
    })
}

/// Drops a per-route config. Streams that still hold it keep it alive.
///
/// # Safety
/// Called by Envoy once for what the hook above returned.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_per_route_config_destroy(
    config: *const c_void,
) {
    guarded("http_filter_per_route_config_destroy", (), || {
        if !config.is_null() {
            // SAFETY: Envoy gives back what we leaked, once.
            drop(unsafe { Box::from_raw(config.cast::<PerRouteConfig>().cast_mut()) });
        }
    });
}
