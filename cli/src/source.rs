//! The texts that a command is to look at: files, folders with everything in them, standard input.
//!
//! Folders are read as developers' tools do it: without hidden files and what `.gitignore` names. The order is
//! that of the arguments, and of the names within a folder.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use ignore::WalkBuilder;

/// The endings of files that are looked at in folders.
const ENDINGS: [&str; 4] = ["json", "yaml", "yml", "md"];

/// One text, or why there is none.
#[derive(Debug)]
pub(crate) struct Source {
    /// What its author calls it.
    pub(crate) name: String,
    /// It was named, and not met in a folder.
    pub(crate) is_named: bool,
    /// What is in it.
    pub(crate) bytes: std::result::Result<Vec<u8>, String>,
}

impl Source {
    fn file(path: &Path, is_named: bool) -> Source {
        Source {
            name: path.display().to_string(),
            is_named,
            bytes: std::fs::read(path).map_err(|error| error.to_string()),
        }
    }

    /// What is in it, without a mark of its encoding, if that is text.
    pub(crate) fn text(&self) -> Option<&str> {
        let text = str::from_utf8(self.bytes.as_ref().ok()?).ok()?;
        Some(text.strip_prefix('\u{feff}').unwrap_or(text))
    }

    fn standard_input() -> Source {
        let mut bytes = Vec::new();
        let read = io::stdin().lock().read_to_end(&mut bytes);
        Source {
            name: "standard input".to_owned(),
            is_named: true,
            bytes: read.map(|_| bytes).map_err(|error| error.to_string()),
        }
    }
}

/// Checks that at most one argument names standard input, which is there once.
///
/// # Errors
/// Which ones do.
pub(crate) fn check_standard_input(named: &[(&str, Option<&Path>)]) -> Result<()> {
    let is_named = |path: &Path| path.as_os_str() == "-";
    let named = named.iter().filter(|(_, path)| path.is_some_and(is_named));
    let names: Vec<_> = named.map(|(name, _)| *name).collect();
    if names.len() > 1 {
        bail!(
            "only one argument can be \"-\", since standard input is there once; name files for the others of {}",
            names.join(", ")
        );
    }
    Ok(())
}

/// Reads everything that was asked for; `-` is standard input.
pub(crate) fn read_all(paths: &[PathBuf]) -> Vec<Source> {
    let mut sources = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            sources.push(Source::standard_input());
        } else if path.is_dir() {
            folder(path, &mut sources);
        } else {
            sources.push(Source::file(path, true));
        }
    }
    sources
}

fn folder(path: &Path, sources: &mut Vec<Source>) {
    let mut walk = WalkBuilder::new(path);
    walk.sort_by_file_path(Path::cmp).require_git(false);
    for entry in walk.build() {
        match entry {
            Ok(entry) if entry.path().is_file() && is_looked_at(entry.path()) => {
                sources.push(Source::file(entry.path(), false));
            }
            Ok(_) => {}
            Err(error) => sources.push(Source {
                name: path.display().to_string(),
                is_named: false,
                bytes: Err(error.to_string()),
            }),
        }
    }
}

fn is_looked_at(path: &Path) -> bool {
    let ending = path.extension().and_then(OsStr::to_str);
    ending.is_some_and(|it| ENDINGS.iter().any(|known| it.eq_ignore_ascii_case(known)))
}
