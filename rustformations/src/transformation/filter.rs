//! One stream of Envoy: hooks become what an [`Exchange`] is told, and its answers become statuses.
//!
//! What happens to a stream is decided there. Here is only what Envoy needs for it: which configuration
//! the route has, the statuses by their names in each hook, counters and the log; and who is told first of
//! a piece where a [provider](super::provided) answers.

use std::sync::Arc;

use envoy_proxy_dynamic_modules_rust_sdk::prelude::*;
use transformations::{
    Answer, Direction, Exchange, Failure, Next, TransformErrorKind, TransformationOps as _,
};

use super::configured::Configured;
use super::host::Host;
use super::loaded::Loaded;
use super::provided::Provided;
use super::stats::Stats;
use super::status::Status;
use crate::llm_provider::{ProviderCounters, send_headers_first};

/// One stream of the transformation filter.
pub(super) struct TransformationFilter {
    configured: Configured,
    stats: Stats,
    counters: ProviderCounters,
    exchange: Option<Exchange>,
    /// The provider of the route, once something of the request has passed the exchange.
    provided: Option<Box<Provided>>,
    /// The headers of the response have gone on.
    is_sending: bool,
}

impl TransformationFilter {
    pub(super) fn new(loaded: Arc<Loaded>, stats: Stats, counters: ProviderCounters) -> Self {
        Self {
            configured: Configured::new(loaded),
            stats,
            counters,
            exchange: None,
            provided: None,
            is_sending: false,
        }
    }

    /// Tells the provider of the route, if there is one, of what the exchange lets pass of the request.
    fn ask<EHF: EnvoyHttpFilter>(
        &mut self,
        envoy: &mut EHF,
        status: Status,
        tell: impl FnOnce(&mut Provided, &mut EHF) -> Status,
    ) -> Status {
        let Status::Pass = status else {
            return status;
        };
        // The exchange may have had the route chosen again, but does not once something has passed.
        if self.provided.is_none() {
            let provider = self.configured.loaded().program.provider();
            self.provided = provider.map(|it| Box::new(Provided::new(it, self.counters)));
        }
        match &mut self.provided {
            Some(provided) => tell(provided, envoy),
            None => Status::Pass,
        }
    }

    /// The provider, if the response is its attempt's to translate.
    fn answering(&mut self) -> Option<&mut Provided> {
        let exchange = self.exchange.as_ref();
        let has_ended = exchange.is_some_and(Exchange::has_ended_response);
        self.provided.as_deref_mut().filter(|_| !has_ended)
    }

    /// Drops a piece of a response that a provider gives. Once its headers have gone on, nothing goes on in
    /// its place: see [`send_headers_first`] for why it does not stop.
    fn drop_piece<EHF: EnvoyHttpFilter>(&self, envoy: &mut EHF) -> ResponseBodyStatus {
        if !self.is_sending {
            return ResponseBodyStatus::StopIterationNoBuffer;
        }
        Host::without_routes(envoy).replace_received(Direction::Response, None, b"");
        ResponseBodyStatus::Continue
    }

    /// Tells the exchange of response headers that waited for their body. `Drop` if it answered instead.
    fn release_headers<EHF: EnvoyHttpFilter>(&mut self, envoy: &mut EHF) -> Status {
        if !self.answering().is_some_and(Provided::release_headers) {
            return Status::Pass;
        }
        let (exchange, mut host) = self.exchange(envoy);
        let answer = exchange.on_response_headers(&mut host, false);
        let is_over = matches!(answer.next, Next::Reply(_));
        self.follow(envoy, Direction::Response, answer);
        if is_over { Status::Drop } else { Status::Pass }
    }

    /// Tells the exchange of what the attempt has left to say before the trailers of the response. `Drop`
    /// if it answered instead.
    fn end_attempt<EHF: EnvoyHttpFilter>(&mut self, envoy: &mut EHF) -> Status {
        let Some(provided) = self.answering() else {
            return Status::Pass;
        };
        let mut last = provided.on_response_trailers(envoy);
        if let Status::Drop = self.release_headers(envoy) {
            return Status::Drop;
        }
        if last.is_empty() {
            return Status::Pass;
        }
        let (exchange, host) = self.exchange(envoy);
        let answer = exchange.on_response_body(&mut host.and_piece(&mut last), false);
        let goes_on = matches!(answer.next, Next::Pass | Next::Hold);
        let is_over = matches!(answer.next, Next::Reply(_) | Next::End(_));
        self.follow(envoy, Direction::Response, answer);
        if goes_on && !last.is_empty() {
            Host::without_routes(envoy).append_response_body(&last);
        }
        if is_over { Status::Drop } else { Status::Pass }
    }

