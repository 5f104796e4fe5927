//! Properties of translations: what both dialects can say comes back as it was, whole and as a
//! stream, and whatever a provider sends, a client is told of an end or of an error.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use formats::events::{Decoder, Format, Frame};
use llm::dialect::Dialect;
use llm::translate::{Asked, Moment, Options, Provider, Translation, Unsupported};
use proptest::prelude::*;
use serde_json::{Value, json};

const MOMENT: Moment<'_> = Moment {
    id: "req-1",
    now: 1_790_000_000,
};

fn to_anthropic() -> Translation {
    Translation::of(Dialect::OpenaiChat, Provider::Anthropic).unwrap()
}

fn to_openai() -> Translation {
    Translation::of(Dialect::AnthropicMessages, Provider::Openai).unwrap()
}

/// Text that says something, with what has to be escaped.
fn text() -> impl Strategy<Value = String> {
    "[a-zß\"\\\\/ \n🌍]{0,9}[a-z]"
}

fn arguments() -> impl Strategy<Value = Value> {
    prop::collection::btree_map("[a-z]{1,3}", text(), 0..3).prop_map(|it| json!(it))
}

/// A call by its name and its arguments.
fn calls(most: usize) -> impl Strategy<Value = Vec<(String, Value)>> {
    prop::collection::vec(("[a-z_]{1,6}", arguments()), 0..=most)
}

fn as_parts(texts: &[String]) -> Value {
    texts
        .iter()
        .map(|it| json!({"type": "text", "text": it}))
        .collect()
}

fn as_calls(calls: &[(String, Value)], turn: usize) -> Value {
    let call = |(place, (name, arguments)): (usize, &(String, Value))| {
        json!({"id": format!("call_{turn}_{place}"), "type": "function",
            "function": {"name": name, "arguments": arguments.to_string()}})
    };
    calls.iter().enumerate().map(call).collect()
}

/// A turn: what the user says, what the model says, what it calls.
type Turn = (Vec<String>, Option<String>, Vec<(String, Value)>);

fn turn() -> impl Strategy<Value = Turn> {
    let user = prop::collection::vec(text(), 1..3);
    (user, prop::option::of(text()), calls(2))
}

/// A request of OpenAI's, in the words that come back.
fn request() -> impl Strategy<Value = Value> {
    let turns = prop::collection::vec(turn(), 0..3);
    let limits = (
        1_u32..9000,
        prop::option::of(0_u8..=10),
        prop::option::of(0_u8..=10),
    );
    let stops = prop::collection::vec("[a-z]{1,4}", 0..4);
    let parts = (
        prop::option::of(text()),
        turns,
        limits,
        stops,
        any::<bool>(),
        0..4_u8,
    );
    parts.prop_map(|(system, turns, limits, stops, stream, choice)| {
        let mut messages = Vec::new();
        if let Some(system) = system {
            messages.push(json!({"role": "system", "content": as_parts(&[system])}));
        }
        let mut has_called = false;
        for (place, (user, answer, calls)) in turns.iter().enumerate() {
            messages.push(json!({"role": "user", "content": as_parts(user)}));
            if answer.is_none() && calls.is_empty() {
                break;
            }
            let mut message = json!({"role": "assistant", "content": answer});
            if !calls.is_empty() {
                has_called = true;
                message["tool_calls"] = as_calls(calls, place);
            }
            messages.push(message);
            for call in 0..calls.len() {
                messages.push(
                    json!({"role": "tool", "tool_call_id": format!("call_{place}_{call}"),
                    "content": format!("result {call}")}),
                );
            }
        }
        let (max, temperature, top_p) = limits;
        let mut body = json!({"model": "m", "messages": messages, "max_completion_tokens": max});
        if let Some(tenths) = temperature {
            body["temperature"] = json!(f64::from(tenths) / 10.0);
        }
        if let Some(tenths) = top_p {
            body["top_p"] = json!(f64::from(tenths) / 10.0);
        }
        if !stops.is_empty() {
            body["stop"] = json!(stops);
        }
        if has_called {
            let function =
                json!({"name": "f", "description": "d", "parameters": {"type": "object"}});
            body["tools"] = json!([{"type": "function", "function": function}]);
            match choice {
                1 => body["tool_choice"] = json!("required"),
                2 => body["tool_choice"] = json!("none"),
                3 => {
                    body["tool_choice"] = json!({"type": "function", "function": {"name": "f"}});
                    body["parallel_tool_calls"] = json!(false);
                }
                _ => {}
            }
        }
        if stream {
            body["stream"] = json!(true);
            body["stream_options"] = json!({"include_usage": true});
        }
        body
    })
}

