//! `explain`: what a code means, the smallest example of it, what is said of that, and what to do.

use std::io::{self, Write};

use anyhow::Result;
use serde_json::{Value, json};
use transformations::access::AccessPolicy;
use transformations::codes::{Example, Explained};
use transformations::config::beyond_policy;
use transformations::profiles::Profiles;
use transformations::provider::{NoKeys, Providers};
use transformations::{Capabilities, Code, CompileOptions, Diagnostic, Program};

use crate::Outcome;
use crate::format::OutputFormat;
use crate::paint::{self, BOLD, RED, painted};
use crate::validate::report::of_diagnostic;

const EXAMPLES: &str = "\
Examples:
  rustformations explain RF1203
  rustformations explain 1203 1010
  rustformations explain            every code, a line each

Exit codes: 0, or 1 if there is no such code.";

/// Explain a code such as RF1203: cause, example, remedy
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Codes, with or without "RF"; all are listed without one
    #[arg(value_name = "CODE")]
    codes: Vec<String>,

    /// How to print it
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: OutputFormat,
}

/// Runs the command.
///
/// # Errors
/// If nothing can be written.
pub(crate) fn run(asked: &Arguments, out: &mut dyn Write) -> Result<Outcome> {
    if let OutputFormat::Json = asked.format {
        return json(&asked.codes, out);
    }
    if asked.codes.is_empty() {
        for (code, title) in Code::ALL {
            writeln!(out, "{}  {title}", painted(BOLD, code))?;
        }
    }
    let mut outcome = Outcome::Fine;
    for (index, text) in asked.codes.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        match Code::find(text).and_then(Code::explained) {
            Some(found) => explain(found, out)?,
            None => {
                unknown(text)?;
                outcome = Outcome::Refused;
            }
        }
    }
    Ok(outcome)
}

/// Says that there is no such code.
fn unknown(text: &str) -> io::Result<()> {
    let error = painted(RED, "error:");
    writeln!(
        anstream::stderr(),
        "{error} there is no code {text:?}; \"rustformations explain\" lists all"
    )
}

/// The codes that are asked for, or all, as one list; what there is no code for is not in it, and said.
fn json(codes: &[String], out: &mut dyn Write) -> Result<Outcome> {
    let mut all: Vec<Code> = Vec::new();
    match codes {
        [] => all.extend(Code::ALL.iter().map(|(code, _)| *code)),
        codes => {
            for text in codes {
                match Code::find(text) {
                    Some(code) => all.push(code),
                    None => unknown(text)?,
                }
            }
        }
    }
    let explained = all.iter().filter_map(|code| code.explained());
    let objects = explained.map(|it| {
        let mut shown = json!({
            "code": it.code.to_string(),
            "title": it.code.title(),
            "remedy": it.remedy,
        });
        let example = text_of(it.example);
        if !example.is_empty() {
            shown["example"] = json!(example);
        }
        let said = said_of(it.example);
        if let Some(problem) = said.iter().find(|said| said.code() == it.code) {
            shown["said"] = Value::Object(of_diagnostic(problem));
        }
        shown
    });
    writeln!(out, "{:#}", Value::from(objects.collect::<Vec<_>>()))?;
    Ok(match all.len() < codes.len() {
        true => Outcome::Refused,
        false => Outcome::Fine,
    })
}

fn text_of(example: Example) -> String {
    match example {
        Example::Config(text) => String::from_utf8_lossy(text).into_owned(),
        Example::Profiles(text)
        | Example::Policy(text)
        | Example::File(text)
        | Example::Provider(text)
        | Example::AccessList(text) => text.to_owned(),
        _ => String::new(),
    }
}

fn explain(it: &Explained, out: &mut dyn Write) -> io::Result<()> {
    let Explained {
        code,
        example,
        remedy,
    } = it;
    writeln!(out, "{}: {}", painted(BOLD, code), code.title())?;
    let text = text_of(*example);
    if !text.is_empty() {
        writeln!(out, "\n{}", painted(BOLD, "Example"))?;
        for line in text.lines() {
            writeln!(out, "  {}", line.replace(char::is_control, "\u{fffd}"))?;
        }
    }
    let said = said_of(*example);
    let mut said = said.iter().filter(|it| it.code() == *code);
    if let Some(problem) = said.next() {
        writeln!(out, "\n{}", painted(BOLD, "What is said of it"))?;
        let mut text = Vec::new();
        paint::diagnostic(&mut text, problem)?;
        for line in String::from_utf8_lossy(&text).lines() {
            writeln!(out, "  {line}")?;
        }
    }
    writeln!(out, "\n{}\n  {remedy}.", painted(BOLD, "What to do"))
}

/// What is said of an example, now and here.
fn said_of(example: Example) -> Vec<Diagnostic> {
    let found = match example {
        Example::Config(text) => {
            let options = CompileOptions {
                capabilities: Capabilities::of_envoy((1, 36)),
                env_allow: None,
            };
            match Program::compile(text, &options) {
                Ok(program) => return program.warnings().to_vec(),
                Err(found) => found,
            }
        }
        Example::Profiles(text) => match Profiles::parse("profiles.yaml", text.as_bytes()) {
            Ok(_) => return Vec::new(),
            Err(found) => found,
        },
        Example::Policy(text) => {
            let value = serde_json::from_str(text).unwrap_or_default();
            return beyond_policy(&value, (2, 2));
        }
        Example::Provider(text) => match Providers::compile(text.as_bytes(), (1, 36), &NoKeys) {
            Ok(_) => return Vec::new(),
            Err(found) => found,
        },
        Example::AccessList(text) => match AccessPolicy::compile(text.as_bytes()) {
            Ok(_) => return Vec::new(),
            Err(found) => found,
        },
        _ => return Vec::new(),
    };
    found.iter().cloned().collect()
}
