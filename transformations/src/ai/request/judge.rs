//! Limits and the guard: what a request must not be or say. On the worker of the exchange.

use llm::apply::Verdict;
use llm::facts::Facts;
use llm::guard::NOT_ALLOWED;
use llm::place::Edits;
use llm::refusal::Refusal;
use llm::request::Request;

use super::denial::Denial;
use crate::ai::AiProgram;
use crate::config::ai::stages::LimitRules;

/// Holds a request to the limits, and its prompts to the guard's rules.
pub(super) fn judge(
    program: &AiProgram,
    facts: &mut Facts,
    request: &Request,
    text: &str,
    is_count: bool,
    edits: &mut Edits,
) -> Result<(), Denial> {
    if let Some(LimitRules { limits, is_shadow }) = &program.limits {
        let mut own = Edits::new();
        let made = match is_shadow {
            true => &mut own,
            false => edits,
        };
        match limits.apply(request, text, is_count, made) {
            Err(excess) if *is_shadow => facts.add_shadow("limits", excess.reason()),
            Err(excess) => {
                return Err(Denial::new("limits", excess.reason(), excess.refusal()));
            }
            Ok(_) if !own.is_empty() => facts.add_shadow("limits", "clamped"),
            Ok(_) => {}
        }
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
