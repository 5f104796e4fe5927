//! What concerns the whole Envoy process and no stream (Envoy 1.38+).
//!
//! Registries let two modules of one process, or two extension points of one module, find each
//! other's functions and data. They hold bare pointers: whoever registers must keep the thing alive
//! (the module needs `do_not_close`), and whoever fetches must know the type.

use std::ffi::c_void;
use std::ptr;

use super::current;
use super::later::Later;
use super::raw::Buf;

fn later() -> Option<&'static Later> {
    current().map(|host| &host.later)
}

/// How many worker threads Envoy runs; 0 where the host cannot tell.
///
/// # Safety
///
/// Only on the main thread: Envoy reads its own state without a lock.
#[must_use]
pub unsafe fn get_server_concurrency() -> u32 {
    // SAFETY: no arguments; the caller is on the main thread.
    later()
        .and_then(|later| later.get_concurrency)
        .map_or(0, |get| unsafe { get() })
}

/// Whether Envoy only validates its configuration; `false` where the host cannot tell.
///
/// # Safety
///
/// Only on the main thread: Envoy reads its own state without a lock.
#[must_use]
pub unsafe fn is_validation_mode() -> bool {
    // SAFETY: no arguments; the caller is on the main thread.
    later()
        .and_then(|later| later.is_validation_mode)
        .is_some_and(|get| unsafe { get() })
}

/// Registers a function under a name. `false` if the name is taken, the pointer is null, or the
/// host has no registry.
///
/// # Safety
///
/// `function_ptr` must stay valid for as long as the process runs, and be what those who fetch it
/// under this name take it for.
pub unsafe fn register_function(key: &str, function_ptr: *const c_void) -> bool {
    later()
        .and_then(|later| later.register_function)
        .is_some_and(|register| {
            // SAFETY: Envoy copies the name during the call and only stores the pointer; the caller
            // promises the rest.
            unsafe { register(Buf::of(key.as_bytes()), function_ptr.cast_mut()) }
        })
}

/// The function registered under a name.
#[must_use]
pub fn get_function(key: &str) -> Option<*const c_void> {
    let get = later()?.get_function?;
    let mut found = ptr::null_mut();
    // SAFETY: Envoy reads the name during the call and writes `found` only when it answers true.
    unsafe { get(Buf::of(key.as_bytes()), &raw mut found) }.then_some(found.cast_const())
}

/// Registers data under a name, replacing what was there. `false` if the pointer is null or the
/// host has no registry.
///
/// # Safety
///
/// As for [`register_function`]; what the pointer leads to must be fit for use from every thread.
pub unsafe fn register_shared_data(key: &str, data_ptr: *const c_void) -> bool {
    later()
        .and_then(|later| later.register_shared_data)
        .is_some_and(|register| {
            // SAFETY: as in `register_function`.
            unsafe { register(Buf::of(key.as_bytes()), data_ptr.cast_mut()) }
        })
}

/// The data registered under a name.
#[must_use]
pub fn get_shared_data(key: &str) -> Option<*const c_void> {
    let get = later()?.get_shared_data?;
    let mut found = ptr::null_mut();
    // SAFETY: Envoy reads the name during the call and writes `found` only when it answers true.
    unsafe { get(Buf::of(key.as_bytes()), &raw mut found) }.then_some(found.cast_const())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_envoy_there_is_nothing_to_find() {
        assert_eq!(get_function("f"), None);
        assert_eq!(get_shared_data("d"), None);
        // SAFETY: a null pointer is refused, and there is no host.
        assert!(!unsafe { register_shared_data("d", ptr::null()) });
    }
}
