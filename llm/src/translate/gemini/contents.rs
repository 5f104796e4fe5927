//! Messages as Gemini has them: contents of parts, in turns that alternate; results of calls are a
//! turn of their own, in the order of the calls.

use std::collections::HashMap;

use crate::refusal::Refusal;
use crate::translate::chat::message::{Content, Message, Part, Role, Source};
use crate::translate::chat::tools::Call;
use crate::translate::chat::turns::Turns;
use crate::translate::json::{Json, Value};
use crate::translate::loss::{Losses, invalid};

/// What Google lets stand for a signature that is lost.
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

/// The conversation so far.
#[derive(Debug)]
pub(super) struct Contents {
    /// The parts of system prompts.
    pub(super) system: Json,
    turns: Turns,
    /// The names of the calls of the conversation, as they are spelled.
    calls: Vec<String>,
    /// The latest call of each id.
    places: HashMap<String, usize>,
    /// Where those of the last answer begin.
    latest: usize,
    /// Results that wait for their turn, with the place of their call.
    results: Vec<(usize, String)>,
    /// The first call of an answer must be signed.
    must_sign: bool,
}

impl Contents {
    pub(super) fn new(must_sign: bool) -> Contents {
        Contents {
            system: Json::default(),
            turns: Turns::new("parts"),
            calls: Vec::new(),
            places: HashMap::new(),
            latest: 0,
            results: Vec::new(),
            must_sign,
        }
    }

    /// Appends a message of the client's.
    pub(super) fn push(&mut self, message: Value<'_>, losses: &mut Losses) -> Result<(), Refusal> {
        let message = Message::read(message, losses)?;
        let mut parts = Json::default();
        match message.role {
            Role::System => {
                for part in &message.parts {
                    write_text(part.as_text("system")?, &mut self.system);
                }
            }
            Role::User => {
                write_parts(&message.parts, &mut parts, losses)?;
                self.append("user", &parts);
            }
            Role::Assistant => {
                write_parts(&message.parts, &mut parts, losses)?;
                self.latest = self.calls.len();
                for call in &message.tool_calls {
                    if let Some(call) = Call::read(*call, losses)? {
                        self.write_call(call, &mut parts);
                    }
                }
                self.append("model", &parts);
            }
            Role::Tool => self.hold_result(&message)?,
        }
        Ok(())
    }

    fn write_call(&mut self, call: Call<'_>, parts: &mut Json) {
        let is_first = self.calls.len() == self.latest;
        parts.open_object();
        parts.key("functionCall");
        parts.open_object();
        parts.member("name", call.name.text());
        parts.member("args", &call.arguments);
        parts.close_object();
        match &call.signature {
            Some(signature) => parts.member_string("thoughtSignature", signature),
            None if is_first && self.must_sign => {
                parts.member_string("thoughtSignature", NO_SIGNATURE);
            }
            None => {}
        }
        parts.close_object();
        self.places.insert(call.id, self.calls.len());
        self.calls.push(call.name.text().to_owned());
    }

    fn hold_result(&mut self, message: &Message<'_>) -> Result<(), Refusal> {
        let id = message.answered_call();
        let Some(place) = self.places.get(id).copied() else {
            return Err(invalid(
                "messages[].tool_call_id",
                "must name an earlier call",
            ));
        };
        let mut output = String::new();
        for part in &message.parts {
            output.push_str(part.as_text("tool")?.spelled().unwrap_or_default());
        }
        let name = self.calls.get(place).map_or("\"\"", String::as_str);
        let mut part = Json::default();
        part.open_object();
        part.key("functionResponse");
        part.open_object();
        part.member("name", name);
        part.key("response");
        part.open_object();
        part.member_spelled("output", &output);
        part.close_object();
        part.close_object();
        part.close_object();
        self.results.push((place, part.into_text()));
        Ok(())
    }

    /// Appends what a role says, behind the results that wait.
    fn append(&mut self, role: &'static str, parts: &Json) {
        if !parts.is_empty() {
            self.flush_results();
            self.turns.append(role, parts.text());
        }
    }

