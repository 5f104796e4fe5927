//! What is released is packed as users find it: the wheel installs a tool that runs and a module that Envoy loads,
//! the archives hold the same with the licences.
#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use rustformations_release::{licences, linked};
use rustformations_tests::lab::with_envoy;
use rustformations_tests::workspace::{self, MODULE_FILE};
use rustformations_tests::{EnvoyConfig, Lab, Request, Route, Settings, VERSIONS, tools};
use serde_json::json;

/// The Python environment that a user's `pip install` filled, made once; `None` where there is no maturin. The tool in it is
/// built like a test's; the module is the one that ships.
fn installed() -> Option<&'static Path> {
    static INSTALLED: OnceLock<Option<PathBuf>> = OnceLock::new();
    INSTALLED.get_or_init(install).as_deref()
}

fn install() -> Option<PathBuf> {
    let maturin = tools::by_pip("maturin").unwrap()?;
    let folder = workspace::target_folder().join("packages");
    // Of an earlier run.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let texts = licences::texts(&linked::crates().unwrap()).unwrap();
    fs::write(folder.join("THIRD-PARTY.txt"), texts).unwrap();
    let mut build = Command::new(workspace::root().join("release/wheel.sh"));
    build
        .arg(workspace::module_folder().unwrap().join(MODULE_FILE))
        .arg(folder.join("THIRD-PARTY.txt"))
        .arg(folder.join("wheels"))
        .args(["--profile", "dev", "--compatibility", "linux"])
        .env("MATURIN", maturin);
    run(&mut build);
    let wheels = fs::read_dir(folder.join("wheels")).unwrap();
    let wheels: Vec<PathBuf> = wheels.map(|entry| entry.unwrap().path()).collect();
    let [wheel] = wheels.as_slice() else {
        panic!("{wheels:?}");
    };
    let prefix = folder.join("prefix");
    let mut environment = Command::new("python3");
    run(environment
        .args(["-m", "venv", "--without-pip"])
        .arg(&prefix));
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "--quiet",
        "--disable-pip-version-check",
        "--python",
    ])
    .arg(prefix.join("bin/python"))
    .args(["install", "--no-deps", "--no-index"])
    .arg(wheel);
    run(&mut pip);
    Some(prefix)
}

/// Runs a program that must succeed, and gives what it printed.
fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_tool_of_the_wheel_runs() {
    let Some(prefix) = installed() else { return };
    let said = run(Command::new(prefix.join("bin/rustformations")).arg("--version"));
    assert_eq!(
        said.trim(),
        concat!("rustformations ", env!("CARGO_PKG_VERSION"))
    );
}

/// The tool finds the module beside it, so that a rule can be tried with no more than pip.
#[test]
fn the_tool_of_the_wheel_serves_with_the_module_of_the_wheel() {
    let Some(prefix) = installed() else { return };
    let folder = tempfile::tempdir().unwrap();
    let config = r#"{"response": {"set": [{"name": "x-from", "value": "the wheel"}]}}"#;
    fs::write(folder.path().join("config.json"), config).unwrap();
    with_envoy(VERSIONS[0], |envoy| {
        let mut serve = Command::new(prefix.join("bin/rustformations"));
        serve
            .args(["serve", "-c", "config.json", "--port", "0"])
            .current_dir(folder.path())
            .env("ENVOY", envoy.binary())
            .stdout(Stdio::piped());
        let mut child = serve.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.find_map(|line| address_in(&line.unwrap()));
        let from = address.map(|to| Request::new(to, "GET", "/").send().header("x-from"));
        let ended = Command::new("kill").arg(child.id().to_string()).status();
        assert!(ended.unwrap().success());
        child.wait().unwrap();
        assert_eq!(from.as_deref(), Some("the wheel"));
    });
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("http://")?;
    rest.split(['/', ' ', ',']).next()?.parse().ok()
}

/// Found by the command that `release/wheel.md` prints.
#[test]
fn envoy_loads_the_module_of_the_wheel_by_the_documented_path() {
    let Some(prefix) = installed() else { return };
    let page = fs::read_to_string(workspace::root().join("release/wheel.md")).unwrap();
    let export = page
        .lines()
        .find(|line| line.starts_with("export "))
        .unwrap();
    let bin = format!("{}:/usr/bin:/bin", prefix.join("bin").display());
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!(
        "{export}\nprintf %s \"$ENVOY_DYNAMIC_MODULES_SEARCH_PATH\""
    ));
    let folder = run(shell.env("PATH", bin));

    let shipped = fs::read(workspace::module_folder().unwrap().join(MODULE_FILE)).unwrap();
    let installed = fs::read(Path::new(&folder).join(MODULE_FILE)).unwrap();
    assert!(shipped == installed, "the wheel holds another module");
    let transform = json!({"response": {"set": [{"name": "x-from", "value": "the wheel"}]}});
    let config = EnvoyConfig::new().route(Route::at("/").transform(transform));
    let settings = Settings {
        module_folder: Some(folder.into()),
        ..Settings::default()
    };
    with_envoy(VERSIONS[0], |envoy| {
        let lab = Lab::start_with(envoy, &config, settings);
        assert_eq!(lab.get("/").send().header("x-from"), "the wheel");
    });
}

