//! What became of the messages, for people and for programs.

mod differences;

use std::io::{self, Write};
use std::sync::Arc;

use serde_json::{Value, json};
use similar::ChangeTag;
use transformations::memory::{MemoryHost, Message, MetadataValue};
use transformations::{Applied, Direction, Exchange, Failure, Observer, Program, Reply, Step};

use super::steps::{self, Cost};
use crate::paint::{BOLD, CYAN, GREEN, RED, painted};

/// Up to which number a float has every integer.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Both messages, before and after.
pub(crate) struct Shown {
    program: Arc<Program>,
    request: Passage,
    response: Option<Passage>,
    reply: Option<Reply>,
    /// Dynamic metadata as (namespace, key, value).
    pub(super) metadata: Vec<(String, String, MetadataValue)>,
}

/// One message, before and after.
struct Passage {
    before: Message,
    after: Option<Message>,
    /// The number of the transform that applied, from 0.
    chosen: Option<usize>,
    /// What was done, in order.
    steps: Vec<Step>,
    sent: Result<Applied, Failure>,
}

impl Passage {
    fn new(before: Message) -> Passage {
        Passage {
            before,
            after: None,
            chosen: None,
            steps: Vec::new(),
            sent: Ok(Applied::default()),
        }
    }

    /// What was answered to each piece.
    fn answers(&self) -> impl Iterator<Item = &'static str> {
        self.steps.iter().filter_map(|step| match step {
            Step::Answered { next, .. } => Some(*next),
            _ => None,
        })
    }
}

impl Shown {
    pub(super) fn new(
        program: &Arc<Program>,
        request: Message,
        response: Option<Message>,
    ) -> Shown {
        Shown {
            program: Arc::clone(program),
            request: Passage::new(request),
            response: response.map(Passage::new),
            reply: None,
            metadata: Vec::new(),
        }
    }

    pub(super) fn has_response(&self) -> bool {
        self.response.is_some()
    }

    /// Whether a message was answered because something failed.
    pub(super) fn has_failed(&self) -> bool {
        self.passages()
            .iter()
            .any(|(_, passage)| passage.sent.is_err())
    }

    /// Notes what became of a message.
    pub(super) fn note(
        &mut self,
        direction: Direction,
        exchange: &Exchange,
        host: &mut MemoryHost,
        sent: Result<Applied, Failure>,
    ) {
        let (passage, message) = match direction {
            Direction::Request => (Some(&mut self.request), &host.request),
            Direction::Response => (self.response.as_mut(), &host.response),
        };
        if let Some(passage) = passage {
            let goes_on = sent.is_ok() && host.reply.is_none();
            passage.after = goes_on.then(|| message.clone());
            passage.chosen = exchange.chosen(direction);
            passage.steps = exchange.observer().map(Observer::take).unwrap_or_default();
            passage.sent = sent;
        }
        self.reply = host.reply.take().or(self.reply.take());
    }

    /// The messages that were sent.
    fn passages(&self) -> Vec<(Direction, &Passage)> {
        let mut passages = vec![(Direction::Request, &self.request)];
        let is_sent = |it: &&Passage| it.answers().next().is_some();
        let response = self.response.as_ref().filter(is_sent);
        passages.extend(response.map(|it| (Direction::Response, it)));
        passages
    }

