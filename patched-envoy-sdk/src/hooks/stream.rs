//! The hooks of one stream that come with a life or a status: new, destroy, headers, bodies,
//! trailers, local reply. All on the stream's worker thread.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use super::{bytes, guarded, view};
use crate::filter_config::FilterConfig;
use crate::host;
use crate::host::raw::{Buf, FilterPtr};
use crate::http::HttpMessage;
use crate::slot::{Outcome, Slot, Visit};

/// Makes the slot of one stream. The author's filter is made at the first hook: in here, callbacks
/// would crash Envoy 1.36 and 1.37.
///
/// # Safety
/// Called by Envoy on a worker with a live filter config of ours.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_new(
    config: *const c_void,
    envoy: FilterPtr,
) -> *const c_void {
    guarded("http_filter_new", ptr::null(), || {
        let config = config.cast::<FilterConfig>();
        let Some(host) = host::current().filter(|_| !config.is_null()) else {
            return ptr::null();
        };
        // SAFETY: the pointer came from `Arc::into_raw` in `config_new`, and Envoy holds the config
        // while it makes filters of it.
        let config = unsafe {
            Arc::increment_strong_count(config);
            Arc::from_raw(config)
        };
        Box::into_raw(Box::new(Slot::new(host, config, envoy)))
            .cast_const()
            .cast()
    })
}

/// Frees the slot, or marks it for the hooks that are still inside.
///
/// # Safety
/// Called by Envoy once for what `http_filter_new` returned.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_destroy(filter: *const c_void) {
    guarded("http_filter_destroy", (), || {
        // SAFETY: Envoy destroys each filter once.
        unsafe { Visit::destroy(filter.cast()) }
    });
}

/// A hook whose status decides over a message and which knows whether it is the last.
macro_rules! hooks_with_end {
    ($($export:ident, $author:ident, $message:ident $(, $first:ident)?;)*) => {$(
        /// See `HttpFilter`.
        ///
        /// # Safety
        /// Called by Envoy on the stream's worker with the live pair of objects of one stream.
        #[unsafe(no_mangle)]
        pub(super) unsafe extern "C" fn $export(
            envoy: FilterPtr,
            filter: *const c_void,
            end_of_stream: bool,
        ) -> u32 {
            const HOOK: &str = stringify!($author);
            guarded(HOOK, 1, || {
                // SAFETY: both are live while the hook runs, or `filter` is null.
                let Some(visit) = (unsafe { Visit::enter(filter.cast(), envoy) }) else { return 0 };
                $(visit.slot().$first();)?
                visit.decide(HOOK, HttpMessage::$message, |filter, envoy| {
                    filter.$author(envoy, end_of_stream)
                })
            })
        }
    )*};
}

hooks_with_end! {
    envoy_dynamic_module_on_http_filter_request_headers, on_request_headers, Request;
    envoy_dynamic_module_on_http_filter_response_headers, on_response_headers, Response,
        response_starts;
}

/// A hook for a chunk of the body.
macro_rules! body_hooks {
    ($($export:ident, $author:ident, $message:ident;)*) => {$(
        /// See `HttpFilter`.
        ///
        /// # Safety
        /// Called by Envoy on the stream's worker with the live pair of objects of one stream.
        #[unsafe(no_mangle)]
        pub(super) unsafe extern "C" fn $export(
            envoy: FilterPtr,
            filter: *const c_void,
            end_of_stream: bool,
        ) -> u32 {
            const HOOK: &str = stringify!($author);
            guarded(HOOK, 1, || {
                // SAFETY: both are live while the hook runs, or `filter` is null.
                let Some(visit) = (unsafe { Visit::enter(filter.cast(), envoy) }) else { return 0 };
                visit.decide_body(HOOK, HttpMessage::$message, end_of_stream, |filter, envoy| {
                    filter.$author(envoy, end_of_stream)
                })
            })
        }
    )*};
}

body_hooks! {
    envoy_dynamic_module_on_http_filter_request_body, on_request_body, Request;
    envoy_dynamic_module_on_http_filter_response_body, on_response_body, Response;
}

/// A trailers hook.
macro_rules! trailers_hooks {
    ($($export:ident, $author:ident, $message:ident;)*) => {$(
        /// See `HttpFilter`.
        ///
        /// # Safety
        /// Called by Envoy on the stream's worker with the live pair of objects of one stream.
        #[unsafe(no_mangle)]
        pub(super) unsafe extern "C" fn $export(envoy: FilterPtr, filter: *const c_void) -> u32 {
            const HOOK: &str = stringify!($author);
            guarded(HOOK, 1, || {
                // SAFETY: both are live while the hook runs, or `filter` is null.
                let Some(visit) = (unsafe { Visit::enter(filter.cast(), envoy) }) else { return 0 };
                visit.decide_trailers(HOOK, HttpMessage::$message, |filter, envoy| filter.$author(envoy))
            })
        }
    )*};
}

trailers_hooks! {
    envoy_dynamic_module_on_http_filter_request_trailers, on_request_trailers, Request;
    envoy_dynamic_module_on_http_filter_response_trailers, on_response_trailers, Response;
}

/// Tells of a local reply, ours or somebody else's (1.38 and later).
///
/// # Safety
/// Called by Envoy on the stream's worker with the live pair of objects of one stream, and with
/// details that stay while the call runs.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn envoy_dynamic_module_on_http_filter_local_reply(
    envoy: FilterPtr,
    filter: *const c_void,
    code: u32,
    details_ptr: *const u8,
    details_len: usize,
    reset_imminent: bool,
) -> u32 {
    const HOOK: &str = "on_local_reply";
    const CONTINUE: u32 = 0;
    guarded(HOOK, CONTINUE, || {
        // SAFETY: both are live while the hook runs, or `filter` is null.
        let Some(visit) = (unsafe { Visit::enter(filter.cast(), envoy) }) else {
            return CONTINUE;
        };
        // SAFETY: Envoy keeps the details while the hook runs.
        let details = unsafe { view(Buf::of(bytes(details_ptr, details_len))) };
        // A panic in here is not answered: the answer is on its way already.
        let outcome = visit.run(HOOK, false, |filter, envoy| {
            filter.on_local_reply(envoy, code, details, reset_imminent)
        });
        match outcome {
            Outcome::Returned(status) => status as u32,
            Outcome::Panicked | Outcome::Inert => CONTINUE,
            Outcome::Busy => {
                host::report_skipped_hook(HOOK);
                CONTINUE
            }
        }
    })
}
