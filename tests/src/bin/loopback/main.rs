//! What the module costs inside Envoy: the same load through an Envoy without filters, with Envoy's own
//! filter for the job, and with ours, in turns; the result is CPU time per request and latency as
//! ratios to no filter.
//!
//! Run by `make bench`. Options: `--rounds N`, `--seconds N` (of each measurement), `--connections N`,
//! `--row NAME` (again for more), `--list`. Needs `wrk`; `ENVOY_VERSION` or `ENVOY` choose the Envoy.
//! Everything is on 127.0.0.1. Numbers of two runs are not comparable, ratios of one run are.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people to read"
)]

mod cpu;
mod load;
mod peers;
mod report;
mod rows;
mod scale;
mod sink;
mod speaker;
mod streams;

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use rustformations_tests::{Envoy, EnvoyProcess, Settings, envoy, workspace};

use load::{Load, Measured};
use peers::Beside;
use rows::{Contender, Row};
use scale::Scale;
use sink::Sink;
use streams::{Amount, Stream};

struct Options {
    rounds: usize,
    load: Load,
    rows: Vec<Row>,
    streams: Vec<Stream>,
    scales: Vec<Scale>,
}

fn main() -> ExitCode {
    let outcome = parse_options(std::env::args().skip(1)).and_then(|options| match options {
        Some(options) => run(options),
        None => {
            for row in rows::all() {
                println!("{:<16} {}", row.name, row.what);
            }
            for stream in streams::all() {
                println!("{:<16} {}", stream.name, stream.what);
            }
            for scale in scale::ALL {
                println!("{:<16} {}", scale.name, scale.what);
            }
            Ok(())
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// `None` asks for the list of rows.
fn parse_options(mut arguments: impl Iterator<Item = String>) -> Result<Option<Options>> {
    let mut rounds = 7;
    let mut load = Load {
        seconds: 3,
        connections: 8,
    };
    let mut wanted: Vec<String> = Vec::new();
    while let Some(option) = arguments.next() {
        if option == "--list" {
            return Ok(None);
        }
        let value = arguments
            .next()
            .with_context(|| format!("{option} needs a value"))?;
        let number = || {
            let number: u32 = value.parse().ok().filter(|number| *number > 0)?;
            Some(number)
        };
        let need = || format!("{option} needs a whole number above 0");
        match option.as_str() {
            "--rounds" => rounds = number().with_context(need)? as usize,
            "--seconds" => load.seconds = number().with_context(need)?,
            "--connections" => load.connections = number().with_context(need)?,
            "--row" => wanted.push(value),
            _ => bail!(
                "{option} is unknown; there are --rounds, --seconds, --connections, --row and --list"
            ),
        }
    }
    let mut rows = rows::all();
    let mut streams = streams::all();
    let mut scales = scale::ALL.to_vec();
    let names = || {
        let rows = rows.iter().map(|row| row.name);
        let streams = streams.iter().map(|stream| stream.name);
        rows.chain(streams)
            .chain(scales.iter().map(|scale| scale.name))
    };
    if let Some(unknown) = wanted
        .iter()
        .find(|wanted| names().all(|name| name != **wanted))
    {
        bail!("there is no row {unknown}; --list shows them");
    }
    if !wanted.is_empty() {
        rows.retain(|row| wanted.iter().any(|name| name == row.name));
        streams.retain(|stream| wanted.iter().any(|name| name == stream.name));
        scales.retain(|scale| wanted.iter().any(|name| name == scale.name));
    }
    Ok(Some(Options {
        rounds,
        load,
        rows,
        streams,
        scales,
    }))
}

fn run(mut options: Options) -> Result<()> {
    if !options.rows.is_empty() {
        load::check_wrk()?;
    }
    let envoy = envoy::chosen()?;
    let module_folder = workspace::module_folder()?;
    let pinned = cpu::keep_first_core_free();
    println!(
        "Envoy {}, {} rounds of {} s each, {} connections{}; CPU time of Envoy per request",
        envoy.version(),
        options.rounds,
        options.load.seconds,
        options.load.connections,
        if pinned {
            ", Envoy alone on one core"
        } else {
            ""
        },
    );
    let settings = Settings {
        component_log_level: "dynamic_modules:warning".to_owned(),
        module_folder: Some(module_folder),
        ..Settings::default()
    };
    for mut row in std::mem::take(&mut options.rows) {
        let besides = peers::join(&mut row);
        let measured = measure(&row, &besides, &envoy, &settings, &options)?;
        report::print(&row, &measured);
    }
    let amount = Amount {
        rounds: options.rounds,
        seconds: options.load.seconds,
        connections: options.load.connections,
    };
    for stream in &options.streams {
        streams::run(stream, &amount, &envoy, &settings)?;
    }
    for scale in &options.scales {
        scale::run(*scale, options.rounds.min(3), &envoy, &settings)?;
    }
    Ok(())
}

/// Each contender's measurements, one a round; rounds are interleaved so that a slow minute of the
/// machine hits all alike.
fn measure(
    row: &Row,
    besides: &[Option<Beside>],
    envoy: &Envoy,
    settings: &Settings,
    options: &Options,
) -> Result<Vec<Vec<Measured>>> {
    let sink = Sink::start(row.answer.clone())?;
    let start = |contender: &Contender| {
        let folder = std::env::temp_dir();
        let bootstrap = contender.config.to_bootstrap(sink.address(), &folder);
        let process = EnvoyProcess::start(envoy, &bootstrap, settings)?;
        cpu::move_to_first_core(process.id());
        Ok(process)
    };
    let mut running: Vec<EnvoyProcess> = row.contenders.iter().map(start).collect::<Result<_>>()?;
    let script = load::script(row)?;
    let mut measured: Vec<Vec<Measured>> = row.contenders.iter().map(|_| Vec::new()).collect();
    // The first round warms connections, caches and allocators; it is not counted.
    for round in 0..=options.rounds {
        let contenders = row.contenders.iter().zip(besides);
        let contenders = contenders.zip(running.iter_mut().zip(&mut measured));
        for ((contender, beside), (process, results)) in contenders {
            let result = options.load.run(process, beside.as_ref(), script.path());
            let result = result.with_context(|| format!("{}: {}", row.name, contender.name))?;
            process.check_alive()?;
            if round > 0 {
                results.push(result);
            }
        }
    }
    Ok(measured)
}
