//! The facts of one exchange: what is published, and under which names.
//!
//! Written by the stages of an exchange as it goes on, read by whoever publishes: metadata, headers,
//! statistics, templates. One [table](Fact) says every name, so that they cannot differ.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

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

/// What an exchange cost, or why that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// In billionths of a dollar.
    Priced(u64),
    /// There is no price for the model.
    UnknownModel,
    /// There is no usage to be priced.
    NoUsage,
}

impl Cost {
    /// The name in what is published.
    pub const fn status(self) -> &'static str {
        match self {
            Cost::Priced(_) => "priced",
            Cost::UnknownModel => "unknown_model",
            Cost::NoUsage => "no_usage",
        }
    }

    fn nano_usd(self) -> Option<u64> {
        match self {
            Cost::Priced(nano_usd) => Some(nano_usd),
            Cost::UnknownModel | Cost::NoUsage => None,
        }
    }
}

/// A fact as it is published: numbers as numbers, so that rate limits can add them.
#[derive(Clone, Debug, PartialEq)]
pub enum FactValue<'f> {
    /// A number that is not negative, and exact as a float.
    Number(u64),
    /// A number with a fraction.
    Fraction(f64),
    /// A text.
    Text(Cow<'f, str>),
}

impl FactValue<'_> {
    /// As text, for headers and logs.
    pub fn to_text(&self) -> Cow<'_, str> {
        match self {
            FactValue::Number(number) => Cow::Owned(number.to_string()),
            FactValue::Fraction(number) => Cow::Owned(number.to_string()),
            FactValue::Text(text) => Cow::Borrowed(text),
        }
    }
}

/// Declares the facts: each with its name, its kind, when it is known, and what it says.
macro_rules! facts {
    ($($fact:ident $name:literal $kind:ident $when:ident $says:literal $value:expr;)*) => {
        /// A fact that is published.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Fact { $(#[doc = $says] $fact,)* }

        impl Fact {
            /// Every fact, in the order of documentation.
            pub const ALL: &'static [Fact] = &[$(Fact::$fact,)*];

            /// The name under which it is published.
            pub const fn name(self) -> &'static str {
                match self { $(Fact::$fact => $name,)* }
            }

            /// Whether it is a number or a text.
            pub const fn kind(self) -> FactKind {
                match self { $(Fact::$fact => FactKind::$kind,)* }
            }

            /// When it is known.
            pub const fn when(self) -> FactTime {
                match self { $(Fact::$fact => FactTime::$when,)* }
            }

            /// What it says, for documentation.
            pub const fn describe(self) -> &'static str {
                match self { $(Fact::$fact => $says,)* }
            }

            /// What it says of an exchange; none if that is not known.
            pub fn of(self, facts: &Facts) -> Option<FactValue<'_>> {
                match self {
                    $(Fact::$fact => {
                        let value: fn(&Facts) -> Option<FactValue<'_>> = $value;
                        value(facts)
                    })*
                }
            }
        }
    };
}

