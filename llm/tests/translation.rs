//! Runs every case in `tests/translation`: what becomes of requests, answers, streams and
//! errors between a client's dialect and a provider. Streams are also cut at every byte, which must
//! change nothing, and every row of the tables of fields is tried.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use formats::events::{Decoder, Format, Frame};
use formats::frames;
use llm::dialect::Dialect;
use llm::refusal::Refusal;
use llm::translate::fields::{self, Becomes};
use llm::translate::{
    Asked, Failure, Moment, Options, Provider, StreamTranslation, Translated, Translation,
    Unsupported,
};
use serde_json::{Value, json};

const MOMENT: Moment<'_> = Moment {
    id: "req-1",
    now: 1_790_000_000,
};

/// The pairs of which there are cases: files begin with these.
const PAIRS: &[&str] = &["anthropic", "gemini", "converse", "messages", "same"];

/// Reads the cases of this kind of every pair.
fn each_pair(kind: &str, known: &[&str], run: impl Fn(&Value)) {
    for pair in PAIRS {
        each(&format!("{pair}_{kind}.json"), known, &run);
    }
}

/// Reads the cases of one file, and says which ones fail.
fn each(file: &str, known: &[&str], run: impl Fn(&Value)) {
    let mut failed = Vec::new();
    for case in &cases(file) {
        for key in case.as_object().unwrap().keys() {
            assert!(known.contains(&key.as_str()), "{file}: unknown key {key}");
        }
        let name = case["name"].as_str().unwrap().to_owned();
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(case))).is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "{file}: {failed:#?}");
}

fn cases(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/translation")
        .join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(!cases.is_empty());
    cases
}

fn string<'c>(case: &'c Value, key: &str) -> Option<&'c str> {
    case.get(key).and_then(Value::as_str)
}

fn translation_of(case: &Value) -> Translation {
    let client = Dialect::named(string(case, "client").unwrap_or("openai-chat")).unwrap();
    let provider = Provider::named(case["provider"].as_str().unwrap()).unwrap();
    Translation::of(client, provider).unwrap()
}

fn body_of(case: &Value) -> Vec<u8> {
    match case["body"].as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => case["body"].to_string().into_bytes(),
    }
}

fn request(case: &Value) -> Result<Translated, Refusal> {
    let none = json!({});
    let options = case.get("options").unwrap_or(&none);
    let text = |key: &str| string(options, key).unwrap_or_default();
    let remove: Vec<String> = (options["remove"].as_array().into_iter().flatten())
        .map(|it| it.as_str().unwrap().to_owned())
        .collect();
    let options = Options {
        path: text("path"),
        model: string(options, "model"),
        max_tokens: options["maxTokens"].as_u64(),
        unsupported: match text("unsupported") {
            "drop" => Unsupported::Drop,
            _ => Unsupported::Refuse,
        },
        remove: &remove,
        region: text("region"),
        project: text("project"),
        api_version: text("apiVersion"),
        betas: text("betas"),
        path_prefix: text("pathPrefix"),
    };
    translation_of(case).request(&body_of(case), &options)
}

/// What a request that leads to an answer asked.
fn asked(case: &Value) -> Asked {
    let Some(of) = case.get("request") else {
        let body = match translation_of(case).client() {
            Dialect::AnthropicMessages => {
                json!({"model": "asked", "max_tokens": 1, "messages": []})
            }
            _ => json!({"model": "asked", "messages": []}),
        };
        let case = json!({"provider": case["provider"], "client": case["client"], "body": body});
        return request(&case).unwrap().asked;
    };
    let case = json!({"provider": case["provider"], "client": case["client"], "body": of});
    request(&case).unwrap().asked
}

