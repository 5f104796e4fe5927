//! One running Envoy: started on free ports, asked through its admin interface, stopped when dropped.
//!
//! Used by tests through [`crate::lab::Lab`] and by the lab's programs.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitStatus;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use envoys::{Process, Started};
use serde_json::Value;

use super::{Envoy, Settings, admin};

/// How long an end may take on a busy machine.
const END_DEADLINE: Duration = Duration::from_secs(30);

/// A configuration that Envoy refused, and what it said.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// How Envoy exited.
    pub status: ExitStatus,
    /// Its whole log.
    pub logs: String,
}

/// A running Envoy.
pub struct EnvoyProcess {
    process: Process,
    admin: SocketAddr,
}

impl EnvoyProcess {
    /// Starts `envoy` with a bootstrap in JSON and waits until it serves. The bootstrap must have an
    /// `admin.address`; port 0 is welcome.
    ///
    /// # Errors
    /// When Envoy cannot be run, exits, or does not serve in time: with the end of its log.
    pub fn start(envoy: &Envoy, bootstrap: &Value, settings: &Settings) -> Result<Self> {
        Self::serving(spawn(envoy, bootstrap, settings)?)
    }

    /// As [`EnvoyProcess::start`] with the bootstrap in a file, JSON or YAML by its extension.
    ///
    /// # Errors
    /// As [`EnvoyProcess::start`].
    pub fn start_file(envoy: &Envoy, bootstrap: &Path, settings: &Settings) -> Result<Self> {
        Self::serving(Process::spawn(envoy, bootstrap, folder()?, settings)?)
    }

    fn serving(mut process: Process) -> Result<Self> {
        match process.wait_for_start()? {
            Started::Serving => {}
            Started::Ended(status) => bail!(
                "Envoy exited ({status}); its log ends:\n{}",
                process.end_of_log()
            ),
        }
        let admin = process.admin().context("Envoy has no admin interface")?;
        Ok(Self { process, admin })
    }

    /// Runs Envoy on a bootstrap that it must refuse, and returns what it said.
    ///
    /// # Errors
    /// When Envoy accepts the configuration (it is stopped) or cannot be run.
    pub fn refuse(envoy: &Envoy, bootstrap: &Value, settings: &Settings) -> Result<Refusal> {
        let mut process = spawn(envoy, bootstrap, settings)?;
        match process.wait_for_start()? {
            Started::Ended(status) => Ok(Refusal {
                status,
                logs: process.logs(),
            }),
            Started::Serving => bail!(
                "Envoy took the configuration; its log ends:\n{}",
                process.end_of_log()
            ),
        }
    }

    /// Runs Envoy in `--mode validate` on a file; returns whether it accepts it, and its log.
    ///
    /// # Errors
    /// When Envoy cannot be run.
    pub fn validate(
        envoy: &Envoy,
        bootstrap: &Path,
        settings: &Settings,
    ) -> Result<(bool, String)> {
        Process::validate(envoy, bootstrap, settings)
    }

    /// The port a listener got.
    ///
    /// # Errors
    /// When there is no listener of that name, or Envoy does not answer.
    pub fn listener(&self, name: &str) -> Result<SocketAddr> {
        let listeners: Value = serde_json::from_str(&self.admin_get("/listeners?format=json")?)?;
        let entries = listeners["listener_statuses"].as_array();
        let found = entries
            .into_iter()
            .flatten()
            .find(|listener| listener["name"] == name);
        let socket = &found.with_context(|| format!("Envoy has no listener {name}"))?["local_address"]
            ["socket_address"];
        let port = socket["port_value"]
            .as_u64()
            .and_then(|port| u16::try_from(port).ok());
        Ok(SocketAddr::from((
            [127, 0, 0, 1],
            port.context("a listener without a port")?,
        )))
    }

    /// Where the admin interface is.
    pub fn admin_address(&self) -> SocketAddr {
        self.admin
    }

    /// What the admin interface answers to GET `path`.
    ///
    /// # Errors
    /// When Envoy does not answer 200.
    pub fn admin_get(&self, path: &str) -> Result<String> {
        admin::ask(self.admin, "GET", path)
    }

    /// What the admin interface answers to POST `path`.
    ///
    /// # Errors
    /// When Envoy does not answer 200.
    pub fn admin_post(&self, path: &str) -> Result<String> {
        admin::ask(self.admin, "POST", path)
    }

    /// All counters and gauges by name.
    ///
    /// # Errors
    /// When Envoy does not answer.
    pub fn stats(&self) -> Result<BTreeMap<String, u64>> {
        let text = self.admin_get("/stats")?;
        let parse = |line: &str| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        Ok(text.lines().filter_map(parse).collect())
    }

    /// Everything Envoy has logged so far.
    pub fn logs(&self) -> String {
        self.process.logs()
    }

    /// Waits up to five seconds for `text` in the log; whether it came.
    pub fn wait_for_log(&self, text: &str) -> bool {
        let deadline = Instant::now() + Duration::from_secs(5);
        while !self.logs().contains(text) {
            if Instant::now() > deadline {
                return false;
            }
            thread::sleep(Duration::from_millis(20));
        }
        true
    }

    /// A folder for files that belong to this Envoy.
    pub fn folder(&self) -> &Path {
        self.process.folder()
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Asks Envoy to end; how it did, and its whole log.
    ///
    /// # Errors
    /// When it does not end within 30 s.
    pub fn quit(mut self) -> Result<(ExitStatus, String)> {
        self.admin_post("/quitquitquit")?;
        let deadline = Instant::now() + END_DEADLINE;
        loop {
            if let Some(status) = self.process.ended()? {
                return Ok((status, self.logs()));
            }
            if Instant::now() > deadline {
                bail!(
                    "Envoy does not end; its log ends:\n{}",
                    self.process.end_of_log()
                );
            }
            thread::sleep(Duration::from_millis(15));
        }
    }

    /// Nothing while Envoy runs.
    ///
    /// # Errors
    /// How it ended, with the end of its log.
    pub fn check_alive(&mut self) -> Result<()> {
        match self.process.ended()? {
            None => Ok(()),
            Some(status) => bail!(
                "Envoy died ({status}); its log ends:\n{}",
                self.process.end_of_log()
            ),
        }
    }
}

/// Starts Envoy with a bootstrap in JSON and does not wait for it.
fn spawn(envoy: &Envoy, bootstrap: &Value, settings: &Settings) -> Result<Process> {
    let folder = folder()?;
    let file = folder.path().join("bootstrap.json");
    std::fs::write(&file, serde_json::to_vec_pretty(bootstrap)?)?;
    Process::spawn(envoy, &file, folder, settings)
}

fn folder() -> Result<tempfile::TempDir> {
    tempfile::tempdir().context("no temporary folder can be made")
}
