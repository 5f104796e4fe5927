//! How much a model of Anthropic's thinks: by a budget of tokens, or as it sees fit.
//!
//! Models since 4.6 see for themselves, and are told an effort; the latest refuse a budget. Models
//! before know nothing but budgets.

use crate::refusal::Refusal;
use crate::translate::json::Json;
use crate::translate::loss::Losses;

/// The least that may be thought.
const LEAST: u64 = 1024;

/// What is asked of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::translate) enum Thinking {
    /// So many tokens, at most.
    Budget(u64),
    /// So much effort.
    Effort(&'static str),
}

impl Thinking {
    /// What `reasoning_effort` asks of a model; none if that is no thought at all, or less than the
    /// least. `max_tokens` includes what is thought.
    fn of(effort: &str, model: &str, max_tokens: u64) -> Option<Thinking> {
        if effort == "none" {
            return None;
        }
        let version = version(model);
        if version.is_some_and(|it| it < (4, 6)) {
            let budget = match effort {
                "minimal" | "low" => LEAST,
                "medium" => 2048,
                "high" => 4096,
                "xhigh" => 8192,
                _ => 16384,
            };
            let budget = budget.min(max_tokens.saturating_sub(1));
            return (budget >= LEAST).then_some(Thinking::Budget(budget));
        }
        Some(Thinking::Effort(match effort {
            "minimal" | "low" => "low",
            "medium" => "medium",
            "high" => "high",
            "xhigh" if version.is_none_or(|it| it > (4, 6)) => "xhigh",
            _ => "max",
        }))
    }

    /// The same of a request, as far as it can be had: nobody thinks who must call, and models with a
    /// budget go on thinking only from what they thought. A client that lost that would not get an
    /// answer at all, so what it asks for is left out, whatever is done with others.
    pub(in crate::translate) fn asked(
        effort: &str,
        model: &str,
        max_tokens: Option<u64>,
        (must_call, lacks_thoughts): (bool, bool),
        losses: &mut Losses,
    ) -> Result<Option<Thinking>, Refusal> {
        const FIELD: &str = "reasoning_effort";
        let thinking = Thinking::of(effort, model, max_tokens.unwrap_or(u64::MAX));
        match thinking {
            None if effort == "none" => {}
            None => losses.drop(FIELD),
            Some(_) if must_call => losses.lose(FIELD)?,
            Some(Thinking::Budget(_)) if lacks_thoughts => losses.drop(FIELD),
            Some(_) => return Ok(thinking),
        }
        Ok(None)
    }

    /// How many tokens may be thought, as far as that is said.
    pub(in crate::translate) fn tokens(self) -> u64 {
        match self {
            Thinking::Budget(tokens) => tokens,
            Thinking::Effort(_) => 0,
        }
    }

    /// Writes the member `thinking`.
    pub(in crate::translate) fn write(self, json: &mut Json) {
        json.key("thinking");
        json.open_object();
        match self {
            Thinking::Budget(tokens) => {
                json.member_string("type", "enabled");
                json.member_number("budget_tokens", tokens);
            }
            Thinking::Effort(_) => json.member_string("type", "adaptive"),
        }
        json.close_object();
    }
}

/// Which version of its family a model is. The numbers stand before or behind the name of the
/// family, and a date is none of them.
pub(in crate::translate) fn version(model: &str) -> Option<(u32, u32)> {
    let (_, name) = model.rsplit_once("claude-")?;
    let mut numbers = name
        .split(|it: char| !it.is_ascii_alphanumeric())
        .map(|part| part.parse::<u32>().ok().filter(|_| part.len() <= 2))
        .skip_while(Option::is_none);
    let major = numbers.next()??;
    Some((major, numbers.next().flatten().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_before_and_behind_the_family() {
        let table = [
            ("claude-sonnet-4-5", Some((4, 5))),
            ("claude-sonnet-4-20250514", Some((4, 0))),
            ("claude-haiku-4-5-20251001", Some((4, 5))),
            ("claude-3-7-sonnet-20250219", Some((3, 7))),
            ("claude-3-opus-20240229", Some((3, 0))),
            ("claude-opus-4-1@20250805", Some((4, 1))),
            ("claude-opus-5", Some((5, 0))),
            ("eu.anthropic.claude-sonnet-4-6-v1:0", Some((4, 6))),
            ("arn:aws:bedrock:us:1:inference-profile/x", None),
            ("claude-next", None),
            ("mine", None),
        ];
        for (model, expected) in table {
            assert_eq!(version(model), expected, "{model}");
        }
    }

    #[test]
    fn models_think_by_what_they_know() {
        use Thinking::{Budget, Effort};
        let table = [
            ("low", "claude-sonnet-4-5", 4096, Some(Budget(1024))),
            ("medium", "claude-sonnet-4-5", 4096, Some(Budget(2048))),
            ("high", "claude-sonnet-4-5", 4096, Some(Budget(4095))),
            ("xhigh", "claude-sonnet-4-5", 32000, Some(Budget(8192))),
            ("max", "claude-sonnet-4-5", 32000, Some(Budget(16384))),
            ("high", "claude-sonnet-4-5", 1024, None),
            ("none", "claude-opus-5", 32000, None),
            ("minimal", "claude-opus-4-6", 1, Some(Effort("low"))),
            ("xhigh", "claude-opus-4-6", 1, Some(Effort("max"))),
            ("xhigh", "claude-opus-4-7", 1, Some(Effort("xhigh"))),
            ("xhigh", "mine", 1, Some(Effort("xhigh"))),
            ("max", "claude-opus-5", 1, Some(Effort("max"))),
        ];
        for (effort, model, max_tokens, expected) in table {
            assert_eq!(
                Thinking::of(effort, model, max_tokens),
                expected,
                "{effort} {model}"
            );
        }
    }
}