#[test]
fn requests() {
    let known = [
        "name", "bug", "client", "provider", "options", "body", "path", "becomes", "spelled",
        "stream", "dropped", "refused",
    ];
    each_pair("requests", &known, |case| {
        let translated = request(case);
        if let Some(refused) = case.get("refused") {
            let refusal = translated.unwrap_err();
            let seen = json!({"status": refusal.status, "param": refusal.param});
            let expected = json!({"status": refused["status"], "param": refused["param"]});
            assert_eq!(seen, expected, "{}", refusal.message);
            if let Some(message) = string(refused, "message") {
                assert_eq!(refusal.message, message);
            }
            return;
        }
        let translated = translated.map_err(|it| it.message).unwrap();
        let body = String::from_utf8(translated.body).unwrap();
        let value: Value = serde_json::from_str(&body).unwrap();
        // The order of members does not matter.
        assert!(value == case["becomes"], "{}", pretty(&value));
        if let Some(spelled) = string(case, "spelled") {
            assert!(body.contains(spelled), "{body}");
        }
        if let Some(path) = string(case, "path") {
            assert_eq!(translated.path, path);
        }
        let stream = case.get("stream").is_some_and(|it| it == true);
        assert_eq!(translated.stream, stream);
        let dropped = json!(translated.dropped);
        assert_eq!(&dropped, case.get("dropped").unwrap_or(&json!([])));
    });
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

#[test]
fn answers() {
    let known = [
        "name", "bug", "client", "provider", "request", "body", "becomes", "failure",
    ];
    each_pair("answers", &known, |case| {
        let translation = translation_of(case);
        let answer = translation.response(&asked(case), &MOMENT, &body_of(case));
        if let Some(failure) = case.get("failure") {
            let body = answer.unwrap_err().body(translation.client());
            assert_eq!(&serde_json::from_str::<Value>(&body).unwrap(), failure);
            return;
        }
        let answer: Value = serde_json::from_str(&answer.unwrap()).unwrap();
        assert_eq!(pretty(&answer), pretty(&case["becomes"]));
    });
}

#[test]
fn failures() {
    let known = [
        "name", "bug", "client", "provider", "status", "type", "body", "becomes",
    ];
    each("failures.json", &known, |case| {
        let status = case["status"].as_u64().unwrap().try_into().unwrap();
        let failure = Failure::read(status, string(case, "type"), &body_of(case));
        assert_eq!(failure.status, status);
        for (client, becomes) in case["becomes"].as_object().unwrap() {
            let body = failure.body(Dialect::named(client).unwrap());
            assert_eq!(
                &serde_json::from_str::<Value>(&body).unwrap(),
                becomes,
                "{client}"
            );
        }
    });
}

fn stream_of(case: &Value) -> Vec<u8> {
    let is_framed =
        Provider::named(case["provider"].as_str().unwrap()).is_some_and(|it| it.facts().is_framed);
    let line_end = string(case, "lineEnd").unwrap_or("\n");
    let mut stream = Vec::new();
    for event in case["events"].as_array().unwrap() {
        if is_framed {
            write_frame(event, &mut stream);
            continue;
        }
        if let Some(raw) = event.as_str() {
            stream.extend_from_slice(raw.as_bytes());
            continue;
        }
        if let Some(name) = string(event, "type") {
            stream.extend_from_slice(format!("event: {name}{line_end}").as_bytes());
        }
        stream.extend_from_slice(format!("data: {event}{line_end}{line_end}").as_bytes());
    }
    stream
}

/// An event of Converse's has a name and a payload; one of a model's own is packed.
fn write_frame(event: &Value, stream: &mut Vec<u8>) {
    if let Some(name) = string(event, "exception") {
        let headers = [(":message-type", "exception"), (":exception-type", name)];
        frames::write(&headers, event["payload"].to_string().as_bytes(), stream);
        return;
    }
    let (name, payload) = match string(event, "event") {
        Some(name) => (name, event["payload"].clone()),
        None => {
            let bytes = STANDARD.encode(event.to_string());
            ("chunk", json!({"bytes": bytes, "p": "abcd"}))
        }
    };
    let headers = [
        (":event-type", name),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ];
    frames::write(&headers, payload.to_string().as_bytes(), stream);
}

fn translate(mut stream: StreamTranslation, chunks: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in chunks {
        stream.push(chunk, &mut out);
    }
    stream.finish(&mut out);
    out
}

/// The events of a stream: their names, and what their data says.
fn events(stream: &[u8]) -> Vec<(String, Value)> {
    let mut decoder = Decoder::new(Format::Sse, 1 << 20);
    let (mut rest, mut events) = (stream, Vec::new());
    while let Some(frame) = decoder.next(&mut rest) {
        let Frame::Event(event) = frame else {
            panic!("too long")
        };
        let Some(data) = event.data() else { continue };
        let data = std::str::from_utf8(&data).unwrap();
        let value = serde_json::from_str(data).unwrap_or_else(|_| json!(data));
        events.push((event.name().unwrap().into_owned(), value));
    }
    assert!(decoder.finish().is_none(), "a stream ends with an event");
    events
}

/// A stream of chunks, each as short as can be: a delta, why it ended, usage, `[DONE]`, or an
/// error.
fn short(stream: &[u8]) -> Value {
    let mut seen = Vec::new();
    let mut head = None;
    for (name, mut event) in events(stream) {
        assert_eq!(name, "message");
        if event.get("error").is_some() || event.is_string() {
            seen.push(event);
            continue;
        }
        let choices = event["choices"].take();
        if let Some(usage) = event.as_object_mut().unwrap().remove("usage")
            && !usage.is_null()
        {
            seen.push(json!({"usage": usage}));
            assert_eq!(choices, json!([]));
        }
        assert_eq!(event["object"], "chat.completion.chunk");
        assert_eq!(event["created"], 1_790_000_000);
        let new = (event["id"].clone(), event["model"].clone());
        assert_eq!(
            head.get_or_insert_with(|| new.clone()),
            &new,
            "the head changes"
        );
        for choice in choices.as_array().unwrap() {
            assert!(choice["logprobs"].is_null());
            let delta = match &choice["finish_reason"] {
                Value::Null => choice["delta"].clone(),
                reason => {
                    assert_eq!(choice["delta"], json!({}));
                    json!({"finish": reason})
                }
            };
            match choice["index"].as_u64().unwrap() {
                0 => seen.push(delta),
                index => seen.push(json!({"index": index, "delta": delta})),
            }
        }
    }
    if let Some((id, model)) = head {
        seen.insert(0, json!({"id": id, "model": model}));
    }
    Value::Array(seen)
}

#[test]
fn streams() {
    let known = [
        "name", "bug", "client", "provider", "request", "lineEnd", "events", "becomes", "failed",
    ];
    each_pair("streams", &known, |case| {
        let translation = translation_of(case);
        let asked = asked(case);
        let bytes = stream_of(case);
        let open = || translation.stream(&asked, &MOMENT);
        let whole = translate(open(), &[&bytes]);
        let client = translation.client();
        assert_eq!(pretty(&seen(client, &whole)), pretty(&case["becomes"]));
        for cut in 0..=bytes.len() {
            let (front, back) = bytes.split_at(cut);
            assert_eq!(translate(open(), &[front, back]), whole, "cut at {cut}");
        }
        let single: Vec<_> = bytes.chunks(1).collect();
        assert_eq!(translate(open(), &single), whole, "byte by byte");
        let mut stream = open();
        let mut out = Vec::new();
        stream.push(&bytes, &mut out);
        stream.finish(&mut out);
        let has_failed = case.get("failed").is_some();
        assert_eq!(stream.has_failed(), has_failed);
        assert!(stream.is_over());
        // Whatever is cut off, the client is told, unless nothing but counts is missing.
        let contents = without_usage(seen(client, &whole));
        for cut in 0..bytes.len() {
            let out = translate(open(), &[bytes.get(..cut).unwrap()]);
            let last = events(&out).pop();
            let is_told = last.is_some_and(|(_, it)| it.get("error").is_some());
            let is_whole = !has_failed && without_usage(seen(client, &out)) == contents;
            assert!(is_told || is_whole, "cut off at {cut}");
        }
    });
}

/// What a client sees of a stream.
fn seen(client: Dialect, stream: &[u8]) -> Value {
    match client {
        Dialect::AnthropicMessages => messages(stream),
        _ => short(stream),
    }
}

fn without_usage(mut seen: Value) -> Value {
    let Some(events) = seen.as_array_mut() else {
        return seen;
    };
    events.retain(|it| it.get("usage").is_none() || it.get("type").is_some());
    for event in events {
        if let Some(event) = event.as_object_mut() {
            event.remove("usage");
        }
    }
    seen
}

/// A stream of Anthropic's, which keeps the rules that its clients check.
fn messages(stream: &[u8]) -> Value {
    let mut seen = Vec::new();
    let mut open: Option<(u64, String)> = None;
    let (mut next, mut has_stopped) = (0, false);
    for (name, event) in events(stream) {
        assert_eq!(event["type"], *name);
        let index = event["index"].as_u64();
        assert!(!has_stopped, "something behind the end");
        match &*name {
            "message_start" => assert!(seen.is_empty(), "two starts"),
            "content_block_start" => {
                assert!(open.is_none(), "a block in a block");
                assert_eq!(index, Some(next), "numbers rise by one");
                let of = event["content_block"]["type"].as_str().unwrap().to_owned();
                open = Some((next, of));
                next += 1;
            }
            "content_block_delta" => {
                let (number, of) = open.as_ref().unwrap();
                assert_eq!(index, Some(*number));
                let fits = match event["delta"]["type"].as_str().unwrap() {
                    "text_delta" => "text",
                    "input_json_delta" => "tool_use",
                    _ => "thinking",
                };
                assert_eq!(of, fits);
            }
            "content_block_stop" => assert_eq!(index, open.take().map(|(number, _)| number)),
            "message_delta" => {
                assert!(open.is_none());
                assert!(!seen.iter().any(|it: &Value| it["type"] == "message_delta"));
                assert!(event["usage"]["output_tokens"].is_u64());
            }
            "message_stop" => has_stopped = true,
            _ => {}
        }
        seen.push(event);
    }
    Value::Array(seen)
}

/// Every row of the tables is what happens: what is refused is refused by its name, and left out and
/// counted by it where that is wanted; what becomes something makes another request of it, and what
/// becomes nothing the same, counted or not.
#[test]
fn rows_of_fields() {
    let samples = cases("fields.json");
    for (client, provider, rows) in fields::TABLES {
        let mut names: Vec<_> = rows.iter().map(|row| row.field).collect();
        names.sort_unstable();
        assert!(
            names.windows(2).all(|it| it[0] != it[1]),
            "a field has two rows"
        );
        for row in *rows {
            let of_row = |it: &&Value| {
                it["field"] == row.field && it.get("client").is_none_or(|of| of == client.name())
            };
            let sample = samples.iter().find(of_row);
            let sample = sample.unwrap_or_else(|| panic!("no sample of {}", row.field));
            let ask = |members: &Value, unsupported: &str| {
                request(
                    &json!({"client": client.name(), "provider": provider.name(),
                    "body": asking(*client, members),
                    "options": {"unsupported": unsupported, "region": "r", "project": "p"}}),
                )
            };
            let at = format!("{client} at {provider}: {}", row.field);
            let (refuse, drop) = (ask(&sample["body"], "refuse"), ask(&sample["body"], "drop"));
            let drop = drop.map_err(|it| it.message).unwrap();
            let without = ask(&without(sample), "refuse").map_err(|it| it.message);
            let without = sent(&without.unwrap_or_else(|why| panic!("{at}: {why}")));
            match row.becomes {
                Becomes::Refused => {
                    let refusal = refuse.err().unwrap_or_else(|| panic!("{at} goes through"));
                    assert_eq!(
                        (refusal.status, refusal.code),
                        (422, Some("unsupported_field"))
                    );
                    match row.field {
                        "(unknown)" => assert!(refusal.message.contains("`mine`"), "{at}"),
                        field => assert_eq!(refusal.param, Some(field), "{at}"),
                    }
                    assert_eq!(drop.dropped, [row.field], "{at}");
                    assert_eq!(sent(&drop), without, "{at}");
                }
                becomes => {
                    let refuse = refuse.map_err(|it| it.message);
                    let refuse = refuse.unwrap_or_else(|why| panic!("{at}: {why}"));
                    let is_counted = matches!(becomes, Becomes::Dropped(_));
                    let counted = is_counted.then_some(row.field);
                    for asked in [&refuse, &drop] {
                        assert_eq!(asked.dropped, Vec::from_iter(counted), "{at}");
                    }
                    assert_eq!(sent(&drop), sent(&refuse), "{at}");
                    let becomes_something = matches!(becomes, Becomes::Field(_));
                    assert_eq!(sent(&refuse) != without, becomes_something, "{at}");
                }
            }
        }
    }
}

/// The smallest request of a dialect, with these members.
fn asking(client: Dialect, members: &Value) -> Value {
    let mut body = match client {
        Dialect::AnthropicMessages => json!({"model": "m", "max_tokens": 9,
            "messages": [{"role": "user", "content": "hi"}]}),
        _ => json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]}),
    };
    for (key, value) in members.as_object().unwrap() {
        match value {
            Value::Null => drop(body.as_object_mut().unwrap().remove(key)),
            value => body[key] = value.clone(),
        }
    }
    body
}

