//! `third-party list` or `third-party texts`: writes what [`licences`] says to standard output.
#![forbid(unsafe_code)]

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Result, bail};
use rustformations_release::{licences, linked};

fn main() -> ExitCode {
    let asked = std::env::args().nth(1).unwrap_or_default();
    match run(&asked) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed; then nobody asks.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(asked: &str) -> Result<()> {
    let text = match asked {
        "list" => licences::list(&linked::crates()?)?,
        "texts" => licences::texts(&linked::crates()?)?,
        _ => bail!("usage: third-party list | texts"),
    };
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}
