//! The event hooks that Envoy calls: pointers in, a safe call inside the panic guard, a status out.
//!
//! Every symbol that any supported Envoy may look up is exported; those it does not know it does
//! not miss. `program_init` alone lives in the author's crate, put there by the declare macros.
//!
//! # One signature for two ABI families
//!
//! Envoy 1.36 passes strings to hooks as a pointer and a length, later ones as a struct of both by
//! value. The hooks are declared with the two scalars, which is the same call:
//!
//! - x86-64 (System V): a 16-byte struct of two integers is passed in two general registers if two
//!   are left. The longest such hook (`local_reply`: two pointers, an integer, the string, a bool)
//!   needs six, and six there are; `config_new` needs five.
//! - AArch64 (AAPCS64): a composite of up to 16 bytes is passed in consecutive general registers
//!   if enough are left, and there are eight; with 8-byte alignment it needs no even first register.
//!
//! Only hooks have this luck. Callbacks do not, which is why they have a table for each family.
//!
//! The id in `http_callout_done` is 32 bits wide in 1.36 and 64 later; the upper half of the
//! register means nothing there and is cleared.

mod config;
mod events;
mod per_route;
mod stream;

use crate::buffer::EnvoyBuffer;
use crate::guard;
use crate::host::raw::{Buf, Pair};

/// Runs a whole hook inside the panic guard. Author code has its own guard further in, where a
/// panic can still be answered; this one is for our own mistakes.
fn guarded<R>(hook: &'static str, otherwise: R, body: impl FnOnce() -> R) -> R {
    guard::catch(hook, body).unwrap_or(otherwise)
}

/// The bytes of a string argument.
///
/// # Safety
/// Envoy keeps the string unchanged while the hook runs; `'a` ends with it.
unsafe fn bytes<'a>(ptr: *const u8, len: usize) -> &'a [u8] {
    // SAFETY: promised by the caller.
    unsafe { Buf { ptr, len }.as_slice() }
}

/// Views of an array of header lines.
///
/// # Safety
/// Envoy keeps the array and the lines unchanged while the hook runs; `'a` ends with it.
unsafe fn lines<'a>(array: *const Pair, len: usize) -> Vec<(EnvoyBuffer<'a>, EnvoyBuffer<'a>)> {
    if array.is_null() || len == 0 {
        return Vec::new();
    }
    // SAFETY: not null, and promised by the caller.
    unsafe { std::slice::from_raw_parts(array, len) }
        .iter()
        // SAFETY: promised by the caller.
        .map(|pair| unsafe { (view(pair.key), view(pair.value)) })
        .collect()
}

/// Views of an array of chunks.
///
/// # Safety
/// Envoy keeps the array and the chunks unchanged while the hook runs; `'a` ends with it.
unsafe fn chunks<'a>(array: *const Buf, len: usize) -> Vec<EnvoyBuffer<'a>> {
    if array.is_null() || len == 0 {
        return Vec::new();
    }
    // SAFETY: not null, and promised by the caller.
    unsafe { std::slice::from_raw_parts(array, len) }
        .iter()
        // SAFETY: promised by the caller.
        .map(|chunk| unsafe { view(*chunk) })
        .collect()
}

/// # Safety
/// The bytes stay unchanged for `'a`.
unsafe fn view<'a>(buf: Buf) -> EnvoyBuffer<'a> {
    // SAFETY: promised by the caller; a null pointer comes with length 0.
    unsafe { EnvoyBuffer::new_from_raw(buf.ptr, if buf.ptr.is_null() { 0 } else { buf.len }) }
}
