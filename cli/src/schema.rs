//! `schema`: the JSON Schema of configurations, for editors and pipelines.

use std::io::Write;

use anyhow::Result;

use crate::Outcome;

const EXAMPLES: &str = "\
Examples:
  rustformations schema > rustformations.schema.json

Exit code: 0.";

/// Print the JSON Schema of configurations
///
/// It knows fields and shapes, not templates: what it accepts may still be refused by "validate".
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {}

/// Runs the command.
///
/// # Errors
/// If nothing can be written.
pub(crate) fn run(_: &Arguments, out: &mut dyn Write) -> Result<Outcome> {
    writeln!(out, "{:#}", transformations::config::schema())?;
    Ok(Outcome::Fine)
}
