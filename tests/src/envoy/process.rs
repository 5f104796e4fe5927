//! One running Envoy: started on free ports, asked through its admin interface, stopped when dropped.
//!
//! Used by tests through [`crate::lab::Lab`] and by the lab's programs. Envoy's log goes to a file in a
//! folder that lives as long as the process. Only this process is ever signalled, by its own handle.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::{Envoy, admin};

/// How long a start may take on a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(30);

/// How Envoy is run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Worker threads (`--concurrency`).
    pub concurrency: u32,
    /// Level of everything but the module (`--log-level`).
    pub log_level: String,
    /// Levels by component (`--component-log-level`).
    pub component_log_level: String,
    /// Environment variables beyond those of this process.
    pub environment: Vec<(String, String)>,
    /// The folder with the module; `None` when the configuration names none.
    pub module_folder: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: 1,
            // At "info" the list of everything linked into Envoy drowns what matters.
            log_level: "warning".to_owned(),
            component_log_level: "dynamic_modules:debug".to_owned(),
            environment: Vec::new(),
            module_folder: None,
        }
    }
}

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
    child: Child,
    folder: tempfile::TempDir,
    admin: SocketAddr,
}

impl EnvoyProcess {
    /// Starts `envoy` with a bootstrap in JSON and waits until it serves. The bootstrap must have an
    /// `admin.address`; port 0 is welcome.
    ///
    /// # Errors
    /// When Envoy cannot be run, exits, or does not serve in time: with the end of its log.
    pub fn start(envoy: &Envoy, bootstrap: &Value, settings: &Settings) -> Result<Self> {
        let folder = tempfile::tempdir().context("no temporary folder can be made")?;
        let file = folder.path().join("bootstrap.json");
        std::fs::write(&file, serde_json::to_vec_pretty(bootstrap)?)?;
        Self::start_from(envoy, &file, folder, settings)
    }

    /// As [`EnvoyProcess::start`] with the bootstrap in a file, JSON or YAML by its extension.
    ///
    /// # Errors
    /// As [`EnvoyProcess::start`].
    pub fn start_file(envoy: &Envoy, bootstrap: &Path, settings: &Settings) -> Result<Self> {
        let folder = tempfile::tempdir().context("no temporary folder can be made")?;
        Self::start_from(envoy, bootstrap, folder, settings)
    }

    fn start_from(
        envoy: &Envoy,
        bootstrap: &Path,
        folder: tempfile::TempDir,
        settings: &Settings,
    ) -> Result<Self> {
        let address_file = folder.path().join("admin");
        let mut command = command(envoy, bootstrap, folder.path(), settings)?;
        command.arg("--admin-address-path").arg(&address_file);
        let child = spawn(command, envoy)?;
        let unknown = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut process = Self {
            child,
            folder,
            admin: unknown,
        };
        let deadline = Instant::now() + START_DEADLINE;
        while !process.is_serving(&address_file) {
            if let Some(status) = process.child.try_wait()? {
                bail!(
                    "Envoy exited ({status}); its log ends:\n{}",
                    tail(&process.logs())
                );
            }
            if Instant::now() > deadline {
                bail!(
                    "Envoy does not serve after 30 s; its log ends:\n{}",
                    tail(&process.logs())
                );
            }
            thread::sleep(Duration::from_millis(15));
        }
        Ok(process)
    }

    fn is_serving(&mut self, address_file: &Path) -> bool {
        if self.admin.port() == 0 {
            let address = std::fs::read_to_string(address_file).ok();
            let Some(Ok(address)) = address.map(|text| text.trim().parse()) else {
                return false;
            };
            self.admin = address;
        }
        admin::ask(self.admin, "GET", "/ready").is_ok_and(|state| state.trim() == "LIVE")
    }

    /// Runs Envoy on a bootstrap that it must refuse, and returns what it said.
    ///
    /// # Errors
    /// When Envoy accepts the configuration (it is stopped) or cannot be run.
    pub fn refuse(envoy: &Envoy, bootstrap: &Value, settings: &Settings) -> Result<Refusal> {
        let folder = tempfile::tempdir().context("no temporary folder can be made")?;
        let file = folder.path().join("bootstrap.json");
        std::fs::write(&file, serde_json::to_vec_pretty(bootstrap)?)?;
        let mut command = command(envoy, &file, folder.path(), settings)?;
        let address_file = folder.path().join("admin");
        command.arg("--admin-address-path").arg(&address_file);
        let child = spawn(command, envoy)?;
        let mut process = Self {
            child,
            folder,
            admin: SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            if let Some(status) = process.child.try_wait()? {
                return Ok(Refusal {
                    status,
                    logs: process.logs(),
                });
            }
            if process.is_serving(&address_file) || Instant::now() > deadline {
                bail!(
                    "Envoy took the configuration; its log ends:\n{}",
                    tail(&process.logs())
                );
            }
            thread::sleep(Duration::from_millis(15));
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
        let folder = tempfile::tempdir().context("no temporary folder can be made")?;
        let mut command = command(envoy, bootstrap, folder.path(), settings)?;
        let status = spawn_with(&mut command, envoy, &["--mode", "validate"])?.wait()?;
        Ok((status.success(), read(&folder.path().join("log"))))
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
        read(&self.folder.path().join("log"))
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
        self.folder.path()
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks Envoy to end; how it did, and its whole log.
    ///
    /// # Errors
    /// When it does not end within 30 s.
    pub fn quit(mut self) -> Result<(ExitStatus, String)> {
        self.admin_post("/quitquitquit")?;
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok((status, self.logs()));
            }
            if Instant::now() > deadline {
                bail!("Envoy does not end; its log ends:\n{}", tail(&self.logs()));
            }
            thread::sleep(Duration::from_millis(15));
        }
    }

    /// Nothing while Envoy runs.
    ///
    /// # Errors
    /// How it ended, with the end of its log.
    pub fn check_alive(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!(
                "Envoy died ({status}); its log ends:\n{}",
                tail(&self.logs())
            ),
        }
    }
}

impl Drop for EnvoyProcess {
    fn drop(&mut self) {
        // Fails only when Envoy has already ended, and then there is nothing to stop.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(envoy: &Envoy, bootstrap: &Path, folder: &Path, settings: &Settings) -> Result<Command> {
    let log = File::create(folder.join("log"))?;
    let mut command = Command::new(envoy.binary());
    command
        .arg("--config-path")
        .arg(bootstrap)
        .args([
            "--disable-hot-restart",
            "--concurrency",
            &settings.concurrency.to_string(),
        ])
        .args(["--log-level", &settings.log_level])
        // Access logs wait ten seconds for company otherwise.
        .args(["--file-flush-interval-msec", "50"])
        .args(["--component-log-level", &settings.component_log_level])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    if let Some(folder) = &settings.module_folder {
        command.env("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", folder);
    }
    command.envs(
        settings
            .environment
            .iter()
            .map(|(name, value)| (name, value)),
    );
    Ok(command)
}

fn spawn(mut command: Command, envoy: &Envoy) -> Result<Child> {
    spawn_with(&mut command, envoy, &[])
}

fn spawn_with(command: &mut Command, envoy: &Envoy, arguments: &[&str]) -> Result<Child> {
    command.args(arguments).spawn().with_context(|| {
        format!(
            "Envoy cannot be run; is {} a binary for this machine?",
            envoy.binary().display()
        )
    })
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
