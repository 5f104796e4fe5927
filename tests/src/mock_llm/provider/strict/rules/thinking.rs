//! How models of Anthropic's may be told to think, and what they want back of what they thought.
//!
//! Called for Messages and for Converse; pure.

use serde_json::Value;

use crate::mock_llm::provider::speech::signature;
use crate::mock_llm::provider::strict::door::Refused;

/// What bears on thinking.
pub(super) struct Told<'a> {
    pub(super) model: &'a str,
    /// The member `thinking`.
    pub(super) thinking: &'a Value,
    pub(super) max_tokens: Option<u64>,
    pub(super) temperature: &'a Value,
    pub(super) top_p: &'a Value,
    pub(super) top_k: &'a Value,
    /// A call is forced.
    pub(super) is_forced: bool,
    /// The last answer of the model calls tools, and begins with something else than a thought.
    pub(super) lacks_thoughts: bool,
}

impl Told<'_> {
    /// Whether thoughts are wanted.
    pub(super) fn thinks(&self) -> bool {
        matches!(self.thinking["type"].as_str(), Some("enabled" | "adaptive"))
    }

    /// Checks what is told.
    pub(super) fn check(&self) -> Result<(), Refused> {
        let bad = |message: &str| Err(Refused::bad(message));
        // The latest take nothing of the kind and think as they see fit; those before take one of the
        // two, and a budget.
        let is_latest = self.model.contains("opus-4-8");
        let sampling = [self.temperature, self.top_p, self.top_k];
        if is_latest && sampling.iter().any(|told| !told.is_null()) {
            return bad("`temperature`, `top_p` and `top_k` are not supported on this model.");
        }
        if !self.temperature.is_null() && !self.top_p.is_null() {
            return bad(
                "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
            );
        }
        if !self.thinks() {
            return Ok(());
        }
        let is_adaptive = self.thinking["type"] == "adaptive";
        if is_adaptive != is_latest {
            return bad("this type of thinking is not supported on this model");
        }
        let budget = self.thinking["budget_tokens"].as_u64();
        if let (Some(budget), Some(most)) = (budget, self.max_tokens)
            && most <= budget
        {
            return bad("`max_tokens` must be greater than `thinking.budget_tokens`.");
        }
        if self.temperature.as_f64().is_some_and(|it| it != 1.0) {
            return bad("`temperature` may only be set to 1 when thinking is enabled.");
        }
        if self.top_p.as_f64().is_some_and(|it| it < 0.95) {
            return bad("`top_p` must be at least 0.95 when thinking is enabled.");
        }
        if !self.top_k.is_null() {
            return bad("`top_k` must be unset when thinking is enabled.");
        }
        if self.is_forced {
            return bad("Thinking may not be enabled when tool_choice forces tool use.");
        }
        if self.lacks_thoughts && !is_adaptive {
            return bad(
                "Expected `thinking` or `redacted_thinking`, but found `tool_use`. A final assistant message must start with a thinking block.",
            );
        }
        Ok(())
    }
}

/// Checks that a thought comes back as it was signed.
pub(super) fn check_signed(thought: &Value, signed: &Value) -> Result<(), Refused> {
    let (thought, signed) = (thought.as_str(), signed.as_str());
    match thought.is_some_and(|thought| signed == Some(&signature(thought))) {
        true => Ok(()),
        false => Err(Refused::bad("Invalid `signature` in `thinking` block")),
    }
}
