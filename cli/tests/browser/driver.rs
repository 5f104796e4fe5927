//! A headless Chromium: WebDriver's JSON over the client of the tests.

use std::env;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustformations_tests::Request;
use serde_json::{Value, json};

/// Chromium on its own: no profile, no network of its own, no sandbox that a container may not have.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--window-size=1280,900",
];

/// The names that Chromium has.
pub(crate) const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// The Chromium of this machine, if it has one.
pub(crate) fn chromium() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path);
    let mut programs = folders.flat_map(|folder| BROWSERS.map(|name| folder.join(name)));
    programs.find(|program| program.is_file())
}

/// What WebDriver calls the id of an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one window; it ends with its test.
pub(crate) struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    pub(crate) fn start(chromium: &Path) -> Browser {
        let mut driver = Command::new("chromedriver");
        driver.arg("--port=0").stdin(Stdio::null());
        driver.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = driver.spawn().unwrap();
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Browser {
            driver,
            address: SocketAddr::from(([127, 0, 0, 1], port.unwrap())),
            session: String::new(),
            _profile: profile,
        };
        let folder = format!("--user-data-dir={}", browser._profile.path().display());
        let mut flags = FLAGS.map(str::to_owned).to_vec();
        flags.push(folder);
        let asked = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": flags, "binary": chromium},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let session = browser.ask("POST", "/session", &asked);
        browser.session = format!("/session/{}", session["sessionId"].as_str().unwrap());
        browser
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut request = Request::new(self.address, method, path);
        request = request.header("host", self.address.to_string());
        let request = if method == "POST" {
            request.json(body)
        } else {
            request
        };
        let answer = request.send();
        let value: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answer.status, 200, "{method} {path} {body}: {value:#}");
        value["value"].clone()
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", &format!("{}/{path}", self.session), body)
    }

    fn element(&self, css: &str) -> String {
        let found = self.post("element", &json!({"using": "css selector", "value": css}));
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    pub(crate) fn go(&self, url: &str) {
        self.post("url", &json!({"url": url}));
    }

    pub(crate) fn script(&self, script: &str) -> Value {
        self.post("execute/sync", &json!({"script": script, "args": []}))
    }

    /// What elements say, all that there are.
    pub(crate) fn text(&self, css: &str) -> String {
        let script = "return [...document.querySelectorAll(arguments[0])].map((it) => it.textContent).join('\\n')";
        let said = self.post("execute/sync", &json!({"script": script, "args": [css]}));
        said.as_str().unwrap().to_owned()
    }

    pub(crate) fn clear(&self, css: &str) {
        let element = self.element(css);
        self.post(&format!("element/{element}/clear"), &json!({}));
    }

    pub(crate) fn keys(&self, css: &str, text: &str) {
        let element = self.element(css);
        self.post(&format!("element/{element}/value"), &json!({"text": text}));
    }

    /// Keys, wherever the focus is.
    pub(crate) fn keys_anywhere(&self, keys: &str) {
        let strokes: Vec<Value> = keys
            .chars()
            .flat_map(|key| {
                ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key.to_string()}))
            })
            .collect();
        self.post(
            "actions",
            &json!({"actions": [{"type": "key", "id": "keys", "actions": strokes}]}),
        );
    }

    pub(crate) fn choose(&self, css: &str, value: &str) {
        let element = self.element(&format!("{css} option[value='{value}']"));
        self.post(&format!("element/{element}/click"), &json!({}));
    }

    /// Whether what is light or what is dark is preferred.
    pub(crate) fn prefer(&self, scheme: &str) {
        let feature = json!({"name": "prefers-color-scheme", "value": scheme});
        let asked = json!({"cmd": "Emulation.setEmulatedMedia", "params": {"features": [feature]}});
        self.post("goog/cdp/execute", &asked);
    }

    /// The size of the page, also one that no window can have.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": true});
        let asked = json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": size});
        self.post("goog/cdp/execute", &asked);
    }

    /// What the console says of the page: errors, and what its policy forbids.
    pub(crate) fn complaints(&self) -> Vec<Value> {
        let log = self.post("se/log", &json!({"type": "browser"}));
        let entries = log.as_array().unwrap().iter().cloned();
        entries.filter(|entry| entry["level"] != "DEBUG").collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            // Chromium ends with its session; a test that fails says why by itself.
            let request = Request::new(self.address, "DELETE", &self.session);
            let _ = request.header("host", self.address.to_string()).try_send();
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
