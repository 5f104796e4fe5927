//! OpenAI's older completions: text without roles.
//!
//! Called by [`super`]; pure. Usage is told as in chat.

use super::chat;
use super::knobs::Usage;
use super::pieces::{DONE, Event};
use super::speech::{CREATED, Speech, quoted};

/// The answer in one document.
pub(super) fn json(speech: &Speech) -> String {
    let finish = speech.finish("stop", "stop");
    let choices: Vec<String> = (0..speech.choices)
        .map(|index| choice(index, &speech.text, &finish))
        .collect();
    let usage = chat::usage(speech, speech.output);
    completion(
        speech,
        &choices.join(","),
        &speech.usage_member("usage", usage),
    )
}

/// The answer as a stream.
pub(super) fn events(speech: &Speech) -> Vec<Event> {
    let mut events = Vec::new();
    let count = speech.deltas.len() * speech.choices;
    for delta in &speech.deltas {
        for index in 0..speech.choices {
            let usage = chat::on_the_way(speech, speech.output_so_far(events.len(), count));
            let choice = choice(index, delta, "null");
            events.push(Event::bare(completion(speech, &choice, &usage)));
        }
    }
    let finish = speech.finish("stop", "stop");
    let whole = || speech.usage_member("usage", chat::usage(speech, speech.output));
    for index in 0..speech.choices {
        let usage = match speech.usage {
            Usage::Choices if index + 1 == speech.choices => whole(),
            _ => chat::on_the_way(speech, speech.output),
        };
        let choice = choice(index, "", &finish);
        events.push(Event::bare(completion(speech, &choice, &usage)));
    }
    if chat::has_usage_chunk(speech) {
        events.push(Event::bare(completion(speech, "", &whole())));
    }
    events.push(Event::bare(DONE));
    events
}

fn choice(index: usize, text: &str, finish: &str) -> String {
    let text = quoted(text);
    format!(r#"{{"text":{text},"index":{index},"logprobs":null,"finish_reason":{finish}}}"#)
}

fn completion(speech: &Speech, choices: &str, usage: &str) -> String {
    format!(
        r#"{{"id":"cmpl-mock1","object":"text_completion","created":{CREATED},"model":{},"choices":[{choices}]{usage}}}"#,
        quoted(&speech.model)
    )
}
