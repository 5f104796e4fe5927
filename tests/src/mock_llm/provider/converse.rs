//! Bedrock's Converse and ConverseStream.
//!
//! Called by [`super`]; pure. Blocks of text begin without a start, blocks of calls with one; usage
//! comes behind the reason why the answer ended. Input tokens leave out what is cached.

use super::pieces::Event;
use super::speech::{Speech, Tool, quoted, signature};

/// The answer in one document.
pub(super) fn json(speech: &Speech) -> String {
    let mut blocks = Vec::new();
    if !speech.reasoning.is_empty() {
        let (text, signature) = (quoted(&speech.reasoning), signature(&speech.reasoning));
        blocks.push(format!(
            r#"{{"reasoningContent":{{"reasoningText":{{"text":{text},"signature":"{signature}"}}}}}}"#
        ));
    }
    if speaks(speech) {
        blocks.push(format!(r#"{{"text":{}}}"#, quoted(&speech.text)));
    }
    for tool in &speech.tools {
        let input = match tool.arguments.as_str() {
            "" => "{}",
            arguments => arguments,
        };
        let names = names(tool);
        blocks.push(format!(r#"{{"toolUse":{{{names},"input":{input}}}}}"#));
    }
    format!(
        r#"{{"metrics":{{"latencyMs":12}},"output":{{"message":{{"role":"assistant","content":[{}]}}}},"stopReason":{}{}}}"#,
        blocks.join(","),
        speech.finish("tool_use", "end_turn"),
        speech.usage_member("usage", usage(speech))
    )
}

/// The answer as a stream.
pub(super) fn events(speech: &Speech) -> Vec<Event> {
    let mut events = vec![Event::named(
        "messageStart",
        r#"{"role":"assistant","p":"abcdef"}"#,
    )];
    let mut index = 0;
    if !speech.reasoning.is_empty() {
        let text = |delta: &String| format!(r#"{{"text":{}}}"#, quoted(delta));
        let mut deltas: Vec<String> = speech.reasoning_deltas.iter().map(text).collect();
        let signature = signature(&speech.reasoning);
        deltas.push(format!(r#"{{"signature":"{signature}"}}"#));
        let deltas = deltas.iter();
        let deltas = deltas.map(|delta| format!(r#"{{"reasoningContent":{delta}}}"#));
        push_block(&mut events, index, None, deltas);
        index += 1;
    }
    if speaks(speech) {
        let deltas = speech.deltas.iter();
        let deltas = deltas.map(|delta| format!(r#"{{"text":{}}}"#, quoted(delta)));
        push_block(&mut events, index, None, deltas);
        index += 1;
    }
    for tool in &speech.tools {
        let start = format!(r#"{{"toolUse":{{{}}}}}"#, names(tool));
        let deltas = tool.fragments.iter();
        let deltas = deltas.map(|part| format!(r#"{{"toolUse":{{"input":{}}}}}"#, quoted(part)));
        push_block(&mut events, index, Some(start), deltas);
        index += 1;
    }
    let finish = speech.finish("tool_use", "end_turn");
    events.push(Event::named(
        "messageStop",
        format!(r#"{{"stopReason":{finish},"p":"ab"}}"#),
    ));
    let told = speech.usage_member("usage", usage(speech));
    events.push(Event::named(
        "metadata",
        format!(r#"{{"metrics":{{"latencyMs":12}}{told},"p":"abc"}}"#),
    ));
    events
}

fn push_block(
    events: &mut Vec<Event>,
    index: usize,
    start: Option<String>,
    deltas: impl Iterator<Item = String>,
) {
    let at = format!(r#""contentBlockIndex":{index},"p":"abcd""#);
    if let Some(start) = start {
        let payload = format!(r#"{{{at},"start":{start}}}"#);
        events.push(Event::named("contentBlockStart", payload));
    }
    for delta in deltas {
        let payload = format!(r#"{{{at},"delta":{delta}}}"#);
        events.push(Event::named("contentBlockDelta", payload));
    }
    events.push(Event::named("contentBlockStop", format!("{{{at}}}")));
}

fn speaks(speech: &Speech) -> bool {
    !speech.text.is_empty() || speech.tools.is_empty()
}

fn names(tool: &Tool) -> String {
    let (id, name) = (quoted(&tool.id), quoted(&tool.name));
    format!(r#""toolUseId":{id},"name":{name}"#)
}

fn usage(speech: &Speech) -> String {
    let cached = speech.told.cached.unwrap_or_default();
    let written = speech.told.written.unwrap_or_default();
    let input = speech.input.saturating_sub(cached).saturating_sub(written);
    let (output, total) = (speech.output, speech.input.saturating_add(speech.output));
    let mut usage =
        format!(r#"{{"inputTokens":{input},"outputTokens":{output},"totalTokens":{total}"#);
    if speech.told.cached.is_some() || speech.told.written.is_some() {
        usage += &format!(r#","cacheReadInputTokens":{cached},"cacheWriteInputTokens":{written}"#);
    }
    usage + "}"
}