facts! {
    Dialect "dialect" Text Request "The dialect of the request."
        |it| text(it.dialect?.name());
    RequestModel "request_model" Text Request "The model that the client asked for."
        |it| text(it.request_model.as_deref()?);
    Model "model" Text Request "The model that goes upstream."
        |it| text(it.model.as_deref()?);
    ResponseModel "response_model" Text End "The model that answered, as it names itself."
        |it| text(it.response_model.as_deref()?);
    Stream "stream" Text Request "Whether the answer is a stream: `true` or `false`."
        |it| text(if it.stream? { "true" } else { "false" });
    InputTokens "input_tokens" Number End "Tokens of the input, cached ones included."
        |it| number(it.metered?.usage?.input_tokens);
    CachedTokens "cached_tokens" Number End "How many of the input were read from a cache."
        |it| number(it.metered?.usage?.cached_tokens?);
    CacheCreationTokens "cache_creation_tokens" Number End
        "How many of the input were written to a cache."
        |it| number(it.metered?.usage?.cache_creation_tokens?);
    OutputTokens "output_tokens" Number End "Tokens of the output, thoughts included."
        |it| number(it.metered?.usage?.output_tokens);
    ReasoningTokens "reasoning_tokens" Number End "How many of the output were thought."
        |it| number(it.metered?.usage?.reasoning_tokens?);
    TotalTokens "total_tokens" Number End "Input and output together."
        |it| number(it.metered?.usage?.total_tokens());
    UsageStatus "usage_status" Text End
        "What is to be believed of the tokens: `complete`, `partial`, `estimated`, `missing`, `error`."
        |it| text(it.metered?.status.name());
    FinishReason "finish_reason" Text End "Why the answer ended, in the words of its dialect."
        |it| text(it.finish_reason.as_deref()?);
    CostNanoUsd "cost_nano_usd" Number End "What it cost, in billionths of a dollar."
        |it| number(it.cost?.nano_usd()?);
    CostMicroUsd "cost_micro_usd" Number End "The same in millionths of a dollar, rounded up."
        |it| number(it.cost?.nano_usd()?.div_ceil(1000));
    CostUsd "cost_usd" Text End "The same in dollars, exact, as text."
        |it| Some(FactValue::Text(usd(it.cost?.nano_usd()?).into()));
    CostStatus "cost_status" Text End
        "Whether there is a cost: `priced`, `unknown_model`, `no_usage`."
        |it| text(it.cost?.status());
    TtftMs "ttft_ms" Number End "Milliseconds to the first text or tool call of the answer."
        |it| number(millis(it.time_to_first_token?));
    TokensPerSecond "tokens_per_second" Number End
        "Tokens of the output for each second from the first to the last."
        |it| it.tokens_per_second().map(FactValue::Fraction);
    Masked "masked" Number End "How many values were masked."
        |it| number(crate::count::sum(it.masked.as_ref()?.values().copied()));
    MaskedKinds "masked_kinds" Text End "How many of each kind: `EMAIL=2,PHONE=1`."
        |it| it.masked_kinds().map(|it| FactValue::Text(it.into()));
    Guard "guard" Text Request "The rule of the guard that matched."
        |it| text(it.guard.as_deref()?);
    Refused "refused" Text Request "Who refused the exchange and why: `<stage>:<reason>`."
        |it| text(it.refused.as_deref()?);
    Shadow "shadow" Text Request
        "What stages with `shadow` would have done: `<stage>:<what>`, with commas between."
        |it| text(it.shadow.as_deref()?);
    EstimatedInputTokens "estimated_input_tokens" Number Request
        "What the texts of the request are taken for: a fourth of their bytes."
        |it| number(it.estimated_input_tokens?);
}

/// Whether a fact is a number or a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactKind {
    /// A number.
    Number,
    /// A text.
    Text,
}

/// When a fact is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactTime {
    /// When the request goes upstream, or is refused.
    Request,
    /// When the exchange is over.
    End,
}

impl Fact {
    /// The object in which templates have the fact, below `ai`; none for those that are at its top.
    pub const fn group(self) -> Option<&'static str> {
        match self {
            Fact::InputTokens
            | Fact::CachedTokens
            | Fact::CacheCreationTokens
            | Fact::OutputTokens
            | Fact::ReasoningTokens
            | Fact::TotalTokens => Some("usage"),
            _ => None,
        }
    }

    /// The fact of this name.
    pub fn named(name: &str) -> Option<Fact> {
        Fact::ALL.iter().copied().find(|it| it.name() == name)
    }
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

