//! Memory of streams that are open and wait: the model is silent, and the last words that it said may still
//! become something, so that they wait in the filter.
//!
//! The main thread opens them one by one. Told is the slope between a quarter of them and all, which leaves out
//! what there is one of.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustformations_tests::{Envoy, EnvoyProcess, Settings};

use super::load::connect;
use super::said;
use super::{Contender, start};
use crate::cpu;
use crate::speaker::{Speaker, Speech};

/// How many streams are opened where files are allowed for them.
const STREAMS: usize = 10_000;
/// Files that are open for other reasons.
const OTHER_FILES: usize = 200;

/// Measures `contenders` one after the other and prints a line for each.
pub(super) fn measure(contenders: &[Contender], envoy: &Envoy, settings: &Settings) -> Result<()> {
    // Each stream is two connections, and this program and Envoy have two ends each.
    let streams = STREAMS.min(open_files()?.saturating_sub(OTHER_FILES) / 2);
    println!("  {streams} streams, as many as may be open here and at most {STREAMS}");
    let mut base = None;
    for contender in contenders {
        let speaker = Speaker::start(Speech {
            writes: said::waiting(),
            pause: Duration::ZERO,
            ends: false,
        })?;
        let process = start(contender, speaker.address(), envoy, settings)?;
        let each = each(&process, streams)?;
        let base = *base.get_or_insert(each);
        println!(
            "  {:<20} {each:>6.1} KiB for each stream, {:+.1} KiB beyond no filter",
            contender.name,
            each - base
        );
    }
    Ok(())
}

/// Resident memory for each stream, in KiB.
fn each(process: &EnvoyProcess, streams: usize) -> Result<f64> {
    let quarter = streams / 4;
    let mut open = Vec::new();
    let few = resident_with(process, &mut open, quarter)?;
    let many = resident_with(process, &mut open, streams)?;
    Ok((many - few) / 1024.0 / (streams - quarter) as f64)
}

fn resident_with(process: &EnvoyProcess, open: &mut Vec<TcpStream>, count: usize) -> Result<f64> {
    let to = process.listener("lab")?;
    let request = said::request();
    let mut piece = vec![0_u8; 4096];
    while open.len() < count {
        let mut connection = connect(to)?;
        connection.write_all(&request)?;
        let mut seen = Vec::new();
        // The first event has passed; the second one is waiting, or about to.
        while !seen.windows(5).any(|window| window == b"Write") {
            let read = connection.read(&mut piece)?;
            ensure!(read > 0, "a stream broke off");
            seen.extend_from_slice(&piece[..read]);
        }
        open.push(connection);
    }
    thread::sleep(Duration::from_secs(1));
    Ok(cpu::resident_of(process.id())? as f64)
}

/// How many files this process may open, and Envoy after it.
fn open_files() -> Result<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let line = limits
        .lines()
        .find_map(|it| it.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next());
    soft.and_then(|soft| soft.parse().ok())
        .context("/proc/self/limits tells no limit of open files")
}
