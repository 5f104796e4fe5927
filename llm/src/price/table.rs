//! Price tables as text: our own shape, and that of LiteLLM, which is told by what its entries
//! hold.
//!
//! Read where a configuration is compiled, or by whoever watches a price file; never on a worker.
//! In our own shape everything that is not understood is an error, since somebody wrote it for us.
//! Text of any size costs one pass.

use std::fmt;

use formats::json::{Fault, Kind, ParseError, Raw, Reader, read};

use super::decimal::{Price, PriceError};
use super::{ModelPrices, Prices, Rates, Tier, litellm};
use crate::count::count;
use crate::pattern::Pattern;

/// A price table that was read.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The prices.
    pub prices: Prices,
    /// What shape it had.
    pub shape: Shape,
    /// How many entries were passed over: models that are not priced by tokens, and whatever else
    /// of LiteLLM's we do not know. 0 for our own shape.
    pub skipped: usize,
}

/// The shapes of price tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Patterns with dollars for a million tokens, as in a configuration.
    Own,
    /// LiteLLM's `model_prices_and_context_window.json`, dollars for a token.
    LiteLlm,
}

/// Why a text is no price table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceFileError {
    /// Where: `gpt-4o*.tiers[0].input`; empty for the whole text.
    pub path: String,
    /// What is wrong there.
    pub fault: PriceFileFault,
}

/// What is wrong in a price table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceFileFault {
    /// It is not JSON.
    Json(ParseError),
    /// The whole, or prices of a model, must be an object.
    NoObject,
    /// Tiers must be an array of objects.
    NoTiers,
    /// The pattern is empty.
    EmptyPattern,
    /// The pattern stands there twice.
    Repeated,
    /// There is no such field.
    UnknownField,
    /// A price must be a text.
    NoText,
    /// The text is no price.
    Price(PriceError),
    /// `above` must be a whole number of tokens.
    NoCount,
    /// A tier must say `above` which number of tokens it counts.
    NoAbove,
    /// Two tiers are for the same number of tokens.
    SameTier,
    /// Neither input nor output has a price.
    NoPrice,
}

impl fmt::Display for PriceFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        match self.fault {
            PriceFileFault::Json(error) => write!(f, "the prices are not JSON: {error}"),
            PriceFileFault::NoObject => f.write_str("prices must be an object"),
            PriceFileFault::NoTiers => f.write_str("tiers must be a list of objects"),
            PriceFileFault::EmptyPattern => {
                f.write_str("a model must have a name; `*` matches every name")
            }
            PriceFileFault::Repeated => f.write_str("this is there twice"),
            PriceFileFault::UnknownField => f.write_str(
                "there is no such field; the fields are input, cachedInput, cacheWrite, output, reasoning and tiers (with above)",
            ),
            PriceFileFault::NoText => {
                f.write_str("a price must be a decimal number as text, such as \"2.50\"")
            }
            PriceFileFault::Price(error) => error.fmt(f),
            PriceFileFault::NoCount => f.write_str("above must be a whole number of tokens"),
            PriceFileFault::NoAbove => {
                f.write_str("a tier must say above which number of input tokens it counts")
            }
            PriceFileFault::SameTier => f.write_str("another tier is for the same number of tokens"),
            PriceFileFault::NoPrice => f.write_str("neither input nor output has a price"),
        }
    }
}

impl std::error::Error for PriceFileError {}

impl Prices {
    /// Reads a price table of either shape.
    ///
    /// # Errors
    /// What is not JSON, and everything in our own shape that is not understood.
    pub fn read(text: &str) -> Result<Loaded, PriceFileError> {
        let at_top = |fault| PriceFileError {
            path: String::new(),
            fault,
        };
        match shape(text).map_err(|error| at_top(PriceFileFault::Json(error)))? {
            None => Err(at_top(PriceFileFault::NoObject)),
            Some(Shape::Own) => Ok(Loaded {
                prices: own(text)?,
                shape: Shape::Own,
                skipped: 0,
            }),
            Some(Shape::LiteLlm) => {
                let (prices, skipped) = litellm::prices(text);
                Ok(Loaded {
                    prices,
                    shape: Shape::LiteLlm,
                    skipped,
                })
            }
        }
    }
}

/// What shape a table has; none if it is no object.
fn shape(text: &str) -> Result<Option<Shape>, ParseError> {
    let mut shape = None;
    read(text, |reader| {
        if reader.kind() == Kind::Object {
            shape = Some(Shape::Own);
        }
        reader.entries(|_, reader| {
            reader.entries(|key, _| {
                if litellm::is_telling(&key.as_str().unwrap_or_default()) {
                    shape = Some(Shape::LiteLlm);
                }
                Ok(())
            })
        })
    })?;
    Ok(shape)
}