/// Dollars as decimal text without zeros at the end.
pub fn usd(nano_usd: u64) -> String {
    let (whole, nanos) = (nano_usd / 1_000_000_000, nano_usd % 1_000_000_000);
    if nanos == 0 {
        return whole.to_string();
    }
    let digits = format!("{nanos:09}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

fn text(text: &str) -> Option<FactValue<'_>> {
    Some(FactValue::Text(Cow::Borrowed(text)))
}

/// Numbers are published as floats.
fn number<'f>(number: u64) -> Option<FactValue<'f>> {
    Some(FactValue::Number(number.min(crate::count::MAX)))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::Usage;

    fn full() -> Facts {
        let usage = Usage {
            input_tokens: 10,
            output_tokens: 30,
            cached_tokens: Some(4),
            cache_creation_tokens: Some(0),
            reasoning_tokens: Some(5),
        };
        let mut facts = Facts {
            dialect: Some(Dialect::Gemini),
            request_model: Some("fast".to_owned()),
            model: Some("gemini-x".to_owned()),
            response_model: Some("gemini-x-001".to_owned()),
            stream: Some(true),
            metered: Some(Metered {
                usage: Some(usage),
                status: UsageStatus::Complete,
            }),
            finish_reason: Some("STOP".to_owned()),
            cost: Some(Cost::Priced(27_001)),
            time_to_first_token: Some(Duration::from_micros(1_999)),
            generation_time: Some(Duration::from_millis(700)),
            guard: Some("on-topic".to_owned()),
            refused: Some("guard:on-topic".to_owned()),
            estimated_input_tokens: Some(9),
            ..Facts::default()
        };
        facts.add_shadow("model", "renamed");
        facts.add_shadow("limits", "messages");
        facts.add_masked("PHONE", 1);
        facts.add_masked("EMAIL", 1);
        facts.add_masked("EMAIL", 1);
        facts.add_masked("SSN", 0);
        facts
    }

    #[test]
    fn every_fact_has_its_published_name_and_spelling() {
        let facts = full();
        let printed: Vec<_> = (facts.known())
            .map(|(fact, value)| format!("{}: {}", fact.name(), value.to_text()))
            .collect();
        let expected = [
            "dialect: gemini",
            "request_model: fast",
            "model: gemini-x",
            "response_model: gemini-x-001",
            "stream: true",
            "input_tokens: 10",
            "cached_tokens: 4",
            "cache_creation_tokens: 0",
            "output_tokens: 30",
            "reasoning_tokens: 5",
            "total_tokens: 40",
            "usage_status: complete",
            "finish_reason: STOP",
            "cost_nano_usd: 27001",
            "cost_micro_usd: 28",
            "cost_usd: 0.000027001",
            "cost_status: priced",
            "ttft_ms: 1",
            "tokens_per_second: 42.9",
            "masked: 3",
            "masked_kinds: EMAIL=2,PHONE=1",
            "guard: on-topic",
            "refused: guard:on-topic",
            "shadow: model:renamed,limits:messages",
            "estimated_input_tokens: 9",
        ];
        assert_eq!(printed, expected);
        for (fact, value) in facts.known() {
            let is_text = matches!(value, FactValue::Text(_));
            assert_eq!(is_text, fact.kind() == FactKind::Text, "{}", fact.name());
            assert_eq!(Fact::named(fact.name()), Some(fact));
        }
        assert_eq!(printed.len(), Fact::ALL.len());
        let grouped = Fact::ALL.iter().filter(|it| it.group() == Some("usage"));
        assert!(
            grouped
                .map(|it| it.name())
                .all(|name| name.ends_with("_tokens"))
        );
        assert_eq!(Fact::EstimatedInputTokens.group(), None);
    }

    #[test]
    fn what_is_not_known_is_not_there() {
        assert_eq!(Facts::default().known().count(), 0);
        let facts = Facts {
            cost: Some(Cost::UnknownModel),
            ..Facts::default()
        };
        let known: Vec<_> = facts.known().map(|(fact, _)| fact.name()).collect();
        assert_eq!(known, ["cost_status"]);
    }

    #[test]
    fn dollars_are_exact() {
        let table = [
            (0, "0"),
            (1, "0.000000001"),
            (27_000, "0.000027"),
            (1_000_000_000, "1"),
            (12_340_000_000, "12.34"),
            (u64::MAX, "18446744073.709551615"),
        ];
        for (nano_usd, expected) in table {
            assert_eq!(usd(nano_usd), expected);
        }
    }
}
