//! Which facts anything makes known: who publishes another one waits for it in vain, and is told so.
//!
//! Asked when a configuration is compiled, on the main thread.

use llm::facts::Fact;

use crate::codes::Code;
use crate::diagnostics::{Diagnostic, Severity};

/// What there is that makes facts known.
pub(super) struct Known {
    pub(super) usage: bool,
    pub(super) estimate: bool,
    pub(super) prices: bool,
    pub(super) guard: bool,
    pub(super) mask: bool,
}

impl Known {
    /// The field that is missing for a fact to become known.
    fn missing_for(&self, fact: Fact) -> Option<&'static str> {
        let (is_there, field) = match fact {
            Fact::Dialect | Fact::RequestModel | Fact::Model | Fact::Stream | Fact::Refused => {
                return None;
            }
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
            Fact::Shadow | Fact::Masked | Fact::MaskedKinds => (self.mask, "mask"),
        };
        (!is_there).then_some(field)
    }

    /// Warns of a fact that nothing makes known.
    pub(super) fn warn(&self, fact: Fact, path: &str, found: &mut Vec<Diagnostic>) {
        if let Some(field) = self.missing_for(fact) {
            let message = format!("nothing is known of {} without ai.{field}", fact.name());
            let help = format!("configure ai.{field}, or leave this out");
            found.push(never(path, message).with_help(help));
        }
    }
}

/// What is told of a fact that is never there.
pub(super) fn never(path: &str, message: String) -> Diagnostic {
    Diagnostic::error(Code::NEVER_KNOWN, path, message).with_severity(Severity::Warning)
}
