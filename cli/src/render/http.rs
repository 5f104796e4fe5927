//! Messages from files, in the text of HTTP/1.1, and from the command line.
//!
//! A file may begin with comments (`#`, `//`) and blank lines, and ends where a line begins with `###`, as editors
//! have it. Its last line end is not a part of the body.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, Result, bail};
use transformations::memory::Message;

/// The request of a file; "-" is standard input.
///
/// # Errors
/// If it cannot be read, or is none.
pub(crate) fn request(path: &Path) -> Result<Message> {
    let text = read(path)?;
    request_of_text(&text).with_context(|| path.display().to_string())
}

/// The request of a text.
///
/// # Errors
/// If it is none.
pub(crate) fn request_of_text(text: &[u8]) -> Result<Message> {
    let (first, headers, body) = parts(text)?;
    let mut words = first.split_whitespace();
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some(method), Some(target), None, _) => request_of(method, target, &headers, body),
        (Some(method), Some(target), Some(version), None) if version.starts_with("HTTP/") => {
            request_of(method, target, &headers, body)
        }
        _ => bail!("expected a request line, such as \"GET / HTTP/1.1\""),
    }
}

/// A request of its parts; the scheme and the host stand in the target or in a header.
///
/// # Errors
/// If the method, the target or a header is none.
pub(crate) fn request_of(
    method: &str,
    target: &str,
    headers: &[String],
    body: Vec<u8>,
) -> Result<Message> {
    check_method(method)?;
    let absolute = target.split_once("://");
    let absolute = absolute.filter(|(scheme, _)| scheme.bytes().all(|it| it.is_ascii_alphabetic()));
    let (scheme, rest) = absolute.unwrap_or(("http", target));
    check_target(method, target, absolute)?;
    let is_absolute = rest.len() < target.len();
    let (host, path) = match rest.find(['/', '?']) {
        Some(at) if is_absolute => (Some(&rest[..at]), &rest[at..]),
        None if is_absolute => (Some(rest), "/"),
        _ => (None, rest),
    };
    // A query may follow the host at once.
    let path = match path.strip_prefix('?') {
        Some(query) if is_absolute => format!("/?{query}"),
        _ => path.to_owned(),
    };
    let mut all = vec![
        (":method", method.to_owned()),
        (":scheme", scheme.to_owned()),
    ];
    let mut named = host.unwrap_or("localhost").to_owned();
    let mut others = Vec::new();
    for header in headers {
        let (name, value) = header_of(header)?;
        match name.as_str() {
            "host" => named = value,
            _ => others.push((name, value)),
        }
    }
    all.push((":authority", named));
    all.push((":path", path));
    let mut message = Message::new(&[], body);
    let owned = all
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    message.headers = bytes(owned.chain(others));
    Ok(message)
}

/// A method is a token, as RFC 9110 has it.
fn check_method(method: &str) -> Result<()> {
    let is_token = |it: u8| it.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&it);
    if method.is_empty() || !method.bytes().all(is_token) {
        bail!("{method:?} is no method; write one word, such as GET");
    }
    Ok(())
}

/// A target is a URL or a path; "*" and a host go with methods of their own.
fn check_target(method: &str, target: &str, absolute: Option<(&str, &str)>) -> Result<()> {
    let is_text = |it: char| !it.is_whitespace() && !it.is_control();
    let is_meant = match absolute {
        Some((scheme, rest)) => {
            let is_known = ["http", "https"]
                .iter()
                .any(|it| scheme.eq_ignore_ascii_case(it));
            is_known && !rest.is_empty() && !rest.starts_with(['/', '?', '#', ':'])
        }
        None => target.starts_with('/') || target == "*" || method == "CONNECT",
    };
    if !is_meant || target.is_empty() || !target.chars().all(is_text) {
        bail!(
            "{target:?} is no target of a request; write a path, such as /v1/chat, or a URL, such as \
             http://api.example.com/v1/chat, without blanks"
        );
    }
    Ok(())
}

/// The response of a file; "-" is standard input. What it is, its ending says, or else how it begins.
///
/// # Errors
/// If it cannot be read, or is none.
pub(crate) fn response(path: &Path) -> Result<Message> {
    let text = read(path)?;
    let text = without_mark(&text).to_vec();
    let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    let begins = text.trim_ascii_start();
    let kind = match ending {
        "http" => None,
        "sse" => Some("text/event-stream"),
        "ndjson" => Some("application/x-ndjson"),
        "json" => Some("application/json"),
        _ if begins.starts_with(b"HTTP/") => None,
        _ if begins.starts_with(b"{") || begins.starts_with(b"[") => Some("application/json"),
        _ => Some("text/event-stream"),
    };
    if let Some(kind) = kind {
        let mut message = Message::new(&[(":status", "200"), ("content-type", kind)], "");
        message.body = match kind {
            "application/json" => vec![text],
            _ => pieces(&text),
        };
        return Ok(message);
    }
    response_of_text(&text).with_context(|| path.display().to_string())
}

/// The response of a text.
///
/// # Errors
/// If it is none.
pub(crate) fn response_of_text(text: &[u8]) -> Result<Message> {
    let (first, headers, body) = parts(text)?;
    let mut words = first.split_whitespace();
    let version = words.next().unwrap_or_default();
    let status = words.next().filter(|status| status.parse::<u16>().is_ok());
    let Some(status) = status.filter(|_| version.starts_with("HTTP/")) else {
        bail!("expected a status line, such as \"HTTP/1.1 200 OK\"");
    };
    let mut all = vec![(":status".to_owned(), status.to_owned())];
    for header in &headers {
        all.push(header_of(header)?);
    }
    let mut message = Message::new(&[], "");
    message.headers = bytes(all);
    let is_stream = message
        .values("content-type")
        .iter()
        .any(|it| it.starts_with("text/event-stream"));
    message.body = match is_stream {
        true => pieces(&body),
        false if body.is_empty() => Vec::new(),
        false => vec![body],
    };
    Ok(message)
}

