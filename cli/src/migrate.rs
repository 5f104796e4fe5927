//! `migrate`: what the other engines of kgateway and Gloo are given, in the shape and the language of this module.
//!
//! It reads TrafficPolicies whose templates are Inja's, transformations of the classic filter wherever they stand,
//! and what the Rust engine of kgateway 2.0 and 2.1 was given. What has no counterpart here is left out, and told
//! with the line it stands in; what comes out is compiled as the module would do it.

mod classic;
mod inja;
mod maps;
mod moved;
mod notes;
mod setters;
mod shapes;

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};
use serde_json::{Value, json};
use transformations::{CompileOptions, Program, Severity};

use crate::find::locate::{Position, Text};
use crate::find::yaml;
use crate::format::OutputFormat;
use crate::source::Source;
use crate::validate::report::of_diagnostic;
use crate::{Outcome, paint, source};
use moved::Moved;
use notes::Notes;

const EXAMPLES: &str = "\
Examples:
  rustformations migrate policy.yaml > new.json           a TrafficPolicy with Inja's templates
  rustformations migrate virtual-service.yaml             every transformation of the classic filter in it
  kubectl get trafficpolicies -o yaml | rustformations migrate - > new.yaml   what is in a cluster, to be looked at
  kubectl diff -f new.yaml                                and applied only if the exit code of migrate was 0

What was moved is printed on standard output: JSON, several as the documents of one YAML stream. What could not be
moved is left out, and said on standard error with its place. Templates that show filters or tests of Jinja
are kept as they are, and told; others that are Jinja's already are not for it, since they cannot be told from Inja's. What a cluster adds
to an object (status, uid, resourceVersion and the like) is not printed.

Exit codes: 0 if everything was moved; 1 if something was not, or there is nothing to move; 2 if the file cannot be
read.";

/// Move configurations of kgateway's and Gloo's other engines: Inja templates, and the shapes of 2.0 and 2.1
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// JSON or YAML; "-" is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// How to print it; as JSON, what could not be moved is printed with what was
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: OutputFormat,
}

/// Runs the command.
///
/// # Errors
/// If the file cannot be read, or nothing can be written.
pub(crate) fn run(asked: &Arguments, out: &mut dyn Write) -> Result<Outcome> {
    if asked.file.is_dir() {
        bail!("{}: a folder; name a file", asked.file.display());
    }
    let sources = source::read_all(std::slice::from_ref(&asked.file));
    let Some(source) = sources.first() else {
        bail!("{}: nothing to read", asked.file.display());
    };
    let text = match (&source.bytes, source.text()) {
        (Err(why), _) => bail!("{}: {why}", source.name),
        (Ok(_), None) => bail!("{}: this is not UTF-8 text", source.name),
        (Ok(_), Some(text)) => text,
    };
    let documents = match yaml::documents(text) {
        Ok(documents) => documents,
        Err(why) => bail!("{}: {why}", source.name),
    };
    let mut notes = Notes::default();
    let mut moved = Vec::new();
    for (number, document) in documents.iter().enumerate() {
        notes.in_document(number);
        moved.extend(shapes::moved(document, &mut notes));
    }
    if moved.is_empty() {
        notes.nothing();
    }
    for one in &moved {
        check(one, &mut notes);
    }
    match asked.format {
        OutputFormat::Text => print(source, text, &moved, &notes, out)?,
        OutputFormat::Json => json(source, text, &moved, &notes, out)?,
    }
    let is_refused = notes
        .all()
        .any(|(_, problem)| problem.severity() == Severity::Error);
    Ok(match is_refused {
        true => Outcome::Refused,
        false => Outcome::Fine,
    })
}

/// What was moved on standard output, what could not be on standard error.
fn print(
    source: &Source,
    text: &str,
    moved: &[Moved],
    notes: &Notes,
    out: &mut dyn Write,
) -> Result<()> {
    let several = moved.len() > 1;
    for one in moved {
        if several {
            writeln!(out, "---")?;
        }
        if !one.place.is_empty() && several {
            writeln!(out, "# {}", one.place)?;
        }
        writeln!(out, "{:#}", one.document)?;
    }
    let text = Text::new(text);
    let mut err = anstream::stderr().lock();
    for (spot, problem) in notes.all() {
        let place = match spot.locate(&text, problem.path(), false) {
            Some(Position { line, column }) => format!("{}:{line}:{column}", source.name),
            None => source.name.clone(),
        };
        paint::diagnostic_at(&mut err, problem, Some(&place))?;
    }
    Ok(())
}

/// All of it as one object.
fn json(
    source: &Source,
    text: &str,
    moved: &[Moved],
    notes: &Notes,
    out: &mut dyn Write,
) -> Result<()> {
    let text = Text::new(text);
    let problems = notes.all().map(|(spot, problem)| {
        let mut fields = of_diagnostic(problem);
        fields.insert("file".to_owned(), source.name.as_str().into());
        if let Some(at) = spot.locate(&text, problem.path(), false) {
            fields.insert("line".to_owned(), at.line.into());
            fields.insert("column".to_owned(), at.column.into());
        }
        Value::Object(fields)
    });
    let moved = moved.iter();
    let moved = moved.map(|it| json!({"place": it.place, "document": it.document}));
    let all = json!({
        "moved": moved.collect::<Vec<_>>(),
        "problems": problems.collect::<Vec<_>>(),
    });
    writeln!(out, "{all:#}")?;
    Ok(())
}

/// Says what the module would say of a configuration that was moved.
fn check(one: &Moved, notes: &mut Notes) {
    let text = one.config().to_string();
    if let Err(found) = Program::compile(text.as_bytes(), &CompileOptions::from_process()) {
        for problem in &found {
            notes.of(&one.spot, problem.clone());
        }
    }
}
