//! The request, behind the templates: what it is, and what is put into it.

use std::borrow::Cow;

use formats::events::Format;
use llm::apply::Verdict;
use llm::dialect::{self, path::PathFacts};
use llm::facts::Facts;
use llm::model::{fits_header, not_found, rename, repeated};
use llm::place::Edits;
use llm::prompt::{NoPlace, Prompt, PromptRole, enrich};
use llm::refusal::Refusal;
use llm::request::Request;
use llm::usage::{Meter, ask, estimate};

use super::{AiExchange, AiProgram, Refused, RequestBody};
use crate::direction::Direction;
use crate::http::DIGESTS;
use crate::message::{append_header, is_compressed};
use crate::ops::TransformationOps;
use crate::stages::{Applied, BodyChange};

impl AiProgram {
    /// Whether the body of this request has to be there as a whole: not if neither its path nor its
    /// content type lets it be one of a dialect.
    pub(crate) fn holds_request(&self, ops: &(impl TransformationOps + ?Sized)) -> bool {
        if self.dialect.is_some() {
            return true;
        }
        let mut path = String::new();
        append_header(ops, Direction::Request, ":path", &mut path);
        if PathFacts::of(&path).dialect.is_some() {
            return true;
        }
        let mut content_type = String::new();
        append_header(ops, Direction::Request, "content-type", &mut content_type);
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let media_type = media_type.to_ascii_lowercase();
        let is_json = media_type == "application/json" || media_type.ends_with("+json");
        (media_type.is_empty() || is_json) && Format::of(&media_type).is_none()
    }
}

/// Why a request is refused: who says so, why, and what the client is told.
struct Denial {
    stage: &'static str,
    reason: String,
    refusal: Refusal,
}

/// What becomes of a request.
#[derive(Default)]
struct Made {
    /// Its body, if that is another one.
    body: Option<String>,
    /// Its path, likewise.
    path: Option<String>,
}

impl AiExchange {
    /// The whole request is there, as the templates have left it; a body that was not held is not. Says
    /// what was done to it. `prompts` are what the operator's say.
    ///
    /// # Errors
    /// The answer in its place, beside what was done until then.
    ///
    /// # Cost
    /// A pass over the body and one for each stage that looks at texts; a copy, and another if it is
    /// edited.
    pub(crate) fn on_request(
        &mut self,
        program: &AiProgram,
        ops: &mut (impl TransformationOps + ?Sized),
        body: RequestBody,
        prompts: &[&str],
    ) -> Result<Applied, Box<(Refused, Applied)>> {
        let is_passing = matches!(body, RequestBody::Passing);
        let (bytes, is_with_host) = match body {
            RequestBody::WithHost => (ops.get_request_body(), true),
            RequestBody::Kept(bytes) => (bytes, false),
            RequestBody::Passing => (Vec::new(), true),
        };
        let has_body = is_passing || !bytes.is_empty();
        let made = match self.run(program, ops, &bytes, has_body, prompts) {
            Ok(made) => made,
            Err(denial) => return Err(Box::new(self.refuse(program, ops, &denial))),
        };
        let mut applied = Applied::default();
        let edited = made.body;
        let drained = !is_with_host || edited.is_none() || ops.drain_request_body(bytes.len());
        let written = match &edited {
            _ if !drained => None,
            Some(edited) => Some(edited.as_bytes()),
            None if is_with_host => None,
            None => Some(&*bytes),
        };
        let appended = written.is_none_or(|it| it.is_empty() || ops.append_request_body(it));
        if !drained || !appended {
            applied.refused += 1;
            self.hides_usage = false;
        } else if let Some(edited) = edited {
            describe(edited.len(), ops, &mut applied);
        }
        if let Some(path) = made.path {
            set(":path", &path, ops, &mut applied);
            applied.reroute = true;
        }
        if let Some(stage) = &program.model {
            self.tell_model(&stage.header, ops, &mut applied);
        }
        if self.meter.is_some() {
            // Whatever the client takes, what comes has to be read.
            set("accept-encoding", "identity", ops, &mut applied);
        }
        self.publish_request(program, ops, &mut applied);
        Ok(applied)
    }

    /// The request is larger than what is held.
    pub(crate) fn refuse_size(
        &mut self,
        program: &AiProgram,
        ops: &mut (impl TransformationOps + ?Sized),
    ) -> (Refused, Applied) {
        let mut path = String::new();
        append_header(ops, Direction::Request, ":path", &mut path);
        self.facts.dialect = program.dialect.or(PathFacts::of(&path).dialect);
        let limit = program.body_bytes;
        let refusal = Refusal::new(413, format!("The request has more than {limit} bytes."));
        let denial = Denial::new("body", "too_large", refusal);
        self.refuse(program, ops, &denial)
    }

