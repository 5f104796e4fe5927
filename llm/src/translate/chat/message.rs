//! The messages of a chat request: their roles, and the parts that their contents are made of.

use std::borrow::Cow;

use crate::refusal::Refusal;

use super::tools::SIGNED;
use crate::translate::json::Value;
use crate::translate::loss::{Losses, invalid};

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::translate) enum Role {
    /// `system` and `developer`.
    System,
    User,
    Assistant,
    Tool,
}

/// A message, its members by name.
#[derive(Debug)]
pub(in crate::translate) struct Message<'t> {
    pub(in crate::translate) role: Role,
    pub(in crate::translate) parts: Vec<Part<'t>>,
    pub(in crate::translate) tool_calls: Vec<Value<'t>>,
    pub(in crate::translate) tool_call_id: Option<Cow<'t, str>>,
    pub(in crate::translate) thinking_blocks: Vec<Value<'t>>,
    pub(in crate::translate) reasoning: Option<Value<'t>>,
}

/// A part of the contents of a message.
#[derive(Debug)]
pub(in crate::translate) struct Part<'t> {
    pub(in crate::translate) content: Content<'t>,
    /// Anthropic's `cache_control`, which clients of gateways send in every dialect.
    pub(in crate::translate) cache: Option<Value<'t>>,
}

/// What a part is.
#[derive(Debug)]
pub(in crate::translate) enum Content<'t> {
    /// A string.
    Text(Value<'t>),
    Image(Source<'t>),
    /// A file, and what it is called.
    File(Source<'t>, Option<Value<'t>>),
    /// A string of base64, and the name of its format.
    Audio {
        data: Value<'t>,
        format: Cow<'t, str>,
    },
}

/// Where the bytes of a part are.
#[derive(Debug)]
pub(in crate::translate) enum Source<'t> {
    /// In the request: a media type, and base64.
    Inline {
        media_type: String,
        data: Cow<'t, str>,
    },
    /// Somewhere else.
    Url(Cow<'t, str>),
}

impl<'t> Message<'t> {
    /// Reads a message. What no target has a place for is lost.
    pub(in crate::translate) fn read(
        message: Value<'t>,
        losses: &mut Losses,
    ) -> Result<Message<'t>, Refusal> {
        let [
            role,
            content,
            refusal,
            name,
            audio,
            function_call,
            calls,
            id,
            blocks,
            reasoning,
            cache,
        ] = message.members([
            "role",
            "content",
            "refusal",
            "name",
            "audio",
            "function_call",
            "tool_calls",
            "tool_call_id",
            "thinking_blocks",
            "reasoning_content",
            "cache_control",
        ]);
        let role = match role.and_then(Value::string).as_deref() {
            Some("system" | "developer") => Role::System,
            Some("user") => Role::User,
            Some("assistant") => Role::Assistant,
            Some("tool") => Role::Tool,
            _ => return Err(invalid("messages[].role", "is none that is known")),
        };
        // The name of a tool is known from the call that its result answers.
        if name.is_some() && role != Role::Tool {
            losses.lose("messages[].name")?;
        }
        if audio.is_some() {
            losses.lose("messages[].audio")?;
        }
        if function_call.is_some() {
            losses.lose("messages[].function_call")?;
        }
        let mut parts = parts(content, losses)?;
        if let Some(refusal) = refusal.filter(|it| it.is_string()) {
            parts.push(Part::text(refusal));
        }
        if let (Some(cache), Some(last)) = (cache, parts.last_mut()) {
            last.cache = last.cache.or(Some(cache));
        }
        Ok(Message {
            role,
            parts,
            tool_calls: calls.map(Value::items).unwrap_or_default(),
            tool_call_id: id.and_then(Value::string),
            thinking_blocks: blocks.map(Value::items).unwrap_or_default(),
            reasoning: reasoning.filter(|it| it.is_string()),
        })
    }
}

/// What the model thought in an earlier turn, with the provider's word for it. All texts are as
/// they are spelled, quotes included.
#[derive(Debug)]
pub(in crate::translate) enum Thought<'t> {
    Signed {
        text: &'t str,
        signature: &'t str,
    },
    /// Nobody may read it.
    Redacted(&'t str),
}

impl<'t> Message<'t> {
    /// The id of the call that a result answers, without the signature that may travel in it.
    pub(in crate::translate) fn answered_call(&self) -> &str {
        let id = self.tool_call_id.as_deref().unwrap_or_default();
        id.split_once(SIGNED).map_or(id, |(id, _)| id)
    }

    /// What was thought, as far as it is signed: nothing else may be sent back.
    pub(in crate::translate) fn thoughts(&self) -> Vec<Thought<'t>> {
        let is_only = self.thinking_blocks.len() == 1;
        let mut thoughts = Vec::new();
        for block in &self.thinking_blocks {
            let [of, thinking, signature, data] =
                block.members(["type", "thinking", "signature", "data"]);
            let of = of.and_then(Value::string).unwrap_or_default();
            let signature = signature.filter(|it| it.is_string() && !it.is_blank());
            match (&*of, signature, data.filter(|it| it.is_string())) {
                ("thinking", Some(signature), _) => {
                    // Clients that put a stream together by themselves may have the text but
                    // elsewhere.
                    let text = thinking.filter(|it| it.is_string() && !it.is_blank());
                    let text = text.or(self.reasoning.filter(|_| is_only));
                    thoughts.push(Thought::Signed {
                        text: text.map_or("\"\"", Value::text),
                        signature: signature.text(),
                    });
                }
                ("redacted_thinking", _, Some(data)) => {
                    thoughts.push(Thought::Redacted(data.text()));
                }
                _ => {}
            }
        }
        thoughts
    }
}

