//! Masking through a whole exchange: what a client said comes back as it was when the model repeats it,
//! in every dialect, whole and in events, in texts and in the arguments of tools; and no chunks change
//! what arrives.
//!
//! The first section is what the client says, the second what the model adds.

use std::sync::{Arc, LazyLock};

use formats::events::{Decoder, Format, Frame};
use llm::dialect::Dialect;
use llm::request::Request;
use serde_json::{Value, json};
use transformations::testing::{MemoryHost, Message};
use transformations::{CompileOptions, Direction, Exchange, Program};

use super::{Choices, Outcome};
use crate::goldens::Goldens;
use crate::scene::sections;

fn program(response: &str) -> Option<Arc<Program>> {
    let detectors = [
        "email",
        "phone",
        "credit-card",
        "ssn",
        "iban",
        "ip",
        "api-key",
        "jwt",
        "private-key",
    ];
    let detectors = detectors.map(|kind| (kind.to_owned(), json!("mask")));
    let detectors: serde_json::Map<_, _> = detectors.into_iter().collect();
    let config = json!({"ai": {"bodyBytes": 1 << 22, "mask": {
        "detectors": detectors,
        "patterns": [{"name": "RUN", "regex": "[a-c]+[0-9]"}],
        "words": [{"name": "CODENAME", "words": ["Bluebird", "秘密", "C++"]}],
        "response": response,
    }}});
    let options = CompileOptions::default();
    let program = Program::compile(config.to_string().as_bytes(), &options);
    program.ok().map(Arc::new)
}

static RESTORING: LazyLock<Option<Arc<Program>>> = LazyLock::new(|| program("restore"));
static BOTH: LazyLock<Option<Arc<Program>>> = LazyLock::new(|| program("both"));

pub(super) fn run(input: &[u8]) -> Outcome {
    let (Some(restoring), Some(both)) = (RESTORING.as_ref(), BOTH.as_ref()) else {
        panic!("a configuration that does not compile");
    };
    let mut sections = sections(input);
    let mut next = || String::from_utf8_lossy(sections.next().unwrap_or_default()).into_owned();
    let (said, added) = (next(), next());
    let mut choices = Choices::of(input);
    let shape = Shape {
        dialect: Dialect::ALL[choices.below(Dialect::ALL.len())],
        is_stream: choices.flip(),
        is_call: choices.flip(),
    };
    if shape.dialect == Dialect::OpenaiEmbeddings {
        return Outcome::of("no answer");
    }
    // A text that is JSON is read with its escapes, and one that comes in pieces is taken for prose.
    let in_pieces = matches!(shape.dialect, Dialect::OpenaiCompletions | Dialect::Gemini);
    if (shape.is_stream || in_pieces) && serde_json::from_str::<Value>(&said).is_ok() {
        return Outcome::of("JSON in pieces");
    }
    let repeated = shape.exchange(restoring, &said, &mut choices, |masked| masked.to_owned());
    let Some(repeated) = repeated else {
        return Outcome::of("refused");
    };
    assert_eq!(repeated, said, "it did not come back: {shape:?}");
    let with = |masked: &str| format!("{added}{masked}{added}");
    shape.exchange(both, &said, &mut choices, with);
    Outcome::of((shape, repeated.contains('[')))
}

/// Which answer is tried.
#[derive(Clone, Copy, Debug, Hash)]
struct Shape {
    dialect: Dialect,
    is_stream: bool,
    /// It is said in the arguments of a tool.
    is_call: bool,
}

impl Shape {
    /// What the client reads after a model that got `said` says what `answer` makes of it. None if it
    /// was refused.
    fn exchange(
        self,
        program: &Arc<Program>,
        said: &str,
        choices: &mut Choices,
        answer: impl Fn(&str) -> String,
    ) -> Option<String> {
        let (_, host) = self.asked(program, said)?;
        let body = String::from_utf8(host.request.body_bytes()).ok()?;
        let masked = Request::read(self.dialect, &body).ok()?;
        let text = masked.texts.first()?.place.contents(&body)?.into_owned();
        let response = self.response(&answer(&text), choices);
        let whole = self.arrives(program, said, &[&response])?;
        let pieces = self.arrives(program, said, &choices.chunks(&response))?;
        assert_eq!(whole, pieces, "chunks change what arrives: {self:?}");
        Some(self.read(&whole))
    }

