//! The mock LLM's providers over HTTP: how answers come, whatever they say.

use std::io::Read as _;
use std::time::Duration;

use rustformations_tests::mock_llm::{ASKED_PATH, MockLlm};
use rustformations_tests::{Answer, Request};
use serde_json::{Value, json};

const CHAT: &str = "/provider/v1/chat/completions";

fn started() -> MockLlm {
    MockLlm::start("127.0.0.1:0").unwrap_or_else(|error| panic!("{error:#}"))
}

fn hello(stream: bool) -> Value {
    json!({"model": "m-1", "stream": stream, "messages": [{"role": "user", "content": "Grüß [EMAIL_1]"}]})
}

fn ask(llm: &MockLlm, path: &str, document: &Value, knobs: &[(&str, &str)]) -> Answer {
    let request = Request::new(llm.address(), "POST", path).json(document);
    let with = |request: Request, (name, value): &(&str, &str)| {
        request.header(&format!("x-mock-{name}"), value)
    };
    knobs.iter().fold(request, with).send()
}

#[test]
fn every_provider_answers_at_once_and_as_a_stream() {
    let llm = started();
    for (path, end) in [
        (CHAT, "data: [DONE]\n\n"),
        ("/provider/v1/completions", "data: [DONE]\n\n"),
        (
            "/provider/openai/deployments/d/chat/completions?api-version=1",
            "data: [DONE]\n\n",
        ),
        ("/provider/v1/responses", "}\n\n"),
        ("/provider/v1/messages", "{\"type\":\"message_stop\"}\n\n"),
    ] {
        let whole = ask(&llm, path, &hello(false), &[]);
        assert_eq!(
            (whole.status, whole.header("content-type")),
            (200, "application/json".into())
        );
        assert_eq!(whole.header("content-length"), whole.body.len().to_string());
        assert!(whole.json()["id"].is_string());
        let events = ask(&llm, path, &hello(true), &[]);
        assert_eq!(events.header("content-type"), "text/event-stream");
        assert!(events.text().ends_with(end), "{path}: {}", events.text());
    }
    let gemini = "/provider/v1beta/models/gem-1";
    let whole = ask(
        &llm,
        &format!("{gemini}:generateContent"),
        &hello(false),
        &[],
    );
    assert_eq!(whole.json()["modelVersion"], "m-1");
    let events = ask(
        &llm,
        &format!("{gemini}:streamGenerateContent?alt=sse"),
        &json!({}),
        &[],
    );
    assert!(events.text().starts_with("data: {\"candidates\""));
    let array = ask(
        &llm,
        &format!("{gemini}:streamGenerateContent"),
        &json!({}),
        &[],
    );
    assert_eq!(array.header("content-type"), "application/json");
    assert!(array.json().as_array().unwrap().len() > 2);
    assert_eq!(array.json()[0]["modelVersion"], "gem-1");
    let embedded = ask(&llm, "/provider/v1/embeddings", &json!({"input": "x"}), &[]);
    assert_eq!(embedded.json()["object"], "list");
}

#[test]
fn answers_repeat_what_went_up() {
    let llm = started();
    let knobs = [("say", "$PROMPT|$HEADER(x-up)|$BODY"), ("delta", "1")];
    let document = hello(false);
    let request = Request::new(llm.address(), "POST", CHAT)
        .json(&document)
        .header("x-up", "7");
    let answer = knobs
        .iter()
        .fold(request, |request, (name, value)| {
            request.header(&format!("x-mock-{name}"), value)
        })
        .send();
    assert_eq!(
        answer.json()["choices"][0]["message"]["content"],
        format!("Grüß [EMAIL_1]|7|{document}")
    );
    let asked = llm.next_asked(Duration::from_secs(5)).unwrap();
    assert_eq!(
        (asked.path.as_str(), asked.body),
        (CHAT, document.to_string())
    );
    let list = Request::new(llm.address(), "GET", ASKED_PATH).send().json();
    let last = list.as_array().unwrap().last().unwrap();
    assert_eq!(last["body"], document.to_string());
    assert!(
        last["headers"]
            .as_array()
            .unwrap()
            .contains(&json!(["x-up", "7"]))
    );
}

