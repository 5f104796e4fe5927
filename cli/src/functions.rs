//! `functions`: the reference of templates, searchable: functions, filters, tests, variables, attributes.

use std::io::{self, Write};

use anyhow::Result;
use serde_json::{Value, json};
use transformations::Attribute;
use transformations::functions::{FAMILIES, FILTERS, TESTS, VARIABLES};

use crate::Outcome;
use crate::format::OutputFormat;
use crate::paint::{BOLD, CYAN, RED, painted};

const EXAMPLES: &str = "\
Examples:
  rustformations functions                  all of them
  rustformations functions cookie           what has to do with cookies
  rustformations functions json patch       what has to do with both
  rustformations functions --format json    for programs

Exit codes: 0, or 1 if nothing matches.";

/// Search what templates can use: functions, filters, tests, variables, attributes
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Words that the name, the signature or the text holds, all of them, in any case
    #[arg(value_name = "WORD")]
    words: Vec<String>,

    /// How to print it
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: OutputFormat,
}

/// One thing that templates can use.
struct Entry {
    kind: &'static str,
    family: &'static str,
    name: &'static str,
    signature: String,
    summary: String,
    example: Option<(&'static str, &'static str)>,
}

impl Entry {
    fn has(&self, word: &str) -> bool {
        let texts = [
            self.kind,
            self.family,
            self.name,
            &self.signature,
            &self.summary,
        ];
        texts.iter().any(|text| text.to_lowercase().contains(word))
    }

    fn to_json(&self) -> Value {
        let mut entry = json!({
            "kind": self.kind,
            "name": self.name,
            "signature": self.signature,
            "summary": self.summary,
        });
        if !self.family.is_empty() {
            entry["family"] = json!(self.family);
        }
        if let Some((template, result)) = self.example {
            entry["example"] = json!({"template": template, "result": result});
        }
        entry
    }
}

/// Runs the command.
///
/// # Errors
/// If nothing can be written.
pub(crate) fn run(asked: &Arguments, out: &mut dyn Write) -> Result<Outcome> {
    let words: Vec<_> = asked.words.iter().map(|word| word.to_lowercase()).collect();
    let matches = |entry: &Entry| words.iter().all(|word| entry.has(word));
    let found: Vec<_> = all().into_iter().filter(matches).collect();
    match asked.format {
        OutputFormat::Text => text(&found, out)?,
        OutputFormat::Json => {
            let found: Vec<_> = found.iter().map(Entry::to_json).collect();
            writeln!(out, "{:#}", Value::from(found))?;
        }
    }
    Ok(match found.is_empty() {
        true => Outcome::Refused,
        false => Outcome::Fine,
    })
}

fn text(found: &[Entry], out: &mut dyn Write) -> io::Result<()> {
    if found.is_empty() {
        return writeln!(
            out,
            "{} nothing has all of these words",
            painted(RED, "error:")
        );
    }
    for (index, entry) in found.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        writeln!(
            out,
            "{} {}",
            painted(BOLD, &entry.signature),
            painted(CYAN, entry.kind)
        )?;
        writeln!(out, "  {}", entry.summary)?;
        if let Some((template, result)) = entry.example {
            writeln!(
                out,
                "  {template}\n  => {}",
                result.replace('\n', "\n     ")
            )?;
        }
    }
    Ok(())
}

/// Everything, in the order of the reference.
fn all() -> Vec<Entry> {
    let mut all = Vec::new();
    for (family, functions) in FAMILIES {
        all.extend(functions.iter().map(|it| Entry {
            kind: "function",
            family,
            name: it.name(),
            signature: match it.filter() {
                Some(filter) => format!("{}, {filter}", it.signature()),
                None => it.signature().to_owned(),
            },
            summary: it.summary().to_owned(),
            example: Some(it.example()),
        }));
    }
    for (kind, builtins) in [("filter", FILTERS), ("test", TESTS)] {
        all.extend(builtins.iter().map(|it| Entry {
            kind,
            family: "",
            name: it.name,
            signature: it.signature.to_owned(),
            summary: it.summary.to_owned(),
            example: Some(it.example),
        }));
    }
    all.extend(VARIABLES.iter().map(|it| Entry {
        kind: "variable",
        family: "",
        name: it.name,
        signature: match it.classic {
            "" => it.name.to_owned(),
            classic => format!("{}, {classic}", it.name),
        },
        summary: it.summary.to_owned(),
        example: Some(it.example),
    }));
    all.extend(Attribute::ALL.into_iter().map(|it| Entry {
        kind: "attribute",
        family: "",
        name: it.name(),
        signature: format!("attribute(\"{}\")", it.name()),
        summary: match it.since() {
            (1, 36) => "An attribute of the stream.".to_owned(),
            (major, minor) => format!("An attribute of the stream, from Envoy {major}.{minor} on."),
        },
        example: None,
    }));
    all
}
