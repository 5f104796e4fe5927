//! One question of the page: a configuration or a template, and the messages that are sent through it.

use std::sync::Arc;

use serde_json::{Value, json};
use transformations::files::{Files as Asked, NoProfiles, Prices};
use transformations::live::Live;
use transformations::memory::Message;
use transformations::profiles::Profiles;
use transformations::{CompileOptions, Diagnostic, Program};

use crate::files::LocalFiles;
use crate::render::choose::{self, Chosen};
use crate::render::{exchange, http};
use crate::source::Source;
use crate::validate::report;

/// The files that a configuration may have: profiles that were named when the tool was started. Whoever sends a link
/// must not choose what is read here.
#[derive(Clone, Debug)]
pub(super) struct Files(LocalFiles);

impl Files {
    pub(super) fn new(files: LocalFiles) -> Files {
        Files(files)
    }
}

impl Asked for Files {
    fn profiles(&self) -> Result<Arc<Profiles>, NoProfiles> {
        self.0.profiles()
    }

    fn prices(&self, _: &str) -> Result<Arc<dyn Live<Prices>>, String> {
        Err("the playground reads no files: write the prices into the configuration".to_owned())
    }
}

/// What the text of a question may be: a configuration, or a template of the body of one direction.
const MODES: [&str; 3] = ["configuration", "request", "response"];

/// The head of events that come without one.
const EVENTS: &str = "HTTP/1.1 200 OK\ncontent-type: text/event-stream\n\n";

/// A question, as the page asks it.
struct Question<'a> {
    mode: &'a str,
    text: &'a str,
    place: usize,
    request: &'a str,
    response: &'a str,
}

impl<'a> Question<'a> {
    fn of(question: &'a Value) -> Option<Question<'a>> {
        let text = |name: &str| question.get(name).and_then(Value::as_str);
        let place = question.get("place").and_then(Value::as_u64);
        let mode = text("mode").filter(|mode| MODES.contains(mode));
        Some(Question {
            mode: mode?,
            text: text("text")?,
            place: place.and_then(|it| usize::try_from(it).ok()).unwrap_or(0),
            request: text("request")?,
            response: text("response")?,
        })
    }
}

/// What the page is told: `diagnostics` of the configuration, and `messages` before and after; or `error`, which says
/// why neither is there. `places` are the configurations that there are, if there are several.
///
/// # Errors
/// If this is no question of the page.
pub(super) fn answer(question: &[u8], files: &Files) -> Result<Value, String> {
    let question: Value = serde_json::from_slice(question).map_err(|error| error.to_string())?;
    let question = Question::of(&question);
    let question = question.ok_or("expected mode, text, request and response")?;
    let mut answer = json!({});
    if let Err(why) = fill(&mut answer, &question, files) {
        answer["error"] = json!(format!("{why:#}"));
    }
    Ok(answer)
}

fn fill(answer: &mut Value, question: &Question<'_>, files: &Files) -> anyhow::Result<()> {
    let written = match question.mode {
        "configuration" => question.text.as_bytes().to_vec(),
        direction => template(direction, question).to_string().into_bytes(),
    };
    let source = Source {
        name: "configuration".to_owned(),
        is_named: true,
        bytes: Ok(written),
    };
    let mut candidates = choose::candidates(&[source], &files.0)?;
    if candidates.len() > 1 {
        answer["places"] = candidates.iter().map(|it| json!(it.about)).collect();
    }
    if candidates.is_empty() {
        anyhow::bail!(
            "there is no configuration here: it is an object with \"request\", \"response\" or \"ai\""
        );
    }
    let place = question.place.min(candidates.len() - 1);
    let Chosen { text, files, .. } = candidates.swap_remove(place);
    let compiled = Program::compile_with(&text, &options(), &Files(files));
    let found = match &compiled {
        Ok(program) => program.warnings().to_vec(),
        Err(found) => found.iter().cloned().collect(),
    };
    answer["diagnostics"] = found.iter().map(told).collect();
    let Ok(program) = compiled else {
        return Ok(());
    };
    let request = http::request_of_text(question.request.as_bytes());
    let request = request.map_err(|why| why.context("request"))?;
    let response = response(question.response).map_err(|why| why.context("response"))?;
    let shown = exchange(&Arc::new(program), request, response);
    let Value::Object(shown) = shown.differences() else {
        return Ok(());
    };
    for (name, value) in shown {
        answer[name] = value;
    }
    Ok(())
}

/// The response, if there is one: a message, or the events of a stream alone.
fn response(text: &str) -> anyhow::Result<Option<Message>> {
    let begins = text.trim_start();
    if begins.is_empty() {
        return Ok(None);
    }
    let fields = ["data:", "event:", "id:", "retry:", ":"];
    let is_stream = fields.iter().any(|field| begins.starts_with(field));
    let head = if is_stream { EVENTS } else { "" };
    http::response_of_text(format!("{head}{text}").as_bytes()).map(Some)
}

/// A problem, with what to do about its kind.
fn told(found: &Diagnostic) -> Value {
    let mut fields = report::of_diagnostic(found);
    if let Some(explained) = found.code().explained() {
        fields.insert("remedy".to_owned(), explained.remedy.into());
    }
    Value::Object(fields)
}

/// The configuration that has a template as the body of one direction. The body that it is about is read as what it
/// is.
fn template(direction: &str, question: &Question<'_>) -> Value {
    let message = match direction {
        "response" => question.response,
        _ => question.request,
    };
    let (_, body) = message.split_once("\n\n").unwrap_or_default();
    let is_json = body.trim_start().starts_with(['{', '[']);
    let kind = if is_json { "AsJson" } else { "AsString" };
    json!({direction: {"body": {"parseAs": kind, "value": question.text}}})
}

/// As for `render`, but that a link cannot have the environment read.
fn options() -> CompileOptions {
    let mut options = CompileOptions::from_process();
    options.env_allow.get_or_insert_default();
    options
}
