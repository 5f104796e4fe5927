//! `price`: what a number of tokens costs, by a file of prices, as the filter would reckon it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use clap::builder::RangedU64ValueParser;
use llm::facts::{Cost, usd};
use llm::usage::Usage;
use serde_json::{Map, Value, json};
use transformations::files::{Prices, read_prices};

use crate::Outcome;
use crate::format::OutputFormat;

const EXAMPLES: &str = "\
Examples:
  rustformations price gpt-4o --prices prices.json --input 1200 --output 300
  rustformations price claude-sonnet-4 --prices prices.json --input 250000 --cached 200000 --output 900

Exit codes: 0, 1 if the model has no price, 2 if the file of prices cannot be read, or a part is
more than its whole.";

/// Tell what a number of tokens costs, by a file of prices
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The model, as the provider names it
    model: String,

    /// Prices, in either shape that "cost.file" may have
    #[arg(long, value_name = "FILE")]
    prices: PathBuf,

    /// Tokens of the input, cached ones included
    #[arg(long, value_name = "TOKENS", default_value_t, value_parser = tokens())]
    input: u64,

    /// Tokens of the output, thoughts included
    #[arg(long, value_name = "TOKENS", default_value_t, value_parser = tokens())]
    output: u64,

    /// How many of the input were read from a cache
    #[arg(long, value_name = "TOKENS", value_parser = tokens())]
    cached: Option<u64>,

    /// How many of the input were written to a cache
    #[arg(long, value_name = "TOKENS", value_parser = tokens())]
    cache_write: Option<u64>,

    /// How many of the output were thought
    #[arg(long, value_name = "TOKENS", value_parser = tokens())]
    reasoning: Option<u64>,

    /// How to print it
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: OutputFormat,
}

/// No more than can be reckoned with.
fn tokens() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(..=1_000_000_000_000)
}

/// Parts that are more than their whole are a mistake of who asks.
fn check(asked: &Arguments) -> Result<()> {
    let cached = asked.cached.unwrap_or_default() + asked.cache_write.unwrap_or_default();
    if cached > asked.input {
        bail!(
            "--cached and --cache-write are {cached} together, more than the {} of --input, of which they are a part",
            asked.input
        );
    }
    let reasoning = asked.reasoning.unwrap_or_default();
    if reasoning > asked.output {
        bail!(
            "--reasoning is {reasoning}, more than the {} of --output, of which it is a part",
            asked.output
        );
    }
    Ok(())
}

/// Runs the command.
///
/// # Errors
/// If the numbers make no sense, the prices cannot be read, or nothing can be written.
pub(crate) fn run(asked: &Arguments, out: &mut dyn Write) -> Result<Outcome> {
    check(asked)?;
    let prices = read(&asked.prices)?;
    let usage = Usage {
        input_tokens: asked.input,
        output_tokens: asked.output,
        cached_tokens: asked.cached,
        cache_creation_tokens: asked.cache_write,
        reasoning_tokens: asked.reasoning,
    };
    let mut facts = Map::new();
    facts.insert("model".to_owned(), json!(asked.model));
    let is_known = tell(prices.cost(Some(&asked.model), Some(&usage)), &mut facts);
    print(&facts, asked.format, out)?;
    Ok(match is_known {
        true => Outcome::Fine,
        false => Outcome::Refused,
    })
}

/// Reads a file of prices.
///
/// # Errors
/// If it cannot be read, or holds none.
pub(crate) fn read(path: &Path) -> Result<Prices> {
    let name = || path.display().to_string();
    let text = std::fs::read(path).with_context(name)?;
    read_prices(&text).map_err(|why| anyhow!("{}: {why}", path.display()))
}

/// Adds a cost to the facts; answers whether it is known.
pub(crate) fn tell(cost: Cost, facts: &mut Map<String, Value>) -> bool {
    if let Cost::Priced(nano_usd) = cost {
        facts.insert("cost_nano_usd".to_owned(), json!(nano_usd));
        facts.insert("cost_usd".to_owned(), json!(usd(nano_usd)));
    }
    facts.insert("cost_status".to_owned(), json!(cost.status()));
    matches!(cost, Cost::Priced(_))
}

/// Prints facts, by the names under which the filter publishes them.
///
/// # Errors
/// If they cannot be written.
pub(crate) fn print(
    facts: &Map<String, Value>,
    format: OutputFormat,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        OutputFormat::Json => writeln!(out, "{:#}", Value::from(facts.clone())),
        OutputFormat::Text => {
            let width = facts.keys().map(String::len).max().unwrap_or_default();
            for (name, value) in facts {
                let value = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                writeln!(out, "{name:width$}  {value}")?;
            }
            Ok(())
        }
    }
}
