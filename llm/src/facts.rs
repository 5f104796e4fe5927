//! The facts of one exchange: what is published, and under which names.
//!
//! Written by the stages of an exchange as it goes on, read by whoever publishes: metadata, headers,
//! statistics, templates. One [table](Fact) says every name, so that they cannot differ.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

mod cost;
mod table;
#[cfg(test)]
mod tests;

pub use cost::{Cost, usd};
pub use table::{Fact, FactKind, FactTime, FactValue};

use crate::dialect::Dialect;
use crate::usage::{Metered, UsageStatus};

/// Everything that is known of one exchange. What is not known is none, never 0.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// What the client speaks.
    pub dialect: Option<Dialect>,
    /// The model that the client asked for.
    pub request_model: Option<String>,
    /// The model that goes upstream.
    pub model: Option<String>,
    /// The model that answered, as it names itself.
    pub response_model: Option<String>,
    /// Whether the answer is a stream.
    pub stream: Option<bool>,
    /// What it took; none before the end.
    pub metered: Option<Metered>,
    /// Why the answer ended, in the words of its dialect.
    pub finish_reason: Option<String>,
    /// What it cost.
    pub cost: Option<Cost>,
    /// From the first hook to the first text or tool call of the answer.
    pub time_to_first_token: Option<Duration>,
    /// From there to the end of the answer.
    pub generation_time: Option<Duration>,
    /// How often each kind was masked, hashed, or found where only that is wanted; none without a
    /// mask.
    pub masked: Option<BTreeMap<Cow<'static, str>, u64>>,
    /// The rule of the guard that matched.
    pub guard: Option<String>,
    /// Who refused it and why: `<stage>:<reason>`.
    pub refused: Option<String>,
    /// What stages that only look on would have done, in their order: `<stage>:<what>`, with commas between.
    pub shadow: Option<String>,
    /// What the texts of the request are taken for, told before it goes upstream.
    pub estimated_input_tokens: Option<u64>,
}

impl Facts {
    /// Every fact that is known, in the order of the table.
    pub fn known(&self) -> impl Iterator<Item = (Fact, FactValue<'_>)> {
        Fact::ALL
            .iter()
            .filter_map(|fact| Some((*fact, fact.of(self)?)))
    }

    /// Notes what a stage that only looks on would have done.
    pub fn add_shadow(&mut self, stage: &str, what: &str) {
        let all = self.shadow.get_or_insert_default();
        let comma = if all.is_empty() { "" } else { "," };
        // Writing to a string does not fail.
        let _ = write!(all, "{comma}{stage}:{what}");
    }

    /// Counts what was masked.
    pub fn add_masked(&mut self, kind: impl Into<Cow<'static, str>>, count: u64) {
        let kinds = self.masked.get_or_insert_default();
        let sum = kinds.entry(kind.into()).or_default();
        *sum = sum.saturating_add(count);
    }

    /// None before the first token, without usage that was told, and for answers that came at once.
    fn tokens_per_second(&self) -> Option<f64> {
        let metered = self.metered?;
        let tokens = metered.usage?.output_tokens;
        let seconds = self.generation_time?.as_secs_f64();
        let is_told = metered.status == UsageStatus::Complete;
        // Counts are below 2^53, so the float is exact.
        let rate = tokens as f64 / seconds;
        (is_told && tokens > 0 && seconds > 0.0).then_some((rate * 10.0).round() / 10.0)
    }

    fn masked_kinds(&self) -> Option<String> {
        let mut kinds = String::new();
        for (kind, count) in self
            .masked
            .as_ref()?
            .iter()
            .filter(|(_, count)| **count > 0)
        {
            let comma = if kinds.is_empty() { "" } else { "," };
            // Writing to a string cannot fail.
            let _ = write!(kinds, "{comma}{kind}={count}");
        }
        (!kinds.is_empty()).then_some(kinds)
    }
}
