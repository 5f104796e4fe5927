//! The one configuration that is meant, among those that a file holds.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, bail};
use transformations::profiles::Profiles;
use transformations::{CompileOptions, Program};

use crate::files::LocalFiles;
use crate::find::{Filter, What, find};
use crate::paint;
use crate::source::{self, Source};

/// A configuration, and what goes with it.
pub(crate) struct Chosen {
    /// Where it stands.
    pub(crate) about: String,
    pub(crate) text: Vec<u8>,
    pub(crate) files: LocalFiles,
    /// The text of the profiles that it chooses from, where those were found with it.
    pub(crate) profiles: Option<Vec<u8>>,
}

/// The program of a file, or none if it is refused; then the reasons are printed.
///
/// # Errors
/// As [`configuration`], or if nothing can be written.
pub(crate) fn program(
    path: &Path,
    place: &str,
    files: &LocalFiles,
    out: &mut dyn Write,
) -> Result<Option<Arc<Program>>> {
    let chosen = configuration(path, place, files)?;
    let options = CompileOptions::from_process();
    match Program::compile_with(&chosen.text, &options, &chosen.files) {
        Ok(program) => Ok(Some(Arc::new(program))),
        Err(found) => {
            for problem in &found {
                paint::diagnostic(out, problem)?;
            }
            Ok(None)
        }
    }
}

/// The configuration of a file.
///
/// # Errors
/// If there is none, or there are several and `place` does not choose.
pub(crate) fn configuration(path: &Path, place: &str, files: &LocalFiles) -> Result<Chosen> {
    let mut candidates = candidates(&source::read_all(&[PathBuf::from(path)]), files)?;
    candidates.retain(|it| it.about.contains(place));
    let several = candidates.len() > 1;
    match candidates.pop() {
        Some(chosen) if !several => Ok(chosen),
        None => bail!("{}: there is no such configuration here", path.display()),
        Some(last) => {
            candidates.push(last);
            let places: Vec<_> = candidates.iter().map(|it| it.about.as_str()).collect();
            bail!(
                "there are several configurations; choose one with --place:\n{}",
                places.join("\n")
            )
        }
    }
}

/// All configurations of some texts; each profile is one.
///
/// # Errors
/// If one of them cannot be a configuration.
pub(crate) fn candidates(sources: &[Source], files: &LocalFiles) -> Result<Vec<Chosen>> {
    let mut candidates = Vec::new();
    for source in sources {
        for found in find(source) {
            let about = match found.spot.line() {
                Some(line) => format!("line {line} {}", found.place),
                None => found.place,
            };
            let plain = |about, text| Chosen {
                about,
                text,
                files: files.clone(),
                profiles: None,
            };
            match found.what {
                What::Config(Filter::Transformation, text) | What::Bare(text) => {
                    candidates.push(plain(about, text))
                }
                // Of another filter.
                What::Config(..) => {}
                What::Policy(value) => {
                    candidates.push(plain(about, value.to_string().into_bytes()));
                }
                What::Profiles(text) => {
                    let profiles = match Profiles::parse(&source.name, &text) {
                        Ok(profiles) => Arc::new(profiles),
                        Err(found) => bail!("{found}"),
                    };
                    let named = files.with_profiles(Arc::clone(&profiles));
                    candidates.extend(profiles.names().map(|name| Chosen {
                        about: format!("{about} profiles.{name}"),
                        text: Profiles::chooser(name).into_bytes(),
                        files: named.clone(),
                        profiles: Some(text.clone()),
                    }));
                }
                What::Wrong(problem) => bail!("{}: {}", source.name, problem.message()),
            }
        }
    }
    Ok(candidates)
}
