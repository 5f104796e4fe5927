//! A test's ground: one origin, one Envoy in front of it, and requests through both.
//!
//! Used by the tests in `tests/*.rs`, each on its own thread with its own Envoy. What would be an error
//! elsewhere fails the test here. A lab whose Envoy has died fails its test at the end, whatever else
//! the test looked at.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{Connection, Request};
use crate::config::{EnvoyConfig, Route};
use crate::envoy::{self, Envoy, EnvoyProcess, Refusal, Settings, Version};
use crate::origin::Origin;
use crate::workspace;

/// Makes one test of a behaviour for each supported Envoy, named after the release.
///
/// The body gets `envoy`, a `&Envoy` of that release.
#[macro_export]
macro_rules! on_every_envoy {
    ($($(#[$meta:meta])* fn $name:ident($envoy:ident) $body:block)+) => {$(
        $(#[$meta])*
        #[cfg(test)]
        mod $name {
            #[allow(unused_imports, reason = "not every behaviour needs what its file imports")]
            use super::*;

            fn behaviour($envoy: &$crate::Envoy) $body

            #[test]
            fn envoy_1_36_4() {
                $crate::lab::with_envoy($crate::Version::new(1, 36, 4), behaviour);
            }

            #[test]
            fn envoy_1_37_0() {
                $crate::lab::with_envoy($crate::Version::new(1, 37, 0), behaviour);
            }

            #[test]
            fn envoy_1_38_3() {
                $crate::lab::with_envoy($crate::Version::new(1, 38, 3), behaviour);
            }

            #[test]
            fn envoy_1_39_3() {
                $crate::lab::with_envoy($crate::Version::new(1, 39, 3), behaviour);
            }

            #[test]
            fn envoy_1_40_0() {
                $crate::lab::with_envoy($crate::Version::new(1, 40, 0), behaviour);
            }
        }
    )+};
}

/// Runs `behaviour` on the Envoy of `version`: what [`on_every_envoy`] calls.
///
/// # Panics
/// When that Envoy cannot be brought.
pub fn with_envoy(version: Version, behaviour: impl FnOnce(&Envoy)) {
    match envoy::bring(version) {
        Ok(envoy) => behaviour(&envoy),
        Err(error) => panic!("{error:#}"),
    }
}

/// A running Envoy with an origin behind it.
pub struct Lab {
    envoy: EnvoyProcess,
    origin: Origin,
    address: SocketAddr,
    version: Version,
    config: EnvoyConfig,
    routes: tempfile::TempDir,
    routes_version: u64,
}

impl Lab {
    /// Starts an origin and Envoy with `config` in front of it.
    ///
    /// # Panics
    /// When the module is not built, or Envoy does not start: with the end of its log.
    pub fn start(envoy: &Envoy, config: &EnvoyConfig) -> Self {
        Self::start_with(envoy, config, Settings::default())
    }

    /// As [`Lab::start`], with more workers, other log levels or environment variables.
    ///
    /// # Panics
    /// As [`Lab::start`].
    pub fn start_with(envoy: &Envoy, config: &EnvoyConfig, settings: Settings) -> Self {
        let origin = ok(Origin::start());
        let routes = ok(tempfile::tempdir());
        if config.reads_routes() {
            let file = config.to_routes_file(1).to_string();
            ok(std::fs::write(routes.path().join("routes.json"), file));
        }
        let bootstrap = config.to_bootstrap(origin.address(), routes.path());
        let process = ok(EnvoyProcess::start(
            envoy,
            &bootstrap,
            &find_module(config, settings),
        ));
        let address = ok(process.listener("lab"));
        Self {
            envoy: process,
            origin,
            address,
            version: envoy.version(),
            config: config.clone(),
            routes,
            routes_version: 1,
        }
    }

    /// Runs Envoy with a configuration that it must refuse; returns its log.
    ///
    /// # Panics
    /// When Envoy takes the configuration, or dies of it instead of refusing.
    pub fn refuse(envoy: &Envoy, config: &EnvoyConfig) -> String {
        Self::refuse_with(envoy, config, Settings::default())
    }

    /// As [`Lab::refuse`], with environment variables or other settings.
    ///
    /// # Panics
    /// As [`Lab::refuse`].
    pub fn refuse_with(envoy: &Envoy, config: &EnvoyConfig, settings: Settings) -> String {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
        let bootstrap = config.to_bootstrap(nowhere, &std::env::temp_dir());
        let settings = find_module(config, settings);
        let Refusal { status, logs } = ok(EnvoyProcess::refuse(envoy, &bootstrap, &settings));
        assert_eq!(
            status.code(),
            Some(1),
            "Envoy crashed instead of refusing:\n{logs}"
        );
        logs
    }

    /// The Envoy release.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The origin.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Envoy itself, for its admin interface, statistics and log.
    pub fn envoy(&self) -> &EnvoyProcess {
        &self.envoy
    }

    /// Where Envoy listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A request to Envoy.
    pub fn request(&self, method: &str, path: &str) -> Request {
        Request::new(self.address, method, path)
    }

    /// A GET.
    pub fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    /// A POST.
    pub fn post(&self, path: &str) -> Request {
        self.request("POST", path)
    }

    /// A connection to Envoy that is kept for several requests.
    ///
    /// # Panics
    /// When Envoy does not accept it.
    pub fn connect(&self) -> Connection {
        ok(Connection::open(self.address))
    }

    /// All counters and gauges by name.
    ///
    /// # Panics
    /// When Envoy does not answer.
    pub fn stats(&self) -> BTreeMap<String, u64> {
        ok(self.envoy.stats())
    }

    /// The sum of the counters and gauges whose name ends with `suffix`.
    ///
    /// # Panics
    /// When Envoy does not answer.
    pub fn stat(&self, suffix: &str) -> u64 {
        self.stats()
            .iter()
            .filter(|(name, _)| name.ends_with(suffix))
            .map(|(_, value)| value)
            .sum()
    }

    /// Everything Envoy has logged so far.
    pub fn logs(&self) -> String {
        self.envoy.logs()
    }

    /// Waits for `text` in Envoy's log.
    ///
    /// # Panics
    /// When it is not there after five seconds.
    pub fn expect_log(&self, text: &str) {
        assert!(
            self.envoy.wait_for_log(text),
            "no \"{text}\" in the log:\n{}",
            self.logs()
        );
    }

    /// Replaces the routes as a control plane would, and waits for Envoy's verdict: whether it took
    /// them. Refused routes leave the old ones in place. Needs [`EnvoyConfig::routes_from_file`].
    ///
    /// # Panics
    /// When Envoy gives no verdict within ten seconds.
    pub fn replace_routes(&mut self, routes: &[Route]) -> bool {
        let verdicts = |lab: &Self| {
            let stats = lab.stats();
            let count = |name| {
                stats
                    .get(&format!("http.lab.rds.lab.{name}"))
                    .copied()
                    .unwrap_or(0)
            };
            // Unreadable files count as failed, readable ones that some filter refuses as rejected.
            (
                count("update_success"),
                count("update_rejected") + count("update_failure"),
            )
        };
        let (taken, refused) = verdicts(self);
        self.routes_version += 1;
        let file = self
            .config
            .with_routes(routes, self.routes_version)
            .to_string();
        let fresh = self.routes.path().join("routes.new");
        ok(std::fs::write(&fresh, file));
        // Envoy watches for a file that is moved into place.
        ok(std::fs::rename(
            &fresh,
            self.routes.path().join("routes.json"),
        ));
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let (taken_now, refused_now) = verdicts(self);
            if taken_now > taken || refused_now > refused {
                return taken_now > taken;
            }
            assert!(
                Instant::now() < deadline,
                "no verdict on new routes:\n{}",
                self.logs()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Lab {
    #[expect(clippy::print_stderr, reason = "a failed test shows what Envoy said")]
    fn drop(&mut self) {
        let alive = self.envoy.check_alive();
        match (thread::panicking(), alive) {
            (false, Ok(())) => {}
            (false, Err(error)) => panic!("{error:#}"),
            (true, Ok(())) => eprintln!("Envoy {} logged:\n{}", self.version, self.logs()),
            (true, Err(error)) => eprintln!("{error:#}"),
        }
    }
}

fn find_module(config: &EnvoyConfig, mut settings: Settings) -> Settings {
    if config.uses_module() && settings.module_folder.is_none() {
        settings.module_folder = Some(ok(workspace::module_folder()));
    }
    settings
}

fn ok<T, E: Into<anyhow::Error>>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{:#}", error.into()),
    }
}