/// An answer of OpenAI's, in the words that come back.
fn answer() -> impl Strategy<Value = Value> {
    let message = (prop::option::of(text()), prop::option::of(text()), calls(3));
    (
        message,
        0..3_u8,
        (0_u64..100, 0_u64..100, 1_u64..100, 0_u64..100),
    )
        .prop_map(
            |((content, reasoning, calls), finish, (cached, written, fresh, output))| {
                let mut message = json!({"role": "assistant", "content": content, "refusal": null});
                if let Some(reasoning) = reasoning {
                    message["reasoning_content"] = json!(reasoning);
                }
                if !calls.is_empty() {
                    message["tool_calls"] = as_calls(&calls, 0);
                }
                let finish = match finish {
                    0 => "length",
                    1 => "content_filter",
                    _ if calls.is_empty() => "stop",
                    _ => "tool_calls",
                };
                let input = cached + written + fresh;
                json!({"id": "c1", "object": "chat.completion", "created": MOMENT.now, "model": "x",
                "choices": [{"index": 0, "message": message, "logprobs": null,
                    "finish_reason": finish}],
                "usage": {"prompt_tokens": input, "completion_tokens": output,
                    "total_tokens": input + output,
                    "prompt_tokens_details": {"cached_tokens": cached,
                        "cache_creation_tokens": written}}})
            },
        )
}

