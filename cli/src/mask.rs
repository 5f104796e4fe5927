//! `mask`: what of a text is masked, by the detectors of the filter or by a configuration's `ai.mask`.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use llm::mask::{Action, Edit, Form, Kind, Masker, Masking, Settings, apply};
use serde_json::{Value, json};
use transformations::{CompileOptions, Program};

use crate::Outcome;
use crate::files::{FileArguments, LocalFiles};
use crate::format::OutputFormat;
use crate::paint::{BOLD, RED, painted};
use crate::render::choose;

const EXAMPLES: &str = "\
Examples:
  rustformations mask letter.txt                          by all detectors
  rustformations mask --detect email,iban letter.txt
  rustformations mask -c config.json letter.txt --explain
  git diff | rustformations mask - --explain

Exit codes: 0, 1 if something is in it that a request must not say, 2 if a file cannot be read.";

/// Mask a text as a request's texts are masked, or explain what is found in it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The text; "-" is standard input
    #[arg(value_name = "FILE")]
    text: PathBuf,

    /// What to look for, if there is no configuration: email, phone, credit-card, ssn, iban, ip, api-key, jwt, private-key
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = kind, conflicts_with = "config")]
    detect: Vec<Kind>,

    /// The file of a configuration that has "ai.mask"
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Which configuration, if the file holds several: a part of its place
    #[arg(long, value_name = "TEXT", default_value = "")]
    place: String,

    /// Say where each value stands and what is put there, in place of the text
    #[arg(long)]
    explain: bool,

    /// How to print it; JSON has all of it
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: OutputFormat,

    #[command(flatten)]
    files: FileArguments,
}

fn kind(name: &str) -> Result<Kind, String> {
    Kind::parse(name).ok_or_else(|| {
        let known = Kind::ALL.map(Kind::configured);
        format!("expected some of {}", known.join(", "))
    })
}

/// Runs the command.
///
/// # Errors
/// If a file cannot be read, the configuration masks nothing, or nothing can be written.
pub(crate) fn run(asked: &Arguments, out: &mut dyn Write) -> Result<Outcome> {
    let text = read(&asked.text)?;
    let masker = masker(asked)?;
    let mut masking = masker.open();
    masking.reserve(&text);
    let edits = masking.mask(&text, Form::Plain)?;
    if let OutputFormat::Json = asked.format {
        writeln!(out, "{:#}", json(&text, &edits, &masking))?;
        return Ok(match masking.blocked() {
            Some(_) => Outcome::Refused,
            None => Outcome::Fine,
        });
    }
    if asked.explain {
        for edit in &edits {
            explain(&text, edit, out)?;
        }
        for (name, action, count) in masking.counts().filter(|(.., count)| *count > 0) {
            let style = match action {
                Action::Block => RED,
                _ => BOLD,
            };
            writeln!(
                out,
                "{}  {} found, action {}",
                painted(style, name),
                count,
                action.name()
            )?;
        }
    }
    if let Some(name) = masking.blocked() {
        if !asked.explain {
            // What is not masked here is what must not go on.
            let error = painted(RED, "error:");
            let mut err = anstream::stderr();
            writeln!(
                err,
                "{error} a request with this text is refused: it holds {name}"
            )?;
        }
        return Ok(Outcome::Refused);
    }
    if !asked.explain {
        out.write_all(apply(&text, &edits).as_bytes())?;
    }
    Ok(Outcome::Fine)
}

/// All of it as one object; a text that must not go on is not in it.
fn json(text: &str, edits: &[Edit], masking: &Masking) -> Value {
    let values = edits.iter().map(|edit| {
        let Place {
            line,
            column,
            length,
        } = place(text, edit);
        json!({"line": line, "column": column, "length": length, "replacement": edit.replacement})
    });
    let found = masking.counts().filter(|(.., count)| *count > 0);
    let found = found.map(
        |(name, action, count)| json!({"kind": name, "count": count, "action": action.name()}),
    );
    let mut all = json!({
        "values": values.collect::<Vec<_>>(),
        "found": found.collect::<Vec<_>>(),
    });
    match masking.blocked() {
        Some(name) => all["blocked"] = json!(name),
        None => all["text"] = json!(apply(text, edits)),
    }
    all
}

/// Where an edit stands, and what it puts there. The value is not repeated: what is printed may go anywhere.
fn explain(text: &str, edit: &Edit, out: &mut dyn Write) -> io::Result<()> {
    let Place {
        line,
        column,
        length,
    } = place(text, edit);
    let place = painted(BOLD, format!("{line}:{column}"));
    writeln!(
        out,
        "{place}  {length} characters become {}",
        edit.replacement
    )
}

/// Where a value begins, from 1, and how many characters it has.
struct Place {
    line: usize,
    column: usize,
    length: usize,
}

fn place(text: &str, edit: &Edit) -> Place {
    let before = text.get(..edit.range.start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    let length = text
        .get(edit.range.clone())
        .unwrap_or_default()
        .chars()
        .count();
    Place {
        line,
        column,
        length,
    }
}

fn read(path: &Path) -> Result<String> {
    let name = || path.display().to_string();
    if path.as_os_str() == "-" {
        let mut text = String::new();
        io::stdin()
            .lock()
            .read_to_string(&mut text)
            .context("standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(path).with_context(name)
}

fn masker(asked: &Arguments) -> Result<Arc<Masker>> {
    let Some(config) = &asked.config else {
        let kinds = match asked.detect.as_slice() {
            [] => &Kind::ALL[..],
            some => some,
        };
        let detectors = kinds.iter().map(|kind| (*kind, Action::Mask));
        let settings = Settings {
            detectors: detectors.collect(),
            ..Settings::default()
        };
        return Ok(Arc::new(Masker::compile(&settings)?));
    };
    let files = LocalFiles::new(&asked.files);
    let chosen = choose::configuration(config, &asked.place, &files)?;
    let options = CompileOptions::from_process();
    let program = Program::compile_with(&chosen.text, &options, &chosen.files);
    let program = program.with_context(|| format!("{} is refused", config.display()))?;
    match program.masker() {
        Some(masker) => Ok(masker),
        None => bail!(
            "{}: this configuration has no \"ai.mask\"",
            config.display()
        ),
    }
}
