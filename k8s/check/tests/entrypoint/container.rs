//! A container without an engine: the real entrypoint as a child process, with the environment, the
//! user and the files that it would have in one.
//!
//! Used by the tests of the entrypoint. The environment holds what the test puts there and a PATH
//! without any program, because the entrypoint promises to need none. As root, the child is another
//! user; otherwise it stays who it is. Only this child is ever signalled.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use k8s_check::tree;
use rustformations_tests::{Envoy, Request, Version};
use serde_json::Value;
use tempfile::TempDir;

/// kgateway's user, and the group that OpenShift gives to whichever user it picks.
const USER: (u32, u32) = (10101, 0);

/// Files as an image has them: readable for everyone.
pub(crate) struct Files {
    folder: TempDir,
}

impl Files {
    /// An empty folder. Ends with the value.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        set_mode(folder.path(), 0o755);
        Self { folder }
    }

    /// The path of `name`.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes `name`; returns its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        set_mode(&path, 0o644);
        path
    }

    /// Writes a program; returns its path.
    pub(crate) fn program(&self, name: &str, text: &str) -> PathBuf {
        let path = self.write(name, text);
        set_mode(&path, 0o755);
        path
    }

    /// A folder that nobody may write to.
    pub(crate) fn read_only_folder(&self) -> PathBuf {
        let path = self.path("read-only");
        fs::create_dir(&path).unwrap();
        set_mode(&path, 0o555);
        path
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Copies of the Envoys that everyone may run; the originals may lie below a home folder.
static ENVOYS: LazyLock<Mutex<(Files, Vec<Version>)>> =
    LazyLock::new(|| Mutex::new((Files::new(), Vec::new())));

/// A copy of `envoy` that any user may run.
pub(crate) fn shared(envoy: &Envoy) -> PathBuf {
    let mut envoys = ENVOYS.lock().unwrap();
    let path = envoys.0.path(&format!("envoy-{}", envoy.version()));
    if !envoys.1.contains(&envoy.version()) {
        fs::copy(envoy.binary(), &path).unwrap();
        set_mode(&path, 0o755);
        envoys.1.push(envoy.version());
    }
    path
}

/// Whether children can be given another user.
pub(crate) fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    status.lines().any(|line| line.starts_with("Uid:\t0\t"))
}

/// The entrypoint with these words and nothing in its environment but the Envoy to run.
pub(crate) fn entrypoint(envoy: &Path, words: &[&str]) -> Command {
    let files = ENVOYS.lock().unwrap();
    let script = files.0.path("docker-entrypoint.sh");
    if !script.exists() {
        let text = fs::read_to_string(tree::root().join("docker-entrypoint.sh")).unwrap();
        files.0.program("docker-entrypoint.sh", &text);
    }
    let mut command = Command::new("/bin/sh");
    command
        .arg(script)
        .args(words)
        .env_clear()
        .env("PATH", "/nonexistent")
        .env("ENVOY", envoy);
    command.stdin(Stdio::null());
    if is_root() {
        command.uid(USER.0).gid(USER.1);
    }
    command
}

/// A running proxy.
pub(crate) struct Proxy {
    child: Child,
    log: PathBuf,
}

impl Proxy {
    /// Starts `command`; its log goes to `files`.
    pub(crate) fn start(mut command: Command, files: &Files) -> Self {
        let log = files.path("log");
        let file = File::create(&log).unwrap();
        command.stdout(file.try_clone().unwrap()).stderr(file);
        Self {
            child: command.spawn().unwrap(),
            log,
        }
    }

    /// What it has said so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The process that the runtime sees, which must be Envoy itself.
    pub(crate) fn executable(&self) -> PathBuf {
        fs::read_link(format!("/proc/{}/exe", self.child.id())).unwrap()
    }

    /// The body of a 200 answer to `request`, which is repeated until it comes.
    ///
    /// # Panics
    /// When the proxy exits or 30 seconds have passed.
    pub(crate) fn wait_for(&mut self, request: &Request) -> rustformations_tests::Answer {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if let Ok(answer) = request.clone().try_send()
                && answer.status == 200
            {
                return answer;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the proxy ended with {status}:\n{}", self.log());
            }
            assert!(
                Instant::now() < deadline,
                "the proxy does not answer:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The parts of Envoy's configuration dump whose type ends with `kind`.
    pub(crate) fn dump(&mut self, admin: &Request, kind: &str) -> Value {
        let dump = self.wait_for(admin).json();
        let parts = dump["configs"].as_array().unwrap();
        let of_kind = |part: &&Value| {
            part["@type"]
                .as_str()
                .is_some_and(|name| name.ends_with(kind))
        };
        parts.iter().find(of_kind).unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `command` to its end; returns its status, what it printed and what it complained about.
pub(crate) fn outcome(mut command: Command) -> (ExitStatus, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status, text(&output.stdout), text(&output.stderr))
}
