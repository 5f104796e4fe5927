//! What a client of OpenAI's is told of what goes wrong at each of the providers.

use rustformations_tests::on_every_envoy;
use rustformations_tests::strict::Provider;
use serde_json::{Value, json};

use super::Providers;
use super::chat_reader::read;

const CHAT: &str = "/v1/chat/completions";
const KEY: (&str, &str) = ("authorization", "Bearer of-the-client");
const ASKED_FOR: &str = "The mock LLM was asked to fail.";

fn body(stream: bool) -> Value {
    json!({"model": "any", "stream": stream, "messages": [{"role": "user", "content": "Say a few words."}]})
}

fn speaks_alike(provider: Provider) -> bool {
    matches!(provider, Provider::Openai | Provider::AzureOpenai)
}

on_every_envoy! {
    fn errors_keep_their_status_and_get_the_clients_shape(envoy) {
        let providers = Providers::start(envoy, &Provider::ALL, &json!({}));
        for provider in Provider::ALL {
            for (status, kind) in [("400", "invalid_request_error"), ("401", "authentication_error"), ("429", "rate_limit_error"), ("503", "")] {
                for (stream, gzip) in [(false, "accepted"), (true, "accepted"), (false, "always")] {
                    let what = format!("{} {status} {stream} {gzip}", provider.name());
                    let knobs = [KEY, ("x-mock-status", status), ("x-mock-gzip", gzip)];
                    let answer = providers.post(provider, CHAT, &body(stream), &knobs);
                    assert_eq!((answer.status.to_string(), answer.header("retry-after")), (status.to_owned(), "1".to_owned()), "{what}");
                    assert_eq!(answer.header("content-type"), "application/json", "{what}");
                    let error = &answer.json()["error"];
                    assert_eq!(error["message"], ASKED_FOR, "{what}: {error}");
                    if !speaks_alike(provider) && !kind.is_empty() {
                        assert_eq!(error["type"], kind, "{what}");
                    }
                    assert!(answer.headers.value("content-encoding").is_none(), "{what}");
                }
            }
            let page = providers.post(provider, CHAT, &body(true), &[KEY, ("x-mock-status", "502"), ("x-mock-error-raw", "<html>bad gateway</html>")]);
            assert_eq!(page.status, 502);
            assert_eq!(page.header("content-type"), "application/json", "{}", provider.name());
            assert!(page.json()["error"]["message"].is_string() && !page.text().contains("html"), "{}", page.text());
        }
    }

    fn what_a_provider_refuses_is_told_in_its_words(envoy) {
        let providers = Providers::start(envoy, &Provider::ALL, &json!({"set": {"surprise": 1}}));
        for provider in Provider::ALL {
            let answer = providers.post(provider, CHAT, &body(false), &[KEY]);
            let error = &answer.json()["error"];
            assert_eq!((answer.status, &error["type"]), (400, &json!("invalid_request_error")), "{}", provider.name());
            assert!(error["message"].as_str().unwrap().contains("surprise"), "{error}");
        }
    }

    fn a_stream_that_breaks_never_looks_complete(envoy) {
        let providers = Providers::start(envoy, &Provider::ALL, &json!({}));
        for provider in Provider::ALL {
            for knob in ["x-mock-error-after", "x-mock-stop-after", "x-mock-cut-after"] {
                for count in ["0", "1", "2", "4", "5"] {
                    let what = format!("{} {knob} {count}", provider.name());
                    let answer = providers.post(provider, CHAT, &body(true), &[KEY, (knob, count)]);
                    if answer.status != 200 {
                        // Nothing was said before it failed. Of a connection that ends Envoy tells
                        // itself, in its own words.
                        assert!(answer.status >= 500 || answer.status == 429, "{what}: {}", answer.status);
                        match knob {
                            "x-mock-cut-after" => assert!(answer.text().contains("connection termination"), "{what}"),
                            _ => assert!(count == "0" && answer.json()["error"]["message"].is_string(), "{what}"),
                        }
                        continue;
                    }
                    let read = read(&answer);
                    assert!(!read.looks_complete(), "{what}: {}", answer.text());
                    match knob {
                        "x-mock-error-after" => {
                            let error = read.error.unwrap_or_else(|| panic!("{what}: {}", answer.text()));
                            assert_eq!(error["message"], ASKED_FOR, "{what}");
                        }
                        // What is alike goes on as it comes, and says nothing at its end.
                        "x-mock-stop-after" => assert_eq!(read.error.is_none(), speaks_alike(provider), "{what}: {}", answer.text()),
                        _ => assert!(answer.cut, "{what}: {}", answer.text()),
                    }
                }
            }
        }
    }
}
