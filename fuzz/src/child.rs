//! The process in which a target runs. Ends as the target makes it end; the input that it was at is in
//! the first of the files it was given.

use std::collections::HashSet;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustformations_fuzz::mutate::Mutator;
use rustformations_fuzz::seeds;
use rustformations_fuzz::targets::Target;

use crate::arguments::Arguments;

/// An input that takes longer holds a worker. Generous, for busy machines.
const MAX_TIME: Duration = Duration::from_secs(20);
/// A process that grows beyond this leaks, or an input needs too much. In KiB.
const MAX_MEMORY: u64 = 2 << 20;
/// Inputs to go on from; the oldest that are no seeds are given up for new ones.
const MAX_POOL: usize = 20_000;

/// Fuzzes one target; prints how many executions there were, how many kinds of outcomes, and how long
/// the slowest took in milliseconds.
pub(crate) fn fuzz(arguments: &Arguments) -> Result<bool> {
    let target = arguments.targets.first().context("no target")?;
    let current = current(target)?;
    let executions = watch();
    let mut pool = seeds::all(target)?;
    let seed_count = pool.len();
    let mut mutator = Mutator::new(arguments.seed, &pool);
    let mut outcomes = HashSet::new();
    let mut slowest = Duration::ZERO;
    let start = Instant::now();
    let mut count = 0;
    while count < arguments.executions && start.elapsed() < arguments.time {
        // Seeds come first, as they are.
        let input = match pool.get(usize::try_from(count)?) {
            Some(seed) if count < seed_count as u64 => seed.clone(),
            _ => mutator.mutant(&pool),
        };
        write(&current, &input)?;
        let begin = Instant::now();
        let outcome = (target.run)(&input);
        slowest = slowest.max(begin.elapsed());
        count += 1;
        executions.store(count, Ordering::Relaxed);
        if outcomes.insert(outcome) && count > seed_count as u64 && pool.len() < MAX_POOL {
            pool.push(input);
        }
    }
    println!("{count} {} {}", outcomes.len(), slowest.as_millis());
    Ok(true)
}

/// Writes all that a target starts from into a folder.
pub(crate) fn write_seeds(arguments: &Arguments) -> Result<()> {
    let target = arguments.targets.first().context("no target")?;
    let folder = arguments.files.first().context("no folder")?;
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    for (number, seed) in seeds::all(target)?.iter().enumerate() {
        fs::write(folder.join(format!("seed-{number}")), seed)?;
    }
    Ok(())
}

/// Tries files, or all that a target starts from.
pub(crate) fn replay(arguments: &Arguments) -> Result<()> {
    let target = arguments.targets.first().context("no target")?;
    let inputs = if arguments.files.is_empty() {
        seeds::all(target)?
    } else {
        let read = |file| fs::read(file).with_context(|| format!("{}", Path::display(file)));
        arguments
            .files
            .iter()
            .map(|file| read(file))
            .collect::<Result<_>>()?
    };
    let current = current(target)?;
    let executions = watch();
    for input in &inputs {
        write(&current, input)?;
        (target.run)(input);
        executions.fetch_add(1, Ordering::Relaxed);
    }
    println!("{} {}", target.name, inputs.len());
    Ok(())
}

/// Where a target's process writes the input that it is at.
pub(crate) fn current_path(target: &Target, process: u32) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("fuzz-{}-{process}", target.name))
}

fn current(target: &Target) -> Result<File> {
    let path = current_path(target, std::process::id());
    File::create(&path).with_context(|| path.display().to_string())
}

fn write(current: &File, input: &[u8]) -> Result<()> {
    current.set_len(input.len() as u64)?;
    Ok(current.write_all_at(input, 0)?)
}

/// Ends the process when an input takes too long, or too much memory. Gives where executions are to be
/// counted.
fn watch() -> Arc<AtomicU64> {
    let executions = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&executions);
    thread::spawn(move || {
        let mut seen = (0, Instant::now());
        loop {
            thread::sleep(Duration::from_millis(50));
            let count = counted.load(Ordering::Relaxed);
            if count != seen.0 {
                seen = (count, Instant::now());
            }
            if seen.1.elapsed() > MAX_TIME {
                eprintln!("took longer than {} seconds", MAX_TIME.as_secs());
                std::process::abort();
            }
            if resident().is_some_and(|it| it > MAX_MEMORY) {
                eprintln!("needed more than {} MiB", MAX_MEMORY >> 10);
                std::process::abort();
            }
        }
    });
    executions
}

/// The memory in use in KiB, where that can be known.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}
