//! Blocks of Anthropic's messages as messages of OpenAI's: results of tools are messages of their
//! own.

use crate::refusal::Refusal;
use crate::translate::converse::names::Names;
use crate::translate::json::{Json, Value};
use crate::translate::loss::{Losses, invalid};

/// The messages so far.
#[derive(Debug, Default)]
pub(super) struct Turns {
    pub(super) messages: Json,
    pub(super) names: Names,
}

impl Turns {
    /// Writes the system prompt, which comes first.
    pub(super) fn system(&mut self, system: Option<Value<'_>>) -> Result<(), Refusal> {
        let Some(system) = system else {
            return Ok(());
        };
        if !system.is_string() && !system.is_array() {
            return Err(invalid("system", "must be a string or a list of blocks"));
        }
        self.write_system(system);
        Ok(())
    }

    fn write_system(&mut self, content: Value<'_>) {
        let mut parts = Json::default();
        for block in content.items() {
            write_text(block.get("text"), &mut parts);
        }
        if content.is_string() && !content.is_blank() {
            self.write("system", content.text());
        } else if !parts.is_empty() {
            self.write("system", &format!("[{}]", parts.text()));
        }
    }

    fn write(&mut self, role: &str, content: &str) {
        let json = &mut self.messages;
        json.open_object();
        json.member_string("role", role);
        json.member("content", content);
        json.close_object();
    }

    /// Appends a message.
    pub(super) fn push(&mut self, message: Value<'_>, losses: &mut Losses) -> Result<(), Refusal> {
        let [role, content] = message.members(["role", "content"]);
        let Some(content) = content.filter(|it| it.is_string() || it.is_array()) else {
            let should = "must be a string or a list of blocks";
            return Err(invalid("messages[].content", should));
        };
        match role.and_then(Value::string).as_deref() {
            Some("user") if content.is_string() => {
                self.write("user", content.text());
                Ok(())
            }
            Some("user") => self.push_user(content, losses),
            Some("assistant") => self.push_assistant(content, losses),
            // Some clients have prompts of the system among the messages.
            Some("system") => {
                self.write_system(content);
                Ok(())
            }
            _ => Err(invalid("messages[].role", "is none that is known")),
        }
    }

    /// Results go first: they must stand behind the calls that they answer.
    fn push_user(&mut self, content: Value<'_>, losses: &mut Losses) -> Result<(), Refusal> {
        let mut parts = Json::default();
        for block in content.items() {
            let of = block
                .get("type")
                .and_then(Value::string)
                .unwrap_or_default();
            if of == "tool_result" {
                self.push_result(block, &mut parts, losses)?;
            } else {
                write_part(&of, block, &mut parts, losses)?;
            }
        }
        if !parts.is_empty() {
            self.write("user", &format!("[{}]", parts.text()));
        }
        Ok(())
    }

    /// Appends a result. Images in it, which OpenAI takes of users alone, become theirs.
    fn push_result(
        &mut self,
        block: Value<'_>,
        parts: &mut Json,
        losses: &mut Losses,
    ) -> Result<(), Refusal> {
        let [id, content] = block.members(["tool_use_id", "content"]);
        let Some(id) = id.filter(|it| it.is_string()) else {
            let should = "must name the call that is answered";
            return Err(invalid("messages[].content[].tool_use_id", should));
        };
        let mut text = String::new();
        if let Some(whole) = content.and_then(Value::spelled) {
            text.push_str(whole);
        }
        for inner in content.map(Value::items).unwrap_or_default() {
            let of = inner
                .get("type")
                .and_then(Value::string)
                .unwrap_or_default();
            if of == "text" {
                let more = inner
                    .get("text")
                    .and_then(Value::spelled)
                    .unwrap_or_default();
                if !text.is_empty() && !more.is_empty() {
                    text.push_str("\\n");
                }
                text.push_str(more);
            } else {
                write_part(&of, inner, parts, losses)?;
            }
        }
        let json = &mut self.messages;
        json.open_object();
        json.member_string("role", "tool");
        json.member("tool_call_id", id.text());
        json.member_spelled("content", &text);
        json.close_object();
        Ok(())
    }

