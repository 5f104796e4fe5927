//! What a message of OpenAI's chat says: a text, or the parts of Mistral's reasoning models.

use crate::translate::json::Value;

/// What a piece of it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Thought,
    Text,
}

/// Calls back with each piece of a `content` as it is spelled. Parts of other kinds say nothing
/// that Anthropic's clients could be told.
pub(super) fn each(content: Value<'_>, said: &mut impl FnMut(Said, &str)) {
    texts(content, Said::Text, said);
    for part in content.items() {
        // Thoughts are texts in parts of their own.
        let [text, thinking] = part.members(["text", "thinking"]);
        if let Some(thinking) = thinking {
            texts(thinking, Said::Thought, said);
            for part in thinking.items() {
                if let Some(text) = part.get("text") {
                    texts(text, Said::Thought, said);
                }
            }
        }
        if let Some(text) = text {
            texts(text, Said::Text, said);
        }
    }
}

fn texts(value: Value<'_>, of: Said, said: &mut impl FnMut(Said, &str)) {
    if let Some(spelled) = value.spelled().filter(|it| !it.is_empty()) {
        said(of, spelled);
    }
}
