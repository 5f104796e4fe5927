//! A page's `curl` commands, sent to an Envoy with the page's bootstrap; and the lines that it says come back.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};

use rustformations_tests::{Envoy, EnvoyProcess, Request, Settings};

/// A running Envoy, and which ports it has for the printed ones.
pub(crate) struct Session {
    _envoy: EnvoyProcess,
    ports: Vec<(u16, u16)>,
}

/// A port that nobody has. None that systems give away unasked, so that nobody gets it before Envoy does.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Session {
    /// Starts Envoy with a bootstrap in YAML, in which each printed port becomes a free one. What the file names
    /// by a relative path is in `folder`.
    pub(crate) fn start(envoy: &Envoy, bootstrap: &str, module: &Path, folder: &Path) -> Self {
        let keys = folder.join("keys.txt");
        let mut bootstrap = bootstrap.replace("keys.txt", keys.to_str().unwrap());
        let mut ports = Vec::new();
        for printed in [9901, 10000, 10001] {
            let port = free_port();
            let text = |port: u16| format!("port_value: {port} ");
            bootstrap = bootstrap.replace(&text(printed), &text(port));
            ports.push((printed, port));
        }
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("envoy.yaml");
        std::fs::write(&file, bootstrap).unwrap();
        let settings = Settings {
            module_folder: Some(module.to_owned()),
            ..Settings::default()
        };
        let envoy = EnvoyProcess::start_file(envoy, &file, &settings).unwrap();
        Self {
            _envoy: envoy,
            ports,
        }
    }

    /// Sends each `curl` of the page and looks for the lines of the `text` block behind it; returns how many.
    pub(crate) fn follow(&self, page: &str) -> usize {
        let mut followed = 0;
        let mut rest = page;
        while let Some((_, behind)) = rest.split_once("\n```sh\ncurl ") {
            let (command, behind) = behind.split_once("\n```\n").unwrap();
            let said = behind.trim_start().strip_prefix("```text\n");
            let (said, behind) = said.and_then(|said| said.split_once("```")).unwrap();
            let answer = self.send(&words(command));
            for line in said.lines() {
                assert!(
                    answer.lines().any(|it| it == line),
                    "no {line:?} after curl {command}\n{answer}"
                );
            }
            followed += 1;
            rest = behind;
        }
        followed
    }

    /// What `curl -i` prints, with a status line and headers in any case.
    fn send(&self, words: &[String]) -> String {
        let (mut url, mut headers, mut body) = ("", Vec::new(), None);
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap().as_str();
            match word.as_str() {
                "-i" => {}
                "-H" => headers.push(value().split_once(": ").unwrap()),
                "-d" => body = Some(value()),
                other => url = other,
            }
        }
        let address = url.strip_prefix("http://localhost:").unwrap();
        let (printed, path) = address.split_once('/').unwrap();
        let ports = &mut self.ports.iter();
        let port = ports.find(|(known, _)| known.to_string() == printed);
        let to = SocketAddr::from(([127, 0, 0, 1], port.unwrap().1));
        let method = if body.is_some() { "POST" } else { "GET" };
        let mut request = Request::new(to, method, &format!("/{path}"));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let answer = request.send();
        let reason = match answer.status {
            200 => "OK",
            401 => "Unauthorized",
            403 => "Forbidden",
            other => panic!("{other}: {}", answer.text()),
        };
        let mut printed = format!("HTTP/1.1 {} {reason}\n", answer.status);
        for (name, value) in &answer.headers.0 {
            printed += &format!("{name}: {}\n", String::from_utf8_lossy(value));
        }
        printed + "\n" + &answer.text()
    }
}

/// The words of a command, some of them in single quotes.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in command.split('\'').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}