/// A text without the mark of its encoding, which some editors put before it.
fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// What is in a file; "-" is standard input.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    if path.as_os_str() != "-" {
        return std::fs::read(path).with_context(|| path.display().to_string());
    }
    let mut text = Vec::new();
    let read = io::stdin().lock().read_to_end(&mut text);
    read.context("standard input")?;
    Ok(text)
}

/// The events of a stream, each a piece, as they would come.
fn pieces(text: &[u8]) -> Vec<Vec<u8>> {
    let mut pieces = vec![Vec::new()];
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let is_blank = line.iter().all(u8::is_ascii_whitespace);
        if let Some(last) = pieces.last_mut() {
            last.extend_from_slice(line);
        }
        if is_blank {
            pieces.push(Vec::new());
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// The first line, the headers and the body of a message.
fn parts(text: &[u8]) -> Result<(String, Vec<String>, Vec<u8>)> {
    let mut lines = without_mark(text).split_inclusive(|byte| *byte == b'\n');
    let mut line = || {
        let line = lines.next()?;
        Some(
            String::from_utf8_lossy(line)
                .trim_end_matches(['\r', '\n'])
                .to_owned(),
        )
    };
    let first = loop {
        let line = line().context("there is no message in it")?;
        let is_comment = line.starts_with('#') || line.starts_with("//");
        if !is_comment && !line.trim().is_empty() {
            break line;
        }
    };
    let mut headers = Vec::new();
    while let Some(line) = line().filter(|line| !line.is_empty()) {
        if line.starts_with("###") {
            return Ok((first, headers, Vec::new()));
        }
        headers.push(line);
    }
    let mut body = Vec::new();
    for line in lines.take_while(|line| !line.starts_with(b"###")) {
        body.extend_from_slice(line);
    }
    for end in [b'\n', b'\r'] {
        if body.last() == Some(&end) {
            body.pop();
        }
    }
    Ok((first, headers, body))
}

fn header_of(line: &str) -> Result<(String, String)> {
    let (name, value) = match line.find(':') {
        Some(at) if at > 0 => line.split_at(at),
        _ => bail!("expected a header, such as \"x-name: value\""),
    };
    let value = value.trim_start_matches(':').trim();
    Ok((name.trim().to_ascii_lowercase(), value.to_owned()))
}

fn bytes(headers: impl IntoIterator<Item = (String, String)>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let headers = headers.into_iter();
    headers
        .map(|(name, value)| (name.into_bytes(), value.into_bytes()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{parts, pieces, request_of};

    #[test]
    fn a_target_has_a_host_or_has_none() {
        for (target, scheme, host, path) in [
            ("/a?b=1", "http", "localhost", "/a?b=1"),
            ("https://h.example/a", "https", "h.example", "/a"),
            ("http://h.example", "http", "h.example", "/"),
            (
                "http://h.example?u=http://x/",
                "http",
                "h.example",
                "/?u=http://x/",
            ),
            ("/a?u=http://x/", "http", "localhost", "/a?u=http://x/"),
            ("*", "http", "localhost", "*"),
        ] {
            let message = request_of("GET", target, &[], Vec::new()).unwrap();
            let found = [":scheme", ":authority", ":path"].map(|name| message.values(name));
            assert_eq!(found.concat(), [scheme, host, path], "{target}");
        }
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for (method, target) in [
            ("", "/"),
            ("G T", "/"),
            ("GET", ""),
            ("GET", "not a url"),
            ("GET", "/a b"),
            ("GET", "http://"),
            ("GET", "http:///a"),
            ("GET", "ftp://h.example/"),
        ] {
            let request = request_of(method, target, &[], Vec::new());
            assert!(request.is_err(), "{method:?} {target:?}");
        }
        assert!(request_of("CONNECT", "h.example:443", &[], Vec::new()).is_ok());
    }

    #[test]
    fn a_mark_of_the_encoding_is_no_part_of_a_message() {
        let (first, ..) = parts("\u{feff}POST /a\n".as_bytes()).unwrap();
        assert_eq!(first, "POST /a");
    }

    #[test]
    fn a_message_is_read_with_what_editors_put_around_it() {
        let text =
            b"# a comment\n\nPOST /a HTTP/1.1\r\nx-a: 1\r\n\r\nbody\r\nmore\r\n###\nGET /b\n";
        let (first, headers, body) = parts(text).unwrap();
        assert_eq!(
            (first.as_str(), headers.as_slice()),
            ("POST /a HTTP/1.1", &["x-a: 1".to_owned()][..])
        );
        assert_eq!(body, b"body\r\nmore");
        let (_, headers, body) = parts(b"GET /").unwrap();
        assert!(headers.is_empty() && body.is_empty());
        assert!(parts(b"# nothing").is_err());
    }

    #[test]
    fn events_come_one_by_one() {
        let found = pieces(b"data: 1\n\ndata: 2\r\n\r\ndata: 3");
        assert_eq!(found, [&b"data: 1\n\n"[..], b"data: 2\r\n\r\n", b"data: 3"]);
    }
}
