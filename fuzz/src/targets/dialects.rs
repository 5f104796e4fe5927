//! LLM traffic of every dialect: any bytes are a path, a request, a response and a stream. Whatever is
//! edited stays JSON, chunks change nothing, and no numbers make a wrong sum.

use std::ops::Range;

use formats::events::{Decoder, Format, Frame};
use formats::json::read;
use llm::count;
use llm::dialect::path::PathFacts;
use llm::dialect::{self, Dialect};
use llm::place::{Edits, Place};
use llm::request::Request;
use llm::response::{Response, Rewrite, TextKey, Texts};
use llm::usage::{Ending, Hidden, Meter, ask, hide};

use super::{Choices, Outcome};

pub(super) fn run(input: &[u8]) -> Outcome {
    let text = String::from_utf8_lossy(input);
    let path = PathFacts::of(&text);
    let told = (path.dialect.is_some(), path.model.is_some());
    let detected = dialect::detect(&path, &text);
    let mut seen = Vec::new();
    for dialect in Dialect::ALL {
        seen.push((request(dialect, &text), response(dialect, &text)));
    }
    let mut choices = Choices::of(input);
    let streamed = Dialect::ALL[choices.below(Dialect::ALL.len())];
    let whole = stream(streamed, &[input]);
    assert_eq!(
        whole,
        stream(streamed, &choices.chunks(input)),
        "chunks change what is seen"
    );
    let detected = detected.map(Dialect::name);
    Outcome::of((told, detected, seen, streamed.name(), whole.len().min(8)))
}

/// How many texts and messages there are, as far as that is new.
fn request(dialect: Dialect, body: &str) -> Option<(usize, usize)> {
    let request = Request::read(dialect, body).ok()?;
    let all: Vec<Place> = request.texts.iter().map(|it| it.place).collect();
    silence(&all, body);
    for place in [request.model, request.system, request.messages] {
        assert!(
            place.is_none_or(|it| is_json(it.of(body))),
            "a place is no value"
        );
    }
    for turn in &request.turns {
        assert!(is_json(turn.place.of(body)), "a message is no value");
    }
    let mut edits = Edits::new();
    if ask(&request, body, &mut edits) {
        let asking = edits.write(body);
        let again = Request::read(dialect, &asking).unwrap_or_else(|_| panic!("not JSON any more"));
        assert!(
            again.asks_for_usage() || request.repeated.is_some(),
            "nobody asks"
        );
    }
    Some((request.texts.len().min(4), request.turns.len().min(4)))
}

/// How many pieces there are, and whether there is usage.
fn response(dialect: Dialect, body: &str) -> Option<(usize, bool)> {
    let mut response = Response::default();
    response.read_event(dialect, body).ok()?;
    let all: Vec<Place> = response.pieces.iter().map(|it| it.place).collect();
    silence(&all, body);
    let mut edits = Edits::new();
    if hide(&response, body, &mut edits) == Hidden::Entry {
        assert!(is_json(&edits.write(body)), "not JSON any more");
    }
    response.read_body(dialect, body).ok()?;
    let mut meter = Meter::new(dialect);
    meter.see(&response, body);
    check(&meter);
    Some((response.pieces.len().min(4), response.usage.is_some()))
}

/// Everything that is seen of a stream, as it prints.
fn stream(dialect: Dialect, chunks: &[&[u8]]) -> Vec<String> {
    let mut decoder = Decoder::new(Format::Sse, 1 << 16);
    let (mut meter, mut response) = (Meter::new(dialect), Response::default());
    let (mut texts, mut is_open) = (Texts::new(dialect), true);
    let mut seen = Vec::new();
    let mut see = |frame: Frame<'_>| {
        let (Frame::Event(event) | Frame::Tail(event)) = frame else {
            return;
        };
        let Some(data) = event.data() else { return };
        let data = String::from_utf8_lossy(&data);
        if response.read_event(dialect, &data).is_ok() {
            meter.see(&response, &data);
            seen.push(format!("{response:?}"));
            let (mut edits, mut before) = (Edits::new(), Vec::new());
            // A stream of too many texts is not rewritten on.
            is_open = is_open
                && texts
                    .event(&response, &data, &mut Same, &mut edits, &mut before)
                    .is_ok();
            let is_same = edits.is_empty() && before.is_empty();
            assert!(is_same, "texts that stay as they are were written");
        }
    };
    for mut chunk in chunks.iter().copied() {
        while let Some(frame) = decoder.next(&mut chunk) {
            see(frame);
        }
    }
    decoder.finish().into_iter().for_each(&mut see);
    check(&meter);
    seen.push(format!("{meter:?}"));
    seen
}

/// Leaves texts as they are.
struct Same;

impl Rewrite for Same {
    fn delta(&mut self, _: TextKey, delta: &str, out: &mut String) {
        out.push_str(delta);
    }

    fn end(&mut self, _: TextKey, _: &mut String) {}

    fn whole(&mut self, _: TextKey, _: &str, _: &mut dyn FnMut(Range<usize>, &str)) {}
}

/// Whether every text can be replaced, and nothing but JSON is left.
fn silence(texts: &[Place], body: &str) {
    let mut edits = Edits::new();
    for text in texts {
        assert!(text.contents(body).is_some(), "a text is no string");
        assert!(edits.replace(*text, "\"\""), "two texts share a place");
    }
    assert!(
        is_json(&edits.write(body)) || texts.is_empty(),
        "not JSON any more"
    );
}

fn check(meter: &Meter) {
    for ending in [Ending::Whole, Ending::Early, Ending::Refused] {
        let Some(usage) = meter.metered(ending, Some(u64::MAX)).usage else {
            continue;
        };
        let parts = [usage.cached_tokens, usage.cache_creation_tokens];
        assert!(parts.into_iter().flatten().sum::<u64>() <= usage.input_tokens);
        assert!(usage.reasoning_tokens.unwrap_or_default() <= usage.output_tokens);
        let total = count::sum([usage.input_tokens, usage.output_tokens]);
        assert_eq!(usage.total_tokens(), total);
    }
}

fn is_json(text: &str) -> bool {
    read(text, |_| Ok(())).is_ok()
}
