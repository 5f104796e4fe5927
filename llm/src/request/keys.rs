//! Which keys of an object repeat one: readers differ in which of them counts, and there are those that do
//! not look at case.

use std::borrow::Cow;
use std::collections::HashSet;

use formats::json::Raw;

/// The keys of one object so far.
#[derive(Debug, Default)]
pub(super) struct Keys<'t> {
    /// The first ones, which are compared one by one.
    few: Vec<Raw<'t>>,
    /// All of them, once they are many.
    many: HashSet<String>,
}

/// Up to this many keys, comparing is as quick as a table.
const FEW: usize = 32;

impl<'t> Keys<'t> {
    /// Whether this key came before, however it is spelled, and in any case.
    pub(super) fn repeats(&mut self, key: Raw<'t>) -> bool {
        if self.few.len() < FEW {
            let name = key.as_str().unwrap_or_default();
            let is_same = |it: &Raw<'_>| {
                let other = it.as_str().unwrap_or_default();
                other.eq_ignore_ascii_case(&name)
            };
            let repeats = self.few.iter().any(is_same);
            self.few.push(key);
            return repeats;
        }
        let name = |raw: &Raw<'t>| raw.as_str().unwrap_or_default().to_ascii_lowercase();
        if self.many.is_empty() {
            self.many.extend(self.few.iter().map(name));
        }
        !self.many.insert(name(&key))
    }
}

/// What a key of a message is for readers that do not look at case: members of messages are in small
/// letters.
pub(super) fn folded(key: Raw<'_>) -> Cow<'_, str> {
    let key = key.as_str().unwrap_or_default();
    match key.bytes().any(|it| it.is_ascii_uppercase()) {
        true => Cow::Owned(key.to_ascii_lowercase()),
        false => key,
    }
}

/// The members at the top of a body that say something of a request, in any dialect.
const MEMBERS: [&str; 18] = [
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "generationConfig",
    "generation_config",
    "generateContentRequest",
    "generate_content_request",
    "messages",
    "contents",
    "input",
    "prompt",
    "suffix",
    "prediction",
    "system",
    "instructions",
    "systemInstruction",
];

/// The member that a key names for readers that do not look at case; the key itself if there is none.
pub(super) fn member(key: &str) -> &str {
    let is_member = |it: &&&str| it.eq_ignore_ascii_case(key);
    MEMBERS.iter().find(is_member).copied().unwrap_or(key)
}

/// Whether a member of this name holds texts in some dialect.
pub(super) fn holds_texts(member: &str) -> bool {
    matches!(
        member,
        "messages"
            | "contents"
            | "input"
            | "prompt"
            | "suffix"
            | "prediction"
            | "system"
            | "instructions"
            | "systemInstruction"
            | "system_instruction"
    )
}
