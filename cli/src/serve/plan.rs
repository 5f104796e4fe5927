//! What Envoy is to run, made of the file of the configuration: checked first, as `validate` does it.

use std::cell::OnceCell;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use envoys::{Settings, Version};
use transformations::profiles::PROFILES_VARIABLE;

use super::Arguments;
use super::bootstrap::{self, Bootstrap};
use super::port::Reserved;
use super::upstream::Upstream;
use crate::files::{FileArguments, LocalFiles};
use crate::render::choose;
use crate::{Outcome, validate};

/// Where a proxy is, and what it is in front of.
#[derive(Debug)]
pub(super) struct Place {
    /// Kept from when it is needed first: a bootstrap needs none.
    pub(super) port: OnceCell<Reserved>,
    pub(super) upstream: Upstream,
    pub(super) module_folder: PathBuf,
}

/// One run of Envoy.
#[derive(Debug)]
pub(super) struct Plan {
    /// The file that Envoy reads: the user's, or one in `folder`.
    pub(super) bootstrap: PathBuf,
    /// Where it listens.
    pub(super) listeners: Vec<SocketAddr>,
    pub(super) settings: Settings,
    /// What is made for this run.
    pub(super) folder: tempfile::TempDir,
}

fn files(asked: &Arguments) -> FileArguments {
    FileArguments::of_profiles(asked.profiles.clone())
}

/// Checks the configuration for an Envoy, and says what is wrong with it.
///
/// # Errors
/// If the file cannot be read, or nothing can be written.
pub(super) fn is_valid(
    asked: &Arguments,
    config: &Path,
    envoy: Version,
    out: &mut dyn Write,
) -> Result<bool> {
    std::fs::read(config).with_context(|| config.display().to_string())?;
    let checked = validate::Arguments::of(config, (envoy.major, envoy.minor), files(asked));
    Ok(validate::run(&checked, out)? == Outcome::Fine)
}

impl Plan {
    /// Makes a plan for a configuration that is valid.
    ///
    /// # Errors
    /// If the file holds no configuration, or several.
    pub(super) fn new(asked: &Arguments, config: &Path, place: &Place) -> Result<Plan> {
        let text = std::fs::read(config).with_context(|| config.display().to_string())?;
        let mut plan = Plan {
            bootstrap: std::path::absolute(config)?,
            listeners: Vec::new(),
            settings: settings(place),
            folder: tempfile::tempdir().context("no temporary folder can be made")?,
        };
        if let Some(profiles) = &asked.profiles {
            plan.name_profiles(std::path::absolute(profiles)?);
        }
        match bootstrap::read(&text) {
            Some(own) => plan.run(own, asked, config)?,
            None => {
                let files = LocalFiles::new(&files(asked));
                let chosen = choose::configuration(config, &asked.place, &files)?;
                plan.wrap(&chosen, place, asked.port)?;
            }
        }
        Ok(plan)
    }

    /// A bootstrap is run as it is.
    fn run(&mut self, own: Bootstrap, asked: &Arguments, config: &Path) -> Result<()> {
        if asked.upstream.is_some() || asked.port.is_some() {
            bail!(
                "{} is a bootstrap, which says itself where it listens and where requests go: --port and --upstream \
                 are not for it",
                config.display()
            );
        }
        if !own.has_admin {
            let admin = serde_json::json!({"admin": bootstrap::admin()});
            let arguments = &mut self.settings.arguments;
            arguments.extend(["--config-yaml".to_owned(), admin.to_string()]);
        }
        self.listeners = own.listeners;
        Ok(())
    }

    /// A configuration gets a bootstrap.
    fn wrap(&mut self, chosen: &choose::Chosen, place: &Place, port: Option<u16>) -> Result<()> {
        let address = match place.port.get() {
            Some(reserved) => reserved.address(),
            None => {
                let reserved = Reserved::new(port)?;
                place.port.get_or_init(|| reserved).address()
            }
        };
        let text = str::from_utf8(&chosen.text).context("the configuration is not UTF-8")?;
        let around = bootstrap::around(text, address, &place.upstream);
        let around = around.map_err(|why| anyhow!(why))?;
        self.bootstrap = self.folder.path().join("bootstrap.json");
        std::fs::write(&self.bootstrap, around.to_string())?;
        self.listeners = vec![address];
        if let Some(profiles) = &chosen.profiles {
            let file = self.folder.path().join("profiles.yaml");
            std::fs::write(&file, profiles)?;
            self.name_profiles(file);
        }
        Ok(())
    }

    fn name_profiles(&mut self, file: PathBuf) {
        let named = (PROFILES_VARIABLE.to_owned(), file.display().to_string());
        self.settings.environment.push(named);
    }
}

/// Envoy says only what went wrong, and the module all that it has to say.
fn settings(place: &Place) -> Settings {
    Settings {
        log_level: "error".to_owned(),
        component_log_level: "dynamic_modules:warning".to_owned(),
        arguments: ["--log-format", "%l %v"].map(str::to_owned).to_vec(),
        prints: true,
        module_folder: Some(place.module_folder.clone()),
        ..Settings::default()
    }
}
