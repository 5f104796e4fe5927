//! Runs every case in `tests/cases`: what paths, bodies and streams of each dialect say, and what is
//! answered. Streams are also cut at every byte, which must change nothing.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::fmt::Debug;
use std::path::Path;

use formats::events::{Decoder, Format, Frame};
use llm::dialect::path::PathFacts;
use llm::dialect::{self, Dialect};
use llm::place::Place;
use llm::refusal::Refusal;
use llm::request::Request;
use llm::response::{Extent, Response, TextKey};
use llm::usage::{Ending, Meter, Metered};
use serde_json::{Value, json};

/// Reads the cases of one file, and says which one fails.
fn each(file: &str, known: &[&str], run: impl Fn(&Value)) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(!cases.is_empty());
    for case in &cases {
        for key in case.as_object().unwrap().keys() {
            assert!(known.contains(&key.as_str()), "{file}: unknown key {key}");
        }
        let name = case["name"].as_str().or(case["path"].as_str()).unwrap();
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(case)));
        assert!(ran.is_ok(), "{file}: {name}");
    }
}

fn dialect_of(case: &Value) -> Option<Dialect> {
    case.get("dialect")
        .and_then(Value::as_str)
        .map(|name| Dialect::named(name).unwrap())
}

fn body_of(case: &Value) -> String {
    match case.get("text") {
        Some(text) => text.as_str().unwrap().to_owned(),
        None => case["body"].to_string(),
    }
}

fn strings(case: &Value, key: &str) -> Vec<String> {
    let items = case
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    items.map(|it| it.as_str().unwrap().to_owned()).collect()
}

fn string<'c>(case: &'c Value, key: &str) -> Option<&'c str> {
    case.get(key).and_then(Value::as_str)
}

#[test]
fn paths() {
    let known = ["path", "dialect", "model", "stream", "foreign", "count"];
    each("paths.json", &known, |case| {
        let facts = PathFacts::of(case["path"].as_str().unwrap());
        let flag = |key: &str| case.get(key).and_then(Value::as_bool);
        assert_eq!(facts.dialect, dialect_of(case));
        assert_eq!(
            facts.model.as_ref().map(|it| it.name()).as_deref(),
            string(case, "model")
        );
        assert_eq!(facts.stream, flag("stream"));
        assert_eq!(facts.is_foreign, flag("foreign").unwrap_or_default());
        assert_eq!(facts.is_count, flag("count").unwrap_or_default());
    });
}

#[test]
fn dialects_of_bodies() {
    each(
        "detection.json",
        &["name", "body", "text", "dialect"],
        |case| {
            assert_eq!(dialect::body::detect(&body_of(case)), dialect_of(case));
        },
    );
}

#[test]
fn requests() {
    let known = [
        "name", "dialect", "body", "text", "model", "stream", "limits", "turns", "texts", "system",
        "repeated", "asks",
    ];
    each("requests.json", &known, |case| {
        let body = body_of(case);
        let request = Request::read(dialect_of(case).unwrap(), &body).unwrap();
        let raw = |place: Option<Place>| place.map(|it| it.of(&body));
        let texts: Vec<_> = (request.texts.iter())
            .map(|it| {
                let message = it.message.map_or("-".to_owned(), |it| it.to_string());
                let contents = it.place.contents(&body).unwrap();
                format!("{message} {} {:?}: {contents}", it.role.name(), it.kind)
            })
            .collect();
        assert_eq!(texts, strings(case, "texts"));
        let turns: Vec<_> = request.turns.iter().map(|it| it.role.name()).collect();
        assert_eq!(turns, strings(case, "turns"));
        let limits: Vec<_> = (request.output_limits.iter())
            .map(|it| {
                let none = if it.is_null { "null" } else { "?" };
                let tokens = it.tokens.map_or(none.to_owned(), |it| it.to_string());
                format!("{}={tokens}", it.field.key())
            })
            .collect();
        assert_eq!(limits, strings(case, "limits"));
        let model = request.model.and_then(|it| it.contents(&body));
        assert_eq!(model.as_deref(), string(case, "model"));
        assert_eq!(request.stream, case.get("stream").and_then(Value::as_bool));
        assert_eq!(raw(request.system), string(case, "system"));
        assert_eq!(raw(request.repeated), string(case, "repeated"));
        assert_eq!(request.asks_for_usage(), case.get("asks").is_some());
        assert_eq!(request.body.of(&body), body);
        assert!(!request.is_too_deep);
        for (turn, place) in request.turns.iter().zip(1..) {
            let whole = turn.place.of(&body);
            assert!(
                serde_json::from_str::<Value>(whole).is_ok(),
                "message {place}"
            );
            assert!(raw(turn.content).is_none_or(|content| whole.contains(content)));
        }
        let bytes: usize = (request.texts.iter())
            .map(|it| it.place.contents(&body).unwrap().len())
            .sum();
        assert_eq!(request.text_bytes(&body), bytes);
    });
}

