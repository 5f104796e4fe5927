//! `render`: a request, and its response, through a configuration, as the filter would do it.
//!
//! It drives the same exchange as the filter does, over messages in memory.

pub(crate) mod choose;
pub(crate) mod http;
pub(crate) mod show;
pub(crate) mod steps;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use transformations::memory::{MemoryHost, Message};
use transformations::{Applied, Direction, Failure, Observer, Program};

use crate::files::{FileArguments, LocalFiles};
use crate::format::OutputFormat;
use crate::{Outcome, source};
use show::Shown;

const EXAMPLES: &str = "\
Examples:
  rustformations render -c config.json --request chat.http
  rustformations render -c envoy.yaml --place routes[0] -X POST -d @body.json http://api.example.com/v1/chat
  rustformations render -c config.json --request chat.http --response answer.http --explain
  rustformations render -c config.json /stream --response answer.sse

Exit codes: 0 if the messages went through; 1 if the configuration is refused, or a message is answered because
something failed; 2 if the arguments make no sense or a file cannot be read.";

/// Send a request, and a response, through a configuration, and show what becomes of them
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The file of the configuration: whatever "validate" finds one in; "-" is standard input
    #[arg(short, long, value_name = "FILE")]
    config: PathBuf,

    /// Which configuration, if the file holds several: a part of the place that "validate" names
    #[arg(long, value_name = "TEXT", default_value = "")]
    place: String,

    /// The request, in a file as RFC 9112 has it: a request line, headers, an empty line, the body; "-" is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["url", "method", "headers", "body"])]
    request: Option<PathBuf>,

    /// The request's URL, or only its path
    url: Option<String>,

    /// The request's method; GET, or POST where there is a body
    #[arg(short = 'X', long = "method", value_name = "METHOD")]
    method: Option<String>,

    /// A header of the request
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,

    /// The request's body; "@FILE" is that of a file
    #[arg(short = 'd', long = "data", value_name = "BODY")]
    body: Option<String>,

    /// The response: a file as RFC 9112 has it, or one that ends with .sse or .ndjson and holds the events of a 200
    #[arg(long, value_name = "FILE")]
    response: Option<PathBuf>,

    /// Say which condition held, what was held and why, which field came to what, what it cost and what failed
    #[arg(long)]
    explain: bool,

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
    let body = asked.body.as_deref().and_then(|it| it.strip_prefix('@'));
    source::check_standard_input(&[
        ("--config", Some(&asked.config)),
        ("--request", asked.request.as_deref()),
        ("--data", body.map(Path::new)),
        ("--response", asked.response.as_deref()),
    ])?;
    let request = request(asked)?;
    let response = asked.response.as_deref().map(http::response).transpose()?;
    let files = LocalFiles::new(&asked.files);
    let Some(program) = choose::program(&asked.config, &asked.place, &files, out)? else {
        return Ok(Outcome::Refused);
    };
    let shown = exchange(&program, request, response);
    match asked.format {
        OutputFormat::Text => shown.text(asked.explain, out)?,
        OutputFormat::Json => shown.json(asked.explain, out)?,
    }
    Ok(match shown.has_failed() {
        true => Outcome::Refused,
        false => Outcome::Fine,
    })
}

fn request(asked: &Arguments) -> Result<Message> {
    if let Some(path) = &asked.request {
        return http::request(path);
    }
    let Some(url) = &asked.url else {
        bail!("there is no request: name a file with --request, or a URL");
    };
    let body = match asked
        .body
        .as_deref()
        .map(|body| (body, body.strip_prefix('@')))
    {
        None => Vec::new(),
        Some((_, Some(file))) => http::read(Path::new(file))?,
        Some((body, None)) => body.as_bytes().to_vec(),
    };
    let method = asked.method.as_deref().unwrap_or(match body.is_empty() {
        true => "GET",
        false => "POST",
    });
    http::request_of(method, url, &asked.headers, body)
}

/// A host with both messages, now.
pub(crate) fn host(request: Message, response: Message) -> MemoryHost {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    MemoryHost {
        request,
        response,
        seconds: i64::try_from(now.as_secs()).unwrap_or(i64::MAX),
        nanoseconds: now.subsec_nanos().into(),
        ..MemoryHost::default()
    }
}

/// Sends both messages, and keeps what is to be shown of it.
pub(crate) fn exchange(
    program: &Arc<Program>,
    request: Message,
    response: Option<Message>,
) -> Shown {
    let mut host = host(request.clone(), response.clone().unwrap_or_default());
    let mut exchange = program.open_observed(Observer::default());
    let mut shown = Shown::new(program, request, response);
    let sent: Result<Applied, Failure> = host.send(&mut exchange, Direction::Request);
    let is_answered = sent.is_err() || host.reply.is_some();
    shown.note(Direction::Request, &exchange, &mut host, sent);
    if !is_answered && shown.has_response() {
        let sent = host.send(&mut exchange, Direction::Response);
        shown.note(Direction::Response, &exchange, &mut host, sent);
    }
    exchange.on_complete(&mut host);
    shown.metadata = host.metadata;
    shown
}
