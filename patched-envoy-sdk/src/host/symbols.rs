//! Finding Envoy's callbacks by name at run time, and turning addresses into typed tables.
//!
//! Called once, on the main thread, from `program_init`. There is no `extern` block for callbacks
//! anywhere in this crate: a Rust cdylib is linked BIND_NOW, so a single callback that this Envoy
//! does not have would refuse the whole module. `dlsym` is declared here instead of pulling in the
//! `libc` crate for one function; `std` already links the C library that defines it.

use std::ffi::{CStr, c_char, c_void};
use std::ptr::NonNull;

/// Where callbacks are looked up: the running program, or a test's stand-in.
pub(crate) trait Symbols {
    /// The address of the callback `name` (full C name), or `None` if the host lacks it.
    fn find(&self, name: &CStr) -> Option<NonNull<c_void>>;
}

/// The program this library was loaded into, which is where Envoy exports its callbacks.
pub(crate) struct Program;

impl Symbols for Program {
    fn find(&self, name: &CStr) -> Option<NonNull<c_void>> {
        unsafe extern "C" {
            fn dlsym(handle: *mut c_void, symbol: *const c_char) -> *mut c_void;
        }
        // SAFETY: `name` is a C string, and the default handle asks the dynamic linker to search
        // the global scope: the main program first, even for a library opened RTLD_LOCAL.
        NonNull::new(unsafe { dlsym(RTLD_DEFAULT, name.as_ptr()) })
    }
}

/// `RTLD_DEFAULT`: null on Linux (glibc and musl), minus two on Apple systems.
#[cfg(not(target_vendor = "apple"))]
const RTLD_DEFAULT: *mut c_void = std::ptr::null_mut();
#[cfg(target_vendor = "apple")]
const RTLD_DEFAULT: *mut c_void = -2isize as *mut c_void;

/// The full C name of a callback, checked to be a C string when the module is compiled.
macro_rules! callback_name {
    ($field:ident) => {
        const {
            match std::ffi::CStr::from_bytes_with_nul(
                concat!("envoy_dynamic_module_callback_", stringify!($field), "\0").as_bytes(),
            ) {
                Ok(name) => name,
                Err(_) => panic!("an identifier holds no nul"),
            }
        }
    };
}

/// A struct of function pointers named as Envoy names its callbacks.
///
/// `required` tables resolve all or nothing and say which callback was missing; `optional` tables
/// hold an `Option` per callback. Field names are the C names without the common prefix, so a
/// table reads like the header it was written from.
macro_rules! callback_table {
    ($(#[$meta:meta])* required $name:ident {
        $($field:ident: fn($($arg:ty),* $(,)?) $(-> $ret:ty)?;)*
    }) => {
        $(#[$meta])*
        pub(crate) struct $name {
            $(pub(crate) $field: unsafe extern "C" fn($($arg),*) $(-> $ret)?,)*
        }
        impl $name {
            /// Looks every callback up; `Err` is the C name of the first one that is missing.
            pub(crate) fn resolve(
                symbols: &impl $crate::host::symbols::Symbols,
            ) -> Result<Self, &'static std::ffi::CStr> {
                Ok(Self {
                    $($field: {
                        let name = $crate::host::symbols::callback_name!($field);
                        let address = symbols.find(name).ok_or(name)?;
                        // SAFETY: the host exports this function under this name, and the type
                        // written here is the one its ABI generation declares for it.
                        unsafe {
                            std::mem::transmute::<
                                std::ptr::NonNull<std::ffi::c_void>,
                                unsafe extern "C" fn($($arg),*) $(-> $ret)?,
                            >(address)
                        }
                    },)*
                })
            }
        }
    };
    ($(#[$meta:meta])* optional $name:ident {
        $($field:ident: fn($($arg:ty),* $(,)?) $(-> $ret:ty)?;)*
    }) => {
        $(#[$meta])*
        pub(crate) struct $name {
            $(pub(crate) $field: Option<unsafe extern "C" fn($($arg),*) $(-> $ret)?>,)*
        }
        impl $name {
            /// Looks every callback up; those this host lacks stay `None`.
            pub(crate) fn resolve(symbols: &impl $crate::host::symbols::Symbols) -> Self {
                Self {
                    $($field: symbols
                        .find($crate::host::symbols::callback_name!($field))
                        .map(|address| {
                            // SAFETY: the host exports this function under this name, and every
                            // generation that has it declares it with the type written here.
                            unsafe {
                                std::mem::transmute::<
                                    std::ptr::NonNull<std::ffi::c_void>,
                                    unsafe extern "C" fn($($arg),*) $(-> $ret)?,
                                >(address)
                            }
                        }),)*
                }
            }
        }
    };
}

pub(crate) use {callback_name, callback_table};
