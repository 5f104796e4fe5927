//! CPU time and memory of a process, and where processes run.
//!
//! Reads `/proc`; pins with `taskset` where there is one, and measures without pinning elsewhere.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};

/// The CPU time that all threads of process `id` have had so far, in nanoseconds of resolution.
pub(crate) fn time_of(id: u32) -> Result<Duration> {
    let tasks = format!("/proc/{id}/task");
    let mut total = 0;
    for task in std::fs::read_dir(&tasks).with_context(|| format!("{tasks} cannot be read"))? {
        total += time_on_cpu(&task?.path())?;
    }
    Ok(Duration::from_nanos(total))
}

fn time_on_cpu(task: &Path) -> Result<u64> {
    let file = task.join("schedstat");
    let text = std::fs::read_to_string(&file).with_context(|| {
        format!(
            "{} cannot be read; this kernel keeps no CPU times",
            file.display()
        )
    })?;
    let first = text
        .split_whitespace()
        .next()
        .and_then(|time| time.parse().ok());
    first.with_context(|| format!("{} holds no time", file.display()))
}

/// The resident memory of process `id` in bytes.
pub(crate) fn resident_of(id: u32) -> Result<u64> {
    let file = format!("/proc/{id}/status");
    let text = std::fs::read_to_string(&file).with_context(|| format!("{file} cannot be read"))?;
    let kib = text.lines().find_map(|line| {
        let rest = line.strip_prefix("VmRSS:")?;
        rest.split_whitespace().next()?.parse::<u64>().ok()
    });
    kib.map(|kib| kib * 1024)
        .with_context(|| format!("{file} tells no memory"))
}

/// Keeps this process and its children off the first core, if there is another; whether it worked.
pub(crate) fn keep_first_core_free() -> bool {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    cores > 1 && pin(std::process::id(), &format!("1-{}", cores - 1))
}

/// Gives the first core to process `id`, if that can be done.
pub(crate) fn move_to_first_core(id: u32) -> bool {
    pin(id, "0")
}

fn pin(id: u32, cores: &str) -> bool {
    Command::new("taskset")
        .args(["--all-tasks", "--cpu-list", "--pid", cores, &id.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
