//! `usage`: how many tokens an answer of a provider took, and what it cost, by the meter of the filter.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use formats::events::{Decoder, Format, Frame};
use llm::dialect::Dialect;
use llm::response::Response;
use llm::usage::{Ending, Meter};
use serde_json::{Map, Value, json};

use crate::Outcome;
use crate::format::OutputFormat;
use crate::price;
use crate::render::http;

const EXAMPLES: &str = "\
Examples:
  rustformations usage --dialect openai-chat answer.json
  rustformations usage --dialect anthropic-messages stream.sse --prices prices.json
  curl -sN https://... | rustformations usage --dialect openai-responses - --format json

Exit codes: 0 if the usage is known, 1 if it is not told or the cost that was asked for is not known, 2 if a file
cannot be read.";

/// The longest event that is read.
const LONGEST_EVENT: usize = 10 << 20;

/// Tell how many tokens an answer took, and what it cost
///
/// An answer is a JSON body, a stream of Server-Sent Events, or a message in a file that ends with .http.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The answer, as the provider sent it; "-" is standard input
    #[arg(value_name = "FILE")]
    answer: PathBuf,

    /// What it speaks: openai-chat, openai-responses, openai-completions, openai-embeddings, anthropic-messages, gemini
    #[arg(long, value_name = "DIALECT", value_parser = dialect)]
    dialect: Dialect,

    /// Prices, in either shape that "cost.file" may have; adds what the answer cost
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,

    /// The model to be priced, if not the one that the answer names
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,

    /// How to print it
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: OutputFormat,
}

pub(crate) fn dialect(name: &str) -> Result<Dialect, String> {
    Dialect::named(name).ok_or_else(|| {
        let names = Dialect::ALL.map(Dialect::name);
        format!("expected one of {}", names.join(", "))
    })
}

/// Runs the command.
///
/// # Errors
/// If a file cannot be read, or nothing can be written.
pub(crate) fn run(asked: &Arguments, out: &mut dyn Write) -> Result<Outcome> {
    let answer = http::response(&asked.answer)?;
    let mut meter = Meter::new(asked.dialect);
    let (ended, is_seen) = meter_all(&mut meter, asked.dialect, &answer.body_bytes());
    let is_error = !answer.values(":status").concat().starts_with('2');
    let ending = match is_error {
        true => Ending::Refused,
        false => ended,
    };
    let metered = meter.metered(ending, None);
    let mut facts = Map::new();
    let mut tell = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            facts.insert(name.to_owned(), value);
        }
    };
    tell("dialect", Some(json!(asked.dialect.name())));
    tell("response_model", meter.model().map(Value::from));
    tell("finish_reason", meter.finish_reason().map(Value::from));
    tell("usage_status", Some(json!(metered.status.name())));
    if let Some(usage) = &metered.usage {
        tell("input_tokens", Some(json!(usage.input_tokens)));
        tell("output_tokens", Some(json!(usage.output_tokens)));
        tell("total_tokens", Some(json!(usage.total_tokens())));
        tell("cached_tokens", usage.cached_tokens.map(Value::from));
        tell(
            "cache_creation_tokens",
            usage.cache_creation_tokens.map(Value::from),
        );
        tell("reasoning_tokens", usage.reasoning_tokens.map(Value::from));
    }
    let mut is_known = metered.usage.is_some();
    if let Some(path) = &asked.prices {
        let prices = price::read(path)?;
        let model = asked.model.as_deref().or(meter.model());
        is_known &= price::tell(prices.cost(model, metered.usage.as_ref()), &mut facts);
    }
    if metered.usage.is_none() {
        let why = match (is_error, is_seen) {
            (true, _) => "it is an error, which tells none",
            (false, false) => "nothing in it is JSON, or an event with JSON",
            (false, true) => {
                "nothing in it tells one; name another --dialect, or for a stream of Chat Completions ask with \
                 stream_options.include_usage"
            }
        };
        let name = asked.answer.display();
        writeln!(anstream::stderr(), "{name}: the usage is not known: {why}")?;
    }
    price::print(&facts, asked.format, out)?;
    Ok(match is_known {
        true => Outcome::Fine,
        false => Outcome::Refused,
    })
}

/// Has the whole answer seen, and says how it ended, and whether anything of it could be read.
fn meter_all(meter: &mut Meter, dialect: Dialect, body: &[u8]) -> (Ending, bool) {
    let mut view = Response::default();
    let is_json = matches!(body.trim_ascii_start().first(), Some(b'{' | b'['));
    if is_json {
        let text = String::from_utf8_lossy(body);
        return match view.read_body(dialect, &text) {
            Ok(()) => {
                meter.see(&view, &text);
                (Ending::Whole, true)
            }
            Err(_) => {
                meter.pass(body.len());
                (Ending::Early, false)
            }
        };
    }
    let mut decoder = Decoder::new(Format::Sse, LONGEST_EVENT);
    let mut rest = body;
    let mut is_seen = false;
    while let Some(frame) = decoder.next(&mut rest) {
        is_seen |= see(meter, &mut view, dialect, frame);
    }
    if let Some(frame) = decoder.finish() {
        is_seen |= see(meter, &mut view, dialect, frame);
    }
    (Ending::Whole, is_seen)
}

/// Has a piece of a stream seen, and says whether it could be read. Its last event counts without a blank line behind it, as in the filter.
fn see(meter: &mut Meter, view: &mut Response, dialect: Dialect, frame: Frame<'_>) -> bool {
    let event = match frame {
        Frame::Event(event) | Frame::Tail(event) => event,
        Frame::Oversized(bytes) => {
            meter.pass(bytes.len());
            return false;
        }
    };
    let Some(data) = event.data() else {
        return false;
    };
    let data = String::from_utf8_lossy(&data);
    match view.read_event(dialect, &data) {
        Ok(()) => {
            meter.see(view, &data);
            true
        }
        Err(_) => {
            meter.pass(data.len());
            false
        }
    }
}
