//! Telling the SDK which functions make filter configs.
//!
//! The macros define the one symbol that must live in the author's own crate, so that the linker
//! keeps this crate's hooks: `envoy_dynamic_module_on_program_init`. Envoy calls it on the main
//! thread, once per process, while it loads the first configuration that names the module. The
//! answer is the version string this Envoy wants to hear, or null, which makes Envoy refuse the
//! module; the reason is in the log.

use std::any::Any;
use std::ffi::c_char;
use std::ptr;
use std::sync::OnceLock;

use crate::abi::envoy_dynamic_module_type_log_level as Level;
use crate::guard;
use crate::host;
use crate::host::config::EnvoyHttpFilterConfigImpl;
use crate::host::filter::EnvoyHttpFilterImpl;
use crate::http::HttpFilterConfig;

/// Called once, before any configuration; `false` makes Envoy refuse the module.
pub type ProgramInitFunction = fn() -> bool;

/// Makes a filter config from its name and bytes; `None` makes Envoy refuse the configuration, so
/// log why. Called on the main thread.
pub type NewHttpFilterConfigFunction<EC, EHF> = fn(
    envoy_filter_config: &mut EC,
    name: &str,
    config: &[u8],
) -> Option<Box<dyn HttpFilterConfig<EHF>>>;

/// Makes a per-route config from its name and bytes; `None` makes Envoy refuse the configuration,
/// so log why. Called on the main thread; what it makes is read by all workers and, up to Envoy
/// 1.39, may be dropped by one of them, so it must be of a type that is `Send + Sync`.
pub type NewHttpFilterPerRouteConfigFunction =
    fn(name: &str, config: &[u8]) -> Option<Box<dyn Any>>;

/// The registered filter config function; empty until `program_init`.
pub static NEW_HTTP_FILTER_CONFIG_FUNCTION: OnceLock<
    NewHttpFilterConfigFunction<EnvoyHttpFilterConfigImpl, EnvoyHttpFilterImpl>,
> = OnceLock::new();

/// The registered per-route config function; empty until `program_init`, and for modules without.
pub static NEW_HTTP_FILTER_PER_ROUTE_CONFIG_FUNCTION: OnceLock<
    NewHttpFilterPerRouteConfigFunction,
> = OnceLock::new();

/// What a module registers. Built by the macros.
#[derive(Default)]
pub struct Registration {
    /// Makes filter configs.
    pub http: Option<NewHttpFilterConfigFunction<EnvoyHttpFilterConfigImpl, EnvoyHttpFilterImpl>>,
    /// Makes per-route configs.
    pub http_per_route: Option<NewHttpFilterPerRouteConfigFunction>,
}

/// The body of `envoy_dynamic_module_on_program_init`: attach to the host, register, run the
/// author's init function, answer.
pub fn program_init(init: ProgramInitFunction, registration: Registration) -> *const c_char {
    let version = match host::attach() {
        Ok(version) => version,
        Err(refusal) => {
            host::write(Level::Critical, &refusal.to_string(), file!(), line!());
            return ptr::null();
        }
    };
    guard::install_report();
    // A second call in one process brings the same functions: the first registration stays.
    if let Some(function) = registration.http {
        NEW_HTTP_FILTER_CONFIG_FUNCTION.get_or_init(|| function);
    }
    if let Some(function) = registration.http_per_route {
        NEW_HTTP_FILTER_PER_ROUTE_CONFIG_FUNCTION.get_or_init(|| function);
    }
    match guard::catch("the program init function", init) {
        Ok(true) => version.as_ptr(),
        Ok(false) => {
            let reason = "the module's own program init function returned false";
            host::write(Level::Critical, reason, file!(), line!());
            ptr::null()
        }
        // Already reported by the guard.
        Err(guard::Panicked) => ptr::null(),
    }
}

/// Declares the module: its init function, the function that makes filter configs and, if it has
/// any, the one that makes per-route configs.
///
/// ```no_run
/// use envoy_proxy_dynamic_modules_rust_sdk::prelude::*;
///
/// declare_init_functions!(init, new_http_filter_config);
///
/// fn init() -> bool {
///     true
/// }
///
/// fn new_http_filter_config<EC: EnvoyHttpFilterConfig, EHF: EnvoyHttpFilter>(
///     _envoy_filter_config: &mut EC,
///     name: &str,
///     _config: &[u8],
/// ) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
///     match name {
///         "pass" => Some(Box::new(PassConfig)),
///         _ => None,
///     }
/// }
///
/// struct PassConfig;
///
/// impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for PassConfig {
///     fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
///         Box::new(Pass)
///     }
/// }
///
/// struct Pass;
///
/// impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for Pass {}
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! declare_init_functions {
    ($f:ident, $new_http_filter_config_fn:expr) => {
        $crate::declare_all_init_functions!($f, http: $new_http_filter_config_fn);
    };
    ($f:ident, $new_http_filter_config_fn:expr, $new_http_filter_per_route_config_fn:expr) => {
        $crate::declare_all_init_functions!(
            $f,
            http: $new_http_filter_config_fn,
            http_per_route: $new_http_filter_per_route_config_fn
        );
    };
}

/// Declares the module with named functions: `http:` and, if it has any, `http_per_route:`.
///
/// The official crate has keywords for other extension points; here they are compile errors,
/// because this crate serves HTTP filters only:
///
/// ```compile_fail
/// # fn init() -> bool { true }
/// # fn new_network_filter_config() {}
/// envoy_proxy_dynamic_modules_rust_sdk::declare_all_init_functions!(
///     init,
///     network: new_network_filter_config,
/// );
/// ```
#[macro_export]
macro_rules! declare_all_init_functions {
    ($f:ident, $($filter_type:ident : $filter_fn:expr),+ $(,)?) => {
        /// What Envoy calls first, once per process.
        #[unsafe(no_mangle)]
        pub extern "C" fn envoy_dynamic_module_on_program_init() -> *const ::std::ffi::c_char {
            let mut registration = $crate::macro_support::Registration::default();
            $($crate::declare_all_init_functions!(@register registration $filter_type : $filter_fn);)+
            $crate::macro_support::program_init($f, registration)
        }
    };
    (@register $registration:ident http : $filter_fn:expr) => {
        $registration.http = ::std::option::Option::Some($filter_fn);
    };
    (@register $registration:ident http_per_route : $filter_fn:expr) => {
        $registration.http_per_route = ::std::option::Option::Some($filter_fn);
    };
    (@register $registration:ident $other:ident : $filter_fn:expr) => {
        ::std::compile_error!(::std::concat!(
            "`",
            ::std::stringify!($other),
            "` is not known here: this SDK serves `http` and `http_per_route`"
        ));
    };
}
