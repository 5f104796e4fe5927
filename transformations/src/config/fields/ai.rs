//! The fields of `ai`. What is not known here is refused, not ignored: a safeguard with a typing error
//! must not stand open.

use llm::dialect::Dialect;
use llm::facts::Fact;

pub mod mask;
pub mod publish;
pub mod stages;

use super::shape::{Flag, List, Names, Text, Whole, Words};
use super::{Field, Object};

/// `dialect`; none is for the stage to find out.
pub static DIALECT: Field<Words<Option<Dialect>>> = Field::new(
    "dialect",
    Words {
        all: &[
            ("auto", None),
            (Dialect::OpenaiChat.name(), Some(Dialect::OpenaiChat)),
            (
                Dialect::OpenaiResponses.name(),
                Some(Dialect::OpenaiResponses),
            ),
            (
                Dialect::OpenaiCompletions.name(),
                Some(Dialect::OpenaiCompletions),
            ),
            (
                Dialect::OpenaiEmbeddings.name(),
                Some(Dialect::OpenaiEmbeddings),
            ),
            (
                Dialect::AnthropicMessages.name(),
                Some(Dialect::AnthropicMessages),
            ),
            (Dialect::Gemini.name(), Some(Dialect::Gemini)),
        ],
        default: Some(None),
    },
    "what requests and responses speak; `auto` decides by the path of a request, then by its body",
);

/// `bodyBytes`
pub static BODY_BYTES: Field<Whole> = Field::new(
    "bodyBytes",
    Whole::bytes(1 << 30).or(10 << 20),
    "how large a request may be; it is held in memory of the filter, and a larger one is refused with \
     413. Of a response, and of each event of a stream, as much is read",
);

/// `onUnknown`; true for refusing.
pub static ON_UNKNOWN: Field<Words<bool>> = Field::new(
    "onUnknown",
    Words {
        all: &[("pass", false), ("refuse", true)],
        default: None,
    },
    "what becomes of a request with a body that is of no known dialect; `refuse` answers it with 415",
)
.or_else("`pass`; `refuse` with a `guard` or a `mask`");

/// `model`
pub static MODEL_HERE: Field<&Object> =
    Field::new("model", &stages::MODEL, "the model; see [model](#model)");

/// `limits`
pub static LIMITS_HERE: Field<&Object> = Field::new(
    "limits",
    &stages::LIMITS,
    "limits of a request; see [limits](#limits)",
);

/// `guard`
pub static GUARD_HERE: Field<&Object> = Field::new(
    "guard",
    &stages::GUARD,
    "what prompts must not say; see [guard](#guard)",
);

/// `mask`
pub static MASK_HERE: Field<&Object> = Field::new(
    "mask",
    &mask::MASK,
    "values that are masked, and restored in responses; see [mask](#mask)",
);

/// `prompt`
pub static PROMPT_HERE: Field<&Object> = Field::new(
    "prompt",
    &stages::PROMPT,
    "prompts of the operator; see [prompt](#prompt)",
);

/// `usage`
pub static USAGE_HERE: Field<&Object> = Field::new(
    "usage",
    &USAGE,
    "reads how many tokens an exchange took; `{}` is enough",
);

/// `cost`
pub static COST_HERE: Field<&Object> = Field::new(
    "cost",
    &COST,
    "what an exchange cost, by prices of tokens; reads the usage, too",
);

/// `publish`
pub static PUBLISH_HERE: Field<&Object> = Field::new(
    "publish",
    &publish::PUBLISH,
    "where facts are published beside the namespace `rustformations.ai`",
);

/// What is done about LLM traffic.
pub static AI: Object = Object {
    name: "ai",
    text: "What is done about LLM traffic.",
    groups: &[&[
        &DIALECT,
        &ON_UNKNOWN,
        &BODY_BYTES,
        &MODEL_HERE,
        &LIMITS_HERE,
        &GUARD_HERE,
        &MASK_HERE,
        &PROMPT_HERE,
        &USAGE_HERE,
        &COST_HERE,
        &PUBLISH_HERE,
    ]],
};

/// `usage.force`
pub static FORCE: Field<Flag> = Field::new(
    "force",
    Flag {
        default: Some(true),
    },
    "asks for the usage of a streamed OpenAI chat or completion in the client's name, and hides it \
     from a client that did not ask",
);

