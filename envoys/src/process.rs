//! One Envoy as a process: started, watched until it serves, stopped when dropped.
//!
//! Envoy's log goes to a file in a folder that lives as long as the process. Only this process is ever
//! signalled, by its own handle.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::Envoy;

/// How long a start may take on a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(30);

/// How long Envoy may take to say whether it is ready.
const READY_DEADLINE: Duration = Duration::from_secs(5);

/// How Envoy is run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Worker threads (`--concurrency`).
    pub concurrency: u32,
    /// Level of everything but the module (`--log-level`).
    pub log_level: String,
    /// Levels by component (`--component-log-level`).
    pub component_log_level: String,
    /// Arguments beyond those.
    pub arguments: Vec<String>,
    /// What it prints, such as access logs, goes where this process prints.
    pub prints: bool,
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
            arguments: Vec::new(),
            prints: false,
            environment: Vec::new(),
            module_folder: None,
        }
    }
}

/// How a start went.
#[derive(Clone, Copy, Debug)]
pub enum Started {
    /// Envoy serves.
    Serving,
    /// It has ended instead: most likely it refuses its configuration.
    Ended(ExitStatus),
}

/// An Envoy that was started.
#[derive(Debug)]
pub struct Process {
    child: Child,
    folder: tempfile::TempDir,
    admin: Option<SocketAddr>,
}

impl Process {
    /// Starts `envoy` with the bootstrap in a file, JSON or YAML by its extension, and does not wait for it. What
    /// belongs to the process is kept in `folder`. The bootstrap must have an `admin.address`; port 0 is welcome.
    ///
    /// # Errors
    /// When Envoy cannot be run.
    pub fn spawn(
        envoy: &Envoy,
        bootstrap: &Path,
        folder: tempfile::TempDir,
        settings: &Settings,
    ) -> Result<Self> {
        let mut command = command(envoy, bootstrap, folder.path(), settings)?;
        command
            .arg("--admin-address-path")
            .arg(address_file(folder.path()));
        Ok(Self {
            child: run(command, envoy)?,
            folder,
            admin: None,
        })
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
        command.args(["--mode", "validate"]).stdout(Stdio::null());
        let status = run(command, envoy)?.wait()?;
        Ok((status.success(), read(&log_file(folder.path()))))
    }

    /// Whether it serves or has ended; `None` while it is on the way.
    ///
    /// # Errors
    /// When the process cannot be asked.
    pub fn started(&mut self) -> Result<Option<Started>> {
        if let Some(status) = self.ended()? {
            return Ok(Some(Started::Ended(status)));
        }
        let is_live = self
            .admin()
            .is_some_and(|admin| is_live(admin).unwrap_or(false));
        Ok(is_live.then_some(Started::Serving))
    }

    /// Waits until it serves or ends.
    ///
    /// # Errors
    /// When it does neither in time.
    pub fn wait_for_start(&mut self) -> Result<Started> {
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            if let Some(started) = self.started()? {
                return Ok(started);
            }
            if Instant::now() > deadline {
                bail!(
                    "Envoy does not serve after {} s; its log ends:\n{}",
                    START_DEADLINE.as_secs(),
                    self.end_of_log()
                );
            }
            thread::sleep(Duration::from_millis(15));
        }
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// When the process cannot be asked.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Where its admin interface listens, once it does.
    pub fn admin(&mut self) -> Option<SocketAddr> {
        if self.admin.is_none() {
            let text = std::fs::read_to_string(address_file(self.folder.path())).ok()?;
            self.admin = text.trim().parse().ok();
        }
        self.admin
    }

    /// Everything it has logged so far.
    pub fn logs(&self) -> String {
        read(&self.log_file())
    }

    /// The file that it logs to.
    pub fn log_file(&self) -> PathBuf {
        log_file(self.folder.path())
    }

    /// The last lines of its log.
    pub fn end_of_log(&self) -> String {
        let log = self.logs();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// A folder for files that belong to it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails only when Envoy has already ended, and then there is nothing to stop.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether the admin interface says that Envoy serves. The status line is all of the answer that matters.
fn is_live(admin: SocketAddr) -> io::Result<bool> {
    const LIVE: &[u8] = b"HTTP/1.1 200";
    let mut stream = TcpStream::connect_timeout(&admin, READY_DEADLINE)?;
    stream.set_read_timeout(Some(READY_DEADLINE))?;
    stream.write_all(b"GET /ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut begin = [0; LIVE.len()];
    stream.read_exact(&mut begin)?;
    Ok(begin == LIVE)
}

fn command(envoy: &Envoy, bootstrap: &Path, folder: &Path, settings: &Settings) -> Result<Command> {
    let log = File::create(log_file(folder))?;
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
        .args(&settings.arguments)
        .stdin(Stdio::null())
        .stdout(match settings.prints {
            true => Stdio::inherit(),
            false => Stdio::null(),
        })
        .stderr(log);
    if let Some(folder) = &settings.module_folder {
        command.env("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", folder);
    }
    let environment = settings.environment.iter();
    command.envs(environment.map(|(name, value)| (name, value)));
    Ok(command)
}

fn run(mut command: Command, envoy: &Envoy) -> Result<Child> {
    command.spawn().with_context(|| {
        format!(
            "Envoy cannot be run; is {} a binary for this machine?",
            envoy.binary().display()
        )
    })
}

fn log_file(folder: &Path) -> PathBuf {
    folder.join("log")
}

fn address_file(folder: &Path) -> PathBuf {
    folder.join("admin")
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}
