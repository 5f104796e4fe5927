//! OpenAI's chat completions.
//!
//! Called by [`super`]; pure. A stream begins with the role, has the deltas of all choices side by
//! side and those of parallel calls in turns, and ends with the reason, the usage and `[DONE]`.

use super::knobs::Usage;
use super::pieces::{DONE, Event};
use super::speech::{CREATED, Speech, quoted};

/// The answer in one document.
pub(super) fn json(speech: &Speech) -> String {
    let text = match speech.text.as_str() {
        "" if !speech.tools.is_empty() => "null".to_owned(),
        text => quoted(text),
    };
    let null = "null".to_owned();
    let (content, refusal) = match speech.refuses {
        true => (null, text),
        false => (text, null),
    };
    let mut message = format!(r#"{{"role":"assistant","content":{content},"refusal":{refusal}"#);
    if !speech.reasoning.is_empty() {
        message += &format!(r#","reasoning_content":{}"#, quoted(&speech.reasoning));
    }
    if !speech.tools.is_empty() {
        let call = |tool: &super::speech::Tool| {
            format!(
                r#"{{"id":{},"type":"function","function":{{"name":{},"arguments":{}}}}}"#,
                quoted(&tool.id),
                quoted(&tool.name),
                quoted(&tool.arguments)
            )
        };
        let calls: Vec<String> = speech.tools.iter().map(call).collect();
        message += &format!(r#","tool_calls":[{}]"#, calls.join(","));
    }
    message.push('}');
    let finish = speech.finish("tool_calls", "stop");
    let choices: Vec<String> = (0..speech.choices)
        .map(|index| {
            format!(
                r#"{{"index":{index},"message":{message},"logprobs":null,"finish_reason":{finish}}}"#
            )
        })
        .collect();
    format!(
        r#"{{"id":"chatcmpl-mock1","object":"chat.completion","created":{CREATED},"model":{},"choices":[{}]{},"system_fingerprint":"fp_mock"}}"#,
        quoted(&speech.model),
        choices.join(","),
        speech.usage_member("usage", usage(speech, speech.output))
    )
}

/// The answer as a stream.
pub(super) fn events(speech: &Speech) -> Vec<Event> {
    let content = if speech.tools.is_empty() && !speech.refuses {
        r#""""#
    } else {
        "null"
    };
    let mut steps = vec![format!(r#"{{"role":"assistant","content":{content}}}"#)];
    for delta in &speech.reasoning_deltas {
        steps.push(format!(r#"{{"reasoning_content":{}}}"#, quoted(delta)));
    }
    let member = if speech.refuses { "refusal" } else { "content" };
    for delta in &speech.deltas {
        steps.push(format!(r#"{{"{member}":{}}}"#, quoted(delta)));
    }
    steps.extend(calls(speech));
    let mut events = Vec::new();
    let count = steps.len() * speech.choices;
    for delta in &steps {
        for index in 0..speech.choices {
            let so_far = speech.output_so_far(events.len(), count);
            let choice = choice(index, delta, "null");
            events.push(chunk(speech, &choice, &on_the_way(speech, so_far)));
        }
    }
    let finish = speech.finish("tool_calls", "stop");
    for index in 0..speech.choices {
        let told = match speech.usage {
            Usage::Choices if index + 1 == speech.choices => {
                speech.usage_member("usage", usage(speech, speech.output))
            }
            _ => on_the_way(speech, speech.output),
        };
        events.push(chunk(speech, &choice(index, "{}", &finish), &told));
    }
    if has_usage_chunk(speech) {
        let told = speech.usage_member("usage", usage(speech, speech.output));
        events.push(chunk(speech, "", &told));
    }
    events.push(Event::bare(DONE));
    events
}

/// Whether the usage comes in an event of its own, behind all choices.
pub(super) fn has_usage_chunk(speech: &Speech) -> bool {
    match speech.usage {
        Usage::Asked => speech.asks_usage,
        Usage::Always | Usage::Every => true,
        Usage::Choices | Usage::Null | Usage::None => false,
    }
}

/// The `usage` member of an event that is not the last, with the comma before it.
pub(super) fn on_the_way(speech: &Speech, so_far: u64) -> String {
    match speech.usage {
        Usage::Every => speech.usage_member("usage", usage(speech, so_far)),
        Usage::Null => r#","usage":null"#.to_owned(),
        Usage::Asked | Usage::Always if has_usage_chunk(speech) => r#","usage":null"#.to_owned(),
        _ => String::new(),
    }
}

/// The usage object, with the details that are told.
pub(super) fn usage(speech: &Speech, output: u64) -> String {
    let (input, told) = (speech.input, &speech.told);
    let mut usage = format!(
        r#"{{"prompt_tokens":{input},"completion_tokens":{output},"total_tokens":{}"#,
        input.saturating_add(output)
    );
    if let Some(cached) = told.cached {
        usage +=
            &format!(r#","prompt_tokens_details":{{"cached_tokens":{cached},"audio_tokens":0"#);
        if let Some(written) = told.written {
            usage += &format!(r#","cache_creation_input_tokens":{written}"#);
        }
        usage.push('}');
    }
    if let Some(reasoning) = told.reasoning {
        let reasoning = reasoning.min(output);
        usage += &format!(
            r#","completion_tokens_details":{{"reasoning_tokens":{reasoning},"audio_tokens":0}}"#
        );
    }
    usage.push('}');
    usage
}

/// Deltas of the calls: each begins with its names, then the fragments come in turns.
fn calls(speech: &Speech) -> Vec<String> {
    let mut deltas = Vec::new();
    let longest = speech.tools.iter().map(|tool| tool.fragments.len()).max();
    for round in 0..=longest.unwrap_or_default() {
        for (index, tool) in speech.tools.iter().enumerate() {
            let call = if round == 0 {
                format!(
                    r#"{{"index":{index},"id":{},"type":"function","function":{{"name":{},"arguments":""}}}}"#,
                    quoted(&tool.id),
                    quoted(&tool.name)
                )
            } else if let Some(fragment) = tool.fragments.get(round - 1) {
                let fragment = quoted(fragment);
                format!(r#"{{"index":{index},"function":{{"arguments":{fragment}}}}}"#)
            } else {
                continue;
            };
            deltas.push(format!(r#"{{"tool_calls":[{call}]}}"#));
        }
    }
    deltas
}

fn choice(index: usize, delta: &str, finish: &str) -> String {
    format!(r#"{{"index":{index},"delta":{delta},"logprobs":null,"finish_reason":{finish}}}"#)
}

fn chunk(speech: &Speech, choices: &str, usage: &str) -> Event {
    Event::bare(format!(
        r#"{{"id":"chatcmpl-mock1","object":"chat.completion.chunk","created":{CREATED},"model":{},"system_fingerprint":"fp_mock","choices":[{choices}]{usage}}}"#,
        quoted(&speech.model)
    ))
}
