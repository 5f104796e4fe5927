//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustformations_fuzz::targets::{TARGETS, Target};

const USAGE: &str = "\
usage: fuzz [--seconds N] [--executions N] [--seed N] [TARGET...]
       fuzz replay TARGET [FILE...]
       fuzz seeds TARGET FOLDER

Tries each target (all of them, if none is named) for a number of seconds or executions,
whichever is over first. `replay` tries files; without files, all seeds and the corpus. `seeds` writes
these into a folder, for other fuzzers.";

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Fuzz, with a process for each target.
    Fuzz,
    /// Be such a process.
    Child,
    /// Try files.
    Replay,
    /// Write down what a target starts from.
    Seeds,
}

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) command: Command,
    pub(crate) targets: Vec<&'static Target>,
    pub(crate) files: Vec<PathBuf>,
    /// For each target.
    pub(crate) time: Duration,
    /// For each target.
    pub(crate) executions: u64,
    pub(crate) seed: u64,
}

impl Arguments {
    pub(crate) fn read(words: impl Iterator<Item = String>) -> Result<Arguments> {
        let mut arguments = Arguments {
            command: Command::Fuzz,
            targets: Vec::new(),
            files: Vec::new(),
            time: Duration::from_secs(20),
            executions: u64::MAX,
            seed: 0,
        };
        let mut words = words.peekable();
        match words.peek().map(String::as_str) {
            Some("replay") => arguments.command = Command::Replay,
            Some("child") => arguments.command = Command::Child,
            Some("seeds") => arguments.command = Command::Seeds,
            _ => {}
        }
        if arguments.command != Command::Fuzz {
            words.next();
        }
        while let Some(word) = words.next() {
            let mut number = || -> Result<u64> {
                let next = words
                    .next()
                    .with_context(|| format!("{word} needs a number"))?;
                next.parse()
                    .with_context(|| format!("{word} needs a number, not {next}"))
            };
            match word.as_str() {
                "--seconds" => arguments.time = Duration::from_secs(number()?),
                "--executions" => arguments.executions = number()?,
                "--seed" => arguments.seed = number()?,
                "--help" | "-h" => bail!("{USAGE}"),
                _ if matches!(arguments.command, Command::Replay | Command::Seeds)
                    && !arguments.targets.is_empty() =>
                {
                    arguments.files.push(word.into());
                }
                _ => arguments.targets.push(target(&word)?),
            }
        }
        match (arguments.command, arguments.targets.is_empty()) {
            (Command::Fuzz, true) => arguments.targets.extend(TARGETS),
            (_, true) => bail!("{USAGE}"),
            _ => {}
        }
        Ok(arguments)
    }
}

fn target(name: &str) -> Result<&'static Target> {
    let known = || {
        TARGETS
            .iter()
            .map(|target| target.name)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let found = TARGETS.iter().find(|target| target.name == name);
    found.with_context(|| format!("there is no target {name}; there are {}\n{USAGE}", known()))
}
