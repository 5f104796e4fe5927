//! What a proxy needs beside its configuration: the module, and an Envoy.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use envoys::{Envoy, Version};

/// What the module's file is called: Envoy looks for `lib<name>.so`, and the name is `rust_module`.
const MODULE_FILE: &str = "librust_module.so";

/// Where packages that hold the tool and the module have the module, seen from the folder of the tool.
const INSTALLED: &str = "../lib/rustformations";

/// Where cargo puts the module as it ships, seen from the root of the repository.
const BUILT: &str = "target/release";

/// The folder of the module: the one that is named, else the first of those where it may be.
///
/// # Errors
/// If it is not there: where it was looked for.
pub(super) fn module_folder(named: Option<&Path>) -> Result<PathBuf> {
    let tool = std::env::current_exe().and_then(std::fs::canonicalize);
    let tool = tool.context("the tool does not know where it is")?;
    let beside = tool.parent().unwrap_or(Path::new("/"));
    let candidates = match named {
        Some(path) if path.is_dir() => vec![path.join(MODULE_FILE)],
        Some(path) => vec![path.to_owned()],
        None => vec![
            beside.join(MODULE_FILE),
            beside.join(INSTALLED).join(MODULE_FILE),
            Path::new(BUILT).join(MODULE_FILE),
        ],
    };
    let is_module = |path: &&PathBuf| path.ends_with(MODULE_FILE) && path.is_file();
    let Some(found) = candidates.iter().find(is_module) else {
        let looked = candidates.iter().map(|it| it.display().to_string());
        bail!(
            "there is no {MODULE_FILE} at {}; build it with \"make module\", or name it with --module",
            looked.collect::<Vec<_>>().join(", ")
        );
    };
    let found = std::path::absolute(found)?;
    Ok(found.parent().map(Path::to_owned).unwrap_or_default())
}

/// The release that is asked for, or else the one that the environment asks for.
///
/// # Errors
/// If the environment makes no sense: one sentence with the remedy.
pub(super) fn version(release: Option<Version>) -> Result<Version> {
    match (release, Envoy::from_environment()?) {
        (Some(release), _) => Ok(release),
        (None, Some(own)) => Ok(own.version()),
        (None, None) => Version::from_environment(),
    }
}

/// The Envoy of a release: the one that the environment names, if it is that, or one that is kept or downloaded.
///
/// # Errors
/// If it cannot be had: one sentence with the remedy.
pub(super) fn envoy(version: Version) -> Result<Envoy> {
    if let Some(own) = Envoy::from_environment()?.filter(|own| own.version() == version) {
        return Ok(own);
    }
    let cache = envoy_cache()?;
    if !Envoy::is_in(&cache, version) {
        // There is nobody else to tell if this fails.
        let _ = writeln!(
            anstream::stderr(),
            "Envoy {version} is downloaded to {}, once",
            cache.display()
        );
    }
    Envoy::bring(version, &cache)
}

/// Where Envoys are kept: `ENVOY_CACHE`, else `target/envoy` where this project is built, else the user's cache.
fn envoy_cache() -> Result<PathBuf> {
    let of_project = || Some(PathBuf::from("target/envoy")).filter(|it| it.is_dir());
    let found = envoys::cache_of_environment()
        .or_else(of_project)
        .or_else(users_cache);
    found.context("there is no folder to keep Envoy in: neither ENVOY_CACHE nor HOME is set")
}

fn users_cache() -> Option<PathBuf> {
    let folder = |variable| std::env::var_os(variable).map(PathBuf::from);
    let cache = folder("XDG_CACHE_HOME").filter(|it| it.is_absolute());
    let cache = cache.or_else(|| Some(folder("HOME")?.join(".cache")))?;
    Some(cache.join("rustformations/envoy"))
}
