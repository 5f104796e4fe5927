//! The files that configurations name: profiles, prices and keys, read once.
//!
//! A configuration names the path that a file has where Envoy runs. `--map /etc/rustformations=k8s/prices` says
//! where that folder is here.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use transformations::files::{Files, NoProfiles, Prices, read_prices};
use transformations::live::{Fixed, Live};
use transformations::profiles::{PROFILES_VARIABLE, Profiles};
use transformations::provider::{Key, Keys};

/// What commands that compile configurations take.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct FileArguments {
    /// The file of profiles; without it, the one that RUSTFORMATIONS_PROFILES names, as for the module
    #[arg(long, value_name = "FILE")]
    profiles: Option<PathBuf>,

    /// Where a folder is here that configurations name as Envoy sees it
    #[arg(long, value_name = "THERE=HERE", value_parser = mapping)]
    map: Vec<(PathBuf, PathBuf)>,
}

impl FileArguments {
    /// Profiles alone.
    pub(crate) fn of_profiles(profiles: Option<PathBuf>) -> FileArguments {
        let map = Vec::new();
        FileArguments { profiles, map }
    }
}

fn mapping(text: &str) -> Result<(PathBuf, PathBuf), String> {
    let (there, here) = text
        .split_once('=')
        .ok_or("expected THERE=HERE, such as /etc/rustformations=./config")?;
    Ok((there.into(), here.into()))
}

/// The files of this machine.
#[derive(Clone, Debug)]
pub(crate) struct LocalFiles {
    profiles: Result<Arc<Profiles>, NoProfiles>,
    map: Vec<(PathBuf, PathBuf)>,
}

impl LocalFiles {
    /// Reads the file of profiles, if there is one.
    pub(crate) fn new(asked: &FileArguments) -> LocalFiles {
        let variable = || std::env::var_os(PROFILES_VARIABLE).map(PathBuf::from);
        let file = asked.profiles.clone().or_else(variable);
        let file = file.filter(|path| !path.as_os_str().is_empty());
        LocalFiles {
            profiles: file.map_or(Err(NoProfiles::Unset), |path| read_profiles(&path)),
            map: asked.map.clone(),
        }
    }

    /// The same files, but for the profiles.
    pub(crate) fn with_profiles(&self, profiles: Arc<Profiles>) -> LocalFiles {
        LocalFiles {
            profiles: Ok(profiles),
            map: self.map.clone(),
        }
    }

    /// Whether profiles were asked for.
    pub(crate) fn has_profiles(&self) -> bool {
        !matches!(self.profiles, Err(NoProfiles::Unset))
    }

    fn here(&self, path: &str) -> PathBuf {
        self.mapped(path).unwrap_or_else(|| path.into())
    }

    fn mapped(&self, path: &str) -> Option<PathBuf> {
        self.map.iter().find_map(|(there, here)| {
            let rest = Path::new(path).strip_prefix(there).ok()?;
            Some(here.join(rest))
        })
    }
}

fn read_profiles(path: &Path) -> Result<Arc<Profiles>, NoProfiles> {
    let file = path.display().to_string();
    let broken = |why: String| NoProfiles::Broken {
        file: file.clone(),
        why,
    };
    let text = std::fs::read(path).map_err(|error| broken(error.to_string()))?;
    let profiles = Profiles::parse(&file, &text).map_err(|found| broken(found.to_string()))?;
    Ok(Arc::new(profiles))
}

impl Files for LocalFiles {
    fn profiles(&self) -> Result<Arc<Profiles>, NoProfiles> {
        self.profiles.clone()
    }

    fn prices(&self, path: &str) -> Result<Arc<dyn Live<Prices>>, String> {
        let text = std::fs::read(self.here(path))
            .map_err(|error| format!("{error} (--map says where it is here)"))?;
        let prices = read_prices(&text)?;
        Ok(Arc::new(Fixed::new(prices)))
    }

    fn keys(&self) -> &dyn Keys {
        self
    }
}

/// Keys are secrets, which are seldom where configurations are checked: what is here is read, and of what is not,
/// nothing is said. A file in a folder that is mapped is one that should be here.
impl Keys for LocalFiles {
    fn file(&self, path: &str) -> Result<Arc<dyn Live<Key>>, String> {
        match (self.mapped(path), Path::new(path)) {
            (None, there) if !there.exists() => Ok(Arc::new(Fixed::new(elsewhere()?))),
            (mapped, there) => {
                let text = std::fs::read(mapped.as_deref().unwrap_or(there));
                let text = text.map_err(|error| error.to_string())?;
                let key = Key::read(&text).map_err(|error| error.to_string())?;
                Ok(Arc::new(Fixed::new(key)))
            }
        }
    }

    fn variable(&self, name: &str) -> Option<Vec<u8>> {
        let here = std::env::var_os(name).map(OsString::into_encoded_bytes);
        here.or_else(|| Some(ELSEWHERE.to_vec()))
    }
}

/// What stands in for a key that is somewhere else.
const ELSEWHERE: &[u8] = b"elsewhere";

fn elsewhere() -> Result<Key, String> {
    Key::read(ELSEWHERE).map_err(|error| error.to_string())
}
