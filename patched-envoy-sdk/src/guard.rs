//! The panic guard: no panic of author code, and none of ours, crosses the C boundary.
//!
//! Every exported hook runs its body inside [`catch`], on whatever thread Envoy called it. A panic
//! is reported once (message and source location; never bytes of the traffic), counted, and handed
//! back as [`Panicked`] so that the hook can fail closed.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::abi::envoy_dynamic_module_type_log_level as Level;

#[cfg(panic = "abort")]
compile_error!(
    "this crate answers a panic with a 500 or a reset: the profile needs `panic = \"unwind\"`"
);

/// Author code panicked; the report is already written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Panicked;

static PANICS: AtomicU64 = AtomicU64::new(0);
static COUNTER_NAME: OnceLock<&'static str> = OnceLock::new();
const DEFAULT_COUNTER_NAME: &str = "module_panics";

thread_local! {
    // Plain cells without destructors: a thread-local destructor of an unloaded library would run
    // code that is no longer there.
    static RUNNING: Cell<Option<&'static str>> = const { Cell::new(None) };
    static REPORTED: Cell<bool> = const { Cell::new(false) };
}

/// How many panics this module has caught since the process started, over all filters.
#[must_use]
pub fn panics_caught() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// Names the counter that every filter config defines for caught panics; else `module_panics`.
///
/// For the program init function, before any filter config exists. The first name stays; `false`
/// says that there was one already.
pub fn panic_counter_name(name: &'static str) -> bool {
    COUNTER_NAME.set(name).is_ok()
}

/// The name under which a filter config defines its panic counter.
pub(crate) fn counter_name() -> &'static str {
    COUNTER_NAME.get().copied().unwrap_or(DEFAULT_COUNTER_NAME)
}

/// Runs `body`; a panic in it ends here. `hook` names it in the report.
pub(crate) fn catch<R>(hook: &'static str, body: impl FnOnce() -> R) -> Result<R, Panicked> {
    let outer = RUNNING.replace(Some(hook));
    // `AssertUnwindSafe`: whoever calls this drops what the body may have left half changed (the
    // filter was taken out of its slot) or shares it only by `&self` with types that are `Sync`.
    let outcome = panic::catch_unwind(AssertUnwindSafe(body));
    RUNNING.set(outer);
    outcome.map_err(|payload| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        if !REPORTED.take() {
            report(hook, &message(&*payload), "an unknown place", 0);
        }
        discard(payload);
        Panicked
    })
}

/// Makes panics inside hooks go to Envoy's log, with their place, instead of to stderr. Called once
/// from `program_init`; panics elsewhere (the author's own threads) are reported as before.
pub(crate) fn install_report() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |panic: &PanicHookInfo<'_>| {
            match RUNNING.get() {
                Some(hook) => {
                    let (file, line) = panic
                        .location()
                        .map_or(("an unknown place", 0), |at| (at.file(), at.line()));
                    report(hook, &message(panic.payload()), file, line);
                    REPORTED.set(true);
                }
                None => previous(panic),
            }
        }));
    });
}

fn report(hook: &str, message: &str, file: &str, line: u32) {
    let text = format!("panic in {hook} at {file}:{line}: {message}");
    crate::host::write(Level::Critical, &text, file, line);
}

fn message(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&'static str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a payload that is not text".to_owned())
}

/// Drops a panic's payload. A payload of the author's own type may panic in turn when dropped; such
/// a one is leaked instead.
fn discard(payload: Box<dyn Any + Send>) {
    if payload.is::<&'static str>() || payload.is::<String>() {
        drop(payload);
    } else {
        std::mem::forget(payload);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_at_the_guard_and_is_counted() {
        let before = panics_caught();
        assert_eq!(
            catch("on_request_headers", || panic!("boom")),
            Err::<(), _>(Panicked)
        );
        assert!(panics_caught() > before);
        assert_eq!(catch("on_request_headers", || 7), Ok(7));
    }

    #[test]
    fn a_payload_that_panics_when_dropped_does_no_harm() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("dropped");
            }
        }
        let outcome = catch("on_request_body", || panic::panic_any(Bomb));
        assert_eq!(outcome, Err::<(), _>(Panicked));
    }
}
