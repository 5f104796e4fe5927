//! `schema`: the JSON Schemas of configurations, for editors and pipelines.

use std::io::Write;

use anyhow::Result;
use clap::builder::PossibleValuesParser;
use transformations::config::Schema;

use crate::Outcome;

const EXAMPLES: &str = "\
Examples:
  rustformations schema > rustformations.schema.json     of configurations
  rustformations schema profiles                         of files of profiles
  rustformations schema llm-provider                     of providers of LLMs
  rustformations schema http-acl                         of access lists

Exit code: 0.";

/// Print the JSON Schema of configurations, or of what else there is to configure
///
/// It knows fields and shapes, not templates: what it accepts may still be refused by "validate".
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// What is configured
    #[arg(value_name = "OF", default_value = Schema::Configuration.name(), value_parser = names())]
    of: String,
}

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(Schema::ALL.map(Schema::name))
}

/// Runs the command.
///
/// # Errors
/// If nothing can be written.
pub(crate) fn run(asked: &Arguments, out: &mut dyn Write) -> Result<Outcome> {
    let mut all = Schema::ALL.into_iter();
    let asked = all.find(|schema| schema.name() == asked.of);
    writeln!(
        out,
        "{:#}",
        asked.unwrap_or(Schema::Configuration).to_json()
    )?;
    Ok(Outcome::Fine)
}
