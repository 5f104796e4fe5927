//! Limits and the guard: what a request must not be or say. On the worker of the exchange.

use llm::apply::Verdict;
use llm::facts::Facts;
use llm::guard::NOT_ALLOWED;
use llm::place::Edits;
use llm::refusal::Refusal;
use llm::request::Request;

use super::denial::Denial;
use crate::ai::AiProgram;

/// Holds a request to the limits, and its prompts to the guard's rules.
pub(super) fn judge(
    program: &AiProgram,
    facts: &mut Facts,
    request: &Request,
    text: &str,
    is_count: bool,
    edits: &mut Edits,
) -> Result<(), Denial> {
    if let Some(limits) = &program.limits {
        let applied = limits.apply(request, text, is_count, edits);
        applied.map_err(|excess| Denial::new("limits", excess.reason(), excess.refusal()))?;
    }
    let Some(stage) = &program.guard else {
        return Ok(());
    };
    let reason = match stage.guard.judge(request, text) {
        Verdict::Pass => return Ok(()),
        Verdict::Denied(rule) => {
            facts.guard = Some(rule.to_owned());
            rule
        }
        Verdict::NotAllowed => {
            facts.guard = Some(NOT_ALLOWED.to_owned());
            NOT_ALLOWED
        }
        Verdict::TooDeep => "too_deep",
    };
    match stage.monitors {
        true => Ok(()),
        false => {
            let refusal = Refusal::new(stage.status, &*stage.message);
            Err(Denial::new("guard", reason, refusal))
        }
    }
}
