//! Running hooks, and what their statuses do to the message.

use crate::abi::{
    envoy_dynamic_module_type_on_http_filter_request_body_status as BodyStatus,
    envoy_dynamic_module_type_on_http_filter_request_headers_status as HeadersStatus,
};
use crate::{HttpFilter, HttpMessage};

use super::flow::{Flow, Iteration, Piece};
use super::{Exchange, status};
use crate::testing::FakeEnvoy;
use crate::testing::body::Chunks;
use crate::testing::header_map::FakeHeaderMap;
use crate::testing::message::FakeMessage;

impl Exchange<'_> {
    pub(super) fn send(&mut self, message: HttpMessage, what: &FakeMessage) {
        let has_body = !what.chunks.is_empty();
        let ends = !has_body && what.trailers.is_none();
        self.on_headers(message, what.headers.clone(), ends);
        for chunk in &what.chunks {
            self.on_data(message, chunk, false);
        }
        match &what.trailers {
            Some(trailers) => self.on_trailers(message, trailers.clone()),
            None if has_body => self.on_data(message, b"", true),
            None => {}
        }
    }

    pub(super) fn flow(&mut self, message: HttpMessage) -> &mut Flow {
        match message {
            HttpMessage::Request => &mut self.request,
            HttpMessage::Response => &mut self.response,
        }
    }

    /// Runs a hook, then what it asked for. `None` when there is no filter to run it on.
    pub(super) fn hook<R>(
        &mut self,
        run: impl FnOnce(&mut dyn HttpFilter<FakeEnvoy>, &mut FakeEnvoy) -> R,
    ) -> Option<R> {
        if self.over {
            return None;
        }
        if !self.made {
            self.made = true;
            self.filter = Some(self.config.new_http_filter(&mut self.envoy));
        }
        let mut filter = self.filter.take()?;
        let returned = run(&mut *filter, &mut self.envoy);
        self.filter = Some(filter);
        self.carry_out();
        Some(returned)
    }

    /// Runs a hook whose status decides over `message`. `None` if the stream is over or another
    /// answer is on its way, so that the status does not matter any more. `at_end`: no hook follows it.
    fn decide<S>(
        &mut self,
        message: HttpMessage,
        at_end: bool,
        run: impl FnOnce(&mut dyn HttpFilter<FakeEnvoy>, &mut FakeEnvoy) -> S,
    ) -> Option<Decision<S>> {
        let outer = (
            self.deciding.replace(message),
            std::mem::replace(&mut self.at_end, at_end),
            std::mem::take(&mut self.resume_early),
        );
        let status = self.hook(run);
        let resumed = self.resume_early;
        (self.deciding, self.at_end, self.resume_early) = outer;
        let status = status.filter(|_| !self.over)?;
        Some(if resumed {
            Decision::Resumed
        } else {
            Decision::Status(status)
        })
    }

    fn carry_out(&mut self) {
        for action in std::mem::take(&mut self.envoy.actions) {
            if self.over {
                return;
            }
            self.perform(action);
        }
    }

    pub(super) fn on_headers(&mut self, message: HttpMessage, headers: FakeHeaderMap, end: bool) {
        if self.over {
            return;
        }
        self.envoy.in_flight_mut(message).headers = Some(headers);
        self.flow(message).ended = end;
        let hook = |filter: &mut dyn HttpFilter<FakeEnvoy>, envoy: &mut FakeEnvoy| {
            status::headers(message, filter, envoy, end)
        };
        let Some(decision) = self.decide(message, end, hook) else {
            return;
        };
        match decision.or(HeadersStatus::Continue) {
            HeadersStatus::Continue => self.go_on(message, None),
            HeadersStatus::ContinueAndDontEndStream => {
                self.flow(message).ended = false;
                self.go_on(message, None);
            }
            HeadersStatus::StopIteration => self.flow(message).iteration = Iteration::Stopped,
            HeadersStatus::StopAllIterationAndBuffer => {
                self.flow(message).iteration = Iteration::StoppedAll {
                    pause_at_limit: false,
                };
            }
            HeadersStatus::StopAllIterationAndWatermark => {
                self.flow(message).iteration = Iteration::StoppedAll {
                    pause_at_limit: true,
                };
            }
        }
    }

    pub(super) fn on_data(&mut self, message: HttpMessage, bytes: &[u8], end: bool) {
        if self.over {
            return;
        }
        let flow = self.flow(message);
        if flow.paused {
            flow.unread.push_back(Piece::Body(bytes.to_vec(), end));
            return;
        }
        flow.ended = end;
        if flow.earlier_filter_buffers {
            flow.held_earlier.extend_from_slice(bytes);
            if end {
                let whole = std::mem::take(&mut flow.held_earlier);
                self.give_data(message, Chunks::of(&whole), true);
            }
            return;
        }
        if let Iteration::StoppedAll { pause_at_limit } = flow.iteration {
            self.envoy
                .in_flight_mut(message)
                .buffered
                .get_or_insert_default()
                .append(bytes);
            self.check_limit(message, pause_at_limit);
            return;
        }
        self.give_data(message, Chunks::of(bytes), false);
    }

    /// Runs the body hook on a chunk.
    pub(super) fn give_data(&mut self, message: HttpMessage, chunk: Chunks, aliased: bool) {
        let in_flight = self.envoy.in_flight_mut(message);
        in_flight.received = Some(chunk);
        in_flight.aliased = aliased;
        let trailers_follow = in_flight.trailers.is_some();
        let end = self.flow(message).ended && !trailers_follow;
        let hook = |filter: &mut dyn HttpFilter<FakeEnvoy>, envoy: &mut FakeEnvoy| {
            status::body(message, filter, envoy, end)
        };
        let decision = self.decide(message, end, hook);
        let in_flight = self.envoy.in_flight_mut(message);
        in_flight.aliased = false;
        let chunk = in_flight.received.take().unwrap_or_default();
        let Some(decision) = decision else { return };
        let pause_at_limit = match decision.or(BodyStatus::Continue) {
            BodyStatus::Continue => {
                self.go_on(message, Some(chunk));
                return;
            }
            BodyStatus::StopIterationNoBuffer => {
                self.flow(message).iteration = Iteration::Stopped;
                return;
            }
            BodyStatus::StopIterationAndBuffer => false,
            BodyStatus::StopIterationAndWatermark => true,
        };
        let in_flight = self.envoy.in_flight_mut(message);
        in_flight.buffered.get_or_insert_default().take_from(chunk);
        self.flow(message).iteration = Iteration::Stopped;
        self.check_limit(message, pause_at_limit);
    }

    pub(super) fn on_trailers(&mut self, message: HttpMessage, trailers: FakeHeaderMap) {
        if self.over {
            return;
        }
        if self.flow(message).paused {
            self.flow(message)
                .unread
                .push_back(Piece::Trailers(trailers));
            return;
        }
        self.flow(message).ended = true;
        self.envoy.in_flight_mut(message).trailers = Some(trailers);
        let held = std::mem::take(&mut self.flow(message).held_earlier);
        if !held.is_empty() {
            self.give_data(message, Chunks::of(&held), true);
        }
        if self.flow(message).iteration.holds_hooks() {
            self.flow(message).trailers_waiting = true;
        } else {
            self.give_trailers(message);
        }
    }

    /// Runs the trailers hook.
    pub(super) fn give_trailers(&mut self, message: HttpMessage) {
        let hook = |filter: &mut dyn HttpFilter<FakeEnvoy>, envoy: &mut FakeEnvoy| {
            status::trailers(message, filter, envoy)
        };
        let Some(decision) = self.decide(message, true, hook) else {
            return;
        };
        self.flow(message).trailers_held = true;
        if decision.or(true) {
            self.go_on(message, None);
        } else {
            self.flow(message).iteration = Iteration::Stopped;
        }
    }
}

/// What became of a hook with a status.
enum Decision<S> {
    Status(S),
    /// The hook called `continue_*` before it returned its stop.
    Resumed,
}

impl<S> Decision<S> {
    fn or(self, pass: S) -> S {
        match self {
            Self::Status(status) => status,
            Self::Resumed => pass,
        }
    }
}

impl Iteration {
    fn holds_hooks(self) -> bool {
        matches!(self, Self::StoppedAll { .. })
    }
}
