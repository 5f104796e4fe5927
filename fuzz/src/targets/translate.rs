//! Translations: any bytes are a request, an answer, an error and a stream of every pair. What
//! comes out is JSON and are events, chunks change nothing, and no stream looks whole that is not.

use formats::events::{Decoder, Format, Frame};
use formats::frames;
use formats::json::read;
use llm::dialect::Dialect;
use llm::translate::{Asked, Failure, Moment, Options, Provider, Translation, Unsupported};

use super::{Choices, Outcome};

const MOMENT: Moment<'_> = Moment {
    id: "exchange",
    now: 1,
};

pub(super) fn run(input: &[u8]) -> Outcome {
    let mut choices = Choices::of(input);
    let client = Dialect::ALL[choices.below(Dialect::ALL.len())];
    let provider = Provider::ALL[choices.below(Provider::ALL.len())];
    let Some(translation) = Translation::of(client, provider) else {
        return Outcome::of("no such pair");
    };
    let asked = request(&translation, input, &mut choices);
    let answer = translation.response(&asked, &MOMENT, input);
    assert!(
        answer.as_ref().map_or(true, |it| is_json(it)),
        "an answer is no JSON"
    );
    let failure = Failure::read(500, None, input);
    assert!(is_json(&failure.body(client)), "an error is no JSON");
    let mut kinds = vec![input.to_vec()];
    if provider.facts().is_framed {
        kinds.push(framed(input));
    }
    let mut seen = Vec::new();
    for bytes in kinds {
        let whole = stream(&translation, &asked, &[&bytes]);
        let cut = stream(&translation, &asked, &choices.chunks(&bytes));
        assert_eq!(whole, cut, "chunks change the stream");
        seen.push((whole.1, whole.0.len().min(8)));
    }
    Outcome::of((client.name(), provider.name(), answer.is_ok(), seen))
}

/// What the request asked, or another one if it is none.
fn request(translation: &Translation, body: &[u8], choices: &mut Choices) -> Asked {
    let options = Options {
        model: choices.flip().then_some("a/model"),
        unsupported: match choices.flip() {
            true => Unsupported::Drop,
            false => Unsupported::Refuse,
        },
        region: "region",
        project: "project",
        ..Options::default()
    };
    if let Ok(request) = translation.request(body, &options) {
        let body = std::str::from_utf8(&request.body);
        assert!(body.is_ok_and(is_json), "a request is no JSON");
        assert!(request.path.starts_with('/'), "a path is none");
        return request.asked;
    }
    let body = br#"{"model": "m", "max_tokens": 1, "messages": []}"#;
    let request = translation.request(body, &options);
    request.map(|it| it.asked).unwrap_or_default()
}

/// Every line as the payload of a message.
fn framed(input: &[u8]) -> Vec<u8> {
    let names = [
        "messageStart",
        "contentBlockStart",
        "contentBlockDelta",
        "messageStop",
    ];
    let mut stream = Vec::new();
    for (line, name) in input.split(|byte| *byte == b'\n').zip(names.iter().cycle()) {
        frames::write(&[(":event-type", name)], line, &mut stream);
    }
    stream
}

/// What a client is sent, and whether it is told of an error.
fn stream(translation: &Translation, asked: &Asked, chunks: &[&[u8]]) -> (Vec<u8>, bool) {
    let mut stream = translation.stream(asked, &MOMENT);
    let mut out = Vec::new();
    for chunk in chunks {
        stream.push(chunk, &mut out);
    }
    stream.finish(&mut out);
    assert!(stream.is_over(), "a stream is not over at its end");
    if !translation.answers_alike() {
        check(translation.client(), &out, stream.has_failed());
    }
    (out, stream.has_failed())
}

/// Whether all are events of JSON, and the last one says how it went.
fn check(client: Dialect, stream: &[u8], has_failed: bool) {
    let mut decoder = Decoder::new(Format::Sse, usize::MAX);
    let (mut rest, mut last) = (stream, Vec::new());
    while let Some(frame) = decoder.next(&mut rest) {
        let Frame::Event(event) = frame else {
            panic!("an event is too long");
        };
        last = event.data().unwrap_or_default().into_owned();
        let text = std::str::from_utf8(&last).unwrap_or_default();
        assert!(text == "[DONE]" || is_json(text), "an event is no JSON");
    }
    assert!(decoder.finish().is_none(), "the last event is not whole");
    let is_end = match client {
        Dialect::AnthropicMessages => last.windows(12).any(|it| it == b"message_stop"),
        _ => last == b"[DONE]",
    };
    assert!(is_end || has_failed, "a stream ends without an end");
    assert!(
        client == Dialect::AnthropicMessages || !(is_end && has_failed),
        "both ends"
    );
}

fn is_json(text: &str) -> bool {
    read(text, |_| Ok(())).is_ok()
}
