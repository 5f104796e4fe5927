//! Runs a process for each target, and looks after what it leaves behind.

use std::collections::VecDeque;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustformations_fuzz::targets::Target;

use crate::arguments::Arguments;
use crate::child::current_path;

/// How many findings of a target end its run: more of them are seldom new.
const MAX_FINDINGS: usize = 10;
/// How often a finding is tried smaller.
const MAX_REDUCTIONS: usize = 400;

/// Fuzzes; tells whether nothing was found.
pub(crate) fn fuzz(arguments: &Arguments) -> Result<bool> {
    let mut found = 0;
    println!(
        "{:10} {:>12} {:>9} {:>11} {:>9}",
        "target", "executions", "outcomes", "slowest ms", "findings"
    );
    for target in &arguments.targets {
        found += fuzz_one(target, arguments)?;
    }
    Ok(found == 0)
}

fn fuzz_one(target: &Target, arguments: &Arguments) -> Result<usize> {
    // What was spent on inputs, not on making findings smaller.
    let mut spent = Duration::ZERO;
    let mut findings: Vec<String> = Vec::new();
    let mut round = 0;
    loop {
        let left = arguments.time.saturating_sub(spent);
        let seed = (arguments.seed + round).to_string();
        round += 1;
        let time = left.as_secs().to_string();
        let executions = arguments.executions.to_string();
        let words = [
            "child",
            target.name,
            "--seconds",
            &time,
            "--executions",
            &executions,
            "--seed",
            &seed,
        ];
        let start = Instant::now();
        let run = Run::of(target, &words)?;
        spent += start.elapsed();
        if run.succeeded {
            let mut numbers = run.stdout.split_whitespace();
            let mut next = || numbers.next().unwrap_or("?");
            let (executions, outcomes, slowest) = (next(), next(), next());
            let name = target.name;
            println!(
                "{name:10} {executions:>12} {outcomes:>9} {slowest:>11} {:>9}",
                findings.len()
            );
            return Ok(findings.len());
        }
        let reason = run.reason();
        if !findings.contains(&reason) {
            println!("{}: {reason}", target.name);
            let input = reduce(target, run.input, &reason)?;
            println!("  {}", keep(target, &input)?.display());
            findings.push(reason);
        }
        if findings.len() == MAX_FINDINGS || left.is_zero() {
            println!(
                "{:10} stopped after {} findings",
                target.name,
                findings.len()
            );
            return Ok(findings.len());
        }
    }
}

/// Leaves out what is not needed for the same end.
fn reduce(target: &Target, mut input: Vec<u8>, reason: &str) -> Result<Vec<u8>> {
    let path = std::env::temp_dir().join(format!("fuzz-reduce-{}", std::process::id()));
    let file = path.to_string_lossy().into_owned();
    let mut length = input.len() / 2;
    let mut tries = 0;
    // Hangs would take too long.
    while length > 0 && !reason.starts_with("took longer") {
        let mut at = 0;
        while at < input.len() && tries < MAX_REDUCTIONS {
            let mut less = input.clone();
            less.drain(at..(at + length).min(input.len()));
            fs::write(&path, &less)?;
            tries += 1;
            let run = Run::of(target, &["replay", target.name, &file])?;
            if !run.succeeded && run.reason() == reason {
                input = less;
            } else {
                at += length;
            }
        }
        length /= 2;
    }
    let _ = fs::remove_file(path);
    Ok(input)
}

fn keep(target: &Target, input: &[u8]) -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../target/fuzz-findings")
        .join(target.name);
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("found-{}", fs::read_dir(&folder)?.count()));
    fs::write(&path, input)?;
    Ok(path)
}

/// A process that has ended.
struct Run {
    succeeded: bool,
    stdout: String,
    /// The end of what it said.
    stderr: String,
    /// What it was at.
    input: Vec<u8>,
}

impl Run {
    fn of(target: &Target, words: &[&str]) -> Result<Run> {
        let program = std::env::current_exe().context("where this program is")?;
        let mut child = Command::new(program)
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start the target")?;
        let stderr = child.stderr.take().context("no stderr")?;
        let stdout = child.stdout.take().context("no stdout")?;
        let path = current_path(target, child.id());
        // The filter logs there; only the end is of interest.
        let said = end_of(stderr);
        let stdout = end_of(stdout);
        let status = child.wait()?;
        let input = fs::read(&path).unwrap_or_default();
        let _ = fs::remove_file(path);
        Ok(Run {
            succeeded: status.success(),
            stdout,
            stderr: said,
            input,
        })
    }

    /// Why it ended, in a line that is the same for the same fault.
    fn reason(&self) -> String {
        let telling = [
            "panicked at",
            "overflowed its stack",
            "took longer",
            "needed more",
            "memory allocation",
        ];
        let mut lines = self.stderr.lines();
        let line = lines.find(|line| telling.iter().any(|it| line.contains(it)));
        match line {
            Some(line) if line.contains("panicked at") => {
                let place = line
                    .split_once("panicked at")
                    .map_or(line, |(_, place)| place);
                // The first line of the message; assertions have values only behind it.
                format!(
                    "panicked at {} {}",
                    place.trim(),
                    lines.next().unwrap_or_default()
                )
            }
            Some(line) => line.to_owned(),
            None => self
                .stderr
                .lines()
                .last()
                .unwrap_or("ended for no known reason")
                .to_owned(),
        }
    }
}

/// Reads to the end, and keeps the last few KiB.
fn end_of(mut from: impl Read) -> String {
    const KEPT: usize = 16 << 10;
    let mut last = VecDeque::new();
    let mut chunk = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut chunk) {
        last.extend(chunk.iter().take(read));
        last.drain(..last.len().saturating_sub(KEPT));
    }
    String::from_utf8_lossy(last.make_contiguous()).into_owned()
}
