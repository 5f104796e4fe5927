//! The one configuration that is meant, among those that a file holds.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, bail};
use transformations::profiles::Profiles;
use transformations::{Code, CompileOptions, Diagnostic, Program};

use crate::files::LocalFiles;
use crate::find::locate::{Position, Spot, Text};
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
    /// Where problems of it stand, for whoever knows the text around it.
    spot: Spot,
}

/// A file as it is read once, and what it is called.
struct Told<'t> {
    name: &'t str,
    text: Option<Text<'t>>,
}

impl Told<'_> {
    /// A problem with where it stands.
    fn tell(&self, one: &Chosen, problem: &Diagnostic, out: &mut dyn Write) -> Result<()> {
        // The path of what stands in a file of profiles begins with its name.
        let here = format!("{}: ", self.name);
        let field = problem.path();
        let field = field.strip_prefix(&here).unwrap_or(field);
        let is_malformed = problem.code() == Code::NOT_JSON;
        let text = self.text.as_ref();
        let place = match text.and_then(|text| one.spot.locate(text, field, is_malformed)) {
            Some(Position { line, column }) => format!("{}:{line}:{column}", self.name),
            None => self.name.to_owned(),
        };
        Ok(paint::diagnostic_at(out, problem, Some(&place))?)
    }
}

/// The program of a file, or none if it is refused; then the reasons are printed. What it is warned of is said on
/// standard error.
///
/// # Errors
/// As [`configuration`], or if nothing can be written.
pub(crate) fn program(
    path: &Path,
    place: &str,
    files: &LocalFiles,
    out: &mut dyn Write,
) -> Result<Option<Arc<Program>>> {
    let sources = source::read_all(&[PathBuf::from(path)]);
    let chosen = chosen(&sources, path, place, files)?;
    let name = path.display().to_string();
    let told = Told {
        name: sources.first().map_or(&name, |it| &it.name),
        text: sources.first().and_then(Source::text).map(Text::new),
    };
    let options = CompileOptions::from_process();
    match Program::compile_with(&chosen.text, &options, &chosen.files) {
        Ok(program) => {
            let mut err = anstream::stderr().lock();
            for problem in program.warnings() {
                told.tell(&chosen, problem, &mut err)?;
            }
            Ok(Some(Arc::new(program)))
        }
        Err(found) => {
            for problem in &found {
                told.tell(&chosen, problem, out)?;
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
    chosen(
        &source::read_all(&[PathBuf::from(path)]),
        path,
        place,
        files,
    )
}

fn chosen(sources: &[Source], path: &Path, place: &str, files: &LocalFiles) -> Result<Chosen> {
    let (mut meant, others): (Vec<_>, Vec<_>) = candidates(sources, files)?
        .into_iter()
        .partition(|it| it.about.contains(place));
    let places = |all: &[Chosen]| {
        let places: Vec<_> = all.iter().map(|it| it.about.trim()).collect();
        places.join("\n")
    };
    let several = meant.len() > 1;
    match meant.pop() {
        Some(chosen) if !several => Ok(chosen),
        Some(last) => {
            meant.push(last);
            bail!(
                "there are several configurations; choose one with --place:\n{}",
                places(&meant)
            )
        }
        None if others.is_empty() => bail!(
            "{}: there is no configuration here that could be chosen",
            path.display()
        ),
        None if others.iter().all(|it| it.about.trim().is_empty()) => bail!(
            "{}: no place contains {place:?}: the file is the configuration; leave --place out",
            path.display()
        ),
        None => bail!(
            "{}: no place contains {place:?}; there are:\n{}",
            path.display(),
            places(&others)
        ),
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
            let spot = found.spot;
            let plain = |about, text| Chosen {
                spot: spot.clone(),
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
                        spot: spot.clone(),
                        about: format!("{about} profiles.{name}"),
                        text: Profiles::chooser(name).into_bytes(),
                        files: named.clone(),
                        profiles: Some(text.clone()),
                    }));
                }
                What::Unread => {}
                What::Wrong(problem) => bail!("{}: {}", source.name, problem.message()),
            }
        }
    }
    Ok(candidates)
}