    /// Sends the request.
    fn asked(self, program: &Arc<Program>, said: &str) -> Option<(Exchange, MemoryHost)> {
        let (path, request) = self.request(said);
        let headers = [
            (":method", "POST"),
            (":path", path),
            ("content-type", "application/json"),
        ];
        let mut host = MemoryHost {
            request: Message::new(&headers, request.to_string()),
            ..MemoryHost::default()
        };
        let mut exchange = program.open();
        host.send(&mut exchange, Direction::Request).ok()?;
        host.reply.is_none().then_some((exchange, host))
    }

    /// The bytes that arrive of a response in these pieces.
    fn arrives(self, program: &Arc<Program>, said: &str, pieces: &[&[u8]]) -> Option<Vec<u8>> {
        let (mut exchange, mut host) = self.asked(program, said)?;
        let kind = match self.is_stream {
            true => "text/event-stream",
            false => "application/json",
        };
        host.response = Message::new(&[(":status", "200"), ("content-type", kind)], "");
        let pieces = pieces.iter().filter(|piece| !piece.is_empty());
        host.response.body = pieces.map(|piece| piece.to_vec()).collect();
        host.send(&mut exchange, Direction::Response).ok()?;
        assert!(host.reply.is_none(), "an answer was refused: {self:?}");
        Some(host.response.body_bytes())
    }

    fn request(self, said: &str) -> (&'static str, Value) {
        let messages = json!([{"role": "user", "content": said}]);
        match self.dialect {
            Dialect::OpenaiChat | Dialect::OpenaiEmbeddings => {
                ("/v1/chat/completions", json!({"messages": messages}))
            }
            Dialect::OpenaiResponses => ("/v1/responses", json!({"input": said})),
            Dialect::OpenaiCompletions => ("/v1/completions", json!({"prompt": said})),
            Dialect::AnthropicMessages => ("/v1/messages", json!({"messages": messages})),
            Dialect::Gemini => (
                "/v1beta/models/g:streamGenerateContent",
                json!({"contents": [{"parts": [{"text": said}]}]}),
            ),
        }
    }

