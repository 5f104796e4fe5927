//! One stream of Envoy: hooks become what an [`Exchange`] is told, and its answers become statuses.
//!
//! What happens to a stream is decided there. Here is only what Envoy needs for it: which configuration
//! the route has, the statuses by their names in each hook, counters and the log.

use std::sync::Arc;

use envoy_proxy_dynamic_modules_rust_sdk::prelude::*;
use transformations::{Answer, Direction, Exchange, Failure, Next, TransformErrorKind};

use super::Loaded;
use super::configured::Configured;
use super::host::Host;
use super::stats::Stats;

/// One stream of the transformation filter.
pub(super) struct TransformationFilter {
    configured: Configured,
    stats: Stats,
    exchange: Option<Exchange>,
}

impl TransformationFilter {
    pub(super) fn new(loaded: Arc<Loaded>, stats: Stats) -> Self {
        Self {
            configured: Configured::new(loaded),
            stats,
            exchange: None,
        }
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

/// What becomes of a piece, whatever the hook calls it.
enum Status {
    Pass,
    Hold,
    Drop,
}

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for TransformationFilter {
    fn on_request_headers(&mut self, envoy: &mut EHF, end_of_stream: bool) -> RequestHeadersStatus {
        let (exchange, mut host) = self.exchange(envoy);
        let answer = exchange.on_request_headers(&mut host, end_of_stream);
        match self.follow(envoy, Direction::Request, answer) {
            Status::Pass => RequestHeadersStatus::Continue,
            Status::Hold | Status::Drop => RequestHeadersStatus::StopIteration,
        }
    }

    fn on_request_body(&mut self, envoy: &mut EHF, end_of_stream: bool) -> RequestBodyStatus {
        let (exchange, mut host) = self.exchange(envoy);
        let answer = exchange.on_request_body(&mut host, end_of_stream);
        match self.follow(envoy, Direction::Request, answer) {
            Status::Pass => RequestBodyStatus::Continue,
            Status::Hold => RequestBodyStatus::StopIterationAndBuffer,
            Status::Drop => RequestBodyStatus::StopIterationNoBuffer,
        }
    }

    fn on_request_trailers(&mut self, envoy: &mut EHF) -> RequestTrailersStatus {
        let (exchange, mut host) = self.exchange(envoy);
        let answer = exchange.on_request_trailers(&mut host);
        match self.follow(envoy, Direction::Request, answer) {
            Status::Pass => RequestTrailersStatus::Continue,
            Status::Hold | Status::Drop => RequestTrailersStatus::StopIteration,
        }
    }

    fn on_response_headers(
        &mut self,
        envoy: &mut EHF,
        end_of_stream: bool,
    ) -> ResponseHeadersStatus {
        let (exchange, mut host) = self.exchange(envoy);
        let answer = exchange.on_response_headers(&mut host, end_of_stream);
        match self.follow(envoy, Direction::Response, answer) {
            Status::Pass => ResponseHeadersStatus::Continue,
            Status::Hold | Status::Drop => ResponseHeadersStatus::StopIteration,
        }
    }

    fn on_response_body(&mut self, envoy: &mut EHF, end_of_stream: bool) -> ResponseBodyStatus {
        let (exchange, mut host) = self.exchange(envoy);
        let answer = exchange.on_response_body(&mut host, end_of_stream);
        match self.follow(envoy, Direction::Response, answer) {
            Status::Pass => ResponseBodyStatus::Continue,
            Status::Hold => ResponseBodyStatus::StopIterationAndBuffer,
            Status::Drop => ResponseBodyStatus::StopIterationNoBuffer,
        }
    }

    fn on_response_trailers(&mut self, envoy: &mut EHF) -> ResponseTrailersStatus {
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
