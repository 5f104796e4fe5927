//! The mock LLM over HTTP, as a client of OpenAI's API sees it.

use std::net::SocketAddr;
use std::time::Duration;

use rustformations_tests::mock_llm::{HTTPBUN_PATH, MockLlm, PROVIDER_PATH, WORD_PAUSE};
use rustformations_tests::{Answer, Request};
use serde_json::{Value, json};

fn started() -> MockLlm {
    MockLlm::start("127.0.0.1:0").unwrap_or_else(|error| panic!("{error:#}"))
}

fn ask(address: SocketAddr, document: &Value) -> Answer {
    Request::new(address, "POST", HTTPBUN_PATH)
        .json(document)
        .send()
}

#[test]
fn httpbuns_path_and_our_own_answer_the_articles_request() {
    let llm = started();
    let hello = json!({"model": "gpt-4", "messages": [{"role": "user", "content": "Hello"}]});
    for path in [HTTPBUN_PATH, PROVIDER_PATH] {
        let answer = Request::new(llm.address(), "POST", path)
            .json(&hello)
            .send();
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("x-powered-by"), "httpbun/mock-llm");
        assert!(answer.text().starts_with("{\n  \"choices\": [\n"));
        let document = answer.json();
        assert_eq!(document["object"], "chat.completion");
        assert_eq!(document["usage"]["total_tokens"], 32);
        let asked = llm.next_asked(Duration::from_secs(5)).unwrap();
        assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", path));
        assert_eq!(asked.body, hello.to_string());
    }
}

#[test]
fn a_stream_comes_word_by_word_and_ends_with_done() {
    let llm = started();
    let document = json!({"stream": true, "httpbun": {"content": "one two three"}});
    let answer = ask(llm.address(), &document);
    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert_eq!(answer.header("cache-control"), "no-cache");
    assert!(
        answer.text().ends_with("data: [DONE]\n\n"),
        "{}",
        answer.text()
    );
    let (first, last) = (
        answer.pieces.first().unwrap(),
        answer.pieces.last().unwrap(),
    );
    assert!(last.0 - first.0 >= WORD_PAUSE * 4, "{answer:?}");
}

#[test]
fn mistakes_get_an_error_object_that_says_what_is_wrong() {
    let llm = started();
    let bad = Request::new(llm.address(), "POST", HTTPBUN_PATH)
        .body("{\"model\"")
        .send();
    assert_eq!(bad.status, 400);
    let message = bad.json()["error"]["message"].to_string();
    assert!(message.contains("Invalid JSON"), "{message}");

    let get = Request::new(llm.address(), "GET", HTTPBUN_PATH).send();
    assert_eq!((get.status, get.header("allow").as_str()), (405, "POST"));
    assert_eq!(get.json(), json!({"error": "Method not allowed"}));

    for path in ["/v1/chat/completions", "/llm/v1/chat/completions"] {
        let lost = Request::new(llm.address(), "POST", path).body("{}").send();
        assert_eq!(lost.status, 404);
        assert_eq!(lost.text(), "404 page not found\n");
    }

    let null = Request::new(llm.address(), "POST", HTTPBUN_PATH)
        .body("null")
        .send();
    assert_eq!(null.status, 200);

    assert_eq!(ask(llm.address(), &json!({"n": "two"})).status, 400);
    assert_eq!(
        Request::new(llm.address(), "GET", "/health").send().status,
        200
    );
}

#[test]
fn a_taken_port_is_one_clear_sentence() {
    let first = started();
    let error = MockLlm::start(&first.address().to_string()).err().unwrap();
    assert!(error.to_string().contains("set HTTPBUN_BIND"), "{error}");
}
