//! The request, behind the templates: what it is, and what is put into it.

use std::borrow::Cow;

use llm::dialect::{self, path::PathFacts};
use llm::model::{rename, repeated};
use llm::place::Edits;
use llm::request::Request;
use llm::usage::{Meter, ask, estimate};

use super::mask::MaskStage;
use super::{AiExchange, AiProgram, Refused, RequestBody};
use crate::applied::Applied;
use crate::direction::Direction;
use crate::message::{append_header, is_compressed};
use crate::ops::TransformationOps;

mod begun;
mod denial;
mod enrich;
mod holds;
mod judge;
mod mask;
mod model;
mod write;

pub(crate) use holds::Holding;

use denial::{Denial, repeats, unknown, unreadable, unwritten};
use enrich::enrich_with;
use judge::judge;
use write::{Length, describe, set};

/// What becomes of a request.
#[derive(Default)]
struct Made {
    /// Its body, or as much of it as is here, if that is another one.
    body: Option<Vec<u8>>,
    /// Its path, likewise.
    path: Option<NewPath>,
}

/// Another path, and the one that it takes the place of.
struct NewPath {
    was: String,
    is: String,
}

/// What a request comes to, as long as nothing of that is done.
pub(crate) struct Decided {
    made: Made,
    denial: Option<Denial>,
    /// The body as it came here.
    bytes: Vec<u8>,
    is_with_host: bool,
    /// More of it is to come.
    is_begun: bool,
}

impl Decided {
    /// Takes it back, and the body, as it came here, out of the host's hands; it is empty if it has not come.
    pub(crate) fn take_back(self, ops: &mut (impl TransformationOps + ?Sized)) -> Vec<u8> {
        if let Some(path) = &self.made.path {
            ops.set_request_header(":path", path.was.as_bytes());
        }
        if self.is_with_host && !self.bytes.is_empty() {
            ops.drain_request_body(self.bytes.len());
        }
        self.bytes
    }
}

impl AiExchange {
    /// The whole request is there, as the templates have left it; a body that was not held is not. Says
    /// what it comes to. `prompts` are what the operator's say.
    ///
    /// # Cost
    /// A pass over the body and one for each stage that looks at texts; a copy, and another if it is
    /// edited.
    pub(crate) fn decide(
        &mut self,
        program: &AiProgram,
        ops: &mut (impl TransformationOps + ?Sized),
        body: RequestBody,
        prompts: &[&str],
    ) -> Decided {
        let is_passing = matches!(body, RequestBody::Passing);
        let (mut model, mut more) = (None, is_passing);
        let (bytes, is_with_host) = match body {
            RequestBody::WithHost => (ops.get_request_body(), true),
            RequestBody::Kept(bytes) => (bytes, false),
            RequestBody::Scanned {
                bytes,
                model: named,
                is_begun,
            } => {
                (model, more) = (Some(named), is_begun);
                (bytes, false)
            }
            RequestBody::Passing => (Vec::new(), true),
        };
        let mut path = String::new();
        append_header(ops, Direction::Request, ":path", &mut path);
        let path = PathFacts::of(&path);
        if is_passing && path.model.is_some() && program.minds_model_alone(&path) {
            // The body has nothing to say.
            model = Some(None);
        }
        let mut made = Made::default();
        let ran = match &model {
            Some(named) => self.run_begun(program, &path, &bytes, named.as_ref(), &mut made),
            None if !is_passing && bytes.is_empty() => Ok(()),
            None => self.run(program, ops, &path, &bytes, prompts, &mut made),
        };
        Decided {
            made,
            denial: ran.err(),
            bytes,
            is_with_host,
            is_begun: more,
        }
    }

    /// Tells routes what they may match on: the model, and the path where that names it. Answers whether
    /// that is something else than before.
    pub(crate) fn tell_routes(
        &self,
        program: &AiProgram,
        decided: &Decided,
        ops: &mut (impl TransformationOps + ?Sized),
        applied: &mut Applied,
    ) -> bool {
        let Some(stage) = &program.model else {
            return false;
        };
        if decided.denial.as_ref().is_some_and(|it| it.is_final) {
            return false;
        }
        if let Some(path) = &decided.made.path {
            set(":path", &path.is, ops, applied);
        }
        self.tell_model(&stage.header, ops, applied) || decided.made.path.is_some()
    }

