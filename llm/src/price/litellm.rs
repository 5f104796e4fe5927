//! The price table that LiteLLM's community keeps: dollars for one token, as JSON numbers.
//!
//! Read from the text of its numbers. What it holds and we do not count with (batches, priorities,
//! prices of images and seconds) is passed over, and so are entries without a price of tokens or
//! with one that is none: a table of thousands of entries by others must not fail for one of them.

use formats::json::{Kind, Raw, read};

use super::decimal::Price;
use super::{ModelPrices, Prices, Rates, Tier};
use crate::pattern::Pattern;

/// The entry that explains the others.
const SAMPLE: &str = "sample_spec";

/// Whether a field is one that only this table has.
pub(super) fn is_telling(key: &str) -> bool {
    key == "litellm_provider" || key.contains("cost_per_token")
}

/// The prices of a table, and how many entries were passed over. The text was read before.
pub(super) fn prices(text: &str) -> (Prices, usize) {
    let mut models = Vec::new();
    let mut skipped = 0;
    let _ = read(text, |reader| {
        reader.entries(|name, reader| {
            let name = name.as_str().unwrap_or_default().into_owned();
            let mut entry = Entry::default();
            reader.entries(|key, reader| {
                entry.field(&key.as_str().unwrap_or_default(), reader.value()?);
                Ok(())
            })?;
            // A name with a `*` would be a pattern of ours, which it was not meant to be.
            let is_model = name != SAMPLE && !name.contains('*');
            let prices = entry.prices().filter(|_| is_model);
            match prices.and_then(|prices| Some((Pattern::new(name).ok()?, prices))) {
                Some(model) => models.push(model),
                None => skipped += 1,
            }
            Ok(())
        })
    });
    (models.into_iter().collect(), skipped)
}

#[derive(Default)]
struct Entry {
    rates: Rates,
    tiers: Vec<Tier>,
    is_broken: bool,
}

impl Entry {
    fn field(&mut self, key: &str, raw: Raw<'_>) {
        let (name, above) = match key.split_once("_above_") {
            // Other ends than this one speak of hours, or of priorities too.
            Some((name, above)) => match thousands(above) {
                Some(above) => (name, Some(above)),
                None => return,
            },
            None => (key, None),
        };
        let field = match name {
            "input_cost_per_token" => |rates: &mut Rates, price| rates.input = price,
            "output_cost_per_token" => |rates: &mut Rates, price| rates.output = price,
            "cache_read_input_token_cost" => |rates: &mut Rates, price| rates.cached_input = price,
            "cache_creation_input_token_cost" => {
                |rates: &mut Rates, price| rates.cache_write = price
            }
            "output_cost_per_reasoning_token" => |rates: &mut Rates, price| rates.reasoning = price,
            _ => return,
        };
        let price = match raw.kind() {
            Kind::Null => return,
            Kind::Number => Price::per_token(raw.text()),
            // Some entries of private tables are texts.
            _ => Price::per_token(&raw.as_str().unwrap_or_default()),
        };
        let Ok(price) = price else {
            self.is_broken = true;
            return;
        };
        let rates = match above {
            None => &mut self.rates,
            Some(above) => self.tier(above),
        };
        field(rates, Some(price));
    }

    fn tier(&mut self, above: u64) -> &mut Rates {
        let found = self.tiers.iter().position(|tier| tier.above == above);
        let index = found.unwrap_or(self.tiers.len());
        if found.is_none() {
            let rates = Rates::default();
            self.tiers.push(Tier { above, rates });
        }
        match self.tiers.get_mut(index) {
            Some(tier) => &mut tier.rates,
            None => &mut self.rates,
        }
    }

    fn prices(self) -> Option<ModelPrices> {
        let is_priced = self.rates.input.is_some() || self.rates.output.is_some();
        (is_priced && !self.is_broken).then(|| ModelPrices::new(self.rates, self.tiers))
    }
}

/// `200k_tokens` is 200000.
fn thousands(text: &str) -> Option<u64> {
    let count: u64 = text.strip_suffix("k_tokens")?.parse().ok()?;
    count.checked_mul(1000)
}
