//! The members that an operator adds to requests: `defaults` to the client's, `set` to the provider's.
//!
//! On the worker of the stream, once for each attempt; pure. A request to count tokens gets none of
//! them, since it takes little more than what is counted, and one for embeddings no defaults.

use formats::json::{Document, Edits};
use llm::dialect::Dialect;
use llm::translate::{Provider, Translation};

use super::compile::Target;

/// How dialects name how many tokens an answer may have.
pub(super) const LIMITS: [&str; 3] = ["max_tokens", "max_completion_tokens", "max_output_tokens"];

/// What the elder completions of OpenAI's know at the top, besides a limit and what is asked.
const COMPLETIONS: &[&str] = &[
    "best_of",
    "echo",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "model",
    "n",
    "presence_penalty",
    "seed",
    "stop",
    "stream",
    "stream_options",
    "suffix",
    "temperature",
    "top_p",
    "user",
];
/// The same of OpenAI's Responses.
const RESPONSES: &[&str] = &[
    "background",
    "context_management",
    "include",
    "instructions",
    "max_tool_calls",
    "metadata",
    "model",
    "parallel_tool_calls",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];
/// The same of Anthropic's Messages.
const MESSAGES: &[&str] = &[
    "cache_control",
    "container",
    "context_management",
    "inference_geo",
    "mcp_servers",
    "metadata",
    "model",
    "output_config",
    "service_tier",
    "stop_sequences",
    "stream",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
];
/// The same of Gemini's.
const GEMINI: &[&str] = &[
    "cachedContent",
    "generationConfig",
    "labels",
    "safetySettings",
    "systemInstruction",
    "toolConfig",
    "tools",
];

impl Target {
    /// The client's body, with what it leaves to the configuration.
    pub(super) fn with_defaults(&self, body: Vec<u8>, translation: &Translation) -> Vec<u8> {
        let client = translation.client();
        let defaults = self.rules.defaults.iter();
        let defaults = defaults.map(|(name, value)| (name.as_str(), value.as_str()));
        let (limits, others): (Vec<_>, Vec<_>) =
            defaults.partition(|(name, _)| LIMITS.contains(name));
        // Of several limits, the first.
        let limit = limits.first().filter(|_| !self.tells_limit(translation));
        let limit = limit.and_then(|(name, value)| Some((limit_of(client, name)?, *value)));
        let others = others.into_iter().filter(|(name, _)| knows(client, name));
        edited(body, limit.into_iter().chain(others), |root, name| {
            let is_there = |name: &str| root.get(name).is_some_and(|it| !it.is_null());
            match LIMITS.contains(&name) {
                true => !LIMITS.into_iter().any(is_there),
                false => !is_there(name),
            }
        })
    }

    /// Whether the limit is an option of the translation: there, what is thought takes nothing away
    /// from what the default allows to be said, as it does from what a client allows.
    fn tells_limit(&self, translation: &Translation) -> bool {
        let thinks_beside = matches!(
            translation.provider(),
            Provider::Anthropic
                | Provider::VertexAnthropic
                | Provider::BedrockAnthropic
                | Provider::Bedrock
        );
        translation.client() == Dialect::OpenaiChat && thinks_beside && self.max_tokens.is_some()
    }

    /// Puts the operator's members into the body for the provider.
    pub(super) fn set(&self, body: &mut Vec<u8>) {
        let set = self.rules.set.iter();
        let set = set.map(|(name, value)| (name.as_str(), value.as_str()));
        *body = edited(std::mem::take(body), set, |_, _| true);
    }
}

/// What a limit is called in a dialect; none where it has no place at the top.
fn limit_of(client: Dialect, name: &str) -> Option<&'static str> {
    match client {
        Dialect::OpenaiChat if name == "max_tokens" => Some("max_tokens"),
        Dialect::OpenaiChat => Some("max_completion_tokens"),
        Dialect::OpenaiCompletions | Dialect::AnthropicMessages => Some("max_tokens"),
        Dialect::OpenaiResponses => Some("max_output_tokens"),
        Dialect::OpenaiEmbeddings | Dialect::Gemini => None,
    }
}

/// Whether a dialect knows a member. Servers that are compatible with OpenAI's chat have members of
/// their own there.
fn knows(client: Dialect, name: &str) -> bool {
    match client {
        Dialect::OpenaiChat => true,
        Dialect::OpenaiCompletions => COMPLETIONS.contains(&name),
        Dialect::OpenaiResponses => RESPONSES.contains(&name),
        Dialect::AnthropicMessages => MESSAGES.contains(&name),
        Dialect::Gemini => GEMINI.contains(&name),
        Dialect::OpenaiEmbeddings => false,
    }
}

/// The body with these members. What is no object stays as it is: it will be refused.
fn edited<'m>(
    body: Vec<u8>,
    members: impl Iterator<Item = (&'m str, &'m str)>,
    wants: impl Fn(&formats::json::Node, &str) -> bool,
) -> Vec<u8> {
    let mut members = members.peekable();
    if members.peek().is_none() {
        return body;
    }
    let Ok(document) = Document::parse(body.as_slice()) else {
        return body;
    };
    let root = document.root();
    let mut edits = Edits::new(&document);
    for (name, value) in members {
        if wants(&root, name) && edits.set(&root, name, value).is_err() {
            return body;
        }
    }
    edits.finish().to_vec()
}
