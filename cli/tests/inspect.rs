//! `inspect`, over the admin interfaces of real Envoys.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Output};

use rustformations_tests::{Envoy, EnvoyConfig, Lab, Route, VERSIONS, Version, envoy};
use serde_json::{Value, json};

fn inspect(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rustformations"));
    command.arg("inspect").args(arguments);
    command.env_remove("CLICOLOR_FORCE").output().unwrap()
}

fn brought(version: Version) -> Envoy {
    envoy::bring(version).unwrap()
}

fn lab(envoy: &Envoy) -> Lab {
    let transform = json!({"request": {"set": [{"name": "x-a", "value": "1"}]}});
    let route = Route::at("/v1").transform(transform);
    let config = EnvoyConfig::new()
        .filter_level(json!({"response": {"set": [{"name": "x-b", "value": "1"}]}}))
        .routes_from_file()
        .route(route);
    Lab::start(envoy, &config)
}

/// The example of the documentation.
fn documented() -> String {
    let page = include_str!("../../docs/cli.md");
    let (_, rest) = page.split_once("$ rustformations inspect :9901\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// What is printed, but for how long Envoy is up and which module it is.
fn without_details(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("module "));
    let lines = lines.map(|line| {
        let (kept, _) = line.split_once(" up for ").unwrap_or((line, ""));
        kept.split_once(", revision ")
            .map_or(kept, |(kept, _)| kept)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What is told as JSON of the newest, but for what is another at each run.
fn everything() -> Value {
    let text = include_str!("inspect.json");
    serde_json::from_str(text).unwrap()
}

/// What runs is told, and what is refused afterwards.
fn behaviour(envoy: &Envoy) {
    let mut lab = lab(envoy);
    assert_eq!(lab.get("/v1").send().status, 200);
    let admin = format!("http://{}", lab.envoy().admin_address());
    let output = inspect(&[&admin, "--format", "json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told:#}");
    assert_eq!(told["envoy"]["version"], lab.version().to_string());
    assert_eq!(told["envoy"]["state"], "LIVE");
    assert_eq!(told["module"]["version"], env!("CARGO_PKG_VERSION"));
    let configurations = told["configurations"].as_array().unwrap();
    let places: Vec<String> = configurations
        .iter()
        .map(|it| serde_json::to_string(&it["place"]).unwrap())
        .collect();
    assert!(
        places
            .iter()
            .any(|it| it.contains("\"listener ") && it.contains("http_filters")),
        "{places:?}"
    );
    assert!(
        places
            .iter()
            .any(|it| it.contains("\"virtual_hosts ") && it.contains("/v1\"")),
        "{places:?}"
    );
    assert_eq!(places.len(), 2, "{places:?}");
    let counters = told["counters"].as_object().unwrap();
    let transformed = counters
        .iter()
        .find(|(name, _)| name.ends_with("rustformations_requests_transformed"));
    assert_eq!(transformed.unwrap().1, 1, "{counters:?}");
    assert_eq!(
        (&told["refused"], &told["rejectedUpdates"]),
        (&json!([]), &json!({}))
    );

    if lab.version() == VERSIONS[VERSIONS.len() - 1] {
        let mut told = told.clone();
        told["envoy"]["uptime"] = json!("");
        told["module"] = json!(null);
        assert_eq!(told, everything(), "{told:#}");
        let text = String::from_utf8(inspect(&[&admin]).stdout).unwrap();
        assert_eq!(without_details(&text), without_details(&documented()));
    }

    let broken = json!({"request": {"set": [{"name": "x-a", "value": "{{ heder('x') }}"}]}});
    assert!(!lab.replace_routes(&[Route::at("/v1").transform(broken)]));
    let output = inspect(&[&admin]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.starts_with("Envoy 1.") && text.contains("\nrefused\n"),
        "{text}"
    );
    assert!(text.contains("rds.lab: 1 update;"), "{text}");
}

#[test]
fn the_oldest_envoy_is_told_of() {
    behaviour(&brought(VERSIONS[0]));
}

#[test]
fn the_newest_envoy_is_told_of() {
    behaviour(&brought(VERSIONS[VERSIONS.len() - 1]));
}

#[test]
fn who_does_not_answer_is_named() {
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let output = inspect(&[&format!("{nobody}")]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains(&format!("http://{nobody}/server_info does not answer")),
        "{said}"
    );
    assert!(said.contains("listens on 9901"), "{said}");
}

#[test]
fn an_answer_without_an_end_is_not_read_for_ever() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]).unwrap();
        let head = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
        stream.write_all(head).unwrap();
        // Whoever has read enough closes.
        while stream.write_all(&[b' '; 1 << 16]).is_ok() {}
    });
    let output = inspect(&[&address.to_string()]);
    serving.join().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("/server_info answers with more than the 64 MiB that are read"),
        "{said}"
    );
}

#[test]
fn what_is_no_envoy_is_not_taken_for_one() {
    for answer in [
        "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok",
    ] {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        let serving = std::thread::spawn(move || {
            let (mut stream, _) = server.accept().unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let output = inspect(&[&address.to_string()]);
        serving.join().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("not"), "{said}");
        assert!(said.contains("admin interface"), "{said}");
    }
}