/// `usage.estimate`
pub static ESTIMATE: Field<Flag> = Field::new(
    "estimate",
    Flag {
        default: Some(true),
    },
    "takes bytes of text, divided by four, for tokens where nobody tells how many there were",
);

/// How usage is read.
pub static USAGE: Object = Object {
    name: "usage",
    text: "How the usage of an exchange is read.",
    groups: &[&[&FORCE, &ESTIMATE]],
};

/// `cost.prices`
pub static PRICES: Field<Names> = Field::new(
    "prices",
    Names::of(Text::Plain, &&MODEL_PRICES),
    "prices by the names of models, in which `*` stands for anything: the exact name goes first, then \
     the longest pattern",
);

/// `cost.file`
pub static PRICE_FILE: Field<Text> = Field::new(
    "file",
    Text::Plain,
    "the path of a file with the same object, or LiteLLM's `model_prices_and_context_window.json`; it \
     is read again when it changes, and says the prices of models that `prices` does not know",
);

/// `cost.model`; true for the one that answers.
pub static PRICED: Field<Words<bool>> = Field::new(
    "model",
    Words {
        all: &[("asked", false), ("answered", true)],
        default: Some(false),
    },
    "whose price goes first, the other's where that has none: `asked`, of the model that goes upstream \
     from here; `answered`, of the one that the answer names, which is the right one where \
     [providers](providers.md) choose the model",
);

/// What tokens cost.
pub static COST: Object = Object {
    name: "cost",
    text: "What tokens cost.",
    groups: &[&[&PRICES, &PRICE_FILE, &PRICED]],
};

static INPUT: Field<Text> = Field::new(
    "input",
    Text::Plain,
    "dollars for a million tokens of the input, as a decimal text such as `\"2.50\"`",
);

static CACHED_INPUT: Field<Text> = Field::new(
    "cachedInput",
    Text::Plain,
    "the same for tokens that were read from a cache",
)
.or_else("`input`");

static CACHE_WRITE: Field<Text> = Field::new(
    "cacheWrite",
    Text::Plain,
    "the same for tokens that were written to a cache",
)
.or_else("`input`");

static OUTPUT: Field<Text> = Field::new("output", Text::Plain, "the same for tokens of the output");

static REASONING: Field<Text> = Field::new(
    "reasoning",
    Text::Plain,
    "the same for tokens of the output that were thought",
)
.or_else("`output`");

static TIERS: Field<List> = Field::new(
    "tiers",
    List { of: &&TIER },
    "other prices of the whole exchange when its input has more tokens",
);

static ABOVE: Field<Whole> = Field::new(
    "above",
    Whole::pieces(0, llm::count::MAX),
    "counts when the input has more tokens than this",
)
.needed();

static MODEL_PRICES: Object = Object {
    name: "modelPrices",
    text: "What the tokens of a model cost.",
    groups: &[&[
        &INPUT,
        &CACHED_INPUT,
        &CACHE_WRITE,
        &OUTPUT,
        &REASONING,
        &TIERS,
    ]],
};

static TIER: Object = Object {
    name: "tier",
    text: "Prices of exchanges with a large input; what is left out is as in the tier below.",
    groups: &[&[
        &ABOVE,
        &INPUT,
        &CACHED_INPUT,
        &CACHE_WRITE,
        &OUTPUT,
        &REASONING,
    ]],
};

/// Every fact by its name.
pub(super) static FACTS: &[(&str, Fact)] = &{
    let mut facts = [("", Fact::Dialect); Fact::ALL.len()];
    let mut at = 0;
    while at < Fact::ALL.len() {
        facts[at] = (Fact::ALL[at].name(), Fact::ALL[at]);
        at += 1;
    }
    facts
};

#[cfg(test)]
mod tests {
    use super::{DIALECT, Dialect};

    #[test]
    fn every_dialect_has_its_word() {
        let words = DIALECT.shape.all;
        for dialect in Dialect::ALL {
            assert!(
                words.contains(&(dialect.name(), Some(dialect))),
                "{dialect}"
            );
        }
        assert_eq!(words.len(), Dialect::ALL.len() + 1);
    }
}
