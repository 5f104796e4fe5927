//! `fuzz`: tries the targets with mutants of their seeds, on any stable toolchain.
//!
//! A target runs in a process of its own, which writes every input down before it tries it. However
//! that process ends (a panic, a stack that overflows, a hang, too much memory), the input is there;
//! it is made smaller, kept under `target/fuzz-findings`, and shown. Move it into
//! `fuzz/corpus` with the change that mends it.

#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command speaks to a person"
)]

mod arguments;
mod child;
mod parent;

use std::process::ExitCode;

use arguments::{Arguments, Command};

fn main() -> ExitCode {
    let outcome =
        Arguments::read(std::env::args().skip(1)).and_then(|arguments| match arguments.command {
            Command::Fuzz => parent::fuzz(&arguments),
            Command::Child => child::fuzz(&arguments),
            Command::Replay => child::replay(&arguments).map(|()| true),
            Command::Seeds => child::write_seeds(&arguments).map(|()| true),
        });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
