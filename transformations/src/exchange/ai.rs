//! Where the AI half stands in the life of an exchange: behind the templates for requests, before them for
//! responses.

use llm::stats::{Labels, Metric};

use super::bodies::{End, Flow};
use super::route::Hook;
use super::scan::refusal;
use super::{Answer, Exchange, ExchangeOps, Method, Next, Reply};
use crate::ai::{Holding, Passage, RequestBody};
use crate::applied::{Applied, BodyChange};
use crate::direction::Direction;
use crate::error::{Failure, StageName, TransformErrorKind};
use crate::stages::vars;

impl Exchange {
    /// How the request is kept here, if the AI half needs it as a whole, or its beginning.
    pub(super) fn ai_holds_request(&self, ops: &(impl ExchangeOps + ?Sized)) -> Option<Flow> {
        let program = self.program.ai.as_ref()?;
        let needs = self.needs(Direction::Request);
        let limit = program.body_bytes();
        let whole = Flow::Kept(limit.max(needs.max_body_bytes.unwrap_or_default()));
        match program.holds_request(ops) {
            Holding::Whole => Some(whole),
            Holding::Model if needs.buffers() => Some(whole),
            Holding::Model => Some(Flow::Scanned(limit)),
            Holding::Nothing => None,
        }
    }

    /// The AI half has answered the request itself: what comes back is that answer.
    pub(super) fn ai_has_refused(&self) -> bool {
        self.ai.as_ref().is_some_and(|ai| ai.has_refused())
    }

    /// What was to be kept cannot be: in the words of the client's dialect, if it is kept for that.
    pub(super) fn refuse_kept(
        &mut self,
        direction: Direction,
        failure: Failure,
        ops: &mut (impl ExchangeOps + ?Sized),
    ) -> Answer {
        let is_too_large = failure.error().kind() == TransformErrorKind::BodyTooLarge;
        match (&self.program.ai, &mut self.ai) {
            (Some(program), Some(ai)) if direction == Direction::Request && is_too_large => {
                let (refused, applied) = ai.refuse_size(program, ops);
                let mut reply = Reply::refused(refused);
                reply.failure = Some(program.too_large());
                Answer::of(Next::Reply(reply)).and(applied)
            }
            _ => self.refuse(failure),
        }
    }

    /// What was held is whole.
    pub(super) fn end_held(
        &mut self,
        direction: Direction,
        ops: &mut (impl ExchangeOps + ?Sized),
        end: End,
    ) -> Answer {
        match direction {
            Direction::Request => self.transform_request(ops, Hook::of(end)),
            Direction::Response => self.transform(direction, ops, end),
        }
    }

