//! What the licences of linked crates ask of who passes the binaries on: the list of crates for readers, and
//! the texts that go into archives, images and the wheel.
//!
//! Where a crate leaves the choice, it is taken under Apache-2.0, as the rest of this project is: one text for
//! all. Of any other crate every text is given. Refuses a crate that must have a text and has none.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::linked::{Crate, root};

/// How the files are named, in capitals, that hold licences and what must be passed on with them.
const TEXTS: [&str; 6] = [
    "LICENSE",
    "LICENCE",
    "COPYING",
    "COPYRIGHT",
    "UNLICENSE",
    "NOTICE",
];

/// What is linked and is no crate.
const STANDARD_LIBRARY: &str = "The binaries hold Rust's standard library (MIT OR Apache-2.0), and its unwinder: parts \
     of GCC's runtime library, under the GPL with the GCC Runtime Library Exception, which lets them be part of \
     programs under any licence.";

/// The list as `THIRD-PARTY.md` has it.
///
/// # Errors
/// When a crate names no licence.
pub fn list(crates: &[Crate]) -> Result<String> {
    let mut list = String::from(
        "# What others wrote\n\n\
         The crates that are linked into `librust_module.so` and `rustformations`, on x86-64 or arm64, and their \
         licences.\n`make third-party` writes this list, and `target/THIRD-PARTY.txt` with the texts that go with \
         the binaries.\n\n",
    );
    writeln!(list, "{STANDARD_LIBRARY}\n")?;
    list.push_str("| crate | version | licence |\n|---|---|---|\n");
    for package in crates {
        if package.licence.is_empty() {
            bail!("{} {} names no licence", package.name, package.version);
        }
        let licence = package.licence.replace('/', " OR ");
        writeln!(
            list,
            "| {} | {} | {licence} |",
            package.name, package.version
        )?;
    }
    Ok(list)
}

/// The texts that go with the binaries.
///
/// # Errors
/// When a crate must have a text and has none, or a file cannot be read.
pub fn texts(crates: &[Crate]) -> Result<String> {
    let mut by_text: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut apache = Vec::new();
    for package in crates {
        let name = format!("{} {}", package.name, package.version);
        let taken_as_apache = leaves_apache(&package.licence);
        let mut files = files(&package.folder)?;
        if taken_as_apache {
            files.retain(|file| name_of(file).starts_with("NOTICE"));
            apache.push(name.clone());
        } else if files.is_empty() {
            files = files_of_sibling(package, crates)?;
        }
        // That text is there already.
        files.retain(|file| !name_of(file).contains("APACHE"));
        for file in files {
            let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            let text = text.replace("\r\n", "\n").trim().to_owned();
            by_text.entry(text).or_default().push(name.clone());
        }
    }
    let licence = fs::read_to_string(root().join("LICENSE"))?;
    let mut all = format!("{STANDARD_LIBRARY}\n");
    section(&mut all, &apache, &licence)?;
    let mut sections: Vec<_> = by_text.into_iter().collect();
    sections.sort_by(|(_, one), (_, other)| one.cmp(other));
    for (text, of) in &sections {
        section(&mut all, of, text)?;
    }
    Ok(all)
}

fn section(all: &mut String, crates: &[String], text: &str) -> Result<()> {
    let line = "-".repeat(80);
    writeln!(
        all,
        "\n{line}\n{}\n{line}\n\n{}",
        crates.join(", "),
        text.trim()
    )?;
    Ok(())
}

/// Whether a licence leaves the choice, and Apache-2.0 is one of them, or is the one.
fn leaves_apache(licence: &str) -> bool {
    let mut choices = licence.split('/').flat_map(|part| part.split(" OR "));
    !licence.contains(" AND ") && choices.any(|choice| choice.trim() == "Apache-2.0")
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut paths: Vec<PathBuf> = paths.map_err(|error: std::io::Error| error)?;
    paths.retain(|path| path.is_file() && TEXTS.iter().any(|name| name_of(path).starts_with(name)));
    paths.sort();
    Ok(paths)
}

/// The name of a file in capitals.
fn name_of(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default();
    name.to_string_lossy().to_uppercase()
}

/// The texts of another crate of the same repository and licence: not every crate repeats them.
fn files_of_sibling(package: &Crate, crates: &[Crate]) -> Result<Vec<PathBuf>> {
    let of_sibling = crates
        .iter()
        .filter(|other| !package.repository.is_empty() && other.repository == package.repository)
        .filter(|other| other.licence == package.licence)
        .map(|other| files(&other.folder))
        .find(|files| files.as_ref().is_ok_and(|files| !files.is_empty()));
    of_sibling.unwrap_or_else(|| {
        bail!(
            "{} {} ({}) comes without the text of its licence; find it, and say here where it is",
            package.name,
            package.version,
            package.licence
        )
    })
}

#[cfg(test)]
mod tests {
    use super::leaves_apache;

    #[test]
    fn apache_is_taken_where_it_is_left() {
        for licence in [
            "Apache-2.0",
            "MIT OR Apache-2.0",
            "MIT/Apache-2.0",
            "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
        ] {
            assert!(leaves_apache(licence), "{licence}");
        }
        for licence in [
            "MIT",
            "(Apache-2.0 OR MIT) AND BSD-3-Clause",
            "Apache-2.0 WITH LLVM-exception",
            "Unlicense/MIT",
        ] {
            assert!(!leaves_apache(licence), "{licence}");
        }
    }
}
