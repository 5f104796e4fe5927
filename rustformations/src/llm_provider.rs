//! The filter `llm-provider`: what a client of an LLM sends becomes a request to the provider that
//! answers, and its answer one of the client's dialect.
//!
//! In the chain of a cluster, before `upstream_codec`, it sees each attempt by itself and can tell
//! several providers apart by the host that was picked; in the chain of a listener it does the same
//! for a route. What happens is decided by an [`Attempt`]; here hooks become what it is told.
//! Configurations are compiled on the main thread, attempts run on workers. Refused are
//! configurations with anything that is not known. It never resets a stream: there, Envoy crashes.

mod counters;
pub(crate) mod keys;

use std::any::Any;
use std::sync::{Arc, Once};

use anyhow::Result;
use envoy_proxy_dynamic_modules_rust_sdk::prelude::*;
use transformations::provider::{Attempt, Providers, Refused, Step};

pub(crate) use self::counters::ProviderCounters;
use self::keys::ModuleKeys;
use crate::refusal::{log_refusal, refused};
use crate::transformation::host::Host;
use crate::watch::{Watcher, Watching};

/// The name that configurations ask for.
pub(crate) const NAME: &str = "llm-provider";

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

/// Answers a request that an attempt refuses.
pub(crate) fn refuse<EHF: EnvoyHttpFilter>(envoy: &mut EHF, refused: &Refused) {
    let headers = [("content-type", &b"application/json"[..])];
    let body = Some(refused.body.as_bytes());
    let status = refused.status.into();
    envoy.send_response(status, &headers, body, Some("llm_provider_refused"));
}

/// Has headers that were held go on before a piece of the body does. By itself, Envoy puts the first piece
/// behind a stop into a buffer and sends that; the buffer stays, and what is written before trailers is put
/// there and lost. Not for the last piece: the headers would end the message.
pub(crate) fn send_headers_first<EHF: EnvoyHttpFilter>(envoy: &mut EHF) {
    envoy.continue_encoding();
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
    counters: ProviderCounters,
}

impl ProviderConfig {
    fn new<EC: EnvoyHttpFilterConfig>(envoy: &mut EC, config: &[u8]) -> Result<Self> {
        Ok(ProviderConfig {
            loaded: Loaded::new(config)?,
            counters: ProviderCounters::define(envoy)?,
        })
    }
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for ProviderConfig {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(ProviderFilter {
            providers: Arc::clone(&self.loaded.providers),
            counters: self.counters,
            attempt: None,
            holds_headers: false,
        })
    }
}

/// One attempt of one stream.
struct ProviderFilter {
    providers: Arc<Providers>,
    counters: ProviderCounters,
    attempt: Option<Attempt>,
    /// The headers of the response wait.
    holds_headers: bool,
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
        self.counters.add(envoy, attempt.take_counts());
        match step {
            Step::Pass => Status::Pass,
            Step::Wait => Status::Wait,
            Step::Reply(refused) => {
                refuse(envoy, &refused);
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
        self.holds_headers = matches!(told, Status::Wait);
        match told {
            Status::Pass => ResponseHeadersStatus::Continue,
            Status::Wait => ResponseHeadersStatus::StopIteration,
        }
    }

    fn on_response_body(&mut self, envoy: &mut EHF, end_of_stream: bool) -> ResponseBodyStatus {
        let told = self.tell(envoy, |attempt, host| {
            attempt.on_response_body(host, end_of_stream)
        });
        match told {
            Status::Pass => {
                if std::mem::take(&mut self.holds_headers) && !end_of_stream {
                    send_headers_first(envoy);
                }
                ResponseBodyStatus::Continue
            }
            // Nothing of it is left. Once the headers have gone on, a piece that stops leaves a buffer, too.
            Status::Wait if !self.holds_headers => ResponseBodyStatus::Continue,
            Status::Wait => ResponseBodyStatus::StopIterationNoBuffer,
        }
    }

    fn on_response_trailers(&mut self, envoy: &mut EHF) -> ResponseTrailersStatus {
        match self.tell(envoy, |attempt, host| attempt.on_response_trailers(host)) {
            Status::Pass => ResponseTrailersStatus::Continue,
            Status::Wait => ResponseTrailersStatus::StopIteration,
        }
    }
}
