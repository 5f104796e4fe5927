//! What it costs to translate between a client of OpenAI's and Anthropic: a request, a whole answer, an
//! event of a stream; and back.
//!
//! Run with `cargo bench -p llm --bench translate`.

#![expect(clippy::unwrap_used, reason = "a failure here is a broken benchmark")]

use divan::{Bencher, black_box};
use llm::dialect::Dialect;
use llm::translate::{Moment, Options, Provider, StreamTranslation, Translation};

fn main() {
    divan::main();
}

const MOMENT: Moment<'_> = Moment {
    id: "req-1",
    now: 1_790_000_000,
};

const TEXT: &str = "The quick brown fox jumps over the lazy dog, says \\\"hello\\\" and is gone. ";

fn translation(client: Dialect) -> Translation {
    let provider = match client {
        Dialect::AnthropicMessages => Provider::Openai,
        _ => Provider::Anthropic,
    };
    Translation::of(client, provider).unwrap()
}

/// A request of about `size` bytes that either dialect knows.
fn request_of(size: usize) -> String {
    let message = format!(r#"{{"role":"user","content":"{}"}}"#, TEXT.repeat(4));
    let messages = vec![message.as_str(); (size / message.len()).max(1)].join(",");
    format!(
        r#"{{"model":"gpt-4o","max_tokens":100,"stream":true,"messages":[{messages}],"temperature":0.7}}"#
    )
}

const CLIENTS: [Dialect; 2] = [Dialect::OpenaiChat, Dialect::AnthropicMessages];

#[divan::bench(args = CLIENTS, consts = [1024, 65536])]
fn request<const SIZE: usize>(bencher: Bencher<'_, '_>, client: Dialect) {
    let (translation, body) = (translation(client), request_of(SIZE));
    let options = Options {
        model: Some("claude-sonnet-4-5"),
        ..Options::default()
    };
    bencher.bench(|| {
        let request = translation.request(black_box(body.as_bytes()), &options);
        request.unwrap().body.len()
    });
}

#[divan::bench(args = CLIENTS)]
fn answer(bencher: Bencher<'_, '_>, client: Dialect) {
    let translation = translation(client);
    let asked = translation.request(request_of(0).as_bytes(), &Options::default());
    let asked = asked.unwrap().asked;
    let text = TEXT.repeat(12);
    let body = match client {
        Dialect::AnthropicMessages => format!(
            r#"{{"id":"c-1","object":"chat.completion","created":1790000000,"model":"gpt-4o-2024-08-06","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}","refusal":null}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":25,"completion_tokens":250,"total_tokens":275}}}}"#
        ),
        _ => format!(
            r#"{{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5-20250929","content":[{{"type":"text","text":"{text}"}}],"stop_reason":"end_turn","stop_sequence":null,"usage":{{"input_tokens":25,"output_tokens":250}}}}"#
        ),
    };
    bencher.bench(|| {
        let answer = translation.response(&asked, &MOMENT, black_box(body.as_bytes()));
        answer.unwrap().len()
    });
}

/// Ten events, as they come in one write.
#[divan::bench(args = CLIENTS)]
fn ten_events(bencher: Bencher<'_, '_>, client: Dialect) {
    let translation = translation(client);
    let asked = translation.request(request_of(0).as_bytes(), &Options::default());
    let asked = asked.unwrap().asked;
    let (first, event) = match client {
        Dialect::AnthropicMessages => ("", CHUNK),
        _ => (START, DELTA),
    };
    let events = event.repeat(10);
    let mut stream: StreamTranslation = translation.stream(&asked, &MOMENT);
    let mut out = Vec::new();
    stream.push(first.as_bytes(), &mut out);
    bencher.bench_local(|| {
        out.clear();
        stream.push(black_box(events.as_bytes()), &mut out);
        out.len()
    });
    assert!(
        !stream.is_over() && out.len() > 1000,
        "the events are not translated"
    );
}

const CHUNK: &str = concat!(
    r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1790000000,"#,
    r#""model":"gpt-4o-2024-08-06","system_fingerprint":"fp_0","choices":[{"index":0,"#,
    r#""delta":{"content":" a few words"},"logprobs":null,"finish_reason":null}],"usage":null}"#,
    "\n\n"
);

const START: &str = concat!(
    "event: message_start\ndata: ",
    r#"{"type":"message_start","message":{"id":"msg_1","model":"m","usage":{"input_tokens":25}}}"#,
    "\n\nevent: content_block_start\ndata: ",
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
    "\n\n"
);

const DELTA: &str = concat!(
    "event: content_block_delta\ndata: ",
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" a few words"}}"#,
    "\n\n"
);
