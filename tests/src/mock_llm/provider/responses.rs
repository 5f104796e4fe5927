//! OpenAI's Responses.
//!
//! Called by [`super`]; pure. A stream numbers its events, repeats every text whole when it ends,
//! and the whole answer in its last event, which alone has the usage. There is no `[DONE]`.

use super::knobs::Usage;
use super::pieces::Event;
use super::speech::{CREATED, Speech, Tool, quoted};

/// The answer in one document.
pub(super) fn json(speech: &Speech) -> String {
    response(speech, "completed", &items(speech), &usage_member(speech))
}

/// The answer as a stream.
pub(super) fn events(speech: &Speech) -> Vec<Event> {
    let mut stream = Stream::default();
    let none = match speech.usage {
        Usage::None => "",
        _ => r#","usage":null"#,
    };
    let begun = response(speech, "in_progress", &[], none);
    stream.tell("response.created", &format!(r#""response":{begun}"#));
    stream.tell("response.in_progress", &format!(r#""response":{begun}"#));
    let mut output = 0;
    if !speech.reasoning.is_empty() {
        stream.reasoning(output, speech);
        output += 1;
    }
    if speaks(speech) {
        stream.text(output, speech);
        output += 1;
    }
    for tool in &speech.tools {
        stream.call(output, tool);
        output += 1;
    }
    let items = items(speech);
    let whole = match speech.finish.as_deref() {
        Some("incomplete") => ("response.incomplete", "incomplete"),
        Some("failed") => ("response.failed", "failed"),
        _ => ("response.completed", "completed"),
    };
    let ended = response(speech, whole.1, &items, &usage_member(speech));
    stream.tell(whole.0, &format!(r#""response":{ended}"#));
    stream.events
}

/// Events with their numbers.
#[derive(Default)]
struct Stream {
    events: Vec<Event>,
}

impl Stream {
    fn tell(&mut self, kind: &'static str, members: &str) {
        let number = self.events.len();
        let payload = format!(r#"{{"type":"{kind}","sequence_number":{number},{members}}}"#);
        self.events.push(Event::named(kind, payload));
    }

    fn reasoning(&mut self, output: usize, speech: &Speech) {
        let place = format!(r#""item_id":"rs_1","output_index":{output},"summary_index":0"#);
        let begun = r#"{"id":"rs_1","type":"reasoning","summary":[]}"#;
        self.item("response.output_item.added", output, begun);
        let part = |text: &str| {
            format!(
                r#"{place},"part":{{"type":"summary_text","text":{}}}"#,
                quoted(text)
            )
        };
        self.tell("response.reasoning_summary_part.added", &part(""));
        for delta in &speech.reasoning_deltas {
            let members = format!(r#"{place},"delta":{}"#, quoted(delta));
            self.tell("response.reasoning_summary_text.delta", &members);
        }
        let members = format!(r#"{place},"text":{}"#, quoted(&speech.reasoning));
        self.tell("response.reasoning_summary_text.done", &members);
        self.tell(
            "response.reasoning_summary_part.done",
            &part(&speech.reasoning),
        );
        self.item("response.output_item.done", output, &reasoning_item(speech));
    }

    fn text(&mut self, output: usize, speech: &Speech) {
        let place = format!(r#""item_id":"msg_1","output_index":{output},"content_index":0"#);
        let begun = r#"{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}"#;
        self.item("response.output_item.added", output, begun);
        let part = |text: &str| format!(r#"{place},"part":{}"#, text_part(text));
        self.tell("response.content_part.added", &part(""));
        for delta in &speech.deltas {
            let members = format!(r#"{place},"delta":{},"logprobs":[]"#, quoted(delta));
            self.tell("response.output_text.delta", &members);
        }
        let members = format!(r#"{place},"text":{},"logprobs":[]"#, quoted(&speech.text));
        self.tell("response.output_text.done", &members);
        self.tell("response.content_part.done", &part(&speech.text));
        self.item("response.output_item.done", output, &message_item(speech));
    }

    fn call(&mut self, output: usize, tool: &Tool) {
        let place = format!(r#""item_id":"fc_{}","output_index":{output}"#, tool.id);
        self.item(
            "response.output_item.added",
            output,
            &call_item(tool, "in_progress", ""),
        );
        for fragment in &tool.fragments {
            let members = format!(r#"{place},"delta":{}"#, quoted(fragment));
            self.tell("response.function_call_arguments.delta", &members);
        }
        let members = format!(r#"{place},"arguments":{}"#, quoted(&tool.arguments));
        self.tell("response.function_call_arguments.done", &members);
        let item = call_item(tool, "completed", &tool.arguments);
        self.item("response.output_item.done", output, &item);
    }

    fn item(&mut self, kind: &'static str, output: usize, item: &str) {
        self.tell(kind, &format!(r#""output_index":{output},"item":{item}"#));
    }
}

fn speaks(speech: &Speech) -> bool {
    !speech.text.is_empty() || speech.tools.is_empty()
}

fn items(speech: &Speech) -> Vec<String> {
    let mut items = Vec::new();
    if !speech.reasoning.is_empty() {
        items.push(reasoning_item(speech));
    }
    if speaks(speech) {
        items.push(message_item(speech));
    }
    let call = |tool: &Tool| call_item(tool, "completed", &tool.arguments);
    items.extend(speech.tools.iter().map(call));
    items
}

fn reasoning_item(speech: &Speech) -> String {
    format!(
        r#"{{"id":"rs_1","type":"reasoning","summary":[{{"type":"summary_text","text":{}}}]}}"#,
        quoted(&speech.reasoning)
    )
}

fn message_item(speech: &Speech) -> String {
    format!(
        r#"{{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{}]}}"#,
        text_part(&speech.text)
    )
}

fn call_item(tool: &Tool, status: &str, arguments: &str) -> String {
    let (id, name, arguments) = (&tool.id, quoted(&tool.name), quoted(arguments));
    format!(
        r#"{{"id":"fc_{id}","type":"function_call","status":"{status}","call_id":"{id}","name":{name},"arguments":{arguments}}}"#
    )
}

fn text_part(text: &str) -> String {
    let text = quoted(text);
    format!(r#"{{"type":"output_text","text":{text},"annotations":[],"logprobs":[]}}"#)
}

fn usage_member(speech: &Speech) -> String {
    let (input, output, told) = (speech.input, speech.output, &speech.told);
    let total = input.saturating_add(output);
    let cached = told.cached.unwrap_or_default();
    let reasoning = told.reasoning.unwrap_or_default();
    let usage = format!(
        r#"{{"input_tokens":{input},"input_tokens_details":{{"cached_tokens":{cached}}},"output_tokens":{output},"output_tokens_details":{{"reasoning_tokens":{reasoning}}},"total_tokens":{total}}}"#
    );
    speech.usage_member("usage", usage)
}

fn response(speech: &Speech, status: &str, items: &[String], usage: &str) -> String {
    format!(
        r#"{{"id":"resp_mock1","object":"response","created_at":{CREATED},"status":"{status}","error":null,"incomplete_details":null,"model":{},"output":[{}]{usage}}}"#,
        quoted(&speech.model),
        items.join(",")
    )
}
