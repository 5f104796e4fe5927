//! The filter `llm-provider`: what a client of an LLM sends becomes a request to the provider that
//! answers, and its answer one of the client's dialect.
//!
//! In the chain of a cluster, before `upstream_codec`, it sees each attempt by itself and can tell
//! several providers apart by the host that was picked; in the chain of a listener it does the same
//! for a route. What happens is decided by an [`Attempt`]; here hooks become what it is told.
//! Configurations are compiled on the main thread, attempts run on workers. Refused are
//! configurations with anything that is not known. It never resets a stream: there, Envoy crashes.

mod keys;

use std::any::Any;
use std::sync::{Arc, Once};

use anyhow::{Result, anyhow};
use envoy_proxy_dynamic_modules_rust_sdk::prelude::*;
use transformations::provider::{Attempt, Providers, Step};

use self::keys::ModuleKeys;
use crate::refusal::{log_refusal, refused};
use crate::transformation::host::Host;
use crate::watch::{Watcher, Watching};

/// The name that configurations ask for.
pub(crate) const NAME: &str = "llm-provider";

/// The counters, in the order of [`Counters`].
const COUNTERS: [&str; 4] = [
    "rustformations_provider_requests",
    "rustformations_provider_refusals",
    "rustformations_provider_dropped_fields",
    "rustformations_provider_failures",
];

type Counters = [EnvoyCounterId; 4];

/// Compiles a filter-level configuration; `None`, after logging why, if it is not valid.
pub(crate) fn new_http_filter_config<EC, EHF>(
    envoy_filter_config: &mut EC,
    config: &[u8],
) -> Option<Box<dyn HttpFilterConfig<EHF>>>
where
    EC: EnvoyHttpFilterConfig,
    EHF: EnvoyHttpFilter,
{
    let configured = ProviderConfig::new(envoy_filter_config, config);
    log_refusal(NAME, configured).map(|it| Box::new(it) as Box<dyn HttpFilterConfig<EHF>>)
}

/// Compiles a route's configuration; `None`, after logging why, if it is not valid.
pub(crate) fn new_per_route_config(config: &[u8]) -> Option<Box<dyn Any>> {
    log_refusal(NAME, Loaded::new(config)).map(|loaded| Box::new(loaded) as Box<dyn Any>)
}

/// A configuration that Envoy holds.
struct Loaded {
    providers: Arc<Providers>,
    /// Has files of keys watched. Only here: what Envoy holds is never freed by the watcher.
    _watching: Option<Watching>,
}

impl Loaded {
    fn new(config: &[u8]) -> Result<Loaded> {
        let envoy = EnvoyVersion::of_host().unwrap_or(EnvoyVersion::V1_36);
        let providers = Providers::compile(config, envoy.numbers(), &ModuleKeys);
        let providers = providers.map_err(refused)?;
        let follows = providers.follows_files();
        Ok(Loaded {
            providers,
            _watching: follows.then(|| Watcher::of_process().watch()),
        })
    }
}

struct ProviderConfig {
    loaded: Loaded,
    counters: Counters,
}

impl ProviderConfig {
    fn new<EC: EnvoyHttpFilterConfig>(envoy: &mut EC, config: &[u8]) -> Result<Self> {
        let loaded = Loaded::new(config)?;
        let mut define = |name| {
            let counter = envoy.define_counter(name);
            counter.map_err(|refusal| anyhow!("Envoy refused the counter {name}: {refusal:?}"))
        };
        let [requests, refusals, dropped, failures] = COUNTERS;
        let counters = [
            define(requests)?,
            define(refusals)?,
            define(dropped)?,
            define(failures)?,
        ];
        Ok(ProviderConfig { loaded, counters })
    }
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for ProviderConfig {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(ProviderFilter {
            providers: Arc::clone(&self.loaded.providers),
            counters: self.counters,
            attempt: None,
            has_passed: false,
        })
    }
}

/// One attempt of one stream.
struct ProviderFilter {
    providers: Arc<Providers>,
    counters: Counters,
    attempt: Option<Attempt>,
    /// The last piece of the response has passed.
    has_passed: bool,
}

/// What becomes of a piece, whatever the hook calls it.
enum Status {
    Pass,
    Wait,
}

