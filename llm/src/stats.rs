//! What is counted of an exchange when it is over, and under which names and labels.
//!
//! One [table](Metric) says every metric, for whoever defines them and for the documentation. [`count`]
//! answers what one exchange adds; its host keeps the counters. Labels are bounded: what is not among
//! the [names](Labels) that a configuration told beforehand is `other`.

use crate::facts::{Cost, Facts};
use crate::usage::UsageStatus;

mod labels;
#[cfg(test)]
mod tests;

pub use labels::{Labels, MAX_NAMES, Names, OTHER};

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// A sum that only grows.
    Counter,
    /// A distribution of values.
    Histogram,
}

/// Declares the metrics: each with its name, its kind, what its label `type` tells if it has one, what
/// it counts, and what it stands for in OpenTelemetry's conventions.
macro_rules! metrics {
    ($($metric:ident $name:literal $kind:ident $by:expr, $says:literal $otel:expr;)*) => {
        /// Something that is counted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Metric { $(#[doc = $says] $metric,)* }

        impl Metric {
            /// Every metric, in the order of documentation.
            pub const ALL: [Metric; [$(Metric::$metric),*].len()] = [$(Metric::$metric),*];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self { $(Metric::$metric => $name,)* }
            }

            /// What it is.
            pub const fn kind(self) -> MetricKind {
                match self { $(Metric::$metric => MetricKind::$kind,)* }
            }

            /// What its label `type` tells; none if it has no such label.
            pub const fn by(self) -> Option<&'static str> {
                match self { $(Metric::$metric => $by,)* }
            }

            /// What it counts, for documentation.
            pub const fn describe(self) -> &'static str {
                match self { $(Metric::$metric => $says,)* }
            }

            /// The metric of OpenTelemetry's conventions for generative AI that it stands for.
            pub const fn stands_for(self) -> Option<&'static str> {
                match self { $(Metric::$metric => $otel,)* }
            }
        }
    };
}

metrics! {
    Requests "rustformations_ai_requests" Counter None,
        "Exchanges, refused ones included."
        Some("the count of `gen_ai.client.operation.duration`");
    Tokens "rustformations_ai_tokens" Counter
        Some("`input`, `output`; of the input `cached` and `cache_creation`, of the output `reasoning`"),
        "Tokens, told or guessed."
        Some("the sum of `gen_ai.client.token.usage`, `type` being `gen_ai.token.type`");
    Cost "rustformations_ai_cost_nano_usd" Counter None,
        "What they cost, in billionths of a dollar." None;
    Usage "rustformations_ai_usage" Counter Some("the `usage_status`"),
        "Exchanges, by what is to be believed of their usage." None;
    Masked "rustformations_ai_masked" Counter Some("the kind, such as `EMAIL`"),
        "Values that were masked." None;
    Guard "rustformations_ai_guard" Counter Some("the name of the rule, or `not_allowed`"),
        "Prompts that the guard found something in." None;
    Refused "rustformations_ai_refused" Counter Some("the stage"),
        "Requests that a stage refused." Some("`error.type`");
    Shadow "rustformations_ai_shadow" Counter Some("the stage and what it is: see [Trying out](#trying-out)"),
        "What stages with `shadow` would have done." None;
    TimeToFirstToken "rustformations_ai_ttft_ms" Histogram None,
        "Milliseconds from the first hook to the first text or tool call."
        Some("`gen_ai.server.time_to_first_token`, which is in seconds");
    TimePerOutputToken "rustformations_ai_time_per_output_token_us" Histogram None,
        "Microseconds for each token of a stream behind its first."
        Some("`gen_ai.server.time_per_output_token`, which is in seconds");
}

impl Metric {
    /// The names of its labels, in the order in which values are given.
    pub const fn labels(self) -> &'static [&'static str] {
        match self.by() {
            Some(_) => &["dialect", "model", "type"],
            None => &["dialect", "model"],
        }
    }
}

/// The dialect of what is of none, and refused for that.
const UNKNOWN: &str = "unknown";

/// Tells what an exchange adds to which metric, under which values of its labels. Nothing, if it is
/// neither LLM traffic nor refused.
///
/// # Cost
/// A look into a table for each label.
pub fn count(facts: &Facts, labels: &Labels, add: &mut dyn FnMut(Metric, &[&str], u64)) {
    let dialect = match (facts.dialect, &facts.refused) {
        (Some(dialect), _) => dialect.name(),
        (None, Some(_)) => UNKNOWN,
        (None, None) => return,
    };
    let model = labels.model(facts.model.as_deref());
    let mut plain = |metric, value| add(metric, &[dialect, model], value);
    plain(Metric::Requests, 1);
    if let Some(Cost::Priced(nano_usd)) = facts.cost {
        plain(Metric::Cost, nano_usd);
    }
    if let Some(time) = facts.time_to_first_token {
        plain(Metric::TimeToFirstToken, whole(time.as_millis()));
    }
    if let Some(micros) = time_per_output_token(facts) {
        plain(Metric::TimePerOutputToken, micros);
    }
    let mut typed = |metric, of: &str, value| {
        if value > 0 {
            add(metric, &[dialect, model, of], value);
        }
    };
    if let Some(metered) = &facts.metered {
        typed(Metric::Usage, metered.status.name(), 1);
        if let Some(usage) = &metered.usage {
            for (of, tokens) in [
                ("input", Some(usage.input_tokens)),
                ("output", Some(usage.output_tokens)),
                ("cached", usage.cached_tokens),
                ("cache_creation", usage.cache_creation_tokens),
                ("reasoning", usage.reasoning_tokens),
            ] {
                typed(Metric::Tokens, of, tokens.unwrap_or_default());
            }
        }
    }
    for (kind, times) in facts.masked.iter().flatten() {
        typed(Metric::Masked, labels.kind(kind), *times);
    }
    if let Some(rule) = &facts.guard {
        typed(Metric::Guard, labels.rule(rule), 1);
    }
    for of in facts.shadow.iter().flat_map(|all| all.split(',')) {
        typed(Metric::Shadow, of, 1);
    }
    if let Some(refused) = &facts.refused {
        let stage = refused.split(':').next().unwrap_or_default();
        typed(Metric::Refused, stage, 1);
    }
}

/// Of streams that told their usage and have more than one token.
fn time_per_output_token(facts: &Facts) -> Option<u64> {
    let metered = facts
        .metered
        .filter(|it| it.status == UsageStatus::Complete)?;
    let behind_first = metered.usage?.output_tokens.checked_sub(1)?;
    let micros = whole(facts.generation_time?.as_micros());
    micros.checked_div(behind_first)
}

fn whole(count: u128) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