    /// Says no, and publishes who did and why.
    fn refuse(
        &mut self,
        program: &AiProgram,
        ops: &mut (impl TransformationOps + ?Sized),
        denial: &Denial,
    ) -> (Refused, Applied) {
        let Denial {
            stage,
            reason,
            refusal,
        } = denial;
        let mut applied = Applied::default();
        self.facts.refused = Some(format!("{stage}:{reason}"));
        self.publish_request(program, ops, &mut applied);
        let refused = Refused {
            status: refusal.status,
            stage,
            body: refusal.body(self.facts.dialect),
        };
        (refused, applied)
    }

    /// Learns what there is to know of the request, runs its stages in their order, and answers what
    /// becomes of it.
    fn run(
        &mut self,
        program: &AiProgram,
        ops: &(impl TransformationOps + ?Sized),
        body: &[u8],
        has_body: bool,
        prompts: &[&str],
    ) -> Result<Made, Denial> {
        let mut made = Made::default();
        if !has_body {
            return Ok(made);
        }
        let mut path = String::new();
        append_header(ops, Direction::Request, ":path", &mut path);
        let path = PathFacts::of(&path);
        let is_plain = !is_compressed(ops, Direction::Request);
        let text = std::str::from_utf8(body).ok().filter(|_| is_plain);
        let found = || dialect::detect(&path, text.unwrap_or_default());
        self.facts.dialect = program.dialect.or_else(found);
        let Some(dialect) = self.facts.dialect else {
            return match program.refuses_unknown {
                true => Err(Denial::new("dialect", "unknown", unknown())),
                false => Ok(made),
            };
        };
        let request = text.and_then(|text| Some((Request::read(dialect, text).ok()?, text)));
        if request.is_none()
            && let Some(stage) = program.needs_sight()
        {
            return Err(Denial::new(stage, "unreadable", unreadable()));
        }
        let in_path = path.model.as_ref().map(|model| model.name());
        let in_body = request.as_ref().and_then(|(request, text)| {
            let name = request.model?.contents(text)?;
            (!name.is_empty()).then_some(name)
        });
        // A path that names a model is what its provider goes by.
        self.facts.request_model = in_path.or(in_body).map(Cow::into_owned);
        self.facts.model = self.facts.request_model.clone();
        let mut edits = Edits::new();
        if let Some((request, text)) = &request {
            self.facts.stream = Some(path.stream.or(request.stream).unwrap_or_default());
            if let (Some(key), Some(stage)) = (request.repeated, program.needs_sight()) {
                let is_model = key.contents(text).is_some_and(|key| key == "model");
                let refusal = if is_model { repeated() } else { repeats() };
                return Err(Denial::new(stage, "repeated", refusal));
            }
            made.path = self.rename(program, &path, request, &mut edits)?;
            judge(
                program,
                &mut self.facts,
                request,
                text,
                path.is_count,
                &mut edits,
            )?;
            enrich_with(program, request, text, prompts, &mut edits)?;
        }
        if let Some(usage) = program.usage.filter(|_| !path.is_count) {
            self.meter = Some(Meter::new(dialect));
            if let Some((request, text)) = &request {
                if usage.estimate {
                    let bytes = request.text_bytes(text) as u64;
                    self.input_bytes = Some(bytes);
                    self.facts.estimated_input_tokens = Some(estimate(bytes));
                }
                self.hides_usage = usage.force && ask(request, text, &mut edits);
            }
        }
        made.body = text
            .filter(|_| !edits.is_empty())
            .map(|text| edits.write(text));
        Ok(made)
    }

    /// Gives the model the name that it has upstream, and answers the path if that names it.
    fn rename(
        &mut self,
        program: &AiProgram,
        path: &PathFacts<'_>,
        request: &Request,
        edits: &mut Edits,
    ) -> Result<Option<String>, Denial> {
        let Some(stage) = &program.model else {
            return Ok(None);
        };
        let asked = self.facts.request_model.as_deref();
        let model = asked.map(|name| stage.models.resolve(name));
        if !stage.models.allows(model.as_deref()) {
            return Err(Denial::new("model", "not_allowed", not_found()));
        }
        let Some(model) = model.filter(|model| Some(&**model) != asked) else {
            return Ok(None);
        };
        let model = model.into_owned();
        let in_path = path.model.as_ref().map(|it| it.replace(&model));
        if in_path.is_none() {
            rename(request, &model, edits);
        }
        self.facts.model = Some(model);
        Ok(in_path)
    }

