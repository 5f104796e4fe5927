//! `replay`: a recorded answer through a configuration, event by event: what each says, and what becomes of it.
//!
//! It drives the same exchange as the filter does, over messages in memory, and looks on.

mod question;
mod says;
mod show;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use llm::dialect::Dialect;
use transformations::memory::Message;
use transformations::{Direction, Observer, Program, Step};

use crate::files::{FileArguments, LocalFiles};
use crate::format::OutputFormat;
use crate::render::{choose, host, http};
use crate::usage::dialect;
use crate::{Outcome, source};
use says::Says;
use show::{Event, Replayed};

const EXAMPLES: &str = "\
Examples:
  rustformations replay -c config.json stream.sse
  rustformations replay -c config.json stream.sse --request chat.http    what was masked in it is restored
  rustformations replay -c envoy.yaml --place routes[1] answer.http --format json
  curl -sN https://... | rustformations replay -c config.json -

Exit codes: 0 if the answer went through; 1 if the configuration is refused, or a message is answered in another way;
2 if the arguments make no sense or a file cannot be read.";

/// Send a recorded answer of a provider through a configuration, event by event
///
/// An answer is a stream of Server-Sent Events, a JSON body, or a message in a file that ends with .http.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The answer, as the provider sent it; "-" is standard input
    #[arg(value_name = "FILE")]
    answer: PathBuf,

    /// The file of the configuration: whatever "validate" finds one in
    #[arg(short, long, value_name = "FILE")]
    config: PathBuf,

    /// Which configuration, if the file holds several: a part of the place that "validate" names
    #[arg(long, value_name = "TEXT", default_value = "")]
    place: String,

    /// The request that was answered, in a file as RFC 9112 has it; without it, one without texts is made
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,

    /// What the answer speaks, if that does not show: openai-chat, openai-responses, openai-completions, openai-embeddings, anthropic-messages, gemini
    #[arg(long, value_name = "DIALECT", value_parser = dialect, conflicts_with = "request")]
    dialect: Option<Dialect>,

    /// How to print it
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: OutputFormat,

    #[command(flatten)]
    files: FileArguments,
}

/// Runs the command.
///
/// # Errors
/// If a message cannot be read, or nothing can be written.
pub(crate) fn run(asked: &Arguments, out: &mut dyn Write) -> Result<Outcome> {
    source::check_standard_input(&[
        ("FILE", Some(&asked.answer)),
        ("--config", Some(&asked.config)),
        ("--request", asked.request.as_deref()),
    ])?;
    let answer = http::response(&asked.answer)?;
    let request = match &asked.request {
        Some(path) => http::request(path)?,
        None => question::to(&answer, asked.dialect)?,
    };
    let files = LocalFiles::new(&asked.files);
    let Some(program) = choose::program(&asked.config, &asked.place, &files, out)? else {
        return Ok(Outcome::Refused);
    };
    let replayed = replay(&program, request, answer);
    match asked.format {
        OutputFormat::Text => replayed.text(out)?,
        OutputFormat::Json => replayed.json(out)?,
    }
    Ok(match replayed.went_through() {
        true => Outcome::Fine,
        false => Outcome::Refused,
    })
}

/// Sends the request and then the answer, and keeps what was said and done.
fn replay(program: &Arc<Program>, request: Message, answer: Message) -> Replayed {
    let came = answer.body.clone();
    let mut host = host(request, answer);
    let observer = Observer::default();
    let mut exchange = program.open_observed(observer.clone());
    let asked = host.send(&mut exchange, Direction::Request);
    let mut replayed = Replayed::new(program, observer.take());
    if let (Ok(_), None) = (&asked, &host.reply) {
        let sent = host.send(&mut exchange, Direction::Response);
        let dialect = exchange.facts().and_then(|facts| facts.dialect);
        let mut pieces = by_piece(observer.take()).into_iter();
        let (head, _) = pieces.next().unwrap_or_default();
        replayed.head = head;
        for (came, (steps, went)) in came.into_iter().zip(pieces) {
            let says = dialect.map(|dialect| Says::of(dialect, &came));
            replayed.events.push(Event {
                came,
                went,
                says: says.unwrap_or_default(),
                steps,
            });
        }
        replayed.failure = sent.err();
    } else {
        replayed.failure = asked.err();
    }
    exchange.on_complete(&mut host);
    replayed.end = observer.take();
    replayed.reply = host.reply.take();
    replayed.learn(exchange.facts());
    replayed
}

/// The steps of each piece that came, and what went on then: headers first, then pieces of the body.
fn by_piece(steps: Vec<Step>) -> Vec<(Vec<Step>, Vec<u8>)> {
    let mut pieces = Vec::new();
    let mut since = Vec::new();
    for step in steps {
        match step {
            Step::Answered { body, .. } => pieces.push((std::mem::take(&mut since), body)),
            step => since.push(step),
        }
    }
    pieces
}