    /// Runs the templates of a request, and what is done about it as LLM traffic on what they have left.
    /// If more of it is to come, that passes by.
    pub(super) fn transform_request(
        &mut self,
        ops: &mut (impl ExchangeOps + ?Sized),
        hook: Hook,
    ) -> Answer {
        let (end, is_whole) = (hook.end(), hook.is_last());
        if self.ai.is_none() {
            return self.transform(Direction::Request, ops, end);
        }
        let sent = self.copy_sent(ops);
        let is_kept = matches!(self.request, Flow::Kept(_));
        let is_scanned = matches!(self.request, Flow::Scanned(_));
        let (answer, body) = if is_scanned {
            self.request = Flow::Passing;
            let bytes = std::mem::take(&mut self.kept);
            let model = self.ai.as_ref().and_then(|ai| ai.scanned_model());
            let body = match bytes.is_empty() {
                true => RequestBody::Kept(bytes),
                false => RequestBody::Scanned {
                    bytes,
                    model,
                    is_begun: !is_whole,
                },
            };
            (self.transform(Direction::Request, ops, end), body)
        } else if is_kept && !self.needs(Direction::Request).has_work() {
            self.request = Flow::Passing;
            let kept = std::mem::take(&mut self.kept);
            (Answer::pass(), RequestBody::Kept(kept))
        } else {
            let body = match is_whole {
                true => RequestBody::WithHost,
                false => RequestBody::Passing,
            };
            (self.transform(Direction::Request, ops, end), body)
        };
        if answer.next != Next::Pass {
            return answer;
        }
        let (Some(program), Some(ai)) = (&self.program.ai, &mut self.ai) else {
            return answer;
        };
        let prompts = vars::of_prompts(&self.program, &self.vars, self.captured.as_ref(), ops);
        let decided = ai.decide(program, ops, body, prompts.as_deref().unwrap_or_default());
        let failed = prompts.err();
        let mut told = Applied::default();
        if ai.tell_routes(program, &decided, ops, &mut told)
            && let Some(other) = self.choose_route(ops, &mut told.reroute)
        {
            let body = decided.take_back(ops);
            return self.reopen(&other, sent, body, ops, hook);
        }
        let answer = answer.and(told);
        let (Some(program), Some(ai)) = (&self.program.ai, &mut self.ai) else {
            return answer;
        };
        if let Some(kind) = failed.filter(|_| program.needs_prompts()) {
            let field = program.prompt_field();
            let failure = Failure::new(kind.into(), StageName::Ai, Direction::Request, field);
            return self.refuse(failure);
        }
        let applied = match ai.carry_out(program, decided, ops) {
            Ok(applied) => applied,
            Err(refused) => {
                let refusal = refusal(*refused).after(Some(answer.applied));
                let is_answered_now = is_whole || self.may_have_no_end(ops);
                return self.owe(refusal, is_answered_now);
            }
        };
        if applied.body == BodyChange::Replaced {
            if end == End::Trailers {
                ops.remove_request_header("content-length");
            }
            self.request = Flow::Written;
        }
        if is_scanned && !is_whole {
            self.request = Flow::Watched;
        }
        answer.and(applied)
    }

    pub(super) fn ai_response_headers(
        &mut self,
        ops: &mut (impl ExchangeOps + ?Sized),
        end_of_stream: bool,
    ) -> Option<(Applied, Passage)> {
        let (program, ai) = (self.program.ai.as_ref()?, self.ai.as_mut()?);
        let is_tunnel = self.method == Method::Upgrade;
        Some(ai.on_response_headers(program, ops, end_of_stream, is_tunnel))
    }

    pub(super) fn ai_response_body(
        &mut self,
        ops: &mut (impl ExchangeOps + ?Sized),
        end_of_stream: bool,
    ) -> Option<(Applied, Passage)> {
        let (program, ai) = (self.program.ai.as_ref()?, self.ai.as_mut()?);
        Some(ai.on_response_body(program, ops, end_of_stream))
    }

    /// Answers what is left to be sent of events, what was done, and what becomes of the response.
    pub(super) fn ai_response_trailers(
        &mut self,
        ops: &mut (impl ExchangeOps + ?Sized),
    ) -> Option<(Vec<u8>, Applied, Passage)> {
        let (program, ai) = (self.program.ai.as_ref()?, self.ai.as_mut()?);
        Some(ai.on_response_trailers(program, ops))
    }

    /// Tells what the exchange adds to the statistics of LLM traffic: once, as soon as nothing more is to
    /// be known of it, which is with its end at the latest. To be asked behind each hook.
    ///
    /// # Cost
    /// A comparison before that; then a look into a table for each label.
    pub fn count(&mut self, labels: &Labels, add: &mut dyn FnMut(Metric, &[&str], u64)) {
        if let Some(ai) = &mut self.ai {
            ai.count_once(labels, add);
        }
    }

    pub(super) fn ai_complete(&mut self, ops: &mut (impl ExchangeOps + ?Sized)) {
        if let (Some(program), Some(ai)) = (&self.program.ai, &mut self.ai) {
            ai.on_complete(program, ops);
        }
    }
}