#[test]
fn the_wheel_says_whose_it_is_and_holds_the_licences() {
    let Some(prefix) = installed() else { return };
    let ask = "import importlib.metadata as m; print(m.distribution('rustformations').read_text('METADATA'))";
    let metadata = run(Command::new(prefix.join("bin/python")).args(["-c", ask]));
    assert!(
        metadata.contains(env!("CARGO_PKG_REPOSITORY")),
        "{metadata}"
    );
    assert!(metadata.contains("License: Apache-2.0"), "{metadata}");
    let licences = prefix.join("share/doc/rustformations");
    assert!(licences.join("LICENSE").is_file());
    let texts = fs::read_to_string(licences.join("THIRD-PARTY.txt")).unwrap();
    assert!(texts.contains("minijinja"));
}

/// Bytes that are the same wherever it is built name nothing of where that was.
#[test]
fn the_module_names_no_folder_of_this_machine() {
    let module = workspace::module_folder().unwrap().join(MODULE_FILE);
    let module = fs::read(module).unwrap();
    let has = |text: &str| {
        module
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    // Where crates are said to be; so that what follows is looked for in a file that names paths at all.
    assert!(
        has("/cargo/registry/src/"),
        "built without release/build.sh"
    );
    let home = std::env::home_dir().unwrap();
    for folder in [workspace::root(), &home] {
        let folder = format!("{}/", folder.display());
        assert!(!has(&folder), "{folder}");
    }
}

fn archives(prefix: &Path, out: &Path) {
    let mut pack = Command::new(workspace::root().join("release/archives.sh"));
    pack.args(["0.0.0", "linux-amd64"])
        .arg(workspace::module_folder().unwrap().join(MODULE_FILE))
        .arg(prefix.join("bin/rustformations"))
        .arg(prefix.join("share/doc/rustformations/THIRD-PARTY.txt"))
        .arg(out);
    run(&mut pack);
}

fn contents(archive: &Path) -> BTreeSet<String> {
    let list = run(Command::new("tar").arg("--list").arg("--file").arg(archive));
    let files = list.lines().filter(|name| !name.ends_with('/'));
    files
        .map(|name| name.split_once('/').unwrap().1.to_owned())
        .collect()
}

#[test]
fn archives_hold_what_a_user_needs_and_the_licences() {
    let Some(prefix) = installed() else { return };
    let out = tempfile::tempdir().unwrap();
    archives(prefix, out.path());

    let module = contents(
        &out.path()
            .join("rustformations-module-0.0.0-linux-amd64.tar.gz"),
    );
    let expected = ["LICENSE", "THIRD-PARTY.txt", MODULE_FILE];
    assert_eq!(module, expected.map(str::to_owned).into());

    let tool = contents(&out.path().join("rustformations-0.0.0-linux-amd64.tar.gz"));
    for file in [
        "LICENSE",
        "THIRD-PARTY.txt",
        "bin/rustformations",
        "share/completions/rustformations.bash",
        "share/completions/rustformations.fish",
        "share/completions/rustformations.zsh",
        "share/man/man1/rustformations.1",
        "share/man/man1/rustformations-validate.1",
    ] {
        assert!(tool.contains(file), "{file}: {tool:?}");
    }
    let mut check = Command::new("sh");
    check.args(["-c", "sha256sum --check --strict ./*.sha256"]);
    let checked = run(check.current_dir(out.path()));
    assert_eq!(checked.matches(": OK").count(), 3, "{checked}");
}

/// Nothing in an archive tells when or by whom it was packed.
#[test]
fn archives_hold_the_same_bytes_whenever_they_are_packed() {
    let Some(prefix) = installed() else { return };
    let out = tempfile::tempdir().unwrap();
    archives(prefix, out.path());
    for name in ["rustformations-module", "rustformations"] {
        let archive = out.path().join(format!("{name}-0.0.0-linux-amd64.tar.gz"));
        let mut list = Command::new("tar");
        list.args(["--list", "--verbose", "--numeric-owner", "--utc", "--file"]);
        for line in run(list.arg(&archive)).lines() {
            assert!(
                line.contains(" 0/0 ") && line.contains(" 1970-01-01 "),
                "{line}"
            );
        }
        // The time in the header of gzip.
        assert_eq!(fs::read(&archive).unwrap()[4..8], [0; 4]);
    }
}
