//! What routes cost: an Envoy with thousands of them, each with a configuration of its own, and what
//! is left when Envoy's own part is taken away.
//!
//! Envoy's own part is an Envoy with as many routes whose texts are as long and say nothing. Each
//! contender starts with its routes in a file, then gets the same routes again with another header to
//! remove, as a control plane sends everything for each change. Measured are CPU time and resident
//! memory of the process after each.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustformations_tests::{Envoy, EnvoyConfig, EnvoyProcess, Route, Settings};
use serde_json::{Value, json};

use crate::cpu;

/// How many routes a row has.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    routes: u32,
}

/// The rows, smallest first.
pub(crate) const ALL: [Scale; 2] = [
    Scale {
        name: "routes-1k",
        what: "1,000 routes with a configuration each, at the start and as an update",
        routes: 1_000,
    },
    Scale {
        name: "routes-10k",
        what: "10,000 routes with a configuration each, at the start and as an update",
        routes: 10_000,
    },
];

/// An update that takes longer has failed.
const UPDATE_DEADLINE: Duration = Duration::from_secs(60);

/// Bytes of each route's configuration.
const TEXT_BYTES: usize = 600;

struct Contender {
    name: &'static str,
    text: fn(u32) -> Option<String>,
}

/// Envoy's own part is the second one.
const CONTENDERS: [Contender; 4] = [
    Contender {
        name: "no filter",
        text: |_| None,
    },
    Contender {
        name: "says nothing",
        text: |_| Some(padded("{}".to_owned())),
    },
    Contender {
        name: "equal",
        text: |_| Some(transform(0)),
    },
    Contender {
        name: "distinct",
        text: |number| Some(transform(number)),
    },
];

/// What a process had used up by some moment.
#[derive(Clone, Copy, Default)]
struct Used {
    cpu: Duration,
    resident: u64,
}

#[derive(Clone, Copy, Default)]
struct Measured {
    start: Used,
    update: Used,
}

/// Measures one row and prints it.
///
/// # Errors
/// When an Envoy does not start or does not take the update.
pub(crate) fn run(scale: Scale, rounds: usize, envoy: &Envoy, settings: &Settings) -> Result<()> {
    let mut measured: [Vec<Measured>; CONTENDERS.len()] = Default::default();
    for _ in 0..rounds {
        for (contender, results) in CONTENDERS.iter().zip(&mut measured) {
            results.push(measure(scale, contender, envoy, settings)?);
        }
    }
    print(scale, &measured);
    Ok(())
}

fn measure(
    scale: Scale,
    contender: &Contender,
    envoy: &Envoy,
    settings: &Settings,
) -> Result<Measured> {
    let folder = tempfile::tempdir().context("no temporary folder can be made")?;
    let mut config = EnvoyConfig::new().routes_from_file();
    for number in 0..scale.routes {
        let route = Route::at(&format!("/{number}/"));
        config = config.route(match (contender.text)(number) {
            Some(text) => route.transform(text.as_str()),
            None => route,
        });
    }
    publish(&config.to_routes_file(0), folder.path())?;
    // Nothing is asked of the origin.
    let nobody = ([127, 0, 0, 1], 9).into();
    let bootstrap = config.to_bootstrap(nobody, folder.path());
    let process = EnvoyProcess::start(envoy, &bootstrap, settings)?;
    let start = settled(&process)?;
    // Envoy takes no notice of routes that are the same to the letter.
    let changed = config.virtual_host("request_headers_to_remove", json!(["x-none"]));
    publish(&changed.to_routes_file(1), folder.path())?;
    await_version(&process, 1)?;
    let after = settled(&process)?;
    Ok(Measured {
        start,
        update: Used {
            cpu: after.cpu.saturating_sub(start.cpu),
            resident: after.resident,
        },
    })
}

/// Envoy watches for files that are moved into place.
fn publish(routes: &Value, folder: &Path) -> Result<()> {
    let next = folder.join("routes.next");
    std::fs::write(&next, routes.to_string())?;
    std::fs::rename(next, folder.join("routes.json"))?;
    Ok(())
}

