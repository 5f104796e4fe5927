//! The tool while it serves: started, read, stopped. It never outlives its test.

#![allow(dead_code, reason = "each test uses what it needs")]

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The tool, without what the environment of the test would tell it.
pub(crate) fn tool() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rustformations"));
    for variable in [
        "ENVOY",
        "ENVOY_VERSION",
        "RUSTFORMATIONS_PROFILES",
        "CLICOLOR_FORCE",
    ] {
        command.env_remove(variable);
    }
    command
}

/// A tool that serves.
pub(crate) struct Served {
    child: Child,
    said: Said,
    errors: Said,
    /// Where it serves.
    pub(crate) address: SocketAddr,
}

/// What was printed so far.
type Said = Arc<Mutex<String>>;

impl Served {
    /// Starts it and waits until it says where it serves.
    pub(crate) fn start(command: &mut Command) -> Served {
        let mut served = Served::spawn(command);
        let found = |said: &str| {
            let (_, rest) = said.split_once("http://127.0.0.1:")?;
            let (port, _) = rest.split_once(['/', '\n', ',', ' '])?;
            // What stands behind it was printed at once with it.
            said.contains("Ctrl-C").then(|| port.parse::<u16>().ok())?
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let port = found(&served.said.lock().unwrap());
            if let Some(port) = port {
                served.address = SocketAddr::from(([127, 0, 0, 1], port));
                return served;
            }
            assert!(
                served.child.try_wait().unwrap().is_none(),
                "{}",
                served.all()
            );
            assert!(Instant::now() < deadline, "{}", served.all());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts what ends by itself: its exit code and what it printed.
    pub(crate) fn refuse(command: &mut Command) -> (Option<i32>, String) {
        Served::spawn(command).wait()
    }

    fn spawn(command: &mut Command) -> Served {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.stdin(Stdio::null()).spawn().unwrap();
        Served {
            said: collect(child.stdout.take().unwrap()),
            errors: collect(child.stderr.take().unwrap()),
            child,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
        }
    }

    /// Waits until it has printed this.
    pub(crate) fn expect(&self, text: &str) {
        wait_for(&self.said, text);
    }

    /// Waits until it has printed this, wherever.
    pub(crate) fn expect_anywhere(&self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.all().contains(text) {
            assert!(
                Instant::now() < deadline,
                "{text:?} is not in {}",
                self.all()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until it has printed this among what is no result.
    pub(crate) fn expect_error(&self, text: &str) {
        wait_for(&self.errors, text);
    }

    /// The processes that it has started.
    pub(crate) fn children(&self) -> Vec<u32> {
        let id = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        children
            .split_whitespace()
            .map(|it| it.parse().unwrap())
            .collect()
    }

    /// Sends it a signal, and waits for its end.
    pub(crate) fn signal(self, signal: &str) -> (Option<i32>, String) {
        let mut kill = Command::new("kill");
        let kill = kill.args([&format!("-{signal}"), &self.child.id().to_string()]);
        assert!(kill.status().unwrap().success());
        self.wait()
    }

    /// Waits for its end: its exit code, and all that it printed.
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                // What was printed last is on its way.
                while Arc::strong_count(&self.said) + Arc::strong_count(&self.errors) > 2 {
                    thread::sleep(Duration::from_millis(5));
                }
                return (status.code(), self.all());
            }
            assert!(Instant::now() < deadline, "{}", self.all());
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn all(&self) -> String {
        [&self.said, &self.errors]
            .map(|it| it.lock().unwrap().clone())
            .concat()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if self.child.try_wait().unwrap().is_some() {
            return;
        }
        // Asked to end, it takes along what it has started.
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.child.try_wait().unwrap().is_none() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait_for(said: &Said, text: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !said.lock().unwrap().contains(text) {
        assert!(
            Instant::now() < deadline,
            "{text:?} is not in {}",
            said.lock().unwrap()
        );
        thread::sleep(Duration::from_millis(20));
    }
}

fn collect(from: impl Read + Send + 'static) -> Said {
    let said = Said::default();
    let into = Arc::clone(&said);
    thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            into.lock()
                .unwrap()
                .push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    });
    said
}