    /// Does what the request comes to, and says what was done.
    ///
    /// # Errors
    /// The answer in its place, beside what was done until then.
    pub(crate) fn carry_out(
        &mut self,
        program: &AiProgram,
        decided: Decided,
        ops: &mut (impl TransformationOps + ?Sized),
    ) -> Result<Applied, Box<(Refused, Applied)>> {
        let Decided {
            made,
            denial,
            bytes,
            is_with_host,
            is_begun,
        } = decided;
        if let Some(denial) = denial {
            return Err(Box::new(self.refuse(program, ops, &denial)));
        }
        let mut applied = Applied::default();
        let edited = made.body;
        let drained = !is_with_host || edited.is_none() || ops.drain_request_body(bytes.len());
        let written = match &edited {
            _ if !drained => None,
            Some(edited) => Some(edited),
            None if is_with_host => None,
            None => Some(&bytes),
        };
        let appended = written.is_none_or(|it| it.is_empty() || ops.append_request_body(it));
        if !drained || !appended {
            if program.mask.as_ref().is_some_and(MaskStage::must_see) {
                // What is with the host is not what was masked.
                return Err(Box::new(self.refuse(program, ops, &unwritten())));
            }
            applied.refused += 1;
            self.hides_usage = false;
        } else if let Some(edited) = edited {
            let length = match is_begun {
                true => Length::Grows(edited.len() as i64 - bytes.len() as i64),
                false => Length::Is(edited.len()),
            };
            describe(length, ops, &mut applied);
        }
        if self.meter.is_some() || self.rewriting.is_some() {
            // Whatever the client takes, what comes has to be read.
            set("accept-encoding", "identity", ops, &mut applied);
        }
        self.publish_request(program, ops, &mut applied);
        Ok(applied)
    }

    /// Learns what there is to know of the request, runs its stages in their order, and answers what
    /// becomes of it.
    fn run(
        &mut self,
        program: &AiProgram,
        ops: &(impl TransformationOps + ?Sized),
        path: &PathFacts<'_>,
        body: &[u8],
        prompts: &[&str],
        made: &mut Made,
    ) -> Result<(), Denial> {
        let is_plain = !is_compressed(ops, Direction::Request);
        let text = std::str::from_utf8(body).ok().filter(|_| is_plain);
        let found = || dialect::detect(path, text.unwrap_or_default());
        self.facts.dialect = program.dialect.or_else(found);
        let Some(dialect) = self.facts.dialect else {
            return match program.refuses_unknown {
                true => Err(Denial::new("dialect", "unknown", unknown())),
                false => Ok(()),
            };
        };
        let request = text.and_then(|text| Some((Request::read(dialect, text).ok()?, text)));
        if request.is_none()
            && let Some(stage) = program.needs_sight()
        {
            return Err(Denial::at_once(stage, "unreadable", unreadable()));
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
                return Err(Denial::at_once(stage, "repeated", refusal));
            }
            if let Some(model) = self.rename(program, path, made) {
                rename(request, &model, &mut edits);
            }
            self.tell("model", 0, &edits);
            self.allow(program)?;
            let before = edits.len();
            judge(
                program,
                &mut self.facts,
                request,
                text,
                path.is_count,
                &mut edits,
            )?;
            self.tell("limits", before, &edits);
        }
        let before = edits.len();
        self.mask(program, dialect, request.as_ref(), &mut edits)?;
        self.tell("mask", before, &edits);
        let before = edits.len();
        if let Some((request, text)) = &request {
            let facts = &mut self.facts;
            enrich_with(program, request, text, prompts, facts, &mut edits)?;
            self.tell("prompt", before, &edits);
        }
        let before = edits.len();
        if let Some(usage) = program.usage.filter(|_| !path.is_count) {
            self.meter = Some(Meter::new(dialect));
            if let Some((request, text)) = &request {
                if usage.estimate {
                    let bytes = request.text_bytes(text) as u64;
                    self.input_bytes = Some(bytes);
                    self.facts.estimated_input_tokens = Some(estimate(bytes));
                }
                self.hides_usage = usage.force && ask(request, text, &mut edits);
                self.tell("usage", before, &edits);
            }
        }
        made.body = text
            .filter(|_| !edits.is_empty())
            .map(|text| edits.write(text).into_bytes());
        Ok(())
    }

    /// Tells whoever looks on what a stage added to the edits.
    fn tell(&self, stage: &'static str, before: usize, edits: &Edits) {
        if let Some(observer) = &self.observer {
            observer.stage(stage, edits.len().saturating_sub(before), 0);
        }
    }
}

impl AiProgram {
    /// The first stage that must not let a request pass which it cannot read.
    fn needs_sight(&self) -> Option<&'static str> {
        let stages = [
            ("model", self.model.as_ref().is_some_and(|it| !it.is_shadow)),
            ("limits", self.limits.is_some_and(|it| !it.is_shadow)),
            ("guard", self.guard.as_ref().is_some_and(|it| !it.monitors)),
            ("mask", self.mask.as_ref().is_some_and(MaskStage::must_see)),
            ("prompt", self.needs_prompts()),
        ];
        let found = stages.into_iter().find(|(_, needs)| *needs);
        found.map(|(stage, _)| stage)
    }

    /// Whether a request must not pass without the operator's prompts.
    pub(crate) fn needs_prompts(&self) -> bool {
        self.prompts.as_ref().is_some_and(|it| !it.is_shadow)
    }
}
