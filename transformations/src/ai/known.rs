//! Which facts anything makes known: who publishes another one waits for it in vain, and is told so.
//!
//! Asked when a configuration is compiled, on the main thread.

use llm::facts::Fact;

use crate::codes::Code;
use crate::diagnostics::{Diagnostic, Severity};

/// What there is that makes facts known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(super) usage: bool,
    pub(super) estimate: bool,
    pub(super) prices: bool,
    pub(super) guard: bool,
    pub(super) mask: bool,
}

/// What templates know of the exchange as LLM traffic, by the place where they stand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FactsHere {
    /// There is no `ai` block.
    NoBlock,
    /// It is a place that has none: a request, or an event of a stream.
    None,
    /// It is about a response.
    Some(Known),
}

impl Known {
    /// The field that is missing for a fact to become known.
    fn missing_for(&self, fact: Fact) -> Option<&'static str> {
        let (is_there, field) = match fact {
            Fact::Dialect
            | Fact::RequestModel
            | Fact::Model
            | Fact::Stream
            | Fact::Shadow
            | Fact::Refused => return None,
            Fact::ResponseModel
            | Fact::InputTokens
            | Fact::CachedTokens
            | Fact::CacheCreationTokens
            | Fact::OutputTokens
            | Fact::ReasoningTokens
            | Fact::TotalTokens
            | Fact::UsageStatus
            | Fact::FinishReason
            | Fact::TtftMs
            | Fact::TokensPerSecond => (self.usage, "usage"),
            Fact::EstimatedInputTokens => (self.estimate, "usage.estimate"),
            Fact::CostNanoUsd | Fact::CostMicroUsd | Fact::CostUsd | Fact::CostStatus => {
                (self.prices, "cost")
            }
            Fact::Guard => (self.guard, "guard"),
            Fact::Masked | Fact::MaskedKinds => (self.mask, "mask"),
        };
        (!is_there).then_some(field)
    }

    /// Why nothing is ever known of a fact, and what to do about it.
    fn problem(&self, fact: Fact) -> Option<(String, String)> {
        let field = self.missing_for(fact)?;
        let message = format!("nothing is known of {} without ai.{field}", fact.name());
        Some((message, format!("configure ai.{field}, or leave this out")))
    }

    /// The same of a response before it goes on.
    pub(crate) fn problem_in_response(&self, fact: Fact) -> Option<(String, String)> {
        let why = match fact {
            Fact::Refused => "a request that is refused has no response that passes here",
            Fact::TokensPerSecond => "it is known of streams alone, and when they are over",
            _ => return self.problem(fact),
        };
        let message = format!("{} is never known here", fact.name());
        Some((message, why.to_owned()))
    }

    /// Warns of a fact that nothing makes known.
    pub(super) fn warn(&self, fact: Fact, path: &str, found: &mut Vec<Diagnostic>) {
        found.extend(self.problem(fact).map(|it| never(path, it)));
    }

    /// The same of a header of the response.
    pub(super) fn warn_in_response(&self, fact: Fact, path: &str, found: &mut Vec<Diagnostic>) {
        found.extend(self.problem_in_response(fact).map(|it| never(path, it)));
    }
}

/// What is told of a fact that is never there.
fn never(path: &str, (message, help): (String, String)) -> Diagnostic {
    Diagnostic::error(Code::NEVER_KNOWN, path, message)
        .with_severity(Severity::Warning)
        .with_help(help)
}
