//! `rustformations`: configurations of the module, checked and tried without an Envoy, or in one.
//!
//! The same library as in the filter, over files. Nothing here uses a network but `serve` and `inspect`. What it prints is for people, on
//! standard output; what it says about its own work is on standard error. The exit codes are those of
//! [`Outcome`]; each command is a file of its own.

#![forbid(unsafe_code)]

mod arguments;
mod explain;
mod files;
mod find;
mod format;
mod functions;
mod generate;
mod inspect;
mod mask;
mod migrate;
mod paint;
mod price;
mod render;
mod replay;
mod schema;
mod serve;
mod source;
mod usage;
mod validate;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use arguments::{Arguments, Command};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It did what it was asked, and has nothing to complain of: exit code 0.
    Fine,
    /// It has, and said what: exit code 1. Arguments that make no sense, and what the machine refuses, are
    /// exit code 2.
    Refused,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    arguments.color.write_global();
    let mut out = io::BufWriter::new(anstream::stdout().lock());
    let ended = match &arguments.command {
        Command::Validate(asked) => validate::run(asked, &mut out),
        Command::Render(asked) => render::run(asked, &mut out),
        Command::Replay(asked) => replay::run(asked, &mut out),
        Command::Mask(asked) => mask::run(asked, &mut out),
        Command::Usage(asked) => usage::run(asked, &mut out),
        Command::Price(asked) => price::run(asked, &mut out),
        Command::Explain(asked) => explain::run(asked, &mut out),
        Command::Functions(asked) => functions::run(asked, &mut out),
        Command::Migrate(asked) => migrate::run(asked, &mut out),
        Command::Inspect(asked) => inspect::run(asked, &mut out),
        Command::Schema(asked) => schema::run(asked, &mut out),
        Command::Serve(asked) => serve::run(asked, &mut out),
        Command::Completions(asked) => generate::completions(asked, Arguments::command(), &mut out),
        Command::Man(asked) => generate::man(asked, Arguments::command(), &mut out),
    };
    let ended = ended.and_then(|outcome| Ok(out.flush().map(|()| outcome)?));
    match ended {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Refused) => ExitCode::from(1),
        // Whoever read has read enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // There is nobody else to tell if this fails.
            let _ = writeln!(anstream::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<io::Error>();
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
