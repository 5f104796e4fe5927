//! The line in Envoy's log that says which module was loaded.

use super::current;
use crate::abi::envoy_dynamic_module_type_log_level as Level;

/// Writes one line at level info: what the module says it is, this Envoy and its ABI.
///
/// For the program init function, which Envoy calls once per process on the main thread.
pub fn log_loaded(module: &str) {
    let Some(host) = current() else { return };
    let text = format!(
        "{module} is loaded into Envoy {} (ABI {})",
        host.version,
        host.abi.to_string_lossy(),
    );
    crate::host::write(Level::Info, &text, file!(), line!());
}
