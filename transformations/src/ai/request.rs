//! The request, behind the templates: what it is, and what is put into it.

use formats::events::Format;
use llm::dialect::{self, path::PathFacts};
use llm::place::Edits;
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

impl AiExchange {
    /// The whole request is there, as the templates have left it; a body that was not held is not. Says
    /// what was done to it.
    ///
    /// # Cost
    /// A pass over the body and a copy, another copy if it is edited.
    pub(crate) fn on_request(
        &mut self,
        program: &AiProgram,
        ops: &mut (impl TransformationOps + ?Sized),
        body: RequestBody,
    ) -> Applied {
        let mut applied = Applied::default();
        let (bytes, is_with_host) = match body {
            RequestBody::WithHost => (ops.get_request_body(), true),
            RequestBody::Kept(bytes) => (bytes, false),
        };
        let edited = self.read_request(program, ops, &bytes);
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
        if self.meter.is_some() {
            // Whatever the client takes, what comes has to be read.
            let done = ops.set_request_header("accept-encoding", b"identity");
            applied.headers |= done;
            applied.refused += u32::from(!done);
        }
        self.publish_request(program, ops, &mut applied);
        applied
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
        self.refuse(program, ops, ("body", "too_large"), &refusal)
    }

    /// Says no, and publishes who did and why.
    fn refuse(
        &mut self,
        program: &AiProgram,
        ops: &mut (impl TransformationOps + ?Sized),
        (stage, reason): (&'static str, &str),
        refusal: &Refusal,
    ) -> (Refused, Applied) {
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

    /// Learns what there is to know of the request, and answers what its body is to become, if that is
    /// another one.
    fn read_request(
        &mut self,
        program: &AiProgram,
        ops: &(impl TransformationOps + ?Sized),
        body: &[u8],
    ) -> Option<String> {
        if body.is_empty() {
            return None;
        }
        let mut path = String::new();
        append_header(ops, Direction::Request, ":path", &mut path);
        let path = PathFacts::of(&path);
        let is_plain = !is_compressed(ops, Direction::Request);
        let text = std::str::from_utf8(body).ok().filter(|_| is_plain);
        let dialect = program
            .dialect
            .or_else(|| dialect::detect(&path, text.unwrap_or_default()));
        self.facts.dialect = dialect;
        let in_path = path.model.as_ref().map(|model| model.name().into_owned());
        self.facts.request_model = in_path;
        let dialect = dialect?;
        let request = text.and_then(|text| Some((Request::read(dialect, text).ok()?, text)));
        let mut edits = Edits::new();
        if let Some((request, text)) = &request {
            let in_body = request.model.and_then(|place| place.contents(text));
            if let Some(name) = in_body.filter(|name| !name.is_empty()) {
                self.facts.request_model = Some(name.into_owned());
            }
            self.facts.stream = Some(path.stream.or(request.stream).unwrap_or_default());
        }
        self.facts.model = self.facts.request_model.clone();
        let usage = program.usage.filter(|_| !path.is_count)?;
        self.meter = Some(Meter::new(dialect));
        let (request, text) = request?;
        if usage.estimate {
            let bytes = request.text_bytes(text) as u64;
            self.input_bytes = Some(bytes);
            self.facts.estimated_input_tokens = Some(estimate(bytes));
        }
        if usage.force && ask(&request, text, &mut edits) {
            self.hides_usage = true;
        }
        (!edits.is_empty()).then(|| edits.write(text))
    }
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