    /// Where the text is, in a whole answer or in an event.
    fn pointer(self) -> &'static str {
        match (self.dialect, self.is_stream, self.is_call()) {
            (Dialect::OpenaiCompletions, ..) => "/choices/0/text",
            (Dialect::OpenaiChat | Dialect::OpenaiEmbeddings, false, false) => {
                "/choices/0/message/content"
            }
            (Dialect::OpenaiChat | Dialect::OpenaiEmbeddings, false, true) => {
                "/choices/0/message/tool_calls/0/function/arguments"
            }
            (Dialect::OpenaiChat | Dialect::OpenaiEmbeddings, true, false) => {
                "/choices/0/delta/content"
            }
            (Dialect::OpenaiChat | Dialect::OpenaiEmbeddings, true, true) => {
                "/choices/0/delta/tool_calls/0/function/arguments"
            }
            (Dialect::OpenaiResponses, false, false) => "/output/0/content/0/text",
            (Dialect::OpenaiResponses, false, true) => "/output/0/arguments",
            (Dialect::OpenaiResponses, true, _) => "/delta",
            (Dialect::AnthropicMessages, false, _) => "/content/0/text",
            (Dialect::AnthropicMessages, true, false) => "/delta/text",
            (Dialect::AnthropicMessages, true, true) => "/delta/partial_json",
            (Dialect::Gemini, ..) => "/candidates/0/content/parts/0/text",
        }
    }

    /// Whether it is said in arguments that are JSON in a string: not all answers have such.
    fn is_call(self) -> bool {
        match self.dialect {
            Dialect::OpenaiCompletions | Dialect::Gemini => false,
            Dialect::AnthropicMessages => self.is_call && self.is_stream,
            _ => self.is_call,
        }
    }

    /// An answer, or an event of one, with `text` where its dialect has it.
    fn with(self, text: &str) -> Value {
        let item = json!({"type": "function_call", "arguments": text});
        let function = json!({"index": 0, "function": {"arguments": text}});
        match (self.dialect, self.is_stream, self.is_call()) {
            (Dialect::OpenaiCompletions, ..) => json!({"choices": [{"index": 0, "text": text}]}),
            (Dialect::OpenaiChat | Dialect::OpenaiEmbeddings, is_stream, is_call) => {
                let said = match is_call {
                    true => json!({"tool_calls": [function]}),
                    false => json!({"content": text}),
                };
                let member = if is_stream { "delta" } else { "message" };
                json!({"id": "c", "choices": [{"index": 0, member: said}]})
            }
            (Dialect::OpenaiResponses, false, false) => {
                let part = json!({"type": "output_text", "text": text});
                json!({"object": "response", "output": [{"type": "message", "content": [part]}]})
            }
            (Dialect::OpenaiResponses, false, true) => {
                json!({"object": "response", "output": [item]})
            }
            (Dialect::OpenaiResponses, true, is_call) => {
                let of = match is_call {
                    true => "response.function_call_arguments.delta",
                    false => "response.output_text.delta",
                };
                json!({"type": of, "output_index": 0, "content_index": 0, "delta": text})
            }
            (Dialect::AnthropicMessages, false, _) => {
                json!({"type": "message", "content": [{"type": "text", "text": text}]})
            }
            (Dialect::AnthropicMessages, true, is_call) => {
                let delta = match is_call {
                    true => json!({"type": "input_json_delta", "partial_json": text}),
                    false => json!({"type": "text_delta", "text": text}),
                };
                json!({"type": "content_block_delta", "index": 0, "delta": delta})
            }
            (Dialect::Gemini, ..) => {
                json!({"candidates": [{"index": 0, "content": {"parts": [{"text": text}]}}]})
            }
        }
    }

    /// A response that says this.
    fn response(self, text: &str, choices: &mut Choices) -> Vec<u8> {
        let text = match self.is_call() {
            true => json!({"said": text}).to_string(),
            false => text.to_owned(),
        };
        if !self.is_stream {
            return self.with(&text).to_string().into_bytes();
        }
        let mut stream = Vec::new();
        let mut event = |data: &Value| {
            let name = data.get("type").and_then(Value::as_str);
            Format::Sse.write(name, data.to_string().as_bytes(), &mut stream);
        };
        for delta in choices.texts(&text) {
            event(&self.with(delta));
            if choices.below(4) == 0 {
                event(&json!({"type": "ping"}));
            }
        }
        match self.dialect {
            Dialect::AnthropicMessages => {
                event(&json!({"type": "content_block_stop", "index": 0}));
            }
            Dialect::OpenaiChat => {
                let end = json!({"index": 0, "delta": {}, "finish_reason": "stop"});
                event(&json!({"choices": [end]}));
            }
            // Others just stop.
            _ => {}
        }
        stream
    }

    /// What a client reads.
    fn read(self, body: &[u8]) -> String {
        let mut text = String::new();
        let mut add = |data: &[u8]| {
            let Ok(data) = serde_json::from_slice::<Value>(data) else {
                panic!("what arrives is no JSON: {self:?}");
            };
            let said = data.pointer(self.pointer()).and_then(Value::as_str);
            text.push_str(said.unwrap_or_default());
        };
        if self.is_stream {
            let mut decoder = Decoder::new(Format::Sse, usize::MAX);
            let mut body = body;
            while let Some(frame) = decoder.next(&mut body) {
                let Frame::Event(event) = frame else { continue };
                if let Some(data) = event.data() {
                    add(&data);
                }
            }
        } else {
            add(body);
        }
        if !self.is_call() {
            return text;
        }
        let Ok(arguments) = serde_json::from_str::<Value>(&text) else {
            panic!("what arrives in arguments is no JSON: {self:?}");
        };
        let said = arguments.get("said").and_then(Value::as_str);
        said.unwrap_or_default().to_owned()
    }
}

pub(super) fn seeds(goldens: &Goldens) -> Vec<Vec<u8>> {
    super::mask::seeds(goldens)
}
