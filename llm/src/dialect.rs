//! The dialects: what clients and providers of LLMs speak.
//!
//! Which one a request speaks is told by its [path](path::PathFacts), and where the path says nothing by
//! its [body]. Both are asked on the worker thread of a request, once.

use std::fmt;

pub mod body;
pub mod path;

/// A dialect, for JSON and for Server-Sent Events alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `POST …/chat/completions` of OpenAI, and of all who are compatible with it.
    OpenaiChat,
    /// `POST …/responses` of OpenAI.
    OpenaiResponses,
    /// `POST …/completions` of OpenAI, the elder one.
    OpenaiCompletions,
    /// `POST …/embeddings` of OpenAI.
    OpenaiEmbeddings,
    /// `POST …/messages` of Anthropic.
    AnthropicMessages,
    /// `POST …:generateContent` and `…:streamGenerateContent` of Google.
    Gemini,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Dialect; 6] = [
        Dialect::OpenaiChat,
        Dialect::OpenaiResponses,
        Dialect::OpenaiCompletions,
        Dialect::OpenaiEmbeddings,
        Dialect::AnthropicMessages,
        Dialect::Gemini,
    ];

    /// The name in configurations and in what is published.
    pub const fn name(self) -> &'static str {
        match self {
            Dialect::OpenaiChat => "openai-chat",
            Dialect::OpenaiResponses => "openai-responses",
            Dialect::OpenaiCompletions => "openai-completions",
            Dialect::OpenaiEmbeddings => "openai-embeddings",
            Dialect::AnthropicMessages => "anthropic-messages",
            Dialect::Gemini => "gemini",
        }
    }

    /// The dialect of this name.
    pub fn named(name: &str) -> Option<Dialect> {
        Dialect::ALL.into_iter().find(|it| it.name() == name)
    }

    /// Whether a streamed answer tells its usage only to those who ask with
    /// `stream_options.include_usage`.
    pub fn asks_for_usage(self) -> bool {
        matches!(self, Dialect::OpenaiChat | Dialect::OpenaiCompletions)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The dialect of a request: what its path says, else what its body looks like. None if neither tells.
///
/// Where the path is known to be of a dialect that is not one of ours (Bedrock's), the body is not
/// asked: it looks like one of ours, and its stream does not.
///
/// # Cost
/// One pass over the body, if the path does not tell.
pub fn detect(path: &path::PathFacts<'_>, body: &str) -> Option<Dialect> {
    match path.dialect {
        Some(dialect) => Some(dialect),
        None if path.is_foreign => None,
        None => body::detect(body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_dialects() {
        for dialect in Dialect::ALL {
            assert_eq!(Dialect::named(dialect.name()), Some(dialect));
            assert_eq!(dialect.to_string(), dialect.name());
        }
        assert_eq!(Dialect::named("openai_chat"), None);
    }

    #[test]
    fn the_path_goes_before_the_body_and_bedrock_has_none_of_ours() {
        let body = r#"{"messages": [{"role": "user", "content": "hi"}]}"#;
        let of = |path: &str| detect(&path::PathFacts::of(path), body);
        assert_eq!(of("/v1/messages"), Some(Dialect::AnthropicMessages));
        assert_eq!(of("/ask"), Some(Dialect::OpenaiChat));
        assert_eq!(of("/model/anthropic.claude-3/converse"), None);
    }
}