    pub(super) fn text(&self, explain: bool, out: &mut dyn Write) -> io::Result<()> {
        for (index, (direction, passage)) in self.passages().into_iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            writeln!(out, "{}", painted(BOLD, name(direction)))?;
            let before = as_text(&passage.before);
            let after = passage
                .after
                .as_ref()
                .map_or_else(|| before.clone(), as_text);
            diff(&before, &after, out)?;
            if let Err(failure) = &passage.sent {
                self.answered(failure, out)?;
            }
            if explain {
                self.explain(passage, out)?;
            }
        }
        if let Some(reply) = &self.reply {
            writeln!(out, "\n{} ({})", painted(BOLD, "answered"), reply.details)?;
            writeln!(
                out,
                "{}",
                painted(GREEN, format!("+ :status: {}", reply.status))
            )?;
            for (name, value) in &reply.headers {
                writeln!(out, "{}", painted(GREEN, format!("+ {name}: {value}")))?;
            }
            for line in reply.body.lines() {
                writeln!(out, "{}", painted(GREEN, format!("+ {line}").trim_end()))?;
            }
        }
        if !self.metadata.is_empty() {
            writeln!(out, "\n{}", painted(BOLD, "metadata"))?;
            for (namespace, key, value) in &self.metadata {
                let value = metadata(value);
                writeln!(
                    out,
                    "{}",
                    painted(GREEN, format!("+ {namespace} {key} = {value}"))
                )?;
            }
        }
        Ok(())
    }

    fn answered(&self, failure: &Failure, out: &mut dyn Write) -> io::Result<()> {
        let error = failure.error();
        let (status, sentence) = (error.status(), self.sentence(failure));
        writeln!(
            out,
            "{} answered with {status}: {sentence}",
            painted(RED, "error:")
        )
    }

    fn sentence(&self, failure: &Failure) -> String {
        sentence(&self.program, failure)
    }

    fn explain(&self, passage: &Passage, out: &mut dyn Write) -> io::Result<()> {
        let mut say = |text: String| writeln!(out, "{} {text}", painted(CYAN, "note:"));
        for step in &passage.steps {
            if let Some(sentence) = steps::sentence(&self.program, step) {
                say(sentence)?;
            }
        }
        match passage.chosen {
            Some(number) => say(format!(
                "transform {} of this direction applies",
                number + 1
            ))?,
            None => say("no transform of this direction applies".to_owned())?,
        }
        let held = passage.answers().filter(|it| *it == "hold").count();
        match held {
            0 => say("nothing was held back".to_owned())?,
            held => say(format!(
                "{held} of {} pieces were held back",
                passage.answers().count()
            ))?,
        }
        if let Ok(applied) = &passage.sent {
            match applied.events {
                0 => {}
                1 => say("rules applied to 1 event".to_owned())?,
                events => say(format!("rules applied to {events} events"))?,
            }
            if applied.reroute {
                say("the route is chosen again".to_owned())?;
            }
            for failure in &applied.failures {
                say(format!("left out: {}", self.sentence(failure)))?;
            }
        }
        let Cost { fuel, bytes } = Cost::of(&passage.steps);
        say(format!(
            "it took {fuel} of fuel and {bytes} bytes of rendered text"
        ))?;
        Ok(())
    }

    pub(super) fn json(&self, explain: bool, out: &mut dyn Write) -> io::Result<()> {
        let mut all = json!({});
        for (direction, passage) in self.passages() {
            let mut shown = json!({"goesOn": passage.after.is_some()});
            if let Some(after) = &passage.after {
                shown["headers"] = headers(after);
                shown["body"] = lossy(&after.body_bytes());
            }
            if let Some(number) = passage.chosen {
                shown["transform"] = json!(number);
            }
            shown["held"] = json!(passage.answers().any(|it| it == "hold"));
            if explain {
                let steps = passage.steps.iter();
                let steps = steps.filter_map(|step| steps::object(&self.program, step));
                shown["steps"] = steps.collect();
                let Cost { fuel, bytes } = Cost::of(&passage.steps);
                shown["cost"] = json!({"fuel": fuel, "renderedBytes": bytes});
            }
            let failures = match &passage.sent {
                Ok(applied) => applied
                    .failures
                    .iter()
                    .map(|it| self.sentence(it))
                    .collect(),
                Err(failure) => {
                    shown["answered"] = json!(failure.error().status());
                    vec![self.sentence(failure)]
                }
            };
            shown["failures"] = json!(failures);
            all[name(direction)] = shown;
        }
        if let Some(reply) = &self.reply {
            let pairs = reply
                .headers
                .iter()
                .map(|(name, value)| json!([name, value]));
            let pairs: Vec<_> = pairs.collect();
            all["reply"] = json!({"status": reply.status, "headers": pairs, "body": reply.body, "details": reply.details});
        }
        all["metadata"] = self.entries();
        writeln!(out, "{all:#}")
    }

    /// The metadata.
    fn entries(&self) -> Value {
        let entries = self.metadata.iter().map(|(namespace, key, value)| {
            json!({"namespace": namespace, "key": key, "value": metadata(value)})
        });
        entries.collect()
    }
}

/// What failed, and where, as the log has it.
pub(crate) fn sentence(program: &Program, failure: &Failure) -> String {
    let error = failure.error();
    let field = program.field_path(error.field());
    let place = match field {
        "" => String::new(),
        field => format!("{field}: "),
    };
    match failure.reason() {
        Some(reason) => format!("{place}{error}: {reason}"),
        None => format!("{place}{error}"),
    }
}

fn name(direction: Direction) -> &'static str {
    match direction {
        Direction::Request => "request",
        Direction::Response => "response",
    }
}

pub(crate) fn diff(before: &str, after: &str, out: &mut dyn Write) -> io::Result<()> {
    for (tag, line) in differences::lines(before, after) {
        match tag {
            ChangeTag::Equal => writeln!(out, "{}", format!("  {line}").trim_end())?,
            ChangeTag::Delete => writeln!(out, "{}", painted(RED, format!("- {line}").trim_end()))?,
            ChangeTag::Insert => {
                writeln!(out, "{}", painted(GREEN, format!("+ {line}").trim_end()))?
            }
        }
    }
    Ok(())
}

/// Headers, an empty line and the body; control characters would do something to a terminal.
fn as_text(message: &Message) -> String {
    let mut text = String::new();
    for (name, value) in &message.headers {
        let (name, value) = (
            String::from_utf8_lossy(name),
            String::from_utf8_lossy(value),
        );
        text.push_str(&format!("{name}: {value}\n"));
    }
    let body = message.body_bytes();
    if !body.is_empty() {
        text.push_str(&format!(
            "\n{}\n",
            String::from_utf8_lossy(&body).trim_end_matches('\n')
        ));
    }
    without_controls(&text)
}

/// Bytes of a body as lines.
pub(crate) fn as_lines(bytes: &[u8]) -> String {
    without_controls(&String::from_utf8_lossy(bytes))
}

fn without_controls(text: &str) -> String {
    text.replace(|c: char| c.is_control() && c != '\n', "\u{fffd}")
}

fn headers(message: &Message) -> Value {
    let pairs = message.headers.iter();
    pairs
        .map(|(name, value)| json!([lossy(name), lossy(value)]))
        .collect()
}

fn lossy(bytes: &[u8]) -> Value {
    Value::from(String::from_utf8_lossy(bytes).into_owned())
}

fn metadata(value: &MetadataValue) -> Value {
    match value {
        MetadataValue::String(text) => json!(text),
        // Metadata has only floats; those that are whole are meant so.
        MetadataValue::Number(number) if number.fract() == 0.0 && number.abs() <= EXACT => {
            json!(*number as i64)
        }
        MetadataValue::Number(number) => json!(number),
        MetadataValue::Bool(flag) => json!(flag),
        MetadataValue::List(items) => items.iter().map(metadata).collect(),
        MetadataValue::Json(text) => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
    }
}
