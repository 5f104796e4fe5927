//! The crates that are linked into what is released: the module and the command-line tool, on both platforms.
//!
//! Runs cargo, which fetches the sources of crates that it has not; refuses a crate that cargo knows no folder
//! of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// The packages that are released.
const RELEASED: [&str; 2] = ["rustformations", "rustformations-cli"];
/// The platforms that they are released for.
const PLATFORMS: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

/// A crate of others.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Crate {
    /// As it is published.
    pub name: String,
    /// The one that `Cargo.lock` names.
    pub version: String,
    /// The SPDX expression of its licence, as its manifest has it.
    pub licence: String,
    /// Where it is developed; crates of one repository share what they say of licences.
    pub repository: String,
    /// Where its source lies on this machine.
    pub folder: PathBuf,
}

/// Every crate that is linked on some platform, by name and version.
///
/// # Errors
/// When cargo cannot be run or fails, or says what is not expected of it.
pub fn crates() -> Result<Vec<Crate>> {
    let known = known()?;
    let mut linked = BTreeSet::new();
    for platform in PLATFORMS {
        // Features are those of a build of these packages alone; macros and build scripts are not linked.
        let mut tree = vec![
            "tree",
            "--prefix=none",
            "--format={p}",
            "--target",
            platform,
        ];
        tree.extend(["--edges=normal,no-proc-macro"]);
        tree.extend(RELEASED.iter().flat_map(|package| ["--package", package]));
        for line in cargo(&tree)?.lines().filter(|line| !line.is_empty()) {
            let mut words = line.split_whitespace();
            let (Some(name), Some(version)) = (words.next(), words.next()) else {
                bail!("cargo tree says {line:?}");
            };
            linked.insert((name.to_owned(), version.trim_start_matches('v').to_owned()));
        }
    }
    let of_others = linked.iter().filter_map(|key| match known.get(key) {
        Some(None) => None,
        Some(Some(package)) => Some(Ok(package.clone())),
        None => Some(Err(anyhow::anyhow!("cargo metadata lacks {key:?}"))),
    });
    of_others.collect()
}

/// Every package by name and version; `None` for those of this workspace.
fn known() -> Result<BTreeMap<(String, String), Option<Crate>>> {
    // Crates for other platforms would have to be fetched.
    let mut asked = vec!["metadata", "--format-version=1"];
    asked.extend(
        PLATFORMS
            .iter()
            .flat_map(|platform| ["--filter-platform", platform]),
    );
    let text = cargo(&asked)?;
    let metadata: Value = serde_json::from_str(&text).context("cargo metadata")?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let described = packages.iter().map(|package| {
        let text = |field: &str| package[field].as_str().unwrap_or_default().to_owned();
        let manifest = PathBuf::from(text("manifest_path"));
        let package_folder = manifest.parent().context("a manifest without a folder")?;
        let described = Crate {
            name: text("name"),
            version: text("version"),
            licence: text("license"),
            repository: text("repository"),
            folder: package_folder.to_owned(),
        };
        let key = (described.name.clone(), described.version.clone());
        Ok((key, package["source"].is_string().then_some(described)))
    });
    described.collect()
}

fn cargo(arguments: &[&str]) -> Result<String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program)
        .args(arguments)
        .arg("--locked")
        .current_dir(root())
        .output()
        .context("cargo cannot be run")?;
    if !output.status.success() {
        bail!(
            "cargo {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}