#[test]
fn pieces_arrive_as_they_were_cut() {
    let llm = started();
    let whole = ask(&llm, CHAT, &hello(true), &[("say", "ß 🌍")]).body;
    for (pieces, pause) in [
        ("bytes:1", "0"),
        ("utf8", "2"),
        ("lines", "2"),
        ("events:2", "2"),
    ] {
        let knobs = [("say", "ß 🌍"), ("pieces", pieces), ("pause", pause)];
        let answer = ask(&llm, CHAT, &hello(true), &knobs);
        assert_eq!(answer.body, whole, "{pieces}");
        assert!(answer.pieces.len() > 1);
        if pieces == "utf8" {
            assert!(
                answer
                    .pieces
                    .iter()
                    .any(|(_, piece)| piece.ends_with(&[0xf0]))
            );
        }
        if pieces == "bytes:1" {
            assert!(answer.pieces.iter().all(|(_, piece)| piece.len() == 1));
        }
    }
    let document = ask(&llm, CHAT, &hello(false), &[("pieces", "bytes:5")]);
    assert_eq!(document.header("transfer-encoding"), "chunked");
    assert!(document.json()["usage"].is_object());
    let text = ask(
        &llm,
        CHAT,
        &hello(true),
        &[("sse", "crlf,bom,tight,no-blank")],
    )
    .text();
    assert!(
        text.starts_with("\u{feff}data:{") && text.ends_with("\r\n\r\ndata:[DONE]"),
        "{text}"
    );
}

#[test]
fn slow_streams_are_slow() {
    let llm = started();
    let knobs = [("say", "a b c"), ("pause", "20"), ("head-pause", "30")];
    let answer = ask(&llm, CHAT, &hello(true), &knobs);
    let (first, last) = (answer.pieces[0].0, answer.pieces.last().unwrap().0);
    assert!(first >= Duration::from_millis(30), "{first:?}");
    assert!(
        last - first >= Duration::from_millis(80),
        "{first:?} {last:?}"
    );
}

#[test]
fn streams_end_as_they_are_told() {
    let llm = started();
    let events = |knobs: &[(&str, &str)]| ask(&llm, CHAT, &hello(true), knobs);
    let no_done = events(&[("end", "no-done")]);
    assert!(!no_done.cut && !no_done.text().contains("[DONE]"));
    assert!(no_done.text().contains("\"finish_reason\":\"stop\""));
    let cut = events(&[("end", "cut")]);
    assert!(cut.cut && cut.text().ends_with("data: [DONE]\n\n"));
    let early = events(&[("cut-after", "3"), ("say", "a b c d")]);
    assert!(
        early.cut && early.text().matches("data: ").count() == 3,
        "{}",
        early.text()
    );
    let failed = events(&[("error-after", "2")]);
    assert!(!failed.cut);
    assert_eq!(failed.text().matches("data: ").count(), 3);
    assert!(
        failed.text().contains("data: {\"error\":{\"message\""),
        "{}",
        failed.text()
    );
    let failed = ask(
        &llm,
        "/provider/v1/messages",
        &hello(true),
        &[("error-after", "2")],
    );
    assert!(
        failed
            .text()
            .contains("event: error\ndata: {\"type\":\"error\"")
    );
    let document = ask(&llm, CHAT, &hello(false), &[("end", "cut")]);
    assert!(document.cut);
}

#[test]
fn errors_before_an_answer_have_their_status() {
    let llm = started();
    let limited = ask(
        &llm,
        "/provider/v1/messages",
        &hello(true),
        &[("status", "529")],
    );
    assert_eq!(
        (limited.status, limited.header("retry-after")),
        (529, "1".to_owned())
    );
    assert_eq!(limited.json()["error"]["type"], "overloaded_error");
    let bad = ask(&llm, CHAT, &hello(true), &[("usage", "maybe")]);
    assert_eq!(bad.status, 400);
    assert!(bad.text().contains("mock-usage must be"));
    let bad = Request::new(llm.address(), "POST", CHAT)
        .body("{\"model\"")
        .send();
    assert_eq!(bad.status, 400);
    let get = Request::new(llm.address(), "GET", CHAT).send();
    assert_eq!(get.status, 405);
    let none = Request::new(llm.address(), "POST", "/provider/v1/other")
        .body("{}")
        .send();
    assert_eq!(none.status, 404);
}

#[test]
fn gzip_is_used_where_it_is_asked_for() {
    let llm = started();
    let ask = |gzip: &str, accepts: &str, stream: bool| {
        Request::new(llm.address(), "POST", CHAT)
            .json(&hello(stream))
            .header("accept-encoding", accepts)
            .header("x-mock-gzip", gzip)
            .send()
    };
    assert!(!ask("accepted", "br", true).headers.has("content-encoding"));
    for stream in [true, false] {
        for answer in [
            ask("accepted", "br, gzip", stream),
            ask("always", "identity", stream),
        ] {
            assert_eq!(answer.header("content-encoding"), "gzip");
            let mut text = String::new();
            let mut decoder = flate2::read::GzDecoder::new(answer.body.as_slice());
            decoder.read_to_string(&mut text).unwrap();
            assert!(text.contains("chatcmpl-mock1"));
        }
    }
}

#[test]
fn texts_may_be_escaped() {
    let llm = started();
    let knobs = [("say", "ß🌍"), ("escape", "ascii")];
    let answer = ask(&llm, CHAT, &hello(false), &knobs);
    assert!(answer.text().contains("\\u00df\\ud83c\\udf0d") && answer.body.is_ascii());
    assert_eq!(answer.json()["choices"][0]["message"]["content"], "ß🌍");
}
