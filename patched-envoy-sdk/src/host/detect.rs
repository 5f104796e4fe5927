//! Which Envoy this is, told by the callbacks it exports, and what to answer it.
//!
//! Called once from `program_init` on the main thread. Refuses what it does not recognise with a
//! sentence for the person who reads Envoy's log: a program that is not Envoy, and the Envoys whose
//! ABI this crate does not speak.

use std::ffi::{CStr, CString};
use std::fmt;

use super::executable;
use super::symbols::{Symbols, callback_name};
use crate::capabilities::EnvoyVersion;

/// Set by the operator to answer the host with another version string, for a patch release whose
/// ABI is one of ours but whose expected string is not.
const VERSION_OVERRIDE: &str = "ENVOY_DYNAMIC_MODULES_ABI_VERSION";

/// Why this host is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// None of the callbacks that tell Envoys apart is there.
    NotEnvoy,
    /// Callbacks of the 1.36 family, but not the body functions that 1.36.3 brought.
    Before1363,
    /// The host looks like this Envoy but lacks a callback every such Envoy has.
    MissingCallback(EnvoyVersion, &'static CStr),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEnvoy => f.write_str(
                "the program that loads this dynamic module exports none of Envoy's callbacks",
            )?,
            Self::Before1363 => f.write_str("this Envoy is older than 1.36.3")?,
            Self::MissingCallback(version, name) => write!(
                f,
                "this looks like Envoy {version}, but it does not export {}",
                name.to_string_lossy()
            )?,
        }
        f.write_str("; supported are Envoy 1.36.3 and later, 1.37, 1.38, 1.39 and 1.40")
    }
}

/// Tells the release lines apart, newest first, by the first callback each of them brought.
pub(crate) fn version(symbols: &impl Symbols) -> Result<EnvoyVersion, Refusal> {
    let has = |name: &CStr| symbols.find(name).is_some();
    if has(callback_name!(log_v2)) {
        Ok(EnvoyVersion::V1_40)
    } else if has(callback_name!(http_get_header_values)) {
        Ok(EnvoyVersion::V1_39)
    } else if has(callback_name!(register_function)) {
        Ok(EnvoyVersion::V1_38)
    } else if has(callback_name!(http_get_header)) {
        Ok(EnvoyVersion::V1_37)
    } else if !has(callback_name!(http_get_request_header)) {
        Err(Refusal::NotEnvoy)
    } else if has(callback_name!(http_get_received_request_body_vector)) {
        Ok(EnvoyVersion::V1_36)
    } else {
        Err(Refusal::Before1363)
    }
}

/// The string `program_init` returns: 1.36 and 1.37.0 compare it to the hash of their header and
/// refuse anything else, later ones only warn about a difference.
fn expected_by(version: EnvoyVersion) -> &'static CStr {
    match version {
        EnvoyVersion::V1_36 => c"7ee559f16f35086fa7dc9ed380e2efc6b4d89031a001fb504aa71eccd25882f7",
        EnvoyVersion::V1_37 => c"4dae397a7c9ff0238d318d57ea656ce8b3fbff595787dcd7ee2ff5b79c9fe10f",
        EnvoyVersion::V1_38 | EnvoyVersion::V1_39 => c"v0.1.0",
        EnvoyVersion::V1_40 => c"v0.2.0",
    }
}

/// What to answer: the operator's string if there is one, else the one that stands in the executable of a
/// host that insists on it, else the one this line expects.
pub(crate) fn answer(version: EnvoyVersion) -> &'static CStr {
    let expected = expected_by(version);
    let forced = std::env::var(VERSION_OVERRIDE)
        .ok()
        .filter(|text| !text.is_empty());
    let other = forced.or_else(|| match version {
        EnvoyVersion::V1_36 | EnvoyVersion::V1_37 => {
            executable::expects_instead_of(expected.to_str().ok()?)
        }
        EnvoyVersion::V1_38 | EnvoyVersion::V1_39 | EnvoyVersion::V1_40 => None,
    });
    // Leaked on purpose, once per process: 1.36 to 1.39 read the string after the call returns.
    other
        .and_then(|text| CString::new(text).ok())
        .map_or(expected, |text| Box::leak(text.into_boxed_c_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::fake_symbols::Named;

    #[test]
    fn each_line_is_known_by_the_callback_it_brought() {
        use EnvoyVersion::*;
        let mut names = vec![
            "http_get_request_header",
            "http_get_received_request_body_vector",
        ];
        assert_eq!(version(&Named(names.clone())), Ok(V1_36));
        for (name, line) in [
            ("http_get_header", V1_37),
            ("register_function", V1_38),
            ("http_get_header_values", V1_39),
            ("log_v2", V1_40),
        ] {
            names.push(name);
            assert_eq!(version(&Named(names.clone())), Ok(line));
        }
    }

    #[test]
    fn the_first_1_36_releases_are_refused_by_name() {
        let refusal = version(&Named(vec!["http_get_request_header"])).expect_err("refused");
        assert_eq!(refusal, Refusal::Before1363);
        assert!(refusal.to_string().contains("older than 1.36.3"));
    }

    #[test]
    fn a_program_that_is_not_envoy_is_refused_with_the_list_of_envoys() {
        let refusal = version(&Named(vec![])).expect_err("refused");
        assert_eq!(refusal, Refusal::NotEnvoy);
        assert!(
            refusal
                .to_string()
                .ends_with("1.36.3 and later, 1.37, 1.38, 1.39 and 1.40")
        );
    }
}