    /// The exchange, opened in the first hook with the configuration of the route, and its host.
    fn exchange<'s, EHF: EnvoyHttpFilter>(
        &'s mut self,
        envoy: &'s mut EHF,
    ) -> (&'s mut Exchange, Host<'s, EHF>) {
        if self.exchange.is_none() {
            self.configured.ask_route(envoy);
            if self.configured.loaded().program.follows_files() {
                self.stats.reloads(envoy);
            }
        }
        let program = &self.configured.loaded().program;
        let exchange = self.exchange.get_or_insert_with(|| program.open());
        (exchange, Host::new(envoy, &mut self.configured))
    }

    /// Does what follows from an answer beside the status of the hook.
    fn follow<EHF: EnvoyHttpFilter>(
        &mut self,
        envoy: &mut EHF,
        direction: Direction,
        answer: Answer,
    ) -> Status {
        if self.configured.met_foreign() {
            self.report(envoy, &Failure::foreign_route_config(), 1);
        }
        let Answer { next, applied } = answer;
        if applied.reroute {
            envoy.clear_route_cache();
        }
        if applied.transformed {
            self.stats.transformed(envoy, direction);
        }
        for (index, failure) in applied.failures.iter().enumerate() {
            let more = if index == 0 { applied.more_failures } else { 0 };
            self.report(envoy, failure, 1 + more);
        }
        if applied.refused > 0 {
            self.stats
                .errors(envoy, TransformErrorKind::RefusedByHost, 1);
        }
        self.count(envoy);
        match next {
            Next::Pass => Status::Pass,
            Next::Hold => Status::Hold,
            Next::End(bytes) => {
                // The last act: from Envoy 1.39 on, this filter hears no more of the response.
                envoy.send_response_data(&bytes, true);
                Status::Drop
            }
            Next::Reply(reply) => {
                if let Some(failure) = &reply.failure {
                    self.report(envoy, failure, 1);
                }
                let headers = reply.headers.iter();
                let headers: Vec<_> = headers
                    .map(|(name, value)| (&**name, value.as_bytes()))
                    .collect();
                let body = (!reply.body.is_empty()).then_some(reply.body.as_bytes());
                // Once the headers are with the client, Envoy makes a reset of this.
                envoy.send_response(reply.status, &headers, body, Some(&reply.details));
                Status::Drop
            }
            _ => Status::Drop,
        }
    }

    /// Counts the exchange as LLM traffic, if it is over and was not counted.
    fn count<EHF: EnvoyHttpFilter>(&mut self, envoy: &EHF) {
        if let Some(exchange) = &mut self.exchange {
            let stats = self.stats;
            exchange.count(
                &self.configured.loaded().labels,
                &mut |metric, labels, value| {
                    stats.ai(envoy, metric, labels, value);
                },
            );
        }
    }

    fn report<EHF: EnvoyHttpFilter>(&self, envoy: &EHF, failure: &Failure, times: u32) {
        let Loaded {
            program, reports, ..
        } = self.configured.loaded();
        self.stats.errors(envoy, failure.error().kind(), times);
        reports.say(envoy, program, failure, u64::from(times));
    }
}

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for TransformationFilter {
    fn on_request_headers(&mut self, envoy: &mut EHF, end_of_stream: bool) -> RequestHeadersStatus {
        let (exchange, mut host) = self.exchange(envoy);
        let answer = exchange.on_request_headers(&mut host, end_of_stream);
        let status = self.follow(envoy, Direction::Request, answer);
        let status = self.ask(envoy, status, |provided, envoy| {
            provided.on_request_headers(envoy, end_of_stream)
        });
        match status {
            Status::Pass => RequestHeadersStatus::Continue,
            Status::Hold | Status::Drop => RequestHeadersStatus::StopIteration,
        }
    }

    fn on_request_body(&mut self, envoy: &mut EHF, end_of_stream: bool) -> RequestBodyStatus {
        let (exchange, mut host) = self.exchange(envoy);
        let answer = exchange.on_request_body(&mut host, end_of_stream);
        let status = self.follow(envoy, Direction::Request, answer);
        let status = self.ask(envoy, status, |provided, envoy| {
            provided.on_request_body(envoy, end_of_stream)
        });
        match status {
            Status::Pass => RequestBodyStatus::Continue,
            Status::Hold => RequestBodyStatus::StopIterationAndBuffer,
            Status::Drop => RequestBodyStatus::StopIterationNoBuffer,
        }
    }

    fn on_request_trailers(&mut self, envoy: &mut EHF) -> RequestTrailersStatus {
        let (exchange, mut host) = self.exchange(envoy);
        let answer = exchange.on_request_trailers(&mut host);
        let status = self.follow(envoy, Direction::Request, answer);
        let status = self.ask(envoy, status, |provided, envoy| {
            provided.on_request_trailers(envoy)
        });
        match status {
            Status::Pass => RequestTrailersStatus::Continue,
            Status::Hold | Status::Drop => RequestTrailersStatus::StopIteration,
        }
    }

    fn on_response_headers(
        &mut self,
        envoy: &mut EHF,
        end_of_stream: bool,
    ) -> ResponseHeadersStatus {
        if let Some(provided) = self.answering()
            && !provided.on_response_headers(envoy, end_of_stream)
        {
            return ResponseHeadersStatus::StopIteration;
        }
        let (exchange, mut host) = self.exchange(envoy);
        let answer = exchange.on_response_headers(&mut host, end_of_stream);
        match self.follow(envoy, Direction::Response, answer) {
            Status::Pass => {
                self.is_sending = true;
                ResponseHeadersStatus::Continue
            }
            Status::Hold | Status::Drop => ResponseHeadersStatus::StopIteration,
        }
    }

    fn on_response_body(&mut self, envoy: &mut EHF, end_of_stream: bool) -> ResponseBodyStatus {
        if let Some(provided) = self.answering()
            && !provided.on_response_body(envoy, end_of_stream)
        {
            return self.drop_piece(envoy);
        }
        if let Status::Drop = self.release_headers(envoy) {
            return ResponseBodyStatus::StopIterationNoBuffer;
        }
        let (exchange, mut host) = self.exchange(envoy);
        let answer = exchange.on_response_body(&mut host, end_of_stream);
        let is_dropped = answer.next == Next::Drop && !exchange.has_ended_response();
        match self.follow(envoy, Direction::Response, answer) {
            Status::Pass => {
                let is_first = !std::mem::replace(&mut self.is_sending, true);
                if is_first && self.provided.is_some() && !end_of_stream {
                    send_headers_first(envoy);
                }
                ResponseBodyStatus::Continue
            }
            Status::Drop if is_dropped && self.provided.is_some() => self.drop_piece(envoy),
            Status::Hold => ResponseBodyStatus::StopIterationAndBuffer,
            Status::Drop => ResponseBodyStatus::StopIterationNoBuffer,
        }
    }

    fn on_response_trailers(&mut self, envoy: &mut EHF) -> ResponseTrailersStatus {
        if let Status::Drop = self.end_attempt(envoy) {
            return ResponseTrailersStatus::StopIteration;
        }
        let (exchange, mut host) = self.exchange(envoy);
        let answer = exchange.on_response_trailers(&mut host);
        match self.follow(envoy, Direction::Response, answer) {
            Status::Pass => ResponseTrailersStatus::Continue,
            Status::Hold | Status::Drop => ResponseTrailersStatus::StopIteration,
        }
    }

    fn on_stream_complete(&mut self, envoy: &mut EHF) {
        let Some(exchange) = &mut self.exchange else {
            return;
        };
        let mut host = Host::new(envoy, &mut self.configured);
        if let Some(failure) = exchange.on_complete(&mut host) {
            let reason = super::limits::advice(failure.error().direction());
            self.report(envoy, &failure.because(&reason), 1);
        }
        self.count(envoy);
    }
}

#[cfg(test)]
mod tests;