    fn flush_results(&mut self) {
        if self.results.is_empty() {
            return;
        }
        self.turns.close();
        let mut results = std::mem::take(&mut self.results);
        results.sort_by_key(|(place, _)| *place);
        for (_, result) in results {
            self.turns.append("user", &result);
        }
        self.turns.close();
    }

    /// Ends the turn that is open.
    pub(super) fn close(&mut self) {
        self.flush_results();
        self.turns.close();
    }

    /// All turns, without brackets around them.
    pub(super) fn text(&self) -> &str {
        self.turns.text()
    }
}

fn write_parts(parts: &[Part<'_>], json: &mut Json, losses: &mut Losses) -> Result<(), Refusal> {
    for part in parts {
        match &part.content {
            Content::Text(text) => write_text(*text, json),
            Content::Image(source) => {
                write_source(source, "messages[].content[].image_url", json, losses)?;
            }
            Content::File(source, _) => {
                write_source(source, "messages[].content[].file", json, losses)?;
            }
            Content::Audio { data, format } => {
                let data = data.text();
                json.open_object();
                json.key("inlineData");
                json.open_object();
                json.member_string("mimeType", &format!("audio/{format}"));
                json.member("data", data);
                json.close_object();
                json.close_object();
            }
        }
    }
    Ok(())
}

/// Writes what is in the request, or in Google's storage; nothing else is fetched.
fn write_source(
    source: &Source<'_>,
    field: &'static str,
    json: &mut Json,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    match source {
        Source::Inline { media_type, data } => {
            json.open_object();
            json.key("inlineData");
            json.open_object();
            json.member_string("mimeType", media_type);
            json.member_string("data", data);
        }
        Source::Url(url) => {
            let Some(media_type) = stored(url) else {
                return losses.lose(field);
            };
            json.open_object();
            json.key("fileData");
            json.open_object();
            json.member_string("mimeType", media_type);
            json.member_string("fileUri", url);
        }
    }
    json.close_object();
    json.close_object();
    Ok(())
}

/// The media type of a file in Google's storage, by its name.
fn stored(url: &str) -> Option<&'static str> {
    let name = url.strip_prefix("gs://")?;
    let (_, ending) = name.rsplit_once('.')?;
    Some(match ending.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "webp" => "image/webp",
        "heic" => "image/heic",
        "pdf" => "application/pdf",
        "mp4" => "video/mp4",
        "mp3" => "audio/mp3",
        "wav" => "audio/wav",
        "txt" => "text/plain",
        _ => return None,
    })
}

/// Writes a part of text, unless it says nothing.
fn write_text(text: Value<'_>, json: &mut Json) {
    if text.spelled().is_none_or(str::is_empty) {
        return;
    }
    json.open_object();
    json.member("text", text.text());
    json.close_object();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::translate::loss::Unsupported;
    use crate::translate::provider::Provider;

    /// Looking for the call of each result in all of them would take hours.
    #[test]
    fn results_find_their_calls_at_once() {
        const MANY: usize = 100_000;
        let mut losses = Losses::new(Unsupported::Refuse, Provider::Gemini);
        let mut contents = Contents::new(false);
        let calls: Vec<_> = (0..MANY)
            .map(|it| format!(r#"{{"id":"c{it}","function":{{"name":"f{it}"}}}}"#))
            .collect();
        let calls = calls.join(",");
        let calls = format!(r#"{{"role":"assistant","tool_calls":[{calls}]}}"#);
        let calls = Value::parse(&calls).unwrap();
        contents.push(calls, &mut losses).unwrap();
        for it in 0..MANY {
            let result = format!(r#"{{"role":"tool","tool_call_id":"c{it}","content":"r"}}"#);
            let result = Value::parse(&result).unwrap();
            contents.push(result, &mut losses).unwrap();
        }
        contents.close();
        let last = format!(r#"{{"name":"f{}","response":{{"output":"r"}}}}"#, MANY - 1);
        assert!(contents.text().contains(&last));
    }
}