/// What a case says of usage and names.
fn check_meter(case: &Value, meter: &Meter) {
    let ending = match string(case, "ending") {
        Some("early") => Ending::Early,
        Some("refused") => Ending::Refused,
        _ => Ending::Whole,
    };
    let bytes = case.get("inputBytes").and_then(Value::as_u64);
    let Metered { usage, status } = meter.metered(ending, bytes);
    let usage = usage.map(|it| {
        let mut usage = json!({"input": it.input_tokens, "output": it.output_tokens});
        let parts = [
            ("cached", it.cached_tokens),
            ("creation", it.cache_creation_tokens),
            ("reasoning", it.reasoning_tokens),
        ];
        for (name, count) in parts {
            if let Some(count) = count {
                usage[name] = count.into();
            }
        }
        usage
    });
    assert_eq!(status.name(), case["status"]);
    assert_eq!(usage.as_ref(), case.get("usage"));
    if let Some(expected) = string(case, "statusWithoutEstimate") {
        assert_eq!(meter.metered(ending, None).status.name(), expected);
    }
    assert_eq!(meter.model(), string(case, "model"));
    assert_eq!(meter.finish_reason(), string(case, "finish"));
}

fn named(key: TextKey, contents: &str) -> String {
    format!("{}: {contents}", name_of(key))
}

fn name_of(key: TextKey) -> String {
    format!("{:?} {}.{}", key.kind, key.item, key.part)
}

#[test]
fn bodies_of_responses() {
    let known = [
        "name",
        "dialect",
        "body",
        "texts",
        "usage",
        "status",
        "statusWithoutEstimate",
        "model",
        "finish",
        "error",
        "ending",
        "inputBytes",
    ];
    each("bodies.json", &known, |case| {
        let dialect = dialect_of(case).unwrap();
        let body = body_of(case);
        let mut response = Response::default();
        response.read_body(dialect, &body).unwrap();
        let texts: Vec<_> = (response.pieces.iter())
            .map(|it| named(it.key, &it.place.contents(&body).unwrap()))
            .collect();
        assert_eq!(texts, strings(case, "texts"));
        assert_eq!(response.is_error, case.get("error").is_some());
        let mut meter = Meter::new(dialect);
        assert_eq!(meter.see(&response, &body), !texts.is_empty());
        check_meter(case, &meter);
    });
}

/// Everything that was seen of a stream.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    texts: Vec<(String, String)>,
    repeats: Vec<String>,
    /// The events that end texts.
    ends: Vec<usize>,
    /// The event with the first output.
    first: Option<usize>,
    is_error: bool,
    /// Everything else, as it prints.
    rest: String,
}

fn see(dialect: Dialect, chunks: &[&[u8]]) -> (Seen, Meter) {
    let mut decoder = Decoder::new(Format::Sse, 1 << 20);
    let (mut seen, mut meter) = (Seen::default(), Meter::new(dialect));
    let (mut response, mut count) = (Response::default(), 0);
    let mut event = |data: &[u8]| {
        let data = std::str::from_utf8(data).unwrap();
        if response.read_event(dialect, data).is_err() {
            return;
        }
        for piece in &response.pieces {
            let contents = piece.place.contents(data).unwrap();
            if piece.extent == Extent::Repeat {
                seen.repeats.push(named(piece.key, &contents));
                continue;
            }
            let name = name_of(piece.key);
            match seen.texts.iter_mut().find(|(it, _)| *it == name) {
                Some((_, text)) => text.push_str(&contents),
                None => seen.texts.push((name, contents.into_owned())),
            }
        }
        if !response.ends.is_empty() {
            seen.ends.push(count);
        }
        seen.is_error |= response.is_error;
        if meter.see(&response, data) {
            assert_eq!(seen.first.replace(count), None);
        }
        count += 1;
    };
    let mut frame = |frame: Frame<'_>| match frame {
        Frame::Event(it) | Frame::Tail(it) => {
            if let Some(data) = it.data() {
                event(&data);
            }
        }
        Frame::Oversized(_) => panic!("no event is as long as that"),
    };
    for mut chunk in chunks.iter().copied() {
        while let Some(it) = decoder.next(&mut chunk) {
            frame(it);
        }
    }
    decoder.finish().into_iter().for_each(&mut frame);
    seen.rest = format!("{meter:?}");
    (seen, meter)
}