/// What an answer is as a stream of OpenAI's, cut into pieces of so many characters.
fn chunks(answer: &Value, size: usize) -> Vec<u8> {
    let message = &answer["choices"][0]["message"];
    let mut deltas = vec![json!({"role": "assistant", "content": ""})];
    let pieces = |value: &Value| {
        let characters: Vec<char> = value.as_str().unwrap_or_default().chars().collect();
        let pieces: Vec<String> = characters
            .chunks(size)
            .map(|it| it.iter().collect())
            .collect();
        pieces
    };
    for key in ["reasoning_content", "content"] {
        for piece in pieces(&message[key]) {
            deltas.push(json!({key: piece}));
        }
    }
    let calls = message["tool_calls"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    for (index, call) in calls.iter().enumerate() {
        let function = json!({"name": call["function"]["name"], "arguments": ""});
        deltas.push(
            json!({"tool_calls": [{"index": index, "id": call["id"], "type": "function",
            "function": function}]}),
        );
    }
    // Arguments of several calls come in turns.
    let mut fragments: Vec<_> = (calls.iter().enumerate())
        .flat_map(|(index, call)| {
            let pieces = pieces(&call["function"]["arguments"]);
            pieces
                .into_iter()
                .enumerate()
                .map(move |(turn, it)| (turn, index, it))
        })
        .collect();
    fragments.sort_by_key(|(turn, index, _)| (*turn, *index));
    for (_, index, fragment) in fragments {
        deltas.push(json!({"tool_calls": [{"index": index, "function": {"arguments": fragment}}]}));
    }
    let mut stream = Vec::new();
    let mut write = |choices: Value, usage: &Value| {
        let chunk = json!({"id": "c1", "object": "chat.completion.chunk", "created": MOMENT.now,
            "model": "x", "choices": choices, "usage": usage});
        Format::Sse.write(None, chunk.to_string().as_bytes(), &mut stream);
    };
    for delta in deltas {
        let choice = json!([{"index": 0, "delta": delta, "finish_reason": null}]);
        write(choice, &Value::Null);
    }
    let finish = &answer["choices"][0]["finish_reason"];
    let last = json!([{"index": 0, "delta": {}, "finish_reason": finish}]);
    write(last, &Value::Null);
    write(json!([]), &answer["usage"]);
    stream.extend_from_slice(b"data: [DONE]\n\n");
    stream
}

/// What a stream of OpenAI's says, put together as clients do.
fn put_together(stream: &[u8]) -> Value {
    let mut decoder = Decoder::new(Format::Sse, 1 << 20);
    let mut rest = stream;
    let mut texts = [None::<String>, None];
    let (mut calls, mut finish, mut usage) = (Vec::<Value>::new(), Value::Null, Value::Null);
    while let Some(Frame::Event(event)) = decoder.next(&mut rest) {
        let data = event.data().unwrap();
        let Ok(chunk) = serde_json::from_slice::<Value>(&data) else {
            continue;
        };
        assert!(chunk.get("error").is_none(), "{chunk}");
        if !chunk["usage"].is_null() {
            usage = chunk["usage"].clone();
        }
        let Some(choice) = chunk["choices"].get(0) else {
            continue;
        };
        if !choice["finish_reason"].is_null() {
            finish = choice["finish_reason"].clone();
        }
        for (key, place) in ["content", "reasoning_content"].into_iter().zip(&mut texts) {
            match choice["delta"][key].as_str() {
                None | Some("") => {}
                Some(piece) => place.get_or_insert_default().push_str(piece),
            }
        }
        for call in choice["delta"]["tool_calls"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let index = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
            if index == calls.len() {
                let mut call = call.clone();
                call.as_object_mut().unwrap().remove("index");
                calls.push(call);
                continue;
            }
            let more = call["function"]["arguments"].as_str().unwrap();
            let place = &mut calls[index]["function"]["arguments"];
            *place = json!(format!("{}{more}", place.as_str().unwrap()));
        }
    }
    let [content, reasoning] = texts;
    let mut message = json!({"role": "assistant", "content": content, "refusal": null});
    if let Some(reasoning) = reasoning {
        message["reasoning_content"] = json!(reasoning);
    }
    if !calls.is_empty() {
        message["tool_calls"] = json!(calls);
    }
    json!({"message": message, "finish": finish, "usage": usage})
}

fn asked(translation: &Translation) -> Asked {
    let body = json!({"model": "m", "max_tokens": 1, "messages": [], "stream": true});
    let mut body = body;
    if translation.client() == Dialect::OpenaiChat {
        body["stream_options"] = json!({"include_usage": true});
    }
    let request = translation.request(body.to_string().as_bytes(), &Options::default());
    request.unwrap().asked
}

fn translate(translation: &Translation, stream: &[u8]) -> Vec<u8> {
    let mut translated = translation.stream(&asked(translation), &MOMENT);
    let mut out = Vec::new();
    translated.push(stream, &mut out);
    translated.finish(&mut out);
    assert!(!translated.has_failed());
    out
}

proptest! {
    #[test]
    fn requests_come_back(body in request()) {
        let there = to_anthropic().request(body.to_string().as_bytes(), &Options::default());
        let there = there.map_err(|it| it.message).unwrap();
        let back = to_openai().request(&there.body, &Options::default());
        let back = back.map_err(|it| it.message).unwrap();
        let back: Value = serde_json::from_slice(&back.body).unwrap();
        prop_assert_eq!(back, body);
    }

    #[test]
    fn answers_come_back(answer in answer()) {
        let there = to_openai();
        let there = there.response(&asked(&there), &MOMENT, answer.to_string().as_bytes());
        let back = to_anthropic();
        let back = back.response(&asked(&back), &MOMENT, there.unwrap().as_bytes()).unwrap();
        let back: Value = serde_json::from_str(&back).unwrap();
        prop_assert_eq!(back, answer);
    }

    #[test]
    fn streams_come_back(answer in answer(), size in 1_usize..5) {
        let there = translate(&to_openai(), &chunks(&answer, size));
        let back = put_together(&translate(&to_anthropic(), &there));
        let expected = json!({"message": answer["choices"][0]["message"],
            "finish": answer["choices"][0]["finish_reason"], "usage": answer["usage"]});
        prop_assert_eq!(back, expected);
    }

    #[test]
    fn whatever_is_dropped_the_rest_is_a_request(body in request(), seed in any::<u32>()) {
        let mut body = body;
        body["seed"] = json!(seed);
        body["mine"] = json!([1]);
        for provider in Provider::ALL {
            let translation = Translation::of(Dialect::OpenaiChat, provider).unwrap();
            let options = Options {
                unsupported: Unsupported::Drop,
                region: "r",
                project: "p",
                ..Options::default()
            };
            let request = translation.request(body.to_string().as_bytes(), &options);
            let request = request.map_err(|it| it.message).unwrap();
            prop_assert!(serde_json::from_slice::<Value>(&request.body).unwrap().is_object());
            prop_assert!(request.path.starts_with('/'));
            prop_assert_eq!(request.stream, body.get("stream").is_some());
        }
    }
}
