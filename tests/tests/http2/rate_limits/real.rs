//! The rate limit service of the Envoy project, with a Redis of its own, where Go and redis-server are
//! installed.
//!
//! Started by tests, each on its own thread with its own pair of processes, which end with it. The service
//! is built once by `go install`, at a pinned version, and kept beside the other build products.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustformations_tests::tools;

use crate::PATIENCE;

/// The program, and the commit that its version names.
const PROGRAM: &str = "github.com/envoyproxy/ratelimit/src/service_cmd";
const VERSION: &str = "v1.4.1-0.20260122083618-3fb702589d36";

/// A running service.
pub(super) struct RateLimitService {
    // Ends first: it does not bear the loss of its Redis.
    _service: Process,
    _redis: Process,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

/// The service's program, built if it was not; where that cannot be, why.
pub(super) fn program() -> Result<&'static Path, &'static str> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = PROGRAM.get_or_init(|| build().map_err(|error| format!("{error:#}")));
    built.as_deref().map_err(String::as_str)
}

fn build() -> Result<PathBuf> {
    let redis = Command::new("redis-server").arg("--version").output();
    redis.context("redis-server is not installed")?;
    tools::by_go(PROGRAM, VERSION)
}

impl RateLimitService {
    /// Starts both with `limits` as the service's configuration, and waits until it listens.
    pub(super) fn start(program: &Path, limits: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let config = folder.path().join("config");
        std::fs::create_dir(&config)?;
        std::fs::write(config.join("limits.yaml"), limits)?;
        let socket = folder.path().join("redis");
        let log = File::create(folder.path().join("log"))?;
        let mut redis = Command::new("redis-server");
        redis.args(["--port", "0", "--save", "", "--unixsocket"]);
        let redis = Process::start(redis.arg(&socket), &log, || socket.exists())?;

        let [http, debug, grpc] = free_ports()?;
        let mut service = Command::new(program);
        service
            .env("RUNTIME_ROOT", folder.path())
            .env("RUNTIME_WATCH_ROOT", "false")
            .env("REDIS_SOCKET_TYPE", "unix")
            .env("REDIS_URL", &socket)
            .env("USE_STATSD", "false")
            .envs(["HOST", "DEBUG_HOST", "GRPC_HOST"].map(|name| (name, "127.0.0.1")))
            .env("PORT", http.to_string())
            .env("DEBUG_PORT", debug.to_string())
            .env("GRPC_PORT", grpc.to_string());
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, grpc));
        let listens = || TcpStream::connect(address).is_ok();
        let started = Process::start(&mut service, &log, listens);
        let said = || std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        Ok(Self {
            _service: started.with_context(said)?,
            _redis: redis,
            address,
            _folder: folder,
        })
    }

    /// Where Envoy asks.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Ports that are free now; the service has no way to find its own.
fn free_ports() -> Result<[u16; 3]> {
    let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    // All are held until the last is known, so that they differ.
    let held = [bind()?, bind()?, bind()?];
    let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
    Ok([port(&held[0])?, port(&held[1])?, port(&held[2])?])
}

/// A process that ends with its owner.
struct Process(Child);

impl Process {
    /// Starts `command` and waits until it `serves`.
    fn start(command: &mut Command, log: &File, serves: impl Fn() -> bool) -> Result<Self> {
        let command = command.stdin(Stdio::null());
        let command = command.stdout(log.try_clone()?).stderr(log.try_clone()?);
        let mut process = Self(command.spawn()?);
        let deadline = Instant::now() + PATIENCE;
        while !serves() {
            if let Some(status) = process.0.try_wait()? {
                bail!("{command:?} ended ({status})");
            }
            ensure!(Instant::now() < deadline, "{command:?} does not serve");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(process)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails only when it has already ended, and then there is nothing to stop.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
