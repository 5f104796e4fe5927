//! CPU time for an event: some connections that ask again and again, and finish what they have begun.
//!
//! One thread for each connection; the main thread waits and prints.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rustformations_tests::{Envoy, EnvoyProcess, Request, Settings};

use super::said::{self, EVENTS};
use super::{Amount, Contender, start};
use crate::cpu;
use crate::report::median;
use crate::speaker::{Speaker, Speech};

/// How long a stream may be silent.
const PATIENCE: Duration = Duration::from_secs(20);

/// Measures `contenders` in turns and prints a line for each.
pub(super) fn measure(
    contenders: &[Contender],
    speech: Speech,
    amount: &Amount,
    envoy: &Envoy,
    settings: &Settings,
) -> Result<()> {
    let speaker = Speaker::start(speech)?;
    let start = |contender: &Contender| start(contender, speaker.address(), envoy, settings);
    let running: Vec<EnvoyProcess> = contenders.iter().map(start).collect::<Result<_>>()?;
    for (contender, process) in contenders.iter().zip(&running) {
        check(contender, process)?;
    }
    let mut measured: Vec<Vec<f64>> = contenders.iter().map(|_| Vec::new()).collect();
    // The first round warms connections, caches and allocators; it is not counted.
    for round in 0..=amount.rounds {
        for (process, results) in running.iter().zip(&mut measured) {
            let used = load(process, amount)?;
            if round > 0 {
                results.push(used);
            }
        }
    }
    print(contenders, &measured);
    Ok(())
}

/// Refuses to measure what does not work.
fn check(contender: &Contender, envoy: &EnvoyProcess) -> Result<()> {
    let request = Request::new(envoy.listener("lab")?, "POST", said::PATH);
    let request = request.header("content-type", "application/json");
    let answer = request.body(said::chat()).try_send()?;
    let read = answer.text();
    let is_whole = answer.status == 200 && !answer.cut;
    ensure!(
        is_whole && (contender.is_right)(&read),
        "\"{}\" does not do its work: {read}",
        contender.name
    );
    Ok(())
}

/// CPU time of Envoy for an event, in microseconds.
fn load(envoy: &EnvoyProcess, amount: &Amount) -> Result<f64> {
    let to = envoy.listener("lab")?;
    let request = said::request();
    let before = cpu::time_of(envoy.id())?;
    let until = Instant::now() + Duration::from_secs(amount.seconds.into());
    let streams = std::thread::scope(|scope| {
        let ask = || ask_again(to, &request, until);
        let asking: Vec<_> = (0..amount.connections).map(|_| scope.spawn(ask)).collect();
        let ended = asking.into_iter().map(|thread| match thread.join() {
            Ok(streams) => streams,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        ended.sum::<Result<usize>>()
    })?;
    let used = cpu::time_of(envoy.id())?.saturating_sub(before);
    Ok(used.as_secs_f64() * 1e6 / (streams * EVENTS) as f64)
}

/// Asks over one connection until it is time to stop; how many streams there were.
fn ask_again(to: SocketAddr, request: &[u8], until: Instant) -> Result<usize> {
    let mut connection = connect(to)?;
    let mut piece = vec![0_u8; 64 << 10];
    let mut streams = 0;
    while Instant::now() < until {
        connection.write_all(request)?;
        let mut read = connection.read(&mut piece)?;
        ensure!(
            piece[..read].starts_with(b"HTTP/1.1 200 "),
            "a stream failed: {}",
            String::from_utf8_lossy(&piece[..read])
        );
        // The last bytes seen; an event ends with line ends, never with the last chunk.
        let mut end = Vec::new();
        loop {
            end.extend_from_slice(&piece[read.saturating_sub(5)..read]);
            end.drain(..end.len().saturating_sub(5));
            if end == b"0\r\n\r\n" {
                break;
            }
            read = connection.read(&mut piece)?;
            ensure!(read > 0, "a stream broke off");
        }
        streams += 1;
    }
    Ok(streams)
}

/// A connection to Envoy.
pub(super) fn connect(to: SocketAddr) -> Result<TcpStream> {
    let connection = TcpStream::connect(to).context("Envoy does not accept a connection")?;
    connection.set_nodelay(true)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    Ok(connection)
}

fn print(contenders: &[Contender], measured: &[Vec<f64>]) {
    let Some(base) = measured.first() else { return };
    println!("  {:<20} {:>12}  beyond no filter", "", "CPU, event");
    for (contender, rounds) in contenders.iter().zip(measured) {
        let beyond: Vec<f64> = rounds
            .iter()
            .zip(base)
            .map(|(it, base)| it - base)
            .collect();
        let lowest = beyond.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = beyond.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        println!(
            "  {:<20} {:>9.2} us  {:+.2} us ({lowest:+.2}..{highest:+.2})",
            contender.name,
            median(rounds.iter().copied()),
            median(beyond.into_iter()),
        );
    }
}
