//! Time to the first event of a stream, one request at a time.
//!
//! The main thread asks each Envoy in turn, so that a slow moment of the machine hits all alike.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rustformations_tests::{Envoy, EnvoyProcess, Settings};

use super::load::connect;
use super::said;
use super::{Contender, start};
use crate::report::median;
use crate::speaker::{Speaker, Speech};

/// How many streams a round has.
const STREAMS: usize = 60;
/// How many events a paced stream has; only the first counts.
const PACED: usize = 3;

/// Measures `contenders` in turns and prints a line for each.
pub(super) fn measure(
    contenders: &[Contender],
    (mut events, together): (Vec<String>, usize),
    rounds: usize,
    envoy: &Envoy,
    settings: &Settings,
) -> Result<()> {
    if together == 1 {
        events.drain(PACED - 1..events.len() - 1);
    }
    let speech = Speech::of(&events, together, Duration::from_millis(5));
    let speaker = Speaker::start(speech)?;
    let start = |contender: &Contender| start(contender, speaker.address(), envoy, settings);
    let running: Vec<EnvoyProcess> = contenders.iter().map(start).collect::<Result<_>>()?;
    let open = |process: &EnvoyProcess| connect(process.listener("lab")?);
    let mut connections: Vec<TcpStream> = running.iter().map(open).collect::<Result<_>>()?;
    let mut measured: Vec<Vec<f64>> = contenders.iter().map(|_| Vec::new()).collect();
    let request = said::request();
    for stream in 0..=rounds * STREAMS {
        for (connection, results) in connections.iter_mut().zip(&mut measured) {
            let took = ask(connection, &request)?;
            if stream > 0 {
                results.push(took.as_secs_f64() * 1e6);
            }
        }
    }
    print(contenders, &measured);
    Ok(())
}

/// Asks, and reads the whole stream; how long its first event took.
fn ask(connection: &mut TcpStream, request: &[u8]) -> Result<Duration> {
    let mut seen = Vec::new();
    let mut piece = vec![0_u8; 64 << 10];
    let mut first = None;
    let began = Instant::now();
    connection.write_all(request)?;
    while !seen.ends_with(b"\r\n0\r\n\r\n") {
        let read = connection.read(&mut piece)?;
        ensure!(read > 0, "a stream broke off");
        seen.extend_from_slice(&piece[..read]);
        if first.is_none() && seen.windows(6).any(|window| window == b"data: ") {
            first = Some(began.elapsed());
        }
    }
    ensure!(seen.starts_with(b"HTTP/1.1 200 "), "a stream failed");
    Ok(first.unwrap_or(Duration::MAX))
}

fn print(contenders: &[Contender], measured: &[Vec<f64>]) {
    let Some(base) = measured.first() else { return };
    println!(
        "  {:<20} {:>12}  {:<18} {:>12}  beyond no filter",
        "", "first event", "beyond no filter", "best tenth"
    );
    for (contender, streams) in contenders.iter().zip(measured) {
        let beyond = streams.iter().zip(base).map(|(it, base)| it - base);
        println!(
            "  {:<20} {:>9.0} us  {:<18} {:>9.0} us  {:+.0} us",
            contender.name,
            median(streams.iter().copied()),
            format!("{:+.0} us", median(beyond)),
            best_tenth(streams),
            best_tenth(streams) - best_tenth(base),
        );
    }
}

/// The time that a tenth of the streams kept: the others may have waited for a busy machine.
fn best_tenth(streams: &[f64]) -> f64 {
    let mut streams = streams.to_vec();
    streams.sort_by(f64::total_cmp);
    streams.get(streams.len() / 10).copied().unwrap_or(f64::NAN)
}
