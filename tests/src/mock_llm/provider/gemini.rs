//! Gemini's generateContent and streamGenerateContent.
//!
//! Called by [`super`]; pure. Each event is a whole answer with what is new in it and the counts so
//! far. Candidates leave thoughts out of their count; there is no `[DONE]`.

use super::knobs::Usage;
use super::pieces::Event;
use super::speech::{Speech, quoted};

/// The answer in one document.
pub(super) fn json(speech: &Speech) -> String {
    let mut parts = Vec::new();
    if !speech.reasoning.is_empty() {
        parts.push(thought(&speech.reasoning));
    }
    if !speech.text.is_empty() || speech.tools.is_empty() {
        parts.push(text(&speech.text));
    }
    parts.extend(calls(speech));
    let finish = speech.finish("STOP", "STOP");
    let candidates: Vec<String> = (0..speech.choices)
        .map(|index| candidate(index, &parts.join(","), Some(&finish)))
        .collect();
    let usage = usage(speech, speech.output);
    response(
        speech,
        &candidates.join(","),
        &speech.usage_member("usageMetadata", usage),
    )
}

/// The answer as a stream.
pub(super) fn events(speech: &Speech) -> Vec<Event> {
    let mut steps: Vec<String> = Vec::new();
    steps.extend(speech.reasoning_deltas.iter().map(|delta| thought(delta)));
    steps.extend(speech.deltas.iter().map(|delta| text(delta)));
    steps.extend(calls(speech));
    if steps.is_empty() {
        steps.push(text(""));
    }
    let finish = speech.finish("STOP", "STOP");
    let count = steps.len() * speech.choices;
    let mut events = Vec::new();
    for (step, part) in steps.iter().enumerate() {
        let finish = Some(finish.as_str()).filter(|_| step + 1 == steps.len());
        for index in 0..speech.choices {
            let is_last = events.len() + 1 == count;
            let told = match speech.usage {
                Usage::Choices if !is_last => String::new(),
                _ => {
                    let usage = usage(speech, speech.output_so_far(events.len(), count));
                    speech.usage_member("usageMetadata", usage)
                }
            };
            let candidate = candidate(index, part, finish);
            events.push(Event::bare(response(speech, &candidate, &told)));
        }
    }
    events
}

fn text(text: &str) -> String {
    format!(r#"{{"text":{}}}"#, quoted(text))
}

fn thought(text: &str) -> String {
    format!(r#"{{"text":{},"thought":true}}"#, quoted(text))
}

/// Calls are never in fragments here.
fn calls(speech: &Speech) -> Vec<String> {
    let call = |tool: &super::speech::Tool| {
        let arguments = match serde_json::from_str::<serde_json::Value>(&tool.arguments) {
            Ok(_) => tool.arguments.clone(),
            Err(_) => "{}".to_owned(),
        };
        let name = quoted(&tool.name);
        let signature = match &tool.signature {
            Some(signature) => format!(r#","thoughtSignature":{}"#, quoted(signature)),
            None => String::new(),
        };
        format!(r#"{{"functionCall":{{"name":{name},"args":{arguments}}}{signature}}}"#)
    };
    speech.tools.iter().map(call).collect()
}

fn candidate(index: usize, parts: &str, finish: Option<&str>) -> String {
    let finish = finish.map(|finish| format!(r#","finishReason":{finish}"#));
    format!(
        r#"{{"content":{{"parts":[{parts}],"role":"model"}}{},"index":{index}}}"#,
        finish.unwrap_or_default()
    )
}

fn usage(speech: &Speech, output: u64) -> String {
    let (input, told) = (speech.input, &speech.told);
    let thoughts = told.reasoning.map(|reasoning| reasoning.min(output));
    let candidates = output - thoughts.unwrap_or_default();
    let total = input.saturating_add(output);
    let mut usage = format!(
        r#"{{"promptTokenCount":{input},"candidatesTokenCount":{candidates},"totalTokenCount":{total}"#
    );
    if let Some(thoughts) = thoughts {
        usage += &format!(r#","thoughtsTokenCount":{thoughts}"#);
    }
    if let Some(cached) = told.cached {
        usage += &format!(r#","cachedContentTokenCount":{cached}"#);
    }
    usage += &format!(r#","promptTokensDetails":[{{"modality":"TEXT","tokenCount":{input}}}]}}"#);
    usage
}

fn response(speech: &Speech, candidates: &str, usage: &str) -> String {
    format!(
        r#"{{"candidates":[{candidates}]{usage},"modelVersion":{},"responseId":"r_mock1"}}"#,
        quoted(&speech.model)
    )
}
