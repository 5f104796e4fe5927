//! `completions` and `man`: what shells and `man` are given, made of the command line itself.

use std::io::Write;

use anyhow::Result;
use clap::Command;
use clap_complete::Shell;

use crate::Outcome;

const COMPLETIONS: &str = "\
Examples:
  rustformations completions bash > /etc/bash_completion.d/rustformations
  rustformations completions zsh > ~/.zfunc/_rustformations

Exit code: 0.";

const MAN: &str = "\
Examples:
  rustformations man | man -l -
  rustformations man validate > rustformations-validate.1

Exit codes: 0, or 2 if there is no such command.";

/// Print the completions of a shell
#[derive(Debug, clap::Args)]
#[command(after_help = COMPLETIONS)]
pub(crate) struct CompletionArguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Print the manual page of the tool, or of one of its commands
#[derive(Debug, clap::Args)]
#[command(after_help = MAN)]
pub(crate) struct ManArguments {
    /// The command
    command: Option<String>,
}

/// Runs `completions` for the command line `command`.
///
/// # Errors
/// If nothing can be written.
pub(crate) fn completions(
    asked: &CompletionArguments,
    mut command: Command,
    out: &mut dyn Write,
) -> Result<Outcome> {
    let name = command.get_name().to_owned();
    // It panics where it cannot write, as to a pipe that was closed.
    let mut text = Vec::new();
    clap_complete::generate(asked.shell, &mut command, name, &mut text);
    out.write_all(&text)?;
    Ok(Outcome::Fine)
}

/// Runs `man` for the command line `command`.
///
/// # Errors
/// If there is no such command, or nothing can be written.
pub(crate) fn man(
    asked: &ManArguments,
    mut command: Command,
    out: &mut dyn Write,
) -> Result<Outcome> {
    // Only then do commands know that they are the tool's.
    command.build();
    let shown: Command = match &asked.command {
        None => command,
        Some(name) => {
            let found = command.find_subcommand(name).cloned();
            found.ok_or_else(|| anyhow::anyhow!("there is no command {name:?}"))?
        }
    };
    clap_mangen::Man::new(shown).render(out)?;
    Ok(Outcome::Fine)
}
