//! The one configuration that is meant, among those that a file holds.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, bail};
use transformations::profiles::Profiles;

use crate::files::LocalFiles;
use crate::find::{What, find};
use crate::source;

/// The text of a configuration, and the files that go with it.
///
/// # Errors
/// If there is none, or there are several and `place` does not choose.
pub(crate) fn configuration(
    path: &Path,
    place: &str,
    files: &LocalFiles,
) -> Result<(Vec<u8>, LocalFiles)> {
    let sources = source::read_all(&[PathBuf::from(path)]);
    let mut candidates = Vec::new();
    for source in &sources {
        for found in find(source) {
            let about = match found.line {
                Some(line) => format!("line {line} {}", found.place),
                None => found.place,
            };
            match found.what {
                What::Config(text) | What::Bare(text) => {
                    candidates.push((about, text, files.clone()));
                }
                What::Policy(value) => {
                    candidates.push((about, value.to_string().into_bytes(), files.clone()));
                }
                What::Profiles(text) => {
                    let profiles = match Profiles::parse(&source.name, &text) {
                        Ok(profiles) => Arc::new(profiles),
                        Err(found) => bail!("{found}"),
                    };
                    let named = files.with_profiles(Arc::clone(&profiles));
                    candidates.extend(profiles.names().map(|name| {
                        let chooser = Profiles::chooser(name).into_bytes();
                        (format!("{about} profiles.{name}"), chooser, named.clone())
                    }));
                }
                What::Wrong(problem) => bail!("{}: {}", source.name, problem.message()),
            }
        }
    }
    candidates.retain(|(about, ..)| about.contains(place));
    let several = candidates.len() > 1;
    match candidates.pop() {
        Some((_, text, files)) if !several => Ok((text, files)),
        None => bail!("{}: there is no such configuration here", path.display()),
        Some(last) => {
            candidates.push(last);
            let places: Vec<_> = candidates
                .iter()
                .map(|(about, ..)| about.as_str())
                .collect();
            bail!(
                "there are several configurations; choose one with --place:\n{}",
                places.join("\n")
            )
        }
    }
}
