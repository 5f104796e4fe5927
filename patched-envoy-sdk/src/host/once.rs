//! Warnings that are worth one line per process, not one per request.
//!
//! Called on any thread, from methods that cannot answer that this Envoy lacks something.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::Host;
use super::logging::write;
use crate::abi::envoy_dynamic_module_type_log_level as Level;
use crate::capabilities::Capability;

/// One bit per capability that was already complained about.
static WARNED: AtomicU64 = AtomicU64::new(0);
static SKIPPED: AtomicBool = AtomicBool::new(false);
static NESTED: AtomicBool = AtomicBool::new(false);
static UPSTREAM: AtomicBool = AtomicBool::new(false);
static HOOKS_SKIPPED: AtomicU64 = AtomicU64::new(0);

/// Says once that `method` could not do what it is for, naming this host and the first Envoy where
/// it can. What happens instead is in the documentation of the method.
pub(crate) fn warn_unsupported(host: &Host, capability: Capability, method: &str) {
    let bit = 1 << capability as u8;
    if WARNED.fetch_or(bit, Ordering::Relaxed) & bit == 0 {
        let text = format!(
            "{method}: {capability} needs Envoy {} or later; this is Envoy {} (said once)",
            capability.since(),
            host.version,
        );
        write(Level::Warn, &text, file!(), line!());
    }
}

/// Says once that a filter in a cluster's chain asked for what it cannot reach there.
pub(crate) fn warn_upstream(method: &str) {
    if !UPSTREAM.swap(true, Ordering::Relaxed) {
        let text = format!(
            "{method} is out of reach for an upstream HTTP filter and is not called (said once)"
        );
        write(Level::Warn, &text, file!(), line!());
    }
}

/// A hook whose status Envoy waits for came while the filter was inside another hook. The stream
/// goes on as if the filter had let it pass, which must not go unnoticed.
pub(crate) fn report_skipped_hook(hook: &str) {
    HOOKS_SKIPPED.fetch_add(1, Ordering::Relaxed);
    if !SKIPPED.swap(true, Ordering::Relaxed) {
        let text = format!("{hook} arrived inside another hook of the same filter and was passed");
        write(Level::Error, &text, file!(), line!());
    }
}

/// A filter causes its own hooks from within them, over and over; the call that would go one deeper
/// is not made.
pub(crate) fn report_refused_nesting(depth: u32) {
    if !NESTED.swap(true, Ordering::Relaxed) {
        let text = format!(
            "a filter's hook was caused by {depth} of its own calls inside each other; the next \
             one is refused (said once)"
        );
        write(Level::Error, &text, file!(), line!());
    }
}

/// How many status hooks were passed without asking the filter, over the whole process.
#[must_use]
pub fn hooks_skipped() -> u64 {
    HOOKS_SKIPPED.load(Ordering::Relaxed)
}
