//! `inspect`: what of this module runs in an Envoy, by its admin interface.
//!
//! It asks and changes nothing, over plain HTTP to the address that is named and nowhere else.

mod admin;
mod dump;
mod show;
mod stats;

use std::io::Write;

use anyhow::Result;

use crate::Outcome;
use crate::format::OutputFormat;
use admin::Admin;
use dump::Dump;
use show::Inspected;
use stats::Stats;

const EXAMPLES: &str = "\
Examples:
  rustformations inspect http://127.0.0.1:9901
  kubectl port-forward deploy/http 19000 & rustformations inspect :19000
  rustformations inspect :9901 --format json

Exit codes: 0 if Envoy answers and refuses nothing; 1 if it has refused something, or a filter's name is not one of this
module's; 2 if it cannot be reached, or is not Envoy.";

/// Tell what of this module runs in an Envoy: version, configurations, counters, what is refused
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Envoy's admin interface: http://HOST:PORT, HOST:PORT, or :PORT on this machine
    #[arg(value_name = "ADMIN_URL", value_parser = Admin::parse)]
    admin: Admin,

    /// How to print it
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: OutputFormat,
}

/// Runs the command.
///
/// # Errors
/// If Envoy cannot be asked, or nothing can be written.
pub(crate) fn run(asked: &Arguments, out: &mut dyn Write) -> Result<Outcome> {
    let server = asked.admin.server()?;
    let dump = Dump::read(&asked.admin.get("/config_dump")?)?;
    let stats = Stats::read(&asked.admin.get(stats::PATH)?)?;
    let inspected = Inspected {
        server,
        dump,
        stats,
    };
    match asked.format {
        OutputFormat::Text => inspected.text(out)?,
        OutputFormat::Json => inspected.json(out)?,
    }
    Ok(match inspected.is_refused() {
        true => Outcome::Refused,
        false => Outcome::Fine,
    })
}
