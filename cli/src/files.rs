//! The files that configurations name: profiles and prices, read once.
//!
//! A configuration names the path that a file has where Envoy runs. `--map /etc/rustformations=k8s/prices` says
//! where that folder is here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use transformations::files::{Files, LivePrices, NoProfiles, Prices, read_prices};
use transformations::profiles::{PROFILES_VARIABLE, Profiles};

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
        let path = Path::new(path);
        let mapped = self.map.iter().find_map(|(there, here)| {
            let rest = path.strip_prefix(there).ok()?;
            Some(here.join(rest))
        });
        mapped.unwrap_or_else(|| path.to_owned())
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

    fn prices(&self, path: &str) -> Result<Arc<dyn LivePrices>, String> {
        let text = std::fs::read(self.here(path))
            .map_err(|error| format!("{error} (--map says where it is here)"))?;
        let prices = read_prices(&text)?;
        Ok(Arc::new(Fixed(Arc::new(prices))))
    }
}

/// Prices that never change.
#[derive(Debug)]
struct Fixed(Arc<Prices>);

impl LivePrices for Fixed {
    fn current(&self) -> Arc<Prices> {
        Arc::clone(&self.0)
    }
}