fn own(text: &str) -> Result<Prices, PriceFileError> {
    let mut table = OwnTable::default();
    // The text was read before.
    let _ = read(text, |reader| {
        reader.entries(|key, reader| table.model(key, reader))
    });
    match table.error {
        Some(error) => Err(error),
        None => Ok(table.models.into_iter().collect()),
    }
}

/// A table as far as it was read; of several errors, the first is told.
#[derive(Default)]
struct OwnTable {
    models: Vec<(Pattern, ModelPrices)>,
    names: std::collections::HashSet<String>,
    error: Option<PriceFileError>,
}

/// What an object of prices says.
#[derive(Default)]
struct Fields {
    rates: Rates,
    above: Option<u64>,
    tiers: Vec<Tier>,
}

impl OwnTable {
    fn fail(&mut self, path: impl Into<String>, fault: PriceFileFault) {
        let path = path.into();
        self.error.get_or_insert(PriceFileError { path, fault });
    }

    fn model(&mut self, key: Raw<'_>, reader: &mut Reader<'_>) -> Result<(), Fault> {
        let name = key.as_str().unwrap_or_default().into_owned();
        if !self.names.insert(name.clone()) {
            self.fail(&name, PriceFileFault::Repeated);
        }
        if reader.kind() != Kind::Object {
            self.fail(&name, PriceFileFault::NoObject);
            return Ok(());
        }
        let Fields { rates, tiers, .. } = self.fields(&name, false, reader)?;
        let mut counts: Vec<u64> = tiers.iter().map(|tier| tier.above).collect();
        counts.sort_unstable();
        if counts.windows(2).any(|pair| pair.first() == pair.last()) {
            self.fail(format!("{name}.tiers"), PriceFileFault::SameTier);
        }
        if rates.input.is_none() && rates.output.is_none() {
            self.fail(&name, PriceFileFault::NoPrice);
        }
        match Pattern::new(&name) {
            Ok(pattern) => self.models.push((pattern, ModelPrices::new(rates, tiers))),
            Err(_) => self.fail(&name, PriceFileFault::EmptyPattern),
        }
        Ok(())
    }

    /// Reads the prices of a model, or of one of its tiers.
    fn fields(
        &mut self,
        path: &str,
        is_tier: bool,
        reader: &mut Reader<'_>,
    ) -> Result<Fields, Fault> {
        let mut fields = Fields::default();
        let mut seen: Vec<String> = Vec::new();
        reader.entries(|key, reader| {
            let key = key.as_str().unwrap_or_default().into_owned();
            let at = format!("{path}.{key}");
            if seen.contains(&key) {
                self.fail(&at, PriceFileFault::Repeated);
            }
            let rates = &mut fields.rates;
            match key.as_str() {
                "input" => rates.input = self.price(&at, reader.value()?),
                "cachedInput" => rates.cached_input = self.price(&at, reader.value()?),
                "cacheWrite" => rates.cache_write = self.price(&at, reader.value()?),
                "output" => rates.output = self.price(&at, reader.value()?),
                "reasoning" => rates.reasoning = self.price(&at, reader.value()?),
                "above" if is_tier => fields.above = self.count(&at, reader.value()?),
                "tiers" if !is_tier => fields.tiers = self.tiers(&at, reader)?,
                _ => self.fail(&at, PriceFileFault::UnknownField),
            }
            seen.push(key);
            Ok(())
        })?;
        if is_tier && !seen.iter().any(|key| key == "above") {
            self.fail(path, PriceFileFault::NoAbove);
        }
        Ok(fields)
    }

    fn tiers(&mut self, path: &str, reader: &mut Reader<'_>) -> Result<Vec<Tier>, Fault> {
        let mut tiers = Vec::new();
        if reader.kind() != Kind::Array {
            self.fail(path, PriceFileFault::NoTiers);
        }
        reader.items(|index, reader| {
            if reader.kind() != Kind::Object {
                self.fail(path, PriceFileFault::NoTiers);
                return Ok(());
            }
            let Fields { rates, above, .. } =
                self.fields(&format!("{path}[{index}]"), true, reader)?;
            tiers.extend(above.map(|above| Tier { above, rates }));
            Ok(())
        })?;
        Ok(tiers)
    }

    fn price(&mut self, path: &str, raw: Raw<'_>) -> Option<Price> {
        let Some(text) = raw.as_str() else {
            self.fail(path, PriceFileFault::NoText);
            return None;
        };
        match Price::per_million(&text) {
            Ok(price) => Some(price),
            Err(error) => {
                self.fail(path, PriceFileFault::Price(error));
                None
            }
        }
    }

    fn count(&mut self, path: &str, raw: Raw<'_>) -> Option<u64> {
        let above = count(raw).filter(|_| raw.kind() == Kind::Number);
        if above.is_none() {
            self.fail(path, PriceFileFault::NoCount);
        }
        above
    }
}