fn stream_of(case: &Value) -> String {
    let line_end = string(case, "lineEnd").unwrap_or("\n");
    let mut stream = String::new();
    for event in case["events"].as_array().unwrap() {
        if let Some(raw) = event.as_str() {
            stream.push_str(raw);
            continue;
        }
        if case.get("named").is_some() {
            stream.push_str(&format!(
                "event: {}{line_end}",
                event["type"].as_str().unwrap()
            ));
        }
        stream.push_str(&format!("data: {event}{line_end}{line_end}"));
    }
    stream
}

fn assert_named<T: PartialEq + Debug>(case: &Value, key: &str, seen: T, of: fn(&Value) -> T) {
    if let Some(expected) = case.get(key) {
        assert_eq!(seen, of(expected), "{key}");
    }
}

#[test]
fn streams_of_responses() {
    let known = [
        "name",
        "dialect",
        "named",
        "lineEnd",
        "events",
        "texts",
        "repeats",
        "ends",
        "first",
        "usage",
        "status",
        "statusWithoutEstimate",
        "model",
        "finish",
        "error",
        "ending",
        "inputBytes",
    ];
    each("streams.json", &known, |case| {
        let dialect = dialect_of(case).unwrap();
        let stream = stream_of(case);
        let bytes = stream.as_bytes();
        let (seen, meter) = see(dialect, &[bytes]);
        let expected = case
            .get("texts")
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        let texts: Vec<_> = expected
            .map(|(key, text)| (key.clone(), text.as_str().unwrap().to_owned()))
            .collect();
        assert_eq!(seen.texts, texts);
        assert_eq!(seen.repeats, strings(case, "repeats"));
        assert_named(case, "first", seen.first, |it| Some(it.as_u64()? as usize));
        assert_named(case, "ends", seen.ends.clone(), |it| {
            let ends = it.as_array().unwrap().iter();
            ends.map(|it| it.as_u64().unwrap() as usize).collect()
        });
        assert_eq!(seen.is_error, case.get("error").is_some());
        check_meter(case, &meter);
        for cut in 0..=bytes.len() {
            let (front, back) = bytes.split_at(cut);
            assert_eq!(see(dialect, &[front, back]).0, seen, "cut at {cut}");
        }
        let single: Vec<_> = bytes.chunks(1).collect();
        assert_eq!(see(dialect, &single).0, seen, "byte by byte");
    });
}

#[test]
fn refusals() {
    let known = [
        "name", "dialect", "status", "code", "param", "message", "body", "event",
    ];
    each("refusals.json", &known, |case| {
        let refusal = Refusal {
            status: case["status"].as_u64().unwrap().try_into().unwrap(),
            message: case["message"].as_str().unwrap().to_owned(),
            code: string(case, "code").map(|it| &*it.to_owned().leak()),
            param: string(case, "param").map(|it| &*it.to_owned().leak()),
        };
        let dialect = dialect_of(case);
        let body = refusal.body(dialect);
        assert_eq!(body, case["body"]);
        assert!(serde_json::from_str::<Value>(&body).is_ok());
        let Some(dialect) = dialect else { return };
        let event = String::from_utf8(refusal.event(dialect, 7)).unwrap();
        assert_eq!(event, case["event"]);
        // Whoever reads it back sees a stream that failed.
        let (seen, _) = see(dialect, &[event.as_bytes()]);
        assert!(seen.is_error);
    });
}
