//! Where things are in this repository: its root and the module as shipped.
//!
//! Called by the lab's programs and by tests, on any thread; reads the environment, writes nothing.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// File name of the module: Envoy looks for `lib<name>.so`, and the name is `rust_module`.
pub const MODULE_FILE: &str = "librust_module.so";

/// The root of the workspace: the folder above this package.
pub fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// Cargo's target directory: `CARGO_TARGET_DIR`, else `target` of this workspace.
pub fn target_folder() -> PathBuf {
    // Tests run in the package's folder, programs at the root: the root is what everyone means.
    root().join(named("CARGO_TARGET_DIR").unwrap_or_else(|| PathBuf::from("target")))
}

/// The path that an environment variable gives.
fn named(name: &str) -> Option<PathBuf> {
    let value = std::env::var_os(name).filter(|value| !value.is_empty());
    value.map(PathBuf::from)
}

/// The folder that holds [`MODULE_FILE`], for Envoy's search path: of `MODULE` (the file itself), else
/// `MODULE_DIR`, else `release` in cargo's target directory.
///
/// # Errors
/// When there is no module: says where it was looked for and how to build it.
pub fn module_folder() -> Result<PathBuf> {
    let file = named("MODULE")
        .or_else(|| Some(named("MODULE_DIR")?.join(MODULE_FILE)))
        .unwrap_or_else(|| target_folder().join("release").join(MODULE_FILE));
    let file = root().join(file);
    let misnamed = file.file_name().is_none_or(|name| name != MODULE_FILE);
    if misnamed || !file.is_file() {
        bail!(
            "there is no {MODULE_FILE} at {}; build it with \"make module\", or name one with MODULE=path",
            file.display()
        );
    }
    Ok(file.parent().unwrap_or(root()).to_owned())
}
