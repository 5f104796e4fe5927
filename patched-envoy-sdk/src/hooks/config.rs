//! The hooks of a filter config, all on the main thread; destroy is where the last reference drops.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use super::events::{callout_result, reset_reason};
use super::{bytes, chunks, guarded, lines};
use crate::declare::NEW_HTTP_FILTER_CONFIG_FUNCTION;
use crate::filter_config::FilterConfig;
use crate::host;
use crate::host::config::EnvoyHttpFilterConfigImpl;
use crate::host::filter::EnvoyHttpFilterImpl;
use crate::host::raw::{Buf, ConfigPtr, Pair};
use crate::http::HttpFilterConfig;

/// Makes a filter config; null refuses the configuration.
///
/// # Safety
/// Called by Envoy on the main thread with its live filter config object and strings that stay
/// while the call runs.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_new(
    envoy: ConfigPtr,
    name_ptr: *const u8,
    name_len: usize,
    config_ptr: *const u8,
    config_len: usize,
) -> *const c_void {
    guarded("http_filter_config_new", ptr::null(), || {
        // SAFETY: Envoy keeps both strings while the hook runs.
        let (name, config) = unsafe { (bytes(name_ptr, name_len), bytes(config_ptr, config_len)) };
        let made = host::current().zip(NEW_HTTP_FILTER_CONFIG_FUNCTION.get());
        let Some((host, make)) = made else {
            return ptr::null();
        };
        // SAFETY: Envoy's config object is alive while this hook runs, on the main thread.
        let mut handle = unsafe { EnvoyHttpFilterConfigImpl::new(host, envoy) };
        make(&mut handle, &String::from_utf8_lossy(name), config).map_or(ptr::null(), |author| {
            Arc::into_raw(FilterConfig::shared(host, &mut handle, author)).cast()
        })
    })
}

/// Gives up Envoy's reference; streams that are still being destroyed may hold the last one.
///
/// # Safety
/// Called by Envoy once for what `config_new` returned.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_destroy(
    config: *const c_void,
) {
    guarded("http_filter_config_destroy", (), || {
        if !config.is_null() {
            // SAFETY: Envoy gives back what `Arc::into_raw` gave it, once.
            drop(unsafe { Arc::from_raw(config.cast::<FilterConfig>()) });
        }
    });
}

/// Runs an author's config hook.
///
/// # Safety
/// `envoy` is Envoy's live filter config object and `config` what `config_new` returned for it, or
/// null; this is the main thread.
unsafe fn tell(
    hook: &'static str,
    envoy: ConfigPtr,
    config: *const c_void,
    author: impl FnOnce(&dyn HttpFilterConfig<EnvoyHttpFilterImpl>, &mut EnvoyHttpFilterConfigImpl),
) {
    guarded(hook, (), || {
        // SAFETY: promised by the caller; Envoy does not destroy the config while its hook runs.
        let config = unsafe { config.cast::<FilterConfig>().as_ref() };
        if let Some((host, config)) = host::current().zip(config) {
            // SAFETY: promised by the caller.
            let mut handle = unsafe { EnvoyHttpFilterConfigImpl::new(host, envoy) };
            author(config.author(), &mut handle);
        }
    });
}

/// A commit on a scheduler of the config.
///
/// # Safety
/// Called by Envoy on the main thread with the live pair of objects of one config.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_scheduled(
    envoy: ConfigPtr,
    config: *const c_void,
    event: u64,
) {
    // SAFETY: the live pair.
    unsafe {
        tell("config on_scheduled", envoy, config, |author, _| {
            author.on_scheduled(event)
        })
    }
}

/// A callout of the config has ended.
///
/// # Safety
/// Called by Envoy on the main thread with the live pair of objects of one config, and with arrays
/// that stay while the call runs.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_http_callout_done(
    envoy: ConfigPtr,
    config: *const c_void,
    callout_id: u64,
    result: u32,
    headers: *const Pair,
    headers_len: usize,
    body: *const Buf,
    body_len: usize,
) {
    // SAFETY: Envoy keeps the arrays while the hook runs; the live pair.
    unsafe {
        let (lines, chunks) = (lines(headers, headers_len), chunks(body, body_len));
        let responded = headers_len > 0;
        tell(
            "config on_http_callout_done",
            envoy,
            config,
            |author, handle| {
                author.on_http_callout_done(
                    handle,
                    callout_id,
                    callout_result(result),
                    responded.then_some(&*lines),
                    responded.then_some(&*chunks),
                );
            },
        );
    }
}

/// Response headers on an HTTP stream of the config.
///
/// # Safety
/// As for the callout.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_http_stream_headers(
    envoy: ConfigPtr,
    config: *const c_void,
    stream: u64,
    headers: *const Pair,
    headers_len: usize,
    end: bool,
) {
    // SAFETY: Envoy keeps the array while the hook runs; the live pair.
    unsafe {
        let lines = lines(headers, headers_len);
        tell(
            "config on_http_stream_headers",
            envoy,
            config,
            |author, handle| {
                author.on_http_stream_headers(handle, stream, &lines, end);
            },
        );
    }
}

/// Response data on an HTTP stream of the config.
///
/// # Safety
/// As for the callout.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_http_stream_data(
    envoy: ConfigPtr,
    config: *const c_void,
    stream: u64,
    data: *const Buf,
    data_len: usize,
    end: bool,
) {
    // SAFETY: Envoy keeps the array while the hook runs; the live pair.
    unsafe {
        let chunks = chunks(data, data_len);
        tell(
            "config on_http_stream_data",
            envoy,
            config,
            |author, handle| {
                author.on_http_stream_data(handle, stream, &chunks, end);
            },
        );
    }
}

/// Response trailers on an HTTP stream of the config.
///
/// # Safety
/// As for the callout.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_http_stream_trailers(
    envoy: ConfigPtr,
    config: *const c_void,
    stream: u64,
    trailers: *const Pair,
    trailers_len: usize,
) {
    // SAFETY: Envoy keeps the array while the hook runs; the live pair.
    unsafe {
        let lines = lines(trailers, trailers_len);
        tell(
            "config on_http_stream_trailers",
            envoy,
            config,
            |author, handle| {
                author.on_http_stream_trailers(handle, stream, &lines);
            },
        );
    }
}

/// An HTTP stream of the config is over.
///
/// # Safety
/// Called by Envoy on the main thread with the live pair of objects of one config.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_http_stream_complete(
    envoy: ConfigPtr,
    config: *const c_void,
    stream: u64,
) {
    // SAFETY: the live pair.
    unsafe {
        tell(
            "config on_http_stream_complete",
            envoy,
            config,
            |author, handle| {
                author.on_http_stream_complete(handle, stream);
            },
        );
    }
}

/// An HTTP stream of the config was reset.
///
/// # Safety
/// Called by Envoy on the main thread with the live pair of objects of one config.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_http_stream_reset(
    envoy: ConfigPtr,
    config: *const c_void,
    stream: u64,
    reason: u32,
) {
    // SAFETY: the live pair.
    unsafe {
        tell(
            "config on_http_stream_reset",
            envoy,
            config,
            |author, handle| {
                author.on_http_stream_reset(handle, stream, reset_reason(reason));
            },
        );
    }
}
