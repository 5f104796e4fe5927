//! Building the module and the C hosts, and running them with a deadline.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// Generous: valgrind on a busy machine is slow. A host that hangs is killed.
const DEADLINE: Duration = Duration::from_secs(300);

/// The ABI lines a host can have; 0 is a program that is not Envoy.
pub(crate) const LINES: [u32; 5] = [136, 137, 138, 139, 140];

/// One of the C hosts, and how it is built.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Host {
    pub(crate) line: u32,
    hidden: Vec<&'static str>,
    sanitized: bool,
}

impl Host {
    pub(crate) fn of(line: u32) -> Self {
        Self {
            line,
            hidden: Vec::new(),
            sanitized: false,
        }
    }

    /// The same host without this callback.
    pub(crate) fn hiding(mut self, callback: &'static str) -> Self {
        self.hidden.push(callback);
        self
    }

    /// The same host, built with AddressSanitizer.
    pub(crate) fn sanitized(mut self) -> Self {
        self.sanitized = true;
        self
    }

    pub(crate) fn run(&self, commands: &[&str]) -> Transcript {
        self.run_with(commands, |_| {})
    }

    /// Runs the commands; `change` may set the environment.
    pub(crate) fn run_with(
        &self,
        commands: &[&str],
        change: impl FnOnce(&mut Command),
    ) -> Transcript {
        let mut command = Command::new(self.build().expect("cc builds the host"));
        command.env_remove("ENVOY_DYNAMIC_MODULES_ABI_VERSION");
        change(&mut command);
        command.arg(module()).args(commands);
        finish(command)
    }

    /// The executable; `None` if `cc` cannot build it.
    pub(crate) fn build(&self) -> Option<PathBuf> {
        static BUILT: OnceLock<Mutex<HashMap<Host, Option<PathBuf>>>> = OnceLock::new();
        let mut built = BUILT
            .get_or_init(Mutex::default)
            .lock()
            .expect("no panic while building");
        built
            .entry(self.clone())
            .or_insert_with(|| self.compile())
            .clone()
    }

    fn compile(&self) -> Option<PathBuf> {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts");
        let executable = scratch(&format!(
            "host-{}{}{}",
            self.line,
            if self.sanitized { "-asan" } else { "" },
            self.hidden
                .iter()
                .map(|name| format!("-no-{name}"))
                .collect::<String>()
        ));
        let family: &[&str] = match self.line {
            0 => &[],
            136 => &["callbacks_common.c", "callbacks_136.c"],
            137 => &["callbacks_common.c", "callbacks_137.c"],
            _ => &["callbacks_common.c", "callbacks_137.c", "callbacks_138.c"],
        };
        let mut cc = Command::new("cc");
        cc.args([
            "-std=gnu11",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-g",
            "-O1",
            "-rdynamic",
        ]);
        cc.arg(format!("-DHOST={}", self.line));
        for name in &self.hidden {
            let prefix = "envoy_dynamic_module_callback_";
            cc.arg(format!("-D{prefix}{name}=hidden_{name}"));
        }
        if self.sanitized {
            cc.args(["-fsanitize=address", "-fno-omit-frame-pointer"]);
        }
        cc.args(
            ["main.c", "core.c"]
                .iter()
                .chain(family)
                .map(|source| sources.join(source)),
        );
        cc.arg("-o").arg(&executable).args(["-ldl", "-pthread"]);
        let output = cc.output().expect("cc is installed");
        if output.status.success() {
            return Some(executable);
        }
        assert!(
            self.sanitized,
            "cc: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        None
    }
}

/// What a host printed, and how it ended.
pub(crate) struct Transcript {
    pub(crate) lines: Vec<String>,
    pub(crate) stderr: String,
    /// `None` when it was killed by a signal.
    pub(crate) code: Option<i32>,
}

impl Transcript {
    pub(crate) fn has(&self, line: &str) -> bool {
        self.lines.iter().any(|other| other == line)
    }

    /// How many lines start so.
    pub(crate) fn count(&self, start: &str) -> usize {
        self.lines
            .iter()
            .filter(|line| line.starts_with(start))
            .count()
    }

    /// Where the first such line is.
    pub(crate) fn at(&self, line: &str) -> usize {
        self.lines
            .iter()
            .position(|other| other == line)
            .unwrap_or_else(|| panic!("no line {line:?} in\n{self}"))
    }

    /// Panics unless these lines are there, in this order, with anything in between.
    pub(crate) fn expect_in_order(&self, expected: &[&str]) -> &Self {
        let mut rest = self.lines.iter();
        for line in expected {
            assert!(
                rest.any(|other| other == line),
                "no line {line:?} after the ones before it in {expected:?}:\n{self}"
            );
        }
        self
    }

    /// Panics unless the host ran to its end.
    pub(crate) fn expect_end(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{self}");
        self
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}\nexit {:?}\n{}",
            self.lines.join("\n"),
            self.code,
            self.stderr
        )
    }
}

/// The module under test, built once per run from the example of the same package.
pub(crate) fn module() -> &'static Path {
    static MODULE: OnceLock<PathBuf> = OnceLock::new();
    MODULE.get_or_init(|| {
        // Beside the running test, wherever `--target-dir` and `CARGO_TARGET_DIR` have put it.
        let deps = std::env::current_exe().expect("a test has a path");
        let profile = deps
            .ancestors()
            .nth(2)
            .expect("target/<profile>/deps/<test>")
            .to_owned();
        let target = profile.parent().expect("target/<profile>");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
        cargo.args([
            "build",
            "--quiet",
            "--example",
            "boundary_probe",
            "--target-dir",
        ]);
        cargo.arg(target);
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        let status = cargo.status().expect("cargo runs");
        assert!(status.success(), "the module does not build");
        profile.join("examples/libboundary_probe.so")
    })
}

/// Runs a command to its end, or kills it at the deadline.
pub(crate) fn finish(mut command: Command) -> Transcript {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    // Files, not pipes: nobody has to read while the host runs.
    let stdout = scratch(&format!("run-{run}.out"));
    let stderr = scratch(&format!("run-{run}.err"));
    command.stdin(Stdio::null());
    command.stdout(fs::File::create(&stdout).expect("the scratch directory is writable"));
    command.stderr(fs::File::create(&stderr).expect("the scratch directory is writable"));
    let mut child = command.spawn().expect("the host starts");
    let started = Instant::now();
    let status = loop {
        match child.try_wait().expect("the host can be waited for") {
            Some(status) => break status,
            None if started.elapsed() > DEADLINE => {
                child.kill().expect("the host can be killed");
                child.wait().expect("the host can be waited for");
                panic!("the host hangs: {command:?}");
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let read = |path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
    let lines = read(&stdout).lines().map(str::to_owned).collect();
    Transcript {
        lines,
        stderr: read(&stderr),
        code: status.code(),
    }
}

fn scratch(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("boundary");
    fs::create_dir_all(&directory).expect("the scratch directory can be made");
    directory.join(name)
}
