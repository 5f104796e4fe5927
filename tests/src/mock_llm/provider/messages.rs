//! Anthropic's Messages.
//!
//! Called by [`super`]; pure. A stream begins with the counts of the input, has its blocks one
//! after the other, and tells the output at the end, as a total. Input tokens leave out what is
//! cached.

use super::knobs::Usage;
use super::pieces::Event;
use super::speech::{Speech, quoted, signature};

const PING: &str = r#"{"type":"ping"}"#;

/// The answer in one document.
pub(super) fn json(speech: &Speech) -> String {
    let mut blocks = Vec::new();
    if !speech.reasoning.is_empty() {
        let thinking = quoted(&speech.reasoning);
        let signature = signature(&speech.reasoning);
        blocks.push(format!(
            r#"{{"type":"thinking","thinking":{thinking},"signature":"{signature}"}}"#
        ));
    }
    if speaks(speech) {
        blocks.push(format!(
            r#"{{"type":"text","text":{}}}"#,
            quoted(&speech.text)
        ));
    }
    for tool in &speech.tools {
        // A document holds the value itself; what is no JSON stands there as a string.
        let input = match serde_json::from_str::<serde_json::Value>(&tool.arguments) {
            Ok(_) => tool.arguments.clone(),
            Err(_) if tool.arguments.is_empty() => "{}".to_owned(),
            Err(_) => quoted(&tool.arguments),
        };
        blocks.push(tool_use(&tool.id, &tool.name, &input));
    }
    let usage = speech.usage_member("usage", full_usage(speech, speech.output));
    message(
        speech,
        &blocks.join(","),
        &speech.finish("tool_use", "end_turn"),
        &usage,
    )
}

/// The answer as a stream.
pub(super) fn events(speech: &Speech) -> Vec<Event> {
    let told = speech.usage_member("usage", full_usage(speech, speech.output.min(1)));
    let told = if speech.usage == Usage::Choices {
        String::new()
    } else {
        told
    };
    let begun = message(speech, "", "null", &told);
    let begun = format!(r#"{{"type":"message_start","message":{begun}}}"#);
    let mut events = vec![Event::named("message_start", begun)];
    let mut index = 0;
    if !speech.reasoning.is_empty() {
        let block = r#"{"type":"thinking","thinking":"","signature":""}"#;
        let deltas = speech.reasoning_deltas.iter();
        let mut deltas: Vec<String> = deltas
            .map(|delta| {
                format!(
                    r#"{{"type":"thinking_delta","thinking":{}}}"#,
                    quoted(delta)
                )
            })
            .collect();
        let signature = signature(&speech.reasoning);
        deltas.push(format!(
            r#"{{"type":"signature_delta","signature":"{signature}"}}"#
        ));
        push_block(&mut events, index, block, &deltas);
        index += 1;
    }
    if speaks(speech) {
        let text = |delta: &String| format!(r#"{{"type":"text_delta","text":{}}}"#, quoted(delta));
        let deltas: Vec<String> = speech.deltas.iter().map(text).collect();
        push_block(&mut events, index, r#"{"type":"text","text":""}"#, &deltas);
        index += 1;
    }
    for tool in &speech.tools {
        let block = tool_use(&tool.id, &tool.name, "{}");
        // Calls begin with an empty fragment, and those without arguments have no other.
        let fragments = std::iter::once("").chain(tool.fragments.iter().map(String::as_str));
        let deltas: Vec<String> = fragments
            .map(|part| {
                format!(
                    r#"{{"type":"input_json_delta","partial_json":{}}}"#,
                    quoted(part)
                )
            })
            .collect();
        push_block(&mut events, index, &block, &deltas);
        index += 1;
    }
    let usage = match speech.usage {
        Usage::Every => full_usage(speech, speech.output),
        _ => last_usage(speech),
    };
    let ended = format!(
        r#"{{"type":"message_delta","delta":{{"stop_reason":{},"stop_sequence":null}}{}}}"#,
        speech.finish("tool_use", "end_turn"),
        speech.usage_member("usage", usage)
    );
    events.push(Event::named("message_delta", ended));
    events.push(Event::named("message_stop", r#"{"type":"message_stop"}"#));
    events
}

fn push_block(events: &mut Vec<Event>, index: usize, block: &str, deltas: &[String]) {
    let begun =
        format!(r#"{{"type":"content_block_start","index":{index},"content_block":{block}}}"#);
    events.push(Event::named("content_block_start", begun));
    if index == 0 {
        events.push(Event::named("ping", PING));
    }
    for delta in deltas {
        let delta = format!(r#"{{"type":"content_block_delta","index":{index},"delta":{delta}}}"#);
        events.push(Event::named("content_block_delta", delta));
    }
    let ended = format!(r#"{{"type":"content_block_stop","index":{index}}}"#);
    events.push(Event::named("content_block_stop", ended));
}

fn speaks(speech: &Speech) -> bool {
    !speech.text.is_empty() || speech.tools.is_empty()
}

fn tool_use(id: &str, name: &str, input: &str) -> String {
    let (id, name) = (quoted(id), quoted(name));
    format!(r#"{{"type":"tool_use","id":{id},"name":{name},"input":{input}}}"#)
}

fn message(speech: &Speech, blocks: &str, finish: &str, usage: &str) -> String {
    format!(
        r#"{{"id":"msg_mock1","type":"message","role":"assistant","model":{},"content":[{blocks}],"stop_reason":{finish},"stop_sequence":null{usage}}}"#,
        quoted(&speech.model)
    )
}

fn full_usage(speech: &Speech, output: u64) -> String {
    let cached = speech.told.cached.unwrap_or_default();
    let written = speech.told.written.unwrap_or_default();
    let input = speech.input.saturating_sub(cached).saturating_sub(written);
    let mut usage = format!(r#"{{"input_tokens":{input}"#);
    if speech.told.cached.is_some() || speech.told.written.is_some() {
        usage += &format!(
            r#","cache_creation_input_tokens":{written},"cache_read_input_tokens":{cached},"cache_creation":{{"ephemeral_5m_input_tokens":{written},"ephemeral_1h_input_tokens":0}}"#
        );
    }
    usage += &format!(r#","output_tokens":{output}{}"#, thinking(speech, output));
    usage.push('}');
    usage
}

fn last_usage(speech: &Speech) -> String {
    let output = speech.output;
    match speech.usage {
        // The only place where anything is told.
        Usage::Choices => full_usage(speech, output),
        _ => format!(
            r#"{{"output_tokens":{output}{}}}"#,
            thinking(speech, output)
        ),
    }
}

fn thinking(speech: &Speech, output: u64) -> String {
    let thinking = speech.told.reasoning.map(|reasoning| reasoning.min(output));
    let told = |count| format!(r#","output_tokens_details":{{"thinking_tokens":{count}}}"#);
    thinking.map(told).unwrap_or_default()
}
