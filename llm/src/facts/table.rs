//! The table of facts: each with its name, its kind, when it is known, what it says, and how it is told.
//!
//! Read by whoever publishes facts or documents them.

use std::borrow::Cow;
use std::time::Duration;

use super::{Facts, usd};

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
