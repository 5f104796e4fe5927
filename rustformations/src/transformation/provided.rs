//! The provider's side of a stream: behind the exchange on the way there, before it on the way back, so that
//! what templates and LLM stages see is the client's on both.
//!
//! Called from the hooks of a stream, on its worker. What the exchange lets pass is told to an [`Attempt`];
//! what that lets pass of the response is told to the exchange.

use std::sync::Arc;

use envoy_proxy_dynamic_modules_rust_sdk::EnvoyHttpFilter;
use transformations::provider::{Attempt, Providers, Step};

use super::host::Host;
use super::status::Status;
use crate::llm_provider::ProviderCounters;

/// An attempt at the provider of a route.
pub(super) struct Provided {
    attempt: Attempt,
    counters: ProviderCounters,
    /// It knows the headers of the request.
    has_begun: bool,
    /// The headers of the response wait for what the attempt makes of its body; the exchange has not seen
    /// them.
    is_held: bool,
}

impl Provided {
    pub(super) fn new(providers: &Arc<Providers>, counters: ProviderCounters) -> Self {
        Self {
            attempt: providers.open(),
            counters,
            has_begun: false,
            is_held: false,
        }
    }

    /// The exchange let the headers of the request pass.
    pub(super) fn on_request_headers<EHF: EnvoyHttpFilter>(
        &mut self,
        envoy: &mut EHF,
        end_of_stream: bool,
    ) -> Status {
        self.has_begun = true;
        let step = self
            .attempt
            .on_request_headers(&mut Host::without_routes(envoy), end_of_stream);
        self.follow(envoy, step)
    }

    /// The exchange let a piece of the request's body pass, and with it what it has held so far.
    pub(super) fn on_request_body<EHF: EnvoyHttpFilter>(
        &mut self,
        envoy: &mut EHF,
        end_of_stream: bool,
    ) -> Status {
        if let Some(refused) = self.begin(envoy) {
            return refused;
        }
        let mut host = Host::taking_held(envoy);
        let step = self.attempt.on_request_body(&mut host, end_of_stream);
        self.follow(envoy, step)
    }

    /// The exchange let the trailers of the request pass, and with them what it has held.
    pub(super) fn on_request_trailers<EHF: EnvoyHttpFilter>(&mut self, envoy: &mut EHF) -> Status {
        if let Some(refused) = self.begin(envoy) {
            return refused;
        }
        let mut host = Host::taking_held(envoy);
        let step = self.attempt.on_request_body(&mut host, false);
        if let Step::Reply(_) = step {
            return self.follow(envoy, step);
        }
        let step = self
            .attempt
            .on_request_trailers(&mut Host::without_routes(envoy));
        self.follow(envoy, step)
    }

    /// Tells the attempt of headers that the exchange has held until now; answers if it is over with that.
    fn begin<EHF: EnvoyHttpFilter>(&mut self, envoy: &mut EHF) -> Option<Status> {
        if self.has_begun {
            return None;
        }
        match self.on_request_headers(envoy, false) {
            Status::Pass | Status::Hold => None,
            Status::Drop if self.attempt.awaits_request() => None,
            refused => Some(refused),
        }
    }

    /// The headers of a response have come; whether they go on to the exchange.
    pub(super) fn on_response_headers<EHF: EnvoyHttpFilter>(
        &mut self,
        envoy: &mut EHF,
        end_of_stream: bool,
    ) -> bool {
        let mut host = Host::without_routes(envoy);
        let step = self.attempt.on_response_headers(&mut host, end_of_stream);
        self.is_held = step == Step::Wait;
        self.count(envoy);
        !self.is_held
    }

    /// A piece of the response's body has come; whether what became of it goes on to the exchange.
    pub(super) fn on_response_body<EHF: EnvoyHttpFilter>(
        &mut self,
        envoy: &mut EHF,
        end_of_stream: bool,
    ) -> bool {
        let mut host = Host::without_routes(envoy);
        let step = self.attempt.on_response_body(&mut host, end_of_stream);
        self.count(envoy);
        step == Step::Pass
    }

    /// The response has ended with trailers; answers what is to go on before them.
    pub(super) fn on_response_trailers<EHF: EnvoyHttpFilter>(
        &mut self,
        envoy: &mut EHF,
    ) -> Vec<u8> {
        let mut last = Vec::new();
        let mut host = Host::with_piece(envoy, &mut last);
        self.attempt.on_response_trailers(&mut host);
        self.count(envoy);
        last
    }

    /// Whether the exchange has not seen the headers of the response. It is about to.
    pub(super) fn release_headers(&mut self) -> bool {
        std::mem::take(&mut self.is_held)
    }

    fn follow<EHF: EnvoyHttpFilter>(&mut self, envoy: &mut EHF, step: Step) -> Status {
        self.count(envoy);
        match step {
            Step::Pass => Status::Pass,
            Step::Wait => Status::Drop,
            Step::Reply(refused) => {
                crate::llm_provider::refuse(envoy, &refused);
                Status::Drop
            }
        }
    }

    fn count<EHF: EnvoyHttpFilter>(&mut self, envoy: &EHF) {
        self.counters.add(envoy, self.attempt.take_counts());
    }
}
