//! The file of profiles of this process, and what its changes do to the configurations that chose one.
//!
//! Read when the first configuration chooses a profile, on Envoy's main thread, and again on the watcher's
//! thread when it changes. A change is taken as a whole: everything that follows from it is compiled first, each
//! profile by itself and with each configuration that uses it, and only if all of it is valid does any of it
//! come into use. New exchanges run the new programs then; those that are open keep theirs.

use std::io;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use envoy_proxy_dynamic_modules_rust_sdk::{envoy_log_error, envoy_log_info, envoy_log_warn};
use once_cell::sync::Lazy;
use transformations::files::{Files, NoProfiles, Prices};
use transformations::live::Live;
use transformations::profiles::{PROFILES_VARIABLE, Profiles};
use transformations::provider::Keys;
use transformations::{CompileOptions, Program};

use super::loaded::Loaded;
use super::prices;
use super::programs::{self, FollowedFiles};
use super::reloads::{self, Reload};
use crate::llm_provider::keys::ModuleKeys;
use crate::watch::Follower;
use crate::watch::file::OpenFiles;

/// The file of profiles.
pub(super) struct ProfileFile {
    path: PathBuf,
    /// What it held when it was valid last.
    profiles: ArcSwap<Profiles>,
    options: Arc<CompileOptions>,
}

/// Those in use, by path: one in a process, none while no configuration follows it.
static FILES: Lazy<OpenFiles<ProfileFile>> = Lazy::new(OpenFiles::default);

/// The files of this process, for the compilation of one configuration.
pub(super) struct ModuleFiles {
    options: Arc<CompileOptions>,
    /// Where the file of profiles is, if that was said.
    path: Option<PathBuf>,
    /// The file, once it was asked for.
    opened: Mutex<Option<Arc<ProfileFile>>>,
}

impl ModuleFiles {
    /// Those that Envoy's environment names.
    pub(super) fn new(options: &Arc<CompileOptions>) -> Self {
        let path = std::env::var_os(PROFILES_VARIABLE).filter(|path| !path.is_empty());
        Self::at(path.map(PathBuf::from), options)
    }

    /// With the profiles of this file.
    pub(super) fn at(path: Option<PathBuf>, options: &Arc<CompileOptions>) -> Self {
        Self {
            options: Arc::clone(options),
            path,
            opened: Mutex::default(),
        }
    }
}

impl FollowedFiles for ModuleFiles {
    fn into_profile_file(self) -> Option<Arc<dyn Follower>> {
        let opened = self.opened.into_inner();
        let file = opened.unwrap_or_else(PoisonError::into_inner)?;
        Some(file)
    }
}

impl Files for ModuleFiles {
    fn profiles(&self) -> Result<Arc<Profiles>, NoProfiles> {
        let path = self.path.as_ref().ok_or(NoProfiles::Unset)?;
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match &*opened {
            Some(file) => Arc::clone(file),
            None => ProfileFile::open(path, &self.options)?,
        };
        let profiles = file.profiles.load_full();
        *opened = Some(file);
        Ok(profiles)
    }

    fn prices(&self, path: &str) -> Result<Arc<dyn Live<Prices>>, String> {
        prices::open(path)
    }

    fn keys(&self) -> &dyn Keys {
        &ModuleKeys
    }
}

/// Profiles that are looked at, in the place of those in use.
struct Candidates(Arc<Profiles>);

impl Files for Candidates {
    fn profiles(&self) -> Result<Arc<Profiles>, NoProfiles> {
        Ok(Arc::clone(&self.0))
    }

    fn prices(&self, path: &str) -> Result<Arc<dyn Live<Prices>>, String> {
        prices::open(path)
    }

    fn keys(&self) -> &dyn Keys {
        &ModuleKeys
    }
}

impl Candidates {
    fn compile(&self, text: &[u8], options: &CompileOptions) -> Result<Program, String> {
        Program::compile_with(text, options, self).map_err(|problems| problems.to_string())
    }

    /// What is wrong with profiles by themselves.
    fn broken(&self, options: &CompileOptions) -> Vec<String> {
        let texts = self.0.names().map(Profiles::chooser);
        let compiled = texts.map(|text| self.compile(text.as_bytes(), options));
        compiled.filter_map(Result::err).collect()
    }
}

impl ProfileFile {
    /// The file that is in use, if it is this one; else it is read.
    fn open(path: &Path, options: &Arc<CompileOptions>) -> Result<Arc<Self>, NoProfiles> {
        FILES.open(path, |content| {
            let profiles = parse(path, content).map_err(|why| NoProfiles::Broken {
                file: path.display().to_string(),
                why,
            })?;
            let candidates = Candidates(Arc::new(profiles));
            for problems in candidates.broken(options) {
                // Whoever chooses one of these is refused; the others are fine.
                envoy_log_warn!("a profile cannot be used\n{problems}");
            }
            Ok(ProfileFile {
                path: path.to_owned(),
                profiles: ArcSwap::new(candidates.0),
                options: Arc::clone(options),
            })
        })
    }

    /// Takes what the file holds now, as a whole or not at all; answers how many configurations changed.
    fn take(&self, content: io::Result<Vec<u8>>) -> Result<usize, String> {
        let candidates = Candidates(Arc::new(parse(&self.path, content)?));
        let broken = candidates.broken(&self.options);
        if !broken.is_empty() {
            return Err(broken.join("\n"));
        }
        let before = self.profiles.load_full();
        // Whoever chooses a profile meanwhile waits, and gets a new one.
        let programs = programs::lock();
        let mut compiled = Vec::new();
        for (text, following) in programs.following(ptr::from_ref(self).cast()) {
            let name = following.profile();
            if !candidates.0.has(name) {
                if before.has(name) {
                    let path = self.path.display();
                    envoy_log_warn!(
                        "{path}: the profile {name} is gone; who uses it keeps it as it was"
                    );
                }
                continue;
            }
            if !before.agrees(&candidates.0, name) {
                let program = candidates.compile(text, &self.options)?;
                for warning in program.warnings() {
                    envoy_log_warn!("{warning}");
                }
                compiled.push((following, program));
            }
        }
        let changed = compiled.len();
        for (following, program) in compiled {
            following.store(Loaded::new(program));
        }
        self.profiles.store(candidates.0);
        Ok(changed)
    }
}

impl Follower for ProfileFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn on_change(&self, content: io::Result<Vec<u8>>) {
        let path = self.path.display();
        match self.take(content) {
            Ok(changed) => {
                envoy_log_info!("{path}: in use from now on, in {changed} configurations");
                reloads::count(Reload::ProfilesTaken);
            }
            Err(why) => {
                envoy_log_error!("{path}: the profiles before this change stay in use\n{why}");
                reloads::count(Reload::ProfilesRefused);
            }
        }
    }
}

fn parse(path: &Path, content: io::Result<Vec<u8>>) -> Result<Profiles, String> {
    let file = path.display().to_string();
    let content = content.map_err(|error| format!("{file} cannot be read: {error}"))?;
    Profiles::parse(&file, &content).map_err(|problems| problems.to_string())
}

#[cfg(test)]
mod tests;
