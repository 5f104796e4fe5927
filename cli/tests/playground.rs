//! The playground without a browser: what its server answers, to whom, and to anything at all.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

mod served;

use std::process::Command;
use std::time::Duration;

use rustformations_tests::{Answer, Body, Request};
use serde_json::{Value, json};
use served::{Served, tool};

fn playground(arguments: &[&str]) -> Command {
    let mut command = tool();
    command
        .args(["serve", "--ui", "--port", "0"])
        .args(arguments);
    command
}

fn request(served: &Served, method: &str, path: &str) -> Request {
    let host = served.address.to_string();
    Request::new(served.address, method, path).header("host", host)
}

fn ask(served: &Served, question: &Value) -> Answer {
    request(served, "POST", "/try").json(question).send()
}

fn told(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

/// A question about a configuration.
fn question(text: &str) -> Value {
    let request = "POST /a HTTP/1.1\nhost: h\ncontent-type: application/json\n\n{\"n\": 1}";
    json!({"mode": "configuration", "text": text, "request": request, "response": ""})
}

/// The lines of a kind of the message that has this title.
fn lines(told: &Value, title: &str, kind: &str) -> Vec<String> {
    let messages = told["messages"].as_array().unwrap();
    let message = messages.iter().find(|it| it["title"] == title);
    let message = message.unwrap_or_else(|| panic!("no {title} in {told:#}"));
    let lines = message["lines"].as_array().unwrap().iter();
    let lines = lines.filter(|it| it["kind"] == kind);
    lines
        .map(|it| it["text"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_page_is_whole_and_asks_nobody_else() {
    let served = Served::start(&mut playground(&[]));
    let page = request(&served, "GET", "/").send();
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(
        page.header("content-security-policy")
            .starts_with("default-src 'none'")
    );
    let text = page.text();
    for elsewhere in ["http://", "https://", "src=\"", "@import", "url("] {
        assert!(!text.contains(elsewhere), "the page has {elsewhere}");
    }
    assert_eq!(request(&served, "GET", "/elsewhere").send().status, 404);
}

#[test]
fn every_example_does_what_its_title_says() {
    let served = Served::start(&mut playground(&[]));
    let start = told(&request(&served, "GET", "/start").send());
    let examples = start["examples"].as_array().unwrap();
    assert!(examples.len() > 4);
    for example in examples {
        let title = example["title"].as_str().unwrap();
        let told = told(&ask(&served, example));
        assert!(told.get("error").is_none(), "{title}: {told:#}");
        if title.contains("mistake") {
            assert_eq!(told["diagnostics"][0]["code"], "RF1203");
            continue;
        }
        assert_eq!(told["diagnostics"], json!([]), "{title}");
        let messages = told["messages"].as_array().unwrap();
        assert!(
            messages.iter().all(|it| it.get("failed").is_none()),
            "{title}: {told:#}"
        );
        let changed = messages
            .iter()
            .flat_map(|it| it["lines"].as_array().unwrap());
        assert!(
            changed.into_iter().any(|it| it["kind"] == "new"),
            "{title}: {told:#}"
        );
        if title.contains("template") {
            let body = lines(&told, "request", "new").concat();
            assert!(
                body.contains("Ada Lovelace") && body.contains("\"api.example.com\""),
                "{body}"
            );
        }
        if title.contains("LLM") {
            let gone = lines(&told, "request", "gone").concat();
            let sent = lines(&told, "request", "new").concat();
            assert!(
                gone.contains("ada@example.com") && sent.contains("[EMAIL_1]"),
                "{told:#}"
            );
            let read = lines(&told, "response", "new").concat();
            assert!(
                read.contains("ada@example.com") && read.contains("+44 20 7946 0958"),
                "{told:#}"
            );
            let metadata = told["metadata"].as_array().unwrap();
            let tokens = metadata
                .iter()
                .find(|it| it["key"] == "input_tokens")
                .unwrap();
            assert_eq!(tokens["value"], 24);
            assert!(
                metadata.iter().any(|it| it["key"] == "cost_usd"),
                "{told:#}"
            );
        }
    }
}

#[test]
fn it_says_what_render_and_validate_say() {
    let served = Served::start(&mut playground(&[]));
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let text = r#"{"request": {"body": {"parseAs": "AsJson"}, "set": [{"name": "x-n", "value": "{{ n }}"}], "remove": ["content-type"]}}"#;
    let question = question(text);
    let told_here = told(&ask(&served, &question));
    let message = write("r.http", question["request"].as_str().unwrap());
    let config = write("c.json", text);
    let mut render = tool();
    render
        .arg("render")
        .arg("-c")
        .arg(config)
        .arg("--request")
        .arg(message);
    let printed = String::from_utf8(render.output().unwrap().stdout).unwrap();
    let signs = [("+ ", "new"), ("- ", "gone"), ("  ", "same")];
    for (sign, kind) in signs {
        let printed: Vec<&str> = printed
            .lines()
            .filter_map(|it| it.strip_prefix(sign))
            .collect();
        let mut here = lines(&told_here, "request", kind);
        here.retain(|it| !it.is_empty());
        assert_eq!(here, printed, "{kind}");
    }

    let text =
        r#"{"requst": {}, "request": {"set": [{"name": "x", "value": "{{ heder('x') }}"}]}}"#;
    let told_here = told(&ask(
        &served,
        &json!({
            "mode": "configuration", "text": text, "request": "GET / HTTP/1.1", "response": "",
        }),
    ));
    assert!(told_here.get("messages").is_none(), "{told_here:#}");
    let config = write("c.json", text);
    let validated = tool()
        .args(["validate", "--format", "json"])
        .arg(&config)
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&validated.stdout).unwrap();
    let problems = report["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 2);
    for (here, there) in told_here["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .zip(problems)
    {
        for field in ["code", "severity", "path", "message", "excerpt", "help"] {
            assert_eq!(here[field], there[field], "{field}");
        }
        assert!(!here["remedy"].as_str().unwrap().is_empty());
    }
}

#[test]
fn a_configuration_that_is_named_is_where_the_page_begins() {
    let config = "cli/tests/cmd/render.in/chat.json";
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap();
    let mut command = playground(&["-c", config]);
    let served = Served::start(command.current_dir(root));
    let start = told(&request(&served, "GET", "/start").send());
    let text = std::fs::read_to_string(root.join(config)).unwrap();
    assert_eq!(
        start["start"],
        json!({"mode": "configuration", "text": text})
    );
}

#[test]
fn one_of_several_configurations_is_chosen() {
    let served = Served::start(&mut playground(&[]));
    let profile = |name: &str| {
        format!("  {name}:\n    request:\n      set: [{{name: x-is, value: {name}}}]\n")
    };
    let text = format!("profiles:\n{}{}", profile("one"), profile("two"));
    for (place, name) in [(0, "one"), (1, "two"), (9, "two")] {
        let mut question = question(&text);
        question["place"] = json!(place);
        let told = told(&ask(&served, &question));
        assert_eq!(told["places"].as_array().unwrap().len(), 2, "{told:#}");
        assert!(
            lines(&told, "request", "new").contains(&format!("x-is: {name}")),
            "{told:#}"
        );
    }
}

#[test]
fn events_need_no_head_and_a_template_takes_a_body_as_what_it_is() {
    let served = Served::start(&mut playground(&[]));
    let rule = r#"{"response": {"stream": {"rules": [{"when": {"pointer": "/done", "equals": true}, "drop": true}]}}}"#;
    let mut question = question(rule);
    question["response"] = json!("data: {\"a\":1}\n\ndata: {\"done\":true}\n\n");
    let told_of_events = told(&ask(&served, &question));
    let lines_of = |kind| lines(&told_of_events, "response", kind).concat();
    assert!(lines_of("gone").contains("done") && !lines_of("gone").contains("\"a\""));
    assert!(lines_of("same").contains("text/event-stream"));

    let response = |body: &str| format!("HTTP/1.1 200 OK\n\n{body}");
    for (text, body, expected) in [
        ("<{{ n }}>", "{\"n\": 7}", "<7>"),
        ("<{{ body() }}>", "plain", "<plain>"),
    ] {
        let question = json!({"mode": "response", "text": text, "request": "GET / HTTP/1.1", "response": response(body)});
        let told = told(&ask(&served, &question));
        assert!(
            lines(&told, "response", "new").contains(&expected.to_owned()),
            "{told:#}"
        );
    }
}

#[test]
fn only_its_own_page_is_answered() {
    let served = Served::start(&mut playground(&[]));
    let port = served.address.port();
    let question = question("{\"request\": {}}");
    let asked = |host: &str, origin: &str| {
        let mut request = Request::new(served.address, "POST", "/try").header("host", host);
        if !origin.is_empty() {
            request = request.header("origin", origin);
        }
        request.json(&question).send().status
    };
    let here = format!("127.0.0.1:{port}");
    for (host, origin) in [
        (here.clone(), String::new()),
        (here.clone(), format!("http://{here}")),
        (
            format!("localhost:{port}"),
            format!("http://localhost:{port}"),
        ),
    ] {
        assert_eq!(asked(&host, &origin), 200, "{host} {origin}");
    }
    for (host, origin) in [
        // A name that somebody else makes point here.
        (format!("rebound.example:{port}"), String::new()),
        ("127.0.0.1".to_owned(), String::new()),
        (format!("127.0.0.1:{}", port ^ 1), String::new()),
        (here.clone(), "https://elsewhere.example".to_owned()),
        (here.clone(), "null".to_owned()),
        (here.clone(), format!("http://{here}.example")),
    ] {
        assert_eq!(asked(&host, &origin), 403, "{host} {origin}");
    }
    // What a page elsewhere can send without asking.
    let form = request(&served, "POST", "/try").header("content-type", "text/plain");
    assert_eq!(form.body(question.to_string()).send().status, 415);
    let preflight = request(&served, "OPTIONS", "/try").send();
    assert_eq!(preflight.status, 405);
    assert!(!preflight.headers.has("access-control-allow-origin"));
}

#[test]
fn a_link_reads_neither_files_nor_the_environment() {
    let mut command = playground(&[]);
    let served = Served::start(command.env("SECRET_OF_TEST", "sesame"));
    let text = r#"{"ai": {"cost": {"file": "/dev/zero"}}}"#;
    let told_of_file = told(&ask(&served, &question(text)));
    let said = told_of_file["diagnostics"].to_string();
    assert!(said.contains("the playground reads no files"), "{said}");
    let text = r#"{"request": {"set": [{"name": "x", "value": "<{{ env('SECRET_OF_TEST') }}>"}]}}"#;
    let answer = ask(&served, &question(text)).text();
    assert!(!answer.contains("sesame"), "{answer}");
}

#[test]
fn nobody_waits_for_what_does_not_come() {
    let served = Served::start(&mut playground(&[]));
    let patience = Duration::from_secs(15);
    let body = Body::chunked().piece("{").pause(patience).piece("}");
    let stalled = request(&served, "POST", "/try").header("content-type", "application/json");
    assert_eq!(stalled.stream(body).send().status, 503);
}

#[test]
fn any_input_gets_an_answer_and_the_server_goes_on() {
    let served = Served::start(&mut playground(&[]));
    let post = |body: Vec<u8>| {
        let request = request(&served, "POST", "/try").header("content-type", "application/json");
        request.body(body).send().status
    };
    for body in [
        &b""[..],
        b"{",
        b"[]",
        b"null",
        b"{\"mode\": 1}",
        b"\xff\xfe",
    ] {
        assert_eq!(post(body.to_vec()), 400, "{body:?}");
    }
    assert_eq!(post(vec![b' '; 3 << 20]), 413);
    let deep = "[".repeat(100_000);
    let bomb = "a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n\
                d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n";
    let endless = r#"{"request": {"body": {"value": "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}x{% endfor %}{% endfor %}{% endfor %}"}}}"#;
    let texts = [
        "",
        "{",
        "\0",
        "{{",
        "- \u{feff}",
        "a: b: c",
        "{\"request\": 1}",
        &deep,
        bomb,
        endless,
    ];
    let messages = [
        "",
        "\0\r\n",
        "GET",
        "GET / HTTP/1.1\n:",
        "HTTP/1.1 999 x\n\n",
        "data: {}\n\n",
        "POST / HTTP/1.1\n\n\u{1F600}",
    ];
    for mode in ["configuration", "request", "response"] {
        for text in texts {
            for message in messages {
                let question = json!({"mode": mode, "text": text, "request": message, "response": message, "place": u64::MAX});
                let answer = ask(&served, &question);
                assert_eq!(
                    answer.status,
                    200,
                    "{mode} {text:.40} {message}: {}",
                    answer.text()
                );
            }
        }
    }
    let question = json!({"mode": "elsewhere", "text": "", "request": "", "response": ""});
    assert_eq!(ask(&served, &question).status, 400);
    assert_eq!(request(&served, "GET", "/").send().status, 200);
    let (code, text) = served.signal("INT");
    assert_eq!(code, Some(0), "{text}");
    assert!(!text.contains("panicked"), "{text}");
}