impl<'t> Part<'t> {
    /// The text that a message of this role must be.
    pub(in crate::translate) fn as_text(&self, role: &str) -> Result<Value<'t>, Refusal> {
        match &self.content {
            Content::Text(text) => Ok(*text),
            _ => {
                let should = format!("of a {role} message must be text");
                Err(invalid("messages[].content", &should))
            }
        }
    }

    fn text(text: Value<'t>) -> Part<'t> {
        Part {
            content: Content::Text(text),
            cache: None,
        }
    }
}

fn parts<'t>(content: Option<Value<'t>>, losses: &mut Losses) -> Result<Vec<Part<'t>>, Refusal> {
    let Some(content) = content else {
        return Ok(Vec::new());
    };
    if content.is_string() {
        return Ok(vec![Part::text(content)]);
    }
    if !content.is_array() {
        let should = "must be a string or a list of parts";
        return Err(invalid("messages[].content", should));
    }
    let mut parts = Vec::new();
    for part in content.items() {
        parts.extend(read_part(part, losses)?);
    }
    Ok(parts)
}

/// None if the part is lost.
fn read_part<'t>(part: Value<'t>, losses: &mut Losses) -> Result<Option<Part<'t>>, Refusal> {
    let [of, text, refusal, image, file, audio, cache] = part.members([
        "type",
        "text",
        "refusal",
        "image_url",
        "file",
        "input_audio",
        "cache_control",
    ]);
    let content = match of.and_then(Value::string).as_deref() {
        Some("text") => text.filter(|it| it.is_string()).map(Content::Text),
        Some("refusal") => refusal.filter(|it| it.is_string()).map(Content::Text),
        // Some clients give the address alone.
        Some("image_url") => image
            .and_then(|it| it.get("url").or(Some(it)))
            .and_then(Value::string)
            .map(|url| Content::Image(source(url))),
        Some("file") => {
            let [data, name, id] = file.map_or([None; 3], |it| {
                it.members(["file_data", "filename", "file_id"])
            });
            if data.is_none() && id.is_some() {
                losses.lose("messages[].content[].file.file_id")?;
                return Ok(None);
            }
            let data = data.and_then(Value::string);
            data.map(|data| Content::File(source(data), name))
        }
        Some("input_audio") => {
            let [data, format] = audio.map_or([None; 2], |it| it.members(["data", "format"]));
            let format = format.and_then(Value::string);
            let both = data.filter(|it| it.is_string()).zip(format);
            both.map(|(data, format)| Content::Audio { data, format })
        }
        _ => {
            losses.lose("messages[].content[].(other)")?;
            return Ok(None);
        }
    };
    match content {
        Some(content) => Ok(Some(Part { content, cache })),
        None => Err(invalid(
            "messages[].content",
            "has a part without what its type says",
        )),
    }
}

/// Reads `data:<media type>;base64,<data>`; everything else is an address.
fn source(url: Cow<'_, str>) -> Source<'_> {
    let Some((media_type, start)) = inline(&url) else {
        return Source::Url(url);
    };
    let data = match url {
        Cow::Borrowed(url) => Cow::Borrowed(url.get(start..).unwrap_or_default()),
        Cow::Owned(url) => Cow::Owned(url.get(start..).unwrap_or_default().to_owned()),
    };
    Source::Inline { media_type, data }
}

/// The media type, and where the base64 begins.
fn inline(url: &str) -> Option<(String, usize)> {
    let scheme = url.get(..5)?;
    if !scheme.eq_ignore_ascii_case("data:") {
        return None;
    }
    let comma = url.find(',')?;
    let head = url.get(5..comma)?;
    let (media_type, encoding) = head.rsplit_once(';')?;
    if !encoding.eq_ignore_ascii_case("base64") {
        return None;
    }
    let media_type = media_type.split(';').next().unwrap_or_default();
    let media_type = match media_type.trim().to_ascii_lowercase() {
        it if it == "image/jpg" => "image/jpeg".to_owned(),
        it => it,
    };
    Some((media_type, comma + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_data_are_taken_apart() {
        let table = [
            ("data:image/png;base64,aGk=", Some(("image/png", "aGk="))),
            ("DATA:image/JPG;Base64,aGk=", Some(("image/jpeg", "aGk="))),
            (
                "data:text/plain;charset=utf-8;base64,aGk=",
                Some(("text/plain", "aGk=")),
            ),
            ("data:text/plain,hi", None),
            ("https://host/a.png?data:,", None),
            ("data:", None),
            ("ß", None),
        ];
        for (url, expected) in table {
            let found = match source(Cow::Borrowed(url)) {
                Source::Inline { media_type, data } => Some((media_type, data.into_owned())),
                Source::Url(it) => {
                    assert_eq!(it, url);
                    None
                }
            };
            let expected = expected.map(|(of, data)| (of.to_owned(), data.to_owned()));
            assert_eq!(found, expected, "{url}");
        }
    }
}
