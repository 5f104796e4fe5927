//! The `ai` block as its author wrote it, checked for shape but not yet compiled.

use llm::dialect::Dialect;

pub(crate) mod mask;
pub(crate) mod publish;
pub(crate) mod stages;

use mask::MaskRules;
use publish::Publish;
use stages::{GuardRules, LimitRules, ModelRules, PromptRules};

/// What is done about LLM traffic. Each part is there only if it is configured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ai {
    /// What requests speak; found out where it is not said.
    pub dialect: Option<Dialect>,
    /// How much of a body, or of one event, is held or read.
    pub body_bytes: u64,
    /// Whether what is no request of a dialect is refused; if that is said.
    pub refuses_unknown: Option<bool>,
    /// The model.
    pub model: Option<ModelRules>,
    /// Limits.
    pub limits: Option<LimitRules>,
    /// What prompts must not say.
    pub guard: Option<GuardRules>,
    /// What is masked.
    pub mask: Option<MaskRules>,
    /// Prompts of the operator.
    pub prompt: Option<PromptRules>,
    /// How usage is read.
    pub usage: Option<Usage>,
    /// What tokens cost.
    pub cost: Option<Cost>,
    /// Where facts are published.
    pub publish: Publish,
}

/// How usage is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Whether streams are asked for their usage in the client's name.
    pub force: bool,
    /// Whether usage that nobody tells is guessed.
    pub estimate: bool,
}

impl Default for Usage {
    fn default() -> Self {
        Self {
            force: true,
            estimate: true,
        }
    }
}

/// What tokens cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The table of prices, as JSON.
    pub prices: Option<String>,
    /// Where it stands.
    pub path: String,
    /// A file with a table, for models that the one here does not know.
    pub file: Option<PriceFile>,
    /// The price of the model that answers goes before that of the one that is asked.
    pub prices_the_answered: bool,
}

/// A file of prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceFile {
    /// Its name.
    pub name: String,
    /// Where that stands in the configuration.
    pub path: String,
}
