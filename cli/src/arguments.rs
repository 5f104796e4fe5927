//! The command line: commands, and what all of them take. What one command takes stands in its file.

use clap::{Parser, Subcommand, ValueEnum};

use crate::{
    explain, functions, generate, inspect, mask, migrate, price, render, replay, schema, serve,
    usage, validate,
};

/// Checks and tries configurations of rustformations, without an Envoy or in one.
#[derive(Debug, Parser)]
#[command(name = "rustformations", version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    /// When to use colours; NO_COLOR turns them off, too
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: Color,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What can be asked for.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Validate(validate::Arguments),
    Render(render::Arguments),
    Replay(replay::Arguments),
    Mask(mask::Arguments),
    Usage(usage::Arguments),
    Price(price::Arguments),
    Explain(explain::Arguments),
    Functions(functions::Arguments),
    Migrate(migrate::Arguments),
    Inspect(inspect::Arguments),
    Schema(schema::Arguments),
    Serve(serve::Arguments),
    Completions(generate::CompletionArguments),
    Man(generate::ManArguments),
}

/// When colours are used.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Color {
    /// On terminals
    #[default]
    Auto,
    Always,
    Never,
}

impl Color {
    /// Holds for everything that is printed from now on.
    pub(crate) fn write_global(self) {
        let choice = match self {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }
}