fn await_version(process: &EnvoyProcess, version: u64) -> Result<()> {
    let deadline = Instant::now() + UPDATE_DEADLINE;
    let reloads = "http.lab.rds.lab.config_reload";
    // The first version counts as a reload, too.
    while process
        .stats()?
        .get(reloads)
        .is_none_or(|count| *count <= version)
    {
        if Instant::now() > deadline {
            bail!("Envoy has not taken the new routes after {UPDATE_DEADLINE:?}");
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// What the process has used once it is at rest.
fn settled(process: &EnvoyProcess) -> Result<Used> {
    const STEP: Duration = Duration::from_millis(250);
    let mut before = cpu::time_of(process.id())?;
    loop {
        thread::sleep(STEP);
        let now = cpu::time_of(process.id())?;
        if now.saturating_sub(before) < STEP / 10 {
            return Ok(Used {
                cpu: now,
                resident: cpu::resident_of(process.id())?,
            });
        }
        before = now;
    }
}

/// Four templates and a parsed body, as a route's policy has them.
fn transform(number: u32) -> String {
    let text = json!({
        "request": {
            "body": {"parseAs": "AsJson"},
            "set": [
                {"name": "x-model", "value": "{{ model }}"},
                {"name": "x-team", "value": format!("{{{{ header('x-team') | default('team-{number}', true) }}}}")},
            ],
        },
        "response": {
            "set": [
                {"name": "x-asked", "value": "{{ request_header(':method') }} {{ request_header(':path') }}"},
                {"name": "x-kind", "value": "{% if header(':status') == '200' %}fine{% else %}odd{% endif %}"},
            ],
        },
    });
    padded(text.to_string())
}

fn padded(mut text: String) -> String {
    let blanks = TEXT_BYTES.saturating_sub(text.len());
    text.extend(std::iter::repeat_n(' ', blanks));
    text
}

fn print(scale: Scale, measured: &[Vec<Measured>; CONTENDERS.len()]) {
    println!("\n{}: {}", scale.name, scale.what);
    println!(
        "  {:<16} {:>12} {:>14} {:>12} {:>14}   beyond Envoy's own part, for each route",
        "", "start CPU", "then resident", "update CPU", "then resident"
    );
    let medians: Vec<Measured> = measured.iter().map(|rounds| middle(rounds)).collect();
    let own = medians.get(1).copied().unwrap_or_default();
    for (contender, median) in CONTENDERS.iter().zip(medians) {
        let each = |total: f64, own: f64| (total - own) / f64::from(scale.routes);
        let micros = |used: Used| used.cpu.as_secs_f64() * 1e6;
        let kib = |used: Used| used.resident as f64 / 1024.0;
        println!(
            "  {:<16} {:>9.0} ms {:>10.1} MiB {:>9.0} ms {:>10.1} MiB   {:>6.1} us {:>6.1} KiB, update {:>6.1} us {:>6.1} KiB",
            contender.name,
            micros(median.start) / 1e3,
            kib(median.start) / 1024.0,
            micros(median.update) / 1e3,
            kib(median.update) / 1024.0,
            each(micros(median.start), micros(own.start)),
            each(kib(median.start), kib(own.start)),
            each(micros(median.update), micros(own.update)),
            each(kib(median.update), kib(own.update)),
        );
    }
}

/// The median of each figure by itself.
fn middle(rounds: &[Measured]) -> Measured {
    fn of<T: Ord + Copy + Default>(rounds: &[Measured], figure: impl Fn(&Measured) -> T) -> T {
        let mut figures: Vec<T> = rounds.iter().map(figure).collect();
        figures.sort_unstable();
        figures.get(figures.len() / 2).copied().unwrap_or_default()
    }
    let used = |pick: fn(&Measured) -> Used| Used {
        cpu: of(rounds, |round| pick(round).cpu),
        resident: of(rounds, |round| pick(round).resident),
    };
    Measured {
        start: used(|round| round.start),
        update: used(|round| round.update),
    }
}
