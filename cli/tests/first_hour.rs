//! `docs/first-hour.md`, done as a reader would: each configuration is served, each `curl` is sent, and what is
//! printed below it is in the answer.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

mod served;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use rustformations_tests::{Request, VERSIONS, Version, envoy, workspace};
use served::{Served, tool};

/// A block of the page: its language and its text.
type Block = (String, String);

fn blocks() -> Vec<Block> {
    let page = std::fs::read_to_string(workspace::root().join("docs/first-hour.md")).unwrap();
    let inside = page.split("```").skip(1).step_by(2);
    let block = |text: &str| {
        let (language, text) = text.split_once('\n').unwrap();
        (language.to_owned(), text.to_owned())
    };
    inside.map(block).collect()
}

/// The words of a command, of which some stand in single quotes.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for letter in command.chars() {
        match letter {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            letter => words.last_mut().unwrap().push(letter),
        }
    }
    words
}

/// Sends what a `curl` would, and looks for each line that the page prints.
fn ask(to: SocketAddr, console: &str) {
    let mut lines = console.lines();
    let command = lines.next().unwrap().strip_prefix("$ curl ").unwrap();
    let words = words(command);
    let mut words = words.iter().map(String::as_str);
    let (mut path, mut headers, mut body) = ("", Vec::new(), None);
    while let Some(word) = words.next() {
        match word {
            "-s" | "-si" => {}
            "-H" => headers.push(words.next().unwrap().split_once(": ").unwrap()),
            "-d" => body = words.next(),
            address => path = address.strip_prefix("localhost:10000").unwrap(),
        }
    }
    let method = if body.is_some() { "POST" } else { "GET" };
    let mut request = Request::new(to, method, path);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    if let Some(body) = body {
        request = request.body(body);
    }
    let answer = request.send();
    let text = answer.text();
    for line in lines.filter(|line| *line != "...") {
        let line = line.trim().trim_end_matches(',');
        let is_there = match line.strip_prefix("HTTP/1.1 ") {
            Some(status) => status.starts_with(&answer.status.to_string()),
            None => {
                let is_it = |it: &str| it.trim().trim_end_matches(',') == line;
                let is_header = line.split_once(": ").is_some_and(|(name, value)| {
                    answer.headers.value(name).as_deref() == Some(value)
                });
                is_header || text.lines().any(is_it)
            }
        };
        assert!(
            is_there,
            "{command}: no {line:?} in {:?}\n{text}",
            answer.headers
        );
    }
}

/// A port of one's own, for a bootstrap that names one.
fn own_port(version: Version) -> u16 {
    let first = 30_000 + u16::try_from(std::process::id() % 10_000).unwrap() + version.minor;
    let mut free = (first..).filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.next().unwrap()
}

fn serve(version: Version, file: &Path, is_bootstrap: bool) -> Served {
    let mut command = tool();
    command.current_dir(file.parent().unwrap());
    command.env("ENVOY", envoy::bring(version).unwrap().binary());
    command.args(["serve", "-c"]).arg(file.file_name().unwrap());
    command
        .arg("--module")
        .arg(workspace::module_folder().unwrap());
    if !is_bootstrap {
        command.args(["--port", "0"]);
    }
    Served::start(&mut command)
}

fn is_valid(file: &Path, arguments: &[&str]) {
    let output = tool()
        .arg("validate")
        .args(arguments)
        .arg(file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("1 configuration: 0 errors, 0 warnings"),
        "{said}"
    );
}

fn follow(version: Version) {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.json");
    let blocks = blocks();
    let mut served: Option<Served> = None;
    let (mut asked, mut mistakes) = (0, 0);
    for (at, (language, text)) in blocks.iter().enumerate() {
        match language.as_str() {
            // What is wrong is written over what is served, and the tool says so.
            "text" if text.starts_with('{') => {
                std::fs::write(&rules, text).unwrap();
                for line in blocks[at + 1].1.lines() {
                    served.as_ref().unwrap().expect_anywhere(line);
                }
                mistakes += 1;
            }
            "json" => {
                std::fs::write(&rules, text).unwrap();
                served = Some(serve(version, &rules, false));
            }
            "yaml" if text.starts_with("static_resources") => {
                let file = folder.path().join("envoy.yaml");
                std::fs::write(&file, text).unwrap();
                is_valid(&file, &[]);
                let port = own_port(version);
                std::fs::write(
                    &file,
                    text.replace("port_value: 10000", &format!("port_value: {port}")),
                )
                .unwrap();
                served = Some(serve(version, &file, true));
            }
            "yaml" => {
                let file = folder.path().join("policy.yaml");
                std::fs::write(&file, text).unwrap();
                is_valid(&file, &["--traffic-policy", "2.2"]);
                served = Some(serve(version, &file, false));
            }
            "console" => {
                ask(served.as_ref().unwrap().address, text);
                asked += 1;
            }
            _ => {}
        }
    }
    assert_eq!((asked, mistakes), (6, 1), "on the page");
}

#[test]
fn the_page_works_with_the_oldest_envoy() {
    follow(VERSIONS[0]);
}

#[test]
fn the_page_works_with_the_newest_envoy() {
    follow(VERSIONS[VERSIONS.len() - 1]);
}
