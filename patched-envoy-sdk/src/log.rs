//! Lines in Envoy's log, from any thread.
//!
//! `envoy_log_info!("...")` and its siblings take what `format!` takes, and format nothing unless
//! the level is on. Envoy prints them under its logger `dynamic_modules`. Outside Envoy, as in unit
//! tests, every line goes to stderr. Never log header values or bodies above `debug`.

use std::fmt::Arguments;

use crate::abi::envoy_dynamic_module_type_log_level as Level;
use crate::host::{self, write};

/// Whether a line of this level would be printed. Outside Envoy: always, save for `Off`.
#[must_use]
pub fn is_log_enabled(level: Level) -> bool {
    level != Level::Off && (host::current().is_none() || host::log_enabled(level as u32))
}

/// The lowest level that is printed; `Off` if none is. Outside Envoy: `Trace`.
#[must_use]
pub fn get_log_level() -> Level {
    const LOUDER: [Level; 6] = [
        Level::Trace,
        Level::Debug,
        Level::Info,
        Level::Warn,
        Level::Error,
        Level::Critical,
    ];
    match host::log_level() {
        Some(level) => Level::from_raw(level).unwrap_or(Level::Off),
        // Envoys before 1.39 only answer for one level at a time.
        None => LOUDER
            .into_iter()
            .find(|level| is_log_enabled(*level))
            .unwrap_or(Level::Off),
    }
}

/// The half of the macros that must not be inlined into every call site.
#[cold]
pub fn write_arguments(level: Level, message: Arguments<'_>, file: &str, line: u32) {
    match message.as_str() {
        Some(text) => write(level, text, file, line),
        None => write(level, &message.to_string(), file, line),
    }
}

/// Logs at a level of type `abi::envoy_dynamic_module_type_log_level`; the rest as in `format!`.
#[macro_export]
macro_rules! envoy_log {
    ($level:expr, $($arg:tt)*) => {{
        let level = $level;
        if $crate::is_log_enabled(level) {
            $crate::macro_support::log(
                level,
                ::std::format_args!($($arg)*),
                ::std::file!(),
                ::std::line!(),
            );
        }
    }};
}

/// Logs a line at trace level; arguments as in `format!`.
#[macro_export]
macro_rules! envoy_log_trace {
    ($($arg:tt)*) => {
        $crate::envoy_log!($crate::abi::envoy_dynamic_module_type_log_level::Trace, $($arg)*)
    };
}

/// Logs a line at debug level; arguments as in `format!`.
#[macro_export]
macro_rules! envoy_log_debug {
    ($($arg:tt)*) => {
        $crate::envoy_log!($crate::abi::envoy_dynamic_module_type_log_level::Debug, $($arg)*)
    };
}

/// Logs a line at info level; arguments as in `format!`.
#[macro_export]
macro_rules! envoy_log_info {
    ($($arg:tt)*) => {
        $crate::envoy_log!($crate::abi::envoy_dynamic_module_type_log_level::Info, $($arg)*)
    };
}

/// Logs a line at warn level; arguments as in `format!`.
#[macro_export]
macro_rules! envoy_log_warn {
    ($($arg:tt)*) => {
        $crate::envoy_log!($crate::abi::envoy_dynamic_module_type_log_level::Warn, $($arg)*)
    };
}

/// Logs a line at error level; arguments as in `format!`.
#[macro_export]
macro_rules! envoy_log_error {
    ($($arg:tt)*) => {
        $crate::envoy_log!($crate::abi::envoy_dynamic_module_type_log_level::Error, $($arg)*)
    };
}

/// Logs a line at critical level; arguments as in `format!`.
#[macro_export]
macro_rules! envoy_log_critical {
    ($($arg:tt)*) => {
        $crate::envoy_log!($crate::abi::envoy_dynamic_module_type_log_level::Critical, $($arg)*)
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_envoy_everything_is_on_but_off() {
        assert!(is_log_enabled(Level::Trace));
        assert!(!is_log_enabled(Level::Off));
        assert_eq!(get_log_level(), Level::Trace);
    }

    #[test]
    fn arguments_are_not_evaluated_for_a_level_that_is_off() {
        fn evaluated() -> u32 {
            panic!("the level is off")
        }
        crate::envoy_log!(Level::Off, "{}", evaluated());
    }
}
