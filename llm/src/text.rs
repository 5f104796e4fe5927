//! The texts of messages: what people and models say, wherever a dialect puts it.
//!
//! Guards, masks and estimates look at texts and at nothing else of a message. What is no text: media
//! in base64, links, ids, names of models and tools, signatures. What no dialect of ours knows is taken
//! for text where it could be: whoever looks for what must not pass sees too much rather than too
//! little.

use formats::json::{Fault, Kind, Raw, Reader};

use crate::place::Place;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The operator: `system` and `developer`, `instructions`, `systemInstruction`.
    System,
    /// The client.
    User,
    /// The model.
    Assistant,
    /// What a tool gave back.
    Tool,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 4] = [Role::System, Role::User, Role::Assistant, Role::Tool];

    /// The name in configurations.
    pub const fn name(self) -> &'static str {
        match self {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        }
    }

    /// The role that a message of any dialect names. What is not known could be anybody's, and is the
    /// client's, whom everybody looks at.
    pub(crate) fn spoken(raw: Raw<'_>) -> Role {
        match &*raw.as_str().unwrap_or_default() {
            "system" | "developer" => Role::System,
            "assistant" | "model" => Role::Assistant,
            "tool" | "function" => Role::Tool,
            _ => Role::User,
        }
    }
}

/// What kind of text it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextKind {
    /// What is said.
    Text,
    /// Why nothing is said.
    Refusal,
    /// What was thought before; some providers sign it, and refuse it when it was changed.
    Reasoning,
    /// The arguments of a tool call, as JSON in a string: what is put into it is escaped once more.
    Arguments,
    /// A string in the arguments of a tool call that are JSON themselves, or arguments that are free
    /// text.
    Value,
    /// What a tool gave back.
    ToolResult,
}

/// A string of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// Where the string stands, its quotes included.
    pub place: Place,
    /// Who says it.
    pub role: Role,
    /// What it is.
    pub kind: TextKind,
    /// The message that it is in, counted from 0; none outside of messages (`system`, `instructions`,
    /// `prompt`).
    pub message: Option<usize>,
}

/// Collects the strings below a value that no dialect of ours knows.
///
/// With `keys`, members whose keys tell that they are no text are left out; without, as for what
/// clients define themselves, everything is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaves {
    pub(crate) keys: bool,
}

/// What was too deep to be looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Depth(usize);

impl Depth {
    /// At the top of a body.
    pub(crate) const TOP: Depth = Depth(0);

    /// One level further in; none if that is too deep.
    pub(crate) fn below(self) -> Option<Depth> {
        (self.0 < formats::json::MAX_DEPTH).then_some(Depth(self.0 + 1))
    }
}

impl Leaves {
    /// Calls `found` for each string. False if something nests too deeply to be looked into.
    pub(crate) fn read<'t>(
        self,
        depth: Depth,
        reader: &mut Reader<'t>,
        found: &mut dyn FnMut(Raw<'t>),
    ) -> Result<bool, Fault> {
        let mut all = true;
        match (reader.kind(), depth.below()) {
            (Kind::String, _) => {
                let raw = reader.value()?;
                if !is_media(raw) {
                    found(raw);
                }
            }
            (Kind::Array, Some(depth)) => reader.items(|_, reader| {
                all &= self.read(depth, reader, found)?;
                Ok(())
            })?,
            (Kind::Object, Some(depth)) => reader.entries(|key, reader| {
                if !self.keys || is_text_key(key) {
                    all &= self.read(depth, reader, found)?;
                }
                Ok(())
            })?,
            (Kind::Array | Kind::Object, None) => all = false,
            _ => {}
        }
        Ok(all)
    }
}

/// Whether a string is media: a `data:` URL (RFC 2397) of a media type and of base64 to its end, longer than
/// what anybody would write instead. Whatever else begins like one is text, so that nothing hides behind it,
/// nor behind escapes.
fn is_media(raw: Raw<'_>) -> bool {
    const SHORTEST: usize = 256;
    let link = raw.text().strip_prefix("\"data:");
    let Some((of, data)) = link.and_then(|link| link.split_once(";base64,")) else {
        return false;
    };
    let Some(data) = data.strip_suffix('"') else {
        return false;
    };
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte);
    // A slash may be escaped, and nothing else has to be.
    let all_base64 = data.split("\\/").all(|it| it.bytes().all(is_base64));
    data.len() >= SHORTEST && all_base64 && is_media_type(of)
}

/// Whether a text is a media type as files have them: names of letters for the most part, which no value of
/// any kind is.
fn is_media_type(text: &str) -> bool {
    const LONGEST: usize = 100;
    let is_name = |it: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte);
        let digits = it.bytes().filter(u8::is_ascii_digit).count();
        !it.is_empty() && digits <= 4 && it.bytes().all(plain)
    };
    let mut parameters = text.split(';');
    let (top, sub) = parameters
        .next()
        .and_then(|it| it.split_once('/'))
        .unwrap_or_default();
    let top = top.strip_suffix('\\').unwrap_or(top);
    let named = |it: &str| {
        it.split_once('=')
            .is_some_and(|(name, value)| is_name(name) && is_name(value))
    };
    text.len() <= LONGEST && is_name(top) && is_name(sub) && parameters.all(named)
}

/// Whether a member of this key could be text.
fn is_text_key(key: Raw<'_>) -> bool {
    let key = key.as_str().unwrap_or_default();
    let endings = ["_id", "Id", "_url", "Url", "_uri", "Uri", "_json"];
    let is_reference =
        matches!(&*key, "id" | "url" | "uri") || endings.into_iter().any(|it| key.ends_with(it));
    let is_known = matches!(
        &*key,
        "type"
            | "role"
            | "name"
            | "model"
            | "status"
            | "object"
            | "format"
            | "detail"
            | "data"
            | "file_data"
            | "inlineData"
            | "inline_data"
            | "fileData"
            | "encrypted_content"
            | "signature"
            | "thoughtSignature"
            | "thought_signature"
            | "media_type"
            | "mime_type"
            | "mimeType"
            | "cache_control"
            | "cache_reference"
            | "logprobs"
            | "index"
    );
    !is_reference && !is_known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hides_behind_the_looks_of_media() {
        let media =
            |data: &str| is_media(Raw::of_value(&format!("\"data:image/png;base64,{data}\"")));
        assert!(media(&"aGk+\\/".repeat(60)));
        assert!(!media("4111111111111111"));
        assert!(!media(&format!("{} jo@example.com", "aGk=".repeat(100))));
        assert!(!media(&format!("{}\\njo", "aGk= ".repeat(100))));
        let plain = format!("\"data:text/plain,{}\"", "a".repeat(300));
        assert!(!is_media(Raw::of_value(&plain)));
        for escaped in ["jo\\u0040example\\u002ecom", "\\n4111111111111111\\n"] {
            assert!(!media(&format!("{}{escaped}", "aGk=".repeat(100))));
        }
        let of = |head: &str| {
            let data = "aGk=".repeat(100);
            is_media(Raw::of_value(&format!("\"data:{head};base64,{data}\"")))
        };
        for head in ["image/png", "image\\/svg+xml", "text/plain;charset=utf-8"] {
            assert!(of(head), "{head}");
        }
        for head in [
            "write to jo@example.com",
            "a/4111111111111111",
            "a/b; +49 170 1234567",
            "a",
            "",
        ] {
            assert!(!of(head), "{head}");
        }
    }
}