/// What a sample asks without its field: as it says, or all but the member of that name.
fn without(sample: &Value) -> Value {
    if let Some(without) = sample.get("without") {
        return without.clone();
    }
    let mut members = sample["body"].clone();
    let field = sample["field"].as_str().unwrap();
    assert!(members.get(field).is_some(), "{field} is no member");
    members[field] = Value::Null;
    members
}

/// What goes to the provider.
fn sent(translated: &Translated) -> (String, Value) {
    let body = serde_json::from_slice(&translated.body).unwrap();
    (translated.path.clone(), body)
}

/// Whatever a case is refused for, or loses, stands in the table of its pair.
#[test]
fn losses_are_in_the_tables() {
    let files = PAIRS.iter().map(|pair| format!("{pair}_requests.json"));
    for case in files.flat_map(|file| cases(&file)) {
        let is_lost = case["refused"]["status"] == 422;
        let refused = case["refused"]["param"].as_str().filter(|_| is_lost);
        let dropped = case["dropped"].as_array().into_iter().flatten();
        let lost = dropped.filter_map(Value::as_str).chain(refused);
        for field in lost {
            // Where both speak the same, nothing but a header of betas can be lost.
            let has_row = match fields::of(&translation_of(&case)) {
                Some(rows) => rows.iter().any(|row| row.field == field),
                None => field == "anthropic-beta",
            };
            assert!(has_row, "{}: {field}", case["name"]);
        }
    }
}

/// Faults that translations are known for. Each is a case, by its number.
#[test]
fn known_faults_are_cases() {
    let kinds = ["requests", "answers", "streams"];
    let files = PAIRS
        .iter()
        .flat_map(|pair| kinds.map(|kind| format!("{pair}_{kind}.json")));
    let files = files.chain(["failures.json".to_owned()]);
    let tried: Vec<u64> = files
        .flat_map(|file| cases(&file))
        .filter_map(|case| case.get("bug").map(|it| it.as_u64().unwrap()))
        .collect();
    let bugs: Vec<u64> = (cases("bugs.json").iter())
        .map(|it| it["number"].as_u64().unwrap())
        .collect();
    let untried: Vec<_> = bugs.iter().filter(|it| !tried.contains(it)).collect();
    assert!(untried.is_empty(), "no case tries {untried:?}");
    assert!(
        tried.iter().all(|it| bugs.contains(it)),
        "a case has a number of none"
    );
}
