//! Envoy's log, in whichever form this host offers it.
//!
//! Behind the `envoy_log_*!` macros and the SDK's own lines; callable from every thread. Outside
//! Envoy nothing is enabled, and lines go to stderr.

use std::io::Write;

use super::raw::Buf;
use super::{Family, current};
use crate::abi::envoy_dynamic_module_type_log_level as Level;

/// Whether Envoy would print a line of this level; `false` outside Envoy.
pub(crate) fn log_enabled(level: u32) -> bool {
    // SAFETY: the callback takes any level and touches no object of ours.
    current().is_some_and(|host| unsafe { (host.common.log_enabled)(level) })
}

/// Envoy's log level now, where the host can tell (1.39 and later).
pub(crate) fn log_level() -> Option<u32> {
    let get = current()?.later.get_log_level?;
    // SAFETY: no arguments, any thread.
    Some(unsafe { get() })
}

/// Writes one line; if there is no Envoy to write it, for the test that listens, else to stderr.
pub(crate) fn write(level: Level, message: &str, file: &str, line: u32) {
    if !log(level as u32, message, file, line) {
        #[cfg(any(test, feature = "testing"))]
        if crate::testing::log::keep(level, message) {
            return;
        }
        // Nowhere to report a broken stderr to.
        let _ = writeln!(std::io::stderr(), "[{level:?}] {message}");
    }
}

/// Writes one line; `false` when there is no Envoy to write it. The text is copied by Envoy.
fn log(level: u32, message: &str, file: &str, line: u32) -> bool {
    let Some(host) = current() else { return false };
    let text = Buf::of(message.as_bytes());
    // SAFETY: Envoy reads the strings during the call only, and accepts calls from any thread.
    unsafe {
        match (host.later.log_v2, &host.family) {
            (Some(log), _) => log(level, text, Buf::of(file.as_bytes()), line),
            (None, Family::V136(table)) => (table.log)(level, text.ptr, text.len),
            (None, Family::V137(table)) => (table.log)(level, text),
        }
    }
    true
}
