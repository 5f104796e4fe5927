//! What became of a recorded answer, for people and for programs.

use std::io::{self, Write};
use std::sync::Arc;

use llm::facts::{FactValue, Facts};
use serde_json::{Map, Value, json};
use transformations::{Failure, Program, Reply, Step};

use super::says::Says;
use crate::format::OutputFormat;
use crate::paint::{BOLD, CYAN, RED, painted};
use crate::price;
use crate::render::show::{as_lines, diff, sentence};
use crate::render::steps;

/// Everything of it.
pub(super) struct Replayed {
    program: Arc<Program>,
    /// What was done with the request.
    request: Vec<Step>,
    /// With the head of the answer.
    pub(super) head: Vec<Step>,
    pub(super) events: Vec<Event>,
    /// When the exchange was over.
    pub(super) end: Vec<Step>,
    pub(super) failure: Option<Failure>,
    pub(super) reply: Option<Reply>,
    facts: Map<String, Value>,
}

/// A piece of the answer.
pub(super) struct Event {
    pub(super) came: Vec<u8>,
    /// What went on when it came.
    pub(super) went: Vec<u8>,
    pub(super) says: Says,
    pub(super) steps: Vec<Step>,
}

impl Replayed {
    pub(super) fn new(program: &Arc<Program>, request: Vec<Step>) -> Replayed {
        Replayed {
            program: Arc::clone(program),
            request,
            head: Vec::new(),
            events: Vec::new(),
            end: Vec::new(),
            failure: None,
            reply: None,
            facts: Map::new(),
        }
    }

    /// Takes what is known in the end. No time passes here, so nothing is said of it.
    pub(super) fn learn(&mut self, facts: Option<&Facts>) {
        let known = facts.into_iter().flat_map(Facts::known);
        for (fact, value) in known.filter(|(fact, _)| !is_of_time(fact.name())) {
            let value = match value {
                FactValue::Number(number) => json!(number),
                FactValue::Fraction(number) => json!(number),
                FactValue::Text(text) => json!(text),
            };
            self.facts.insert(fact.name().to_owned(), value);
        }
    }

    pub(super) fn went_through(&self) -> bool {
        self.failure.is_none() && self.reply.is_none()
    }

    pub(super) fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        self.part("request", &self.request, out)?;
        self.part("head", &self.head, out)?;
        for (number, event) in self.events.iter().enumerate() {
            writeln!(out, "{}", painted(BOLD, format!("event {}", number + 1)))?;
            for line in event.says.lines() {
                writeln!(out, "  {line}")?;
            }
            self.notes(&event.steps, out)?;
            if event.came != event.went {
                diff(&as_lines(&event.came), &as_lines(&event.went), out)?;
            }
        }
        self.part("end", &self.end, out)?;
        if let Some(failure) = &self.failure {
            let status = failure.error().status();
            let why = sentence(&self.program, failure);
            writeln!(
                out,
                "{} answered with {status}: {why}",
                painted(RED, "error:")
            )?;
        }
        if let Some(reply) = &self.reply {
            let label = painted(RED, "error:");
            writeln!(
                out,
                "{label} answered with {}: {}",
                reply.status, reply.body
            )?;
        }
        if !self.facts.is_empty() {
            writeln!(out, "{}", painted(BOLD, "facts"))?;
            price::print(&self.facts, OutputFormat::Text, out)?;
        }
        Ok(())
    }

    /// What was done beside the events, if anything was.
    fn part(&self, name: &str, steps: &[Step], out: &mut dyn Write) -> io::Result<()> {
        let mut sentences = steps
            .iter()
            .filter_map(|it| steps::sentence(&self.program, it));
        if sentences.next().is_some() {
            writeln!(out, "{}", painted(BOLD, name))?;
            self.notes(steps, out)?;
        }
        Ok(())
    }

    fn notes(&self, steps: &[Step], out: &mut dyn Write) -> io::Result<()> {
        for step in steps {
            if let Some(sentence) = steps::sentence(&self.program, step) {
                writeln!(out, "{} {sentence}", painted(CYAN, "note:"))?;
            }
        }
        Ok(())
    }

    pub(super) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        let objects = |steps: &[Step]| -> Value {
            let objects = steps
                .iter()
                .filter_map(|it| steps::object(&self.program, it));
            objects.collect()
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let events = self.events.iter().map(|event| {
            json!({
                "came": text(&event.came),
                "says": event.says.json(),
                "steps": objects(&event.steps),
                "went": text(&event.went),
            })
        });
        let mut all = json!({
            "request": objects(&self.request),
            "head": objects(&self.head),
            "events": events.collect::<Vec<_>>(),
            "end": objects(&self.end),
            "facts": self.facts,
        });
        if let Some(failure) = &self.failure {
            all["answered"] = json!(failure.error().status());
            all["failure"] = json!(sentence(&self.program, failure));
        }
        if let Some(reply) = &self.reply {
            all["answered"] = json!(reply.status);
            all["reply"] = json!(reply.body);
        }
        writeln!(out, "{all:#}")
    }
}

/// Facts that would be other ones at each replay, or always 0.
fn is_of_time(name: &str) -> bool {
    name.ends_with("_ms") || name.ends_with("_per_second")
}