    /// Tells routes and upstreams the model that goes upstream, whatever the client says.
    fn tell_model(
        &self,
        header: &str,
        ops: &mut (impl TransformationOps + ?Sized),
        applied: &mut Applied,
    ) {
        if header.is_empty() {
            return;
        }
        let model = self.facts.model.as_deref().filter(|it| fits_header(it));
        let (mut lines, mut same) = (0, true);
        ops.for_each_request_header_value(header, &mut |value| {
            lines += 1;
            same &= model.is_some_and(|model| model.as_bytes() == value);
        });
        if same && lines == usize::from(model.is_some()) {
            return;
        }
        applied.reroute = true;
        match model {
            Some(model) => set(header, model, ops, applied),
            None => {
                applied.headers = true;
                applied.refused += u32::from(!ops.remove_request_header(header));
            }
        }
    }
}

impl Denial {
    fn new(stage: &'static str, reason: impl Into<String>, refusal: Refusal) -> Denial {
        Denial {
            stage,
            reason: reason.into(),
            refusal,
        }
    }
}

impl AiProgram {
    /// The first stage that must not let a request pass which it cannot read.
    fn needs_sight(&self) -> Option<&'static str> {
        let stages = [
            ("model", self.model.is_some()),
            ("limits", self.limits.is_some()),
            ("guard", self.guard.as_ref().is_some_and(|it| !it.monitors)),
            ("prompt", self.prompts.is_some()),
        ];
        let found = stages.into_iter().find(|(_, needs)| *needs);
        found.map(|(stage, _)| stage)
    }
}

/// Holds a request to the limits, and its prompts to the guard's rules.
fn judge(
    program: &AiProgram,
    facts: &mut Facts,
    request: &Request,
    text: &str,
    is_count: bool,
    edits: &mut Edits,
) -> Result<(), Denial> {
    if let Some(limits) = &program.limits {
        let applied = limits.apply(request, text, is_count, edits);
        applied.map_err(|excess| Denial::new("limits", excess.reason(), excess.refusal()))?;
    }
    let Some(stage) = &program.guard else {
        return Ok(());
    };
    let reason = match stage.guard.judge(request, text) {
        Verdict::Pass => return Ok(()),
        Verdict::Denied(rule) => {
            facts.guard = Some(rule.to_owned());
            rule
        }
        Verdict::NotAllowed => {
            facts.guard = Some(NOT_ALLOWED.to_owned());
            NOT_ALLOWED
        }
        Verdict::TooDeep => "too_deep",
    };
    match stage.monitors {
        true => Ok(()),
        false => {
            let refusal = Refusal::new(stage.status, &*stage.message);
            Err(Denial::new("guard", reason, refusal))
        }
    }
}

/// What the guard tells in the place of a rule where none of those that allow matches.
const NOT_ALLOWED: &str = "not_allowed";

/// Puts in what the operator says.
fn enrich_with(
    program: &AiProgram,
    request: &Request,
    text: &str,
    contents: &[&str],
    edits: &mut Edits,
) -> Result<(), Denial> {
    let Some(prompts) = &program.prompts else {
        return Ok(());
    };
    let mut contents = contents.iter();
    let mut say = |roles: &[PromptRole]| -> Vec<Prompt<'_>> {
        let said = roles.iter().zip(contents.by_ref());
        said.map(|(role, content)| Prompt {
            role: *role,
            content,
        })
        .collect()
    };
    let (prepend, append) = (say(&prompts.prepend), say(&prompts.append));
    match enrich(request, text, &prepend, &append, edits) {
        Ok(_) => Ok(()),
        Err(no_place) => Err(Denial::new("prompt", NoPlace::REASON, no_place.refusal())),
    }
}

fn unknown() -> Refusal {
    Refusal::new(
        415,
        "This is no request of a dialect that is supported here.",
    )
}

fn unreadable() -> Refusal {
    Refusal::new(
        400,
        "The request is not a JSON object in UTF-8 without content coding.",
    )
}

fn repeats() -> Refusal {
    Refusal::new(400, "The request has a member more than once.")
}

fn set(
    name: &str,
    value: &str,
    ops: &mut (impl TransformationOps + ?Sized),
    applied: &mut Applied,
) {
    applied.headers = true;
    applied.refused += u32::from(!ops.set_request_header(name, value.as_bytes()));
}

/// Says of the request that its body has another `length` now.
fn describe(length: usize, ops: &mut (impl TransformationOps + ?Sized), applied: &mut Applied) {
    applied.body = BodyChange::Replaced;
    applied.headers = true;
    let mut has_length = false;
    ops.for_each_request_header_value("content-length", &mut |_| has_length = true);
    if has_length {
        let mut digits = itoa::Buffer::new();
        let length = digits.format(length).as_bytes();
        applied.refused += u32::from(!ops.set_request_header("content-length", length));
    }
    // They were about other bytes.
    for name in DIGESTS {
        ops.remove_request_header(name);
    }
}
