//! The lab in one command: `lab demo` shows one request on its way through Envoy and the module,
//! `lab run` stays up for requests of your own, `lab check` asks every supported Envoy whether it
//! takes `envoy.yaml`, `lab envoy` prints where the chosen Envoy is.
//!
//! Run by `make`; `ENVOY_VERSION` or `ENVOY` choose the Envoy. A failure is one sentence and exit
//! code 1.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people to read"
)]

mod demo;
mod run;

use std::process::ExitCode;

use anyhow::{Result, bail};
use rustformations_tests::{EnvoyProcess, Settings, VERSIONS, envoy, stand, workspace};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["demo"] => demo::show(),
        ["run"] => run::stay(),
        ["check"] => check(),
        ["envoy"] => envoy::chosen().map(|chosen| println!("{}", chosen.binary().display())),
        _ => {
            eprintln!("usage: lab demo | run | check | envoy");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn check() -> Result<()> {
    let module_folder = Some(workspace::module_folder()?);
    let settings = Settings {
        module_folder,
        ..Settings::default()
    };
    let mut refused = 0;
    for version in VERSIONS {
        let envoy = envoy::bring(version)?;
        let (taken, log) = EnvoyProcess::validate(&envoy, &stand::bootstrap(), &settings)?;
        println!(
            "Envoy {version}: {}",
            if taken {
                "takes envoy.yaml"
            } else {
                "refuses envoy.yaml"
            }
        );
        if !taken {
            refused += 1;
            eprintln!("{log}");
        }
    }
    if refused > 0 {
        bail!(
            "{refused} of {} Envoys refuse envoy.yaml; their logs are above",
            VERSIONS.len()
        );
    }
    Ok(())
}
