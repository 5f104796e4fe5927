//! What code under test logs, kept for the test instead of written to stderr.

use std::cell::RefCell;

use crate::abi::envoy_dynamic_module_type_log_level as Level;

thread_local! {
    static LINES: RefCell<Option<Vec<(Level, String)>>> = const { RefCell::new(None) };
}

/// Runs code, and returns what it logged on this thread beside what it returned: each line with its level. A
/// refused configuration has only the log to say why, so its test looks here.
///
/// ```
/// use envoy_proxy_dynamic_modules_rust_sdk::prelude::*;
/// use envoy_proxy_dynamic_modules_rust_sdk::testing::logged;
///
/// let (answer, lines) = logged(|| {
///     envoy_log_error!("stamp: {} is no number", "x");
///     42
/// });
/// assert_eq!(answer, 42);
/// assert_eq!(lines, [(LogLevel::Error, "stamp: x is no number".to_owned())]);
/// ```
pub fn logged<R>(run: impl FnOnce() -> R) -> (R, Vec<(Level, String)>) {
    let outer = LINES.replace(Some(Vec::new()));
    let returned = run();
    let lines = LINES.replace(outer).unwrap_or_default();
    (returned, lines)
}

/// Keeps a line, if the test of this thread wants it.
pub(crate) fn keep(level: Level, message: &str) -> bool {
    LINES.with_borrow_mut(|lines| match lines {
        Some(lines) => {
            lines.push((level, message.to_owned()));
            true
        }
        None => false,
    })
}