impl ProviderFilter {
    /// Tells the attempt of what came, and does what follows.
    fn tell<EHF: EnvoyHttpFilter>(
        &mut self,
        envoy: &mut EHF,
        what: impl FnOnce(&mut Attempt, &mut Host<'_, EHF>) -> Step,
    ) -> Status {
        // Without request headers there is nothing that could be translated.
        let Some(attempt) = &mut self.attempt else {
            return Status::Pass;
        };
        let step = what(attempt, &mut Host::without_routes(envoy));
        let counts = attempt.take_counts();
        let counts = [
            counts.requests,
            counts.refusals,
            counts.dropped_fields,
            counts.failures,
        ];
        for (counter, count) in self.counters.into_iter().zip(counts) {
            if count > 0 {
                // A counter that Envoy refuses to raise must not fail a request.
                let _ = envoy.increment_counter(counter, count);
            }
        }
        match step {
            Step::Pass => Status::Pass,
            Step::Wait => Status::Wait,
            Step::Reply(refused) => {
                let headers = [("content-type", &b"application/json"[..])];
                let body = Some(refused.body.as_bytes());
                let status = refused.status.into();
                envoy.send_response(status, &headers, body, Some("llm_provider_refused"));
                Status::Wait
            }
        }
    }
}

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for ProviderFilter {
    fn on_request_headers(&mut self, envoy: &mut EHF, end_of_stream: bool) -> RequestHeadersStatus {
        if let Some(route_config) = envoy.get_most_specific_route_config() {
            let Some(loaded) = route_config.downcast_ref::<Loaded>() else {
                // Any client can cause this: said once. The wrong provider must not be asked.
                static SAID: Once = Once::new();
                SAID.call_once(|| {
                    envoy_log_error!("{NAME}: the route's configuration belongs to another filter");
                });
                envoy.send_response(500, &[], None, Some("llm_provider_foreign_route_config"));
                return RequestHeadersStatus::StopIteration;
            };
            self.providers = Arc::clone(&loaded.providers);
        }
        self.attempt = Some(self.providers.open());
        let told = self.tell(envoy, |attempt, host| {
            attempt.on_request_headers(host, end_of_stream)
        });
        match told {
            Status::Pass => RequestHeadersStatus::Continue,
            Status::Wait => RequestHeadersStatus::StopIteration,
        }
    }

    fn on_request_body(&mut self, envoy: &mut EHF, end_of_stream: bool) -> RequestBodyStatus {
        let told = self.tell(envoy, |attempt, host| {
            attempt.on_request_body(host, end_of_stream)
        });
        match told {
            Status::Pass => RequestBodyStatus::Continue,
            Status::Wait => RequestBodyStatus::StopIterationNoBuffer,
        }
    }

    fn on_request_trailers(&mut self, envoy: &mut EHF) -> RequestTrailersStatus {
        match self.tell(envoy, |attempt, host| attempt.on_request_trailers(host)) {
            Status::Pass => RequestTrailersStatus::Continue,
            Status::Wait => RequestTrailersStatus::StopIteration,
        }
    }

    fn on_response_headers(
        &mut self,
        envoy: &mut EHF,
        end_of_stream: bool,
    ) -> ResponseHeadersStatus {
        let told = self.tell(envoy, |attempt, host| {
            attempt.on_response_headers(host, end_of_stream)
        });
        match told {
            Status::Pass => ResponseHeadersStatus::Continue,
            Status::Wait => ResponseHeadersStatus::StopIteration,
        }
    }

    fn on_response_body(&mut self, envoy: &mut EHF, end_of_stream: bool) -> ResponseBodyStatus {
        let told = self.tell(envoy, |attempt, host| {
            attempt.on_response_body(host, end_of_stream)
        });
        self.has_passed = matches!(told, Status::Pass);
        match told {
            Status::Pass => ResponseBodyStatus::Continue,
            Status::Wait => ResponseBodyStatus::StopIterationNoBuffer,
        }
    }

    fn on_response_trailers(&mut self, envoy: &mut EHF) -> ResponseTrailersStatus {
        match self.tell(envoy, |attempt, host| attempt.on_response_trailers(host)) {
            // What is appended to a body whose last piece has passed, Envoy sends when it is asked to go
            // on, and it can be asked in no hook that it waits for.
            Status::Pass if self.has_passed && envoy.body_size(HttpMessage::Response) > 0 => {
                envoy.new_scheduler().commit(0);
                ResponseTrailersStatus::StopIteration
            }
            Status::Pass => ResponseTrailersStatus::Continue,
            Status::Wait => ResponseTrailersStatus::StopIteration,
        }
    }

    fn on_scheduled(&mut self, envoy: &mut EHF, _event_id: u64) {
        envoy.continue_encoding();
    }
}