    fn push_assistant(&mut self, content: Value<'_>, losses: &mut Losses) -> Result<(), Refusal> {
        let mut text = String::new();
        let mut calls = Json::default();
        if let Some(whole) = content.spelled() {
            text.push_str(whole);
        }
        for block in content.items() {
            let [of, of_text] = block.members(["type", "text"]);
            match of.and_then(Value::string).as_deref() {
                Some("text") => {
                    text.push_str(of_text.and_then(Value::spelled).unwrap_or_default());
                }
                // They are signed by another provider.
                Some("thinking" | "redacted_thinking") => {}
                Some("tool_use") => write_call(block, &mut self.names, &mut calls)?,
                _ => losses.lose("messages[].content[].(other)")?,
            }
        }
        if text.is_empty() && calls.is_empty() {
            return Ok(());
        }
        let json = &mut self.messages;
        json.open_object();
        json.member_string("role", "assistant");
        match text.is_empty() {
            true => json.member("content", "null"),
            false => json.member_spelled("content", &text),
        }
        if !calls.is_empty() {
            json.key("tool_calls");
            json.open_array();
            json.raw(calls.text());
            json.close_array();
        }
        json.close_object();
        Ok(())
    }
}

fn write_call(block: Value<'_>, names: &mut Names, json: &mut Json) -> Result<(), Refusal> {
    let [id, name, input] = block.members(["id", "name", "input"]);
    let is_string = |it: &Value<'_>| it.is_string();
    let (Some(id), Some(name)) = (id.filter(is_string), name.filter(is_string)) else {
        return Err(invalid(
            "messages[].content[].tool_use",
            "must have an id and a name",
        ));
    };
    json.open_object();
    json.member("id", id.text());
    json.member_string("type", "function");
    json.key("function");
    json.open_object();
    let name = name.string().unwrap_or_default();
    json.member_string("name", &names.send(&name)?);
    json.member_string("arguments", input.map_or("{}", Value::text));
    json.close_object();
    json.close_object();
    Ok(())
}

fn write_text(text: Option<Value<'_>>, json: &mut Json) {
    if let Some(text) = text.filter(|it| it.is_string() && !it.is_blank()) {
        json.open_object();
        json.member_string("type", "text");
        json.member("text", text.text());
        json.close_object();
    }
}

fn write_part(
    of: &str,
    block: Value<'_>,
    json: &mut Json,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    if of == "text" {
        write_text(block.get("text"), json);
        return Ok(());
    }
    let [source, title, context, citations] =
        block.members(["source", "title", "context", "citations"]);
    let title = title.filter(|it| it.is_string() && !it.is_blank());
    if of == "document" {
        if context.is_some_and(|it| !it.is_blank()) {
            losses.lose("messages[].content[].document.context")?;
        }
        let cites = citations.and_then(|it| it.get("enabled"));
        if cites.and_then(Value::bool) == Some(true) {
            losses.lose("messages[].content[].document.citations")?;
        }
    }
    let [kind, media_type, data, url] = source.map_or([None; 4], |it| {
        it.members(["type", "media_type", "data", "url"])
    });
    let kind = kind.and_then(Value::string).unwrap_or_default();
    let inline = || {
        let of = media_type.and_then(Value::spelled).unwrap_or_default();
        let data = data.and_then(Value::spelled).unwrap_or_default();
        format!("data:{of};base64,{data}")
    };
    match (of, &*kind) {
        ("image", "base64") => write_image(&inline(), json),
        ("image", "url") => write_image(url.and_then(Value::spelled).unwrap_or_default(), json),
        ("document", "text") => {
            if title.is_some() {
                losses.drop("messages[].content[].document.title");
            }
            write_text(data, json);
        }
        ("document", "base64") => {
            json.open_object();
            json.member_string("type", "file");
            json.key("file");
            json.open_object();
            match title {
                Some(title) => json.member("filename", title.text()),
                None => json.member_string("filename", "document.pdf"),
            }
            json.member_spelled("file_data", &inline());
            json.close_object();
            json.close_object();
        }
        ("image", _) => losses.lose("messages[].content[].image.(other)")?,
        ("document", _) => losses.lose("messages[].content[].document.(other)")?,
        _ => losses.lose("messages[].content[].(other)")?,
    }
    Ok(())
}

fn write_image(url: &str, json: &mut Json) {
    json.open_object();
    json.member_string("type", "image_url");
    json.key("image_url");
    json.open_object();
    json.member_spelled("url", url);
    json.close_object();
    json.close_object();
}
