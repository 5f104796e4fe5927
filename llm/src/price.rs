//! What an exchange cost, in whole numbers.
//!
//! Prices are read when a configuration or a price file is loaded; costs are computed on the worker
//! thread of an exchange, when its usage is known. A price is a whole number of attodollars
//! (10^-18) for a token, which holds twelve digits behind the point of a price for a million; a
//! cost is summed up in attodollars and rounded once.
//!
//! What is refused: prices that are no decimal numbers, are negative, too long or absurdly high.
//! What has no price has no cost, never one of 0.

use crate::facts::Cost;
use crate::pattern::{Pattern, Patterns};
use crate::usage::Usage;

mod decimal;
mod litellm;
mod table;

pub use decimal::{HIGHEST_PER_MILLION, Price, PriceError};
pub use table::{Loaded, PriceFileError, PriceFileFault, Shape};

/// Attodollars in a nanodollar.
const NANO: u128 = 1_000_000_000;

/// The highest cost that is told, in nanodollars: about nine million dollars, exact as a float.
/// What is above it costs this.
pub const HIGHEST_NANO_USD: u64 = crate::count::MAX;

/// What a model's tokens cost; what is none falls back as [`ModelPrices`] says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// A token of the input.
    pub input: Option<Price>,
    /// A token of the input that was read from a cache; falls back to `input`.
    pub cached_input: Option<Price>,
    /// A token of the input that was written to a cache; falls back to `input`.
    pub cache_write: Option<Price>,
    /// A token of the output.
    pub output: Option<Price>,
    /// A token of the output that was thought; falls back to `output`.
    pub reasoning: Option<Price>,
}

/// Prices of exchanges with more input than a number of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// More tokens of input than this.
    pub above: u64,
    /// Prices of the whole exchange then; what is none is as in the tier below.
    pub rates: Rates,
}

/// All prices of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelPrices {
    rates: Rates,
    /// The lowest first, complete.
    tiers: Vec<Tier>,
}

impl ModelPrices {
    /// Puts tiers in order and fills in what they leave to those below them.
    pub fn new(rates: Rates, mut tiers: Vec<Tier>) -> Self {
        tiers.sort_by_key(|tier| tier.above);
        let mut below = rates;
        for tier in &mut tiers {
            tier.rates = tier.rates.over(below);
            below = tier.rates;
        }
        Self { rates, tiers }
    }

    /// What a usage costs in nanodollars, rounded half up; none if some of its tokens have no
    /// price.
    ///
    /// The tier is chosen by all tokens of the input and prices the whole exchange. Counts of parts
    /// that are larger than what they are parts of count as all of it.
    pub fn nano_usd(&self, usage: &Usage) -> Option<u64> {
        let above = |tier: &&Tier| usage.input_tokens > tier.above;
        let tier = self.tiers.iter().rev().find(above);
        let rates = tier.map_or(self.rates, |tier| tier.rates);

        let cached = usage.cached_tokens.unwrap_or(0).min(usage.input_tokens);
        let uncached = usage.input_tokens - cached;
        let written = usage.cache_creation_tokens.unwrap_or(0).min(uncached);
        let thought = usage.reasoning_tokens.unwrap_or(0).min(usage.output_tokens);
        let parts = [
            (uncached - written, rates.input),
            (cached, rates.cached_input.or(rates.input)),
            (written, rates.cache_write.or(rates.input)),
            (usage.output_tokens - thought, rates.output),
            (thought, rates.reasoning.or(rates.output)),
        ];
        let mut atto: u128 = 0;
        for (tokens, price) in parts.into_iter().filter(|(tokens, _)| *tokens > 0) {
            atto = atto.saturating_add(price?.of(tokens));
        }
        let nano = atto.saturating_add(NANO / 2) / NANO;
        Some(u64::try_from(nano).map_or(HIGHEST_NANO_USD, |nano| nano.min(HIGHEST_NANO_USD)))
    }
}

impl Rates {
    /// These prices, and those of `below` where there are none.
    fn over(self, below: Rates) -> Rates {
        Rates {
            input: self.input.or(below.input),
            cached_input: self.cached_input.or(below.cached_input),
            cache_write: self.cache_write.or(below.cache_write),
            output: self.output.or(below.output),
            reasoning: self.reasoning.or(below.reasoning),
        }
    }
}

/// Prices by pattern of model names.
///
/// ```
/// use llm::facts::Cost;
/// use llm::price::{Prices, Shape};
/// use llm::usage::Usage;
///
/// let text = r#"{"gpt-4o*": {"input": "2.50", "cachedInput": "1.25", "output": "10.00"}}"#;
/// let prices = Prices::read(text)?.prices;
/// let usage = Usage { input_tokens: 10, output_tokens: 2, ..Usage::default() };
/// // 10 * 2500 + 2 * 10000 nanodollars.
/// assert_eq!(prices.cost(Some("gpt-4o-mini"), Some(&usage)), Cost::Priced(45_000));
/// assert_eq!(prices.cost(Some("other"), Some(&usage)), Cost::UnknownModel);
/// # Ok::<(), llm::price::PriceFileError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Prices {
    models: Patterns<ModelPrices>,
}

impl FromIterator<(Pattern, ModelPrices)> for Prices {
    fn from_iter<I: IntoIterator<Item = (Pattern, ModelPrices)>>(entries: I) -> Self {
        let models = entries.into_iter().collect();
        Self { models }
    }
}

impl Prices {
    /// The prices of a model: those of its name, else those of the pattern that is closest to it.
    pub fn find(&self, model: &str) -> Option<&ModelPrices> {
        self.models.find(model).map(|(_, prices)| prices)
    }

    /// What an exchange with `model` cost.
    pub fn cost(&self, model: Option<&str>, usage: Option<&Usage>) -> Cost {
        cost(&[self], model, usage)
    }

    /// The names that are no patterns, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.models.names()
    }

    /// How many models and patterns there are.
    pub fn len(&self) -> usize {
        self.models.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.models.is_empty()
    }
}

/// What an exchange with `model` cost by the first of several tables that knows the model: what an
/// operator wrote goes before what a file says, even if it is a pattern.
///
/// # Cost
/// That of [`Patterns::find`], for each table up to that one.
pub fn cost(tables: &[&Prices], model: Option<&str>, usage: Option<&Usage>) -> Cost {
    let Some(usage) = usage else {
        return Cost::NoUsage;
    };
    let prices = model.and_then(|model| tables.iter().find_map(|table| table.find(model)));
    let nano_usd = prices.and_then(|prices| prices.nano_usd(usage));
    nano_usd.map_or(Cost::UnknownModel, Cost::Priced)
}

#[cfg(test)]
mod tests;
