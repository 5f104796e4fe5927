//! The state machine of one stream: which hook transforms, and what waits for a body.
//!
//! The program's needs decide, before any body byte arrives:
//!
//! - nothing to do in a direction: every hook of it passes;
//! - no template reads or writes the body: transformed in the headers hook, nothing is held;
//! - otherwise headers are held, the body is collected by Envoy (within its buffer limit), and the
//!   hook that sees the end of the message transforms: headers, body, or trailers.
//!
//! A response whose body is a stream of events, for which there are rules, is never held: its headers
//! are transformed in the headers hook and its events as they come (see [`Streaming`]). An event that
//! fails for good ends such a response in the middle.
//!
//! Upgrades (CONNECT, WebSocket and others) have no end to wait for: both directions are transformed
//! in the headers hooks, without a body. A response that must not have a body (to HEAD, 204, 205, 304)
//! is not given one, and loses the one that it has if a rule makes it such a response: the bytes would
//! be taken for the next response on the connection. An error answers the client with a local reply;
//! nothing of a failed transform has been applied. Streams of events without rules for them flow, too:
//! what would have read them is left out.

use std::sync::{Arc, Once};

use envoy_proxy_dynamic_modules_rust_sdk::abi::{
    envoy_dynamic_module_type_on_http_filter_request_body_status as RequestBodyStatus,
    envoy_dynamic_module_type_on_http_filter_request_headers_status as RequestHeadersStatus,
    envoy_dynamic_module_type_on_http_filter_request_trailers_status as RequestTrailersStatus,
    envoy_dynamic_module_type_on_http_filter_response_body_status as ResponseBodyStatus,
    envoy_dynamic_module_type_on_http_filter_response_headers_status as ResponseHeadersStatus,
    envoy_dynamic_module_type_on_http_filter_response_trailers_status as ResponseTrailersStatus,
};
use envoy_proxy_dynamic_modules_rust_sdk::{
    EnvoyBuffer, EnvoyHttpFilter, HttpFilter, HttpMessage, envoy_log_error,
};
use transformations::{
    Applied, BodyAccess, BodyChange, Direction, Failure, OpenedEvents, Reply, Stream,
};

use super::host::Host;
use super::limits;
use super::stats::Stats;
use super::streaming::{Passed, Streaming};
use super::{Loaded, RouteConfig};

/// One stream of the transformation filter.
pub(super) struct TransformationFilter {
    /// What runs: what the filter was configured with, until the route has been asked.
    loaded: Arc<Loaded>,
    stats: Stats,
    stream: Option<Stream>,
    method: Method,
    request_is_held: bool,
    response_is_held: bool,
    /// The response body is a stream of events.
    is_event_stream: bool,
    /// Its events, if they are to be transformed.
    streaming: Option<Streaming>,
    /// The response must not have a body any more: what comes of it is dropped.
    drops_response_body: bool,
    /// The body of the request is this filter's own, and may not fit.
    request_is_written: bool,
    /// The body of the response is, and its status is not that of one which does not fit.
    response_is_written: bool,
    /// The answer came while the request was held, so it is not from upstream.
    request_was_overtaken: bool,
}

impl TransformationFilter {
    pub(super) fn new(loaded: Arc<Loaded>, stats: Stats) -> Self {
        Self {
            loaded,
            stats,
            stream: None,
            method: Method::Other,
            request_is_held: false,
            response_is_held: false,
            is_event_stream: false,
            streaming: None,
            drops_response_body: false,
            request_is_written: false,
            response_is_written: false,
            request_was_overtaken: false,
        }
    }

    /// Opens the stream in its first hook: chooses the program and keeps what the response half
    /// will want to know of the request.
    fn open<EHF: EnvoyHttpFilter>(&mut self, envoy: &mut EHF) {
        self.loaded = self.choose(envoy);
        let program = &self.loaded.program;
        let mut stream = program.open();
        let needs = program.needs();
        if needs.captures_request_headers {
            stream.on_request_headers(&Host(envoy));
        }
        if needs.request.buffers() || needs.response.buffers() {
            self.method = Method::of_request(envoy);
        }
        self.stream = Some(stream);
    }

    fn choose<EHF: EnvoyHttpFilter>(&self, envoy: &EHF) -> Arc<Loaded> {
        let Some(route_config) = envoy.get_most_specific_route_config() else {
            return Arc::clone(&self.loaded);
        };
        match route_config.downcast_ref::<RouteConfig>() {
            Some(RouteConfig(loaded)) => Arc::clone(loaded),
            None => {
                // Any client can cause this: said once, then counted.
                static SAID: Once = Once::new();
                SAID.call_once(|| {
                    envoy_log_error!(
                        "the route's configuration belongs to another filter of this module: name \
                         the same filter on the route and on the listener; using the listener's"
                    );
                });
                self.stats.error(envoy, "foreign_route_config");
                Arc::clone(&self.loaded)
            }
        }
    }

    fn access(&self) -> BodyAccess {
        if self.method == Method::Upgrade {
            BodyAccess::HeadersOnly
        } else {
            BodyAccess::Whole
        }
    }

    fn response_access(&self) -> BodyAccess {
        if self.is_event_stream {
            BodyAccess::Stream
        } else if self.method == Method::Head {
            BodyAccess::Absent
        } else {
            self.access()
        }
    }

    /// Decides by the headers which transform applies, and whether to answer at once; `false` if the client got an answer instead.
    fn choose_transform<EHF: EnvoyHttpFilter>(
        &mut self,
        envoy: &mut EHF,
        direction: Direction,
    ) -> bool {
        let Some(stream) = &mut self.stream else {
            return true;
        };
        match stream.choose(direction, &mut Host(envoy)) {
            Ok(decision) => {
                for failure in &decision.failures {
                    self.report(envoy, failure, 1);
                }
                self.reply(envoy, decision.reply)
            }
            Err(failure) => {
                self.refuse(envoy, &failure);
                false
            }
        }
    }

    /// Transforms the request; `false` if the client got an answer instead.
    fn transform_request<EHF: EnvoyHttpFilter>(&mut self, envoy: &mut EHF, end: End) -> bool {
        self.request_is_held = false;
        let access = self.access();
        let Some(stream) = &mut self.stream else {
            return true;
        };
        let outcome = stream.transform_request(&mut Host(envoy), access);
        if let Ok(applied) = &outcome {
            self.stats.request_transformed(envoy);
            self.request_is_written = applied.body == BodyChange::Replaced;
            if end.forbids_length(applied.body) {
                envoy.remove_request_header("content-length");
            }
            if applied.reroute {
                envoy.clear_route_cache();
            }
        }
        self.conclude(envoy, outcome)
    }

    /// Transforms the response; `false` if the client gets another answer instead.
    fn transform_response<EHF: EnvoyHttpFilter>(&mut self, envoy: &mut EHF, end: End) -> bool {
        self.response_is_held = false;
        let access = self.response_access();
        let Some(stream) = &mut self.stream else {
            return true;
        };
        let outcome = stream.transform_response(&mut Host(envoy), access);
        if let Ok(applied) = &outcome {
            self.stats.response_transformed(envoy);
            self.response_is_written =
                applied.body == BodyChange::Replaced && !has_status(envoy, b"500");
            if end.forbids_length(applied.body) {
                envoy.remove_response_header("content-length");
            }
            if applied.body == BodyChange::Forbidden {
                self.drops_response_body = true;
                self.streaming = None;
            }
        }
        self.conclude(envoy, outcome)
    }

    /// Finds out whether the response is a stream of events; `false` if the client gets another
    /// answer instead.
    fn open_events<EHF: EnvoyHttpFilter>(&mut self, envoy: &mut EHF) -> bool {
        let Some(stream) = &self.stream else {
            return true;
        };
        let opened = stream.open_events(&Host(envoy));
        self.is_event_stream = !matches!(opened, Ok(OpenedEvents::NotAStream));
        match opened {
            Ok(OpenedEvents::NotAStream | OpenedEvents::PassingBy) => true,
            Ok(OpenedEvents::Stream(events)) => {
                self.streaming = Some(Streaming::new(events));
                true
            }
            Ok(OpenedEvents::Unreadable(failure)) => {
                self.report(envoy, &failure, 1);
                true
            }
            Err(failure) => {
                self.refuse(envoy, &failure);
                false
            }
        }
    }

    /// Counts and logs what happened to the events of a chunk; `false` if the response has ended.
    fn conclude_events<EHF: EnvoyHttpFilter>(
        &mut self,
        envoy: &mut EHF,
        outcome: Result<Passed, Failure>,
    ) -> bool {
        match outcome {
            Ok(passed) => {
                if let Some(failure) = passed.failure {
                    self.report(envoy, &failure, passed.failed);
                }
                if passed.refused {
                    self.stats.error(envoy, "refused_by_envoy");
                }
                true
            }
            Err(failure) => {
                self.streaming = None;
                // Once the headers are with the client, Envoy makes a reset of this reply.
                self.refuse(envoy, &failure);
                false
            }
        }
    }

    fn conclude<EHF: EnvoyHttpFilter>(
        &self,
        envoy: &mut EHF,
        outcome: Result<Applied, Failure>,
    ) -> bool {
        match outcome {
            Ok(applied) => {
                for failure in &applied.failures {
                    self.report(envoy, failure, 1);
                }
                if applied.refused > 0 {
                    self.stats.error(envoy, "refused_by_envoy");
                }
                self.reply(envoy, applied.reply)
            }
            Err(failure) => {
                self.refuse(envoy, &failure);
                false
            }
        }
    }

    /// Answers in place of the upstream; `false` if there is such an answer.
    fn reply<EHF: EnvoyHttpFilter>(&self, envoy: &mut EHF, reply: Option<Reply>) -> bool {
        let Some(reply) = reply else {
            return true;
        };
        let headers = reply.headers.iter();
        let headers: Vec<_> = headers
            .map(|(name, value)| (&**name, value.as_bytes()))
            .collect();
        let body = (!reply.body.is_empty()).then_some(reply.body.as_bytes());
        let field = self.loaded.program.field_path(reply.field);
        let details = format!("{}{{{field}}}", Reply::DETAILS);
        envoy.send_response(u32::from(reply.status), &headers, body, Some(&details));
        false
    }

    fn refuse<EHF: EnvoyHttpFilter>(&self, envoy: &mut EHF, failure: &Failure) {
        self.report(envoy, failure, 1);
        let error = failure.error();
        let field = self.loaded.program.field_path(error.field());
        let details = format!("{}{{{field}}}", error.details());
        envoy.send_response(error.status(), &[], None, Some(&details));
    }

    fn report<EHF: EnvoyHttpFilter>(&self, envoy: &EHF, failure: &Failure, times: u32) {
        let Loaded { program, reports } = &*self.loaded;
        self.stats
            .errors(envoy, failure.error().kind().name(), times);
        reports.say(envoy, program, failure, u64::from(times));
    }
}

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for TransformationFilter {
    fn on_request_headers(&mut self, envoy: &mut EHF, end_of_stream: bool) -> RequestHeadersStatus {
        self.open(envoy);
        if !self.choose_transform(envoy, Direction::Request) {
            return RequestHeadersStatus::StopIteration;
        }
        let Some(stream) = &self.stream else {
            return RequestHeadersStatus::Continue;
        };
        let needs = stream.needs(Direction::Request);
        if !needs.has_work {
            return RequestHeadersStatus::Continue;
        }
        if needs.buffers() && !end_of_stream && self.method != Method::Upgrade {
            limits::raise(envoy, needs.max_body_bytes);
            self.request_is_held = true;
            return RequestHeadersStatus::StopIteration;
        }
        if self.transform_request(envoy, End::Message) {
            RequestHeadersStatus::Continue
        } else {
            RequestHeadersStatus::StopIteration
        }
    }

    fn on_request_body(&mut self, envoy: &mut EHF, end_of_stream: bool) -> RequestBodyStatus {
        if !self.request_is_held {
            return RequestBodyStatus::Continue;
        }
        if !end_of_stream {
            return RequestBodyStatus::StopIterationAndBuffer;
        }
        if self.transform_request(envoy, End::Message) {
            RequestBodyStatus::Continue
        } else {
            RequestBodyStatus::StopIterationNoBuffer
        }
    }

    fn on_request_trailers(&mut self, envoy: &mut EHF) -> RequestTrailersStatus {
        if !self.request_is_held || self.transform_request(envoy, End::Trailers) {
            RequestTrailersStatus::Continue
        } else {
            RequestTrailersStatus::StopIteration
        }
    }

    fn on_response_headers(
        &mut self,
        envoy: &mut EHF,
        end_of_stream: bool,
    ) -> ResponseHeadersStatus {
        if self.stream.is_none() {
            // A filter in front of this one answered before the request reached it.
            self.open(envoy);
        }
        // A request that is still held will not be transformed any more: it has its answer.
        self.request_was_overtaken |= std::mem::take(&mut self.request_is_held);
        if !self.choose_transform(envoy, Direction::Response) {
            return ResponseHeadersStatus::StopIteration;
        }
        let Some(stream) = &self.stream else {
            return ResponseHeadersStatus::Continue;
        };
        let needs = stream.needs(Direction::Response);
        if !needs.has_work {
            return ResponseHeadersStatus::Continue;
        }
        let (streams, buffers, max_body_bytes) =
            (needs.streams, needs.buffers(), needs.max_body_bytes);
        // A tunnel that the request need not have asked for here.
        if buffers && has_status(envoy, b"101") {
            self.method = Method::Upgrade;
        }
        if streams && !end_of_stream && !self.open_events(envoy) {
            return ResponseHeadersStatus::StopIteration;
        }
        if buffers && !end_of_stream && self.method != Method::Upgrade && !self.is_event_stream {
            limits::raise(envoy, max_body_bytes);
            self.response_is_held = true;
            return ResponseHeadersStatus::StopIteration;
        }
        if !self.transform_response(envoy, End::Message) {
            self.streaming = None;
            return ResponseHeadersStatus::StopIteration;
        }
        if self.streaming.is_some() {
            // How long the events become shows when they have come.
            envoy.remove_response_header("content-length");
        }
        ResponseHeadersStatus::Continue
    }

    fn on_response_body(&mut self, envoy: &mut EHF, end_of_stream: bool) -> ResponseBodyStatus {
        if let Some(streaming) = &mut self.streaming {
            let outcome = streaming.on_body(envoy, end_of_stream);
            return if self.conclude_events(envoy, outcome) {
                ResponseBodyStatus::Continue
            } else {
                ResponseBodyStatus::StopIterationNoBuffer
            };
        }
        if self.drops_response_body {
            let chunk = HttpMessage::Response.received();
            let length = envoy.body_view_size(chunk);
            return if length == 0 || envoy.drain_body(chunk, length) {
                ResponseBodyStatus::Continue
            } else {
                ResponseBodyStatus::StopIterationNoBuffer
            };
        }
        if !self.response_is_held {
            return ResponseBodyStatus::Continue;
        }
        if !end_of_stream {
            return ResponseBodyStatus::StopIterationAndBuffer;
        }
        if self.transform_response(envoy, End::Message) {
            ResponseBodyStatus::Continue
        } else {
            ResponseBodyStatus::StopIterationNoBuffer
        }
    }

    fn on_response_trailers(&mut self, envoy: &mut EHF) -> ResponseTrailersStatus {
        if let Some(streaming) = &mut self.streaming {
            let outcome = streaming.on_trailers(envoy);
            return if self.conclude_events(envoy, outcome) {
                ResponseTrailersStatus::Continue
            } else {
                ResponseTrailersStatus::StopIteration
            };
        }
        if !self.response_is_held || self.transform_response(envoy, End::Trailers) {
            ResponseTrailersStatus::Continue
        } else {
            ResponseTrailersStatus::StopIteration
        }
    }

    fn on_stream_complete(&mut self, envoy: &mut EHF) {
        let request_was_held = self.request_is_held || self.request_was_overtaken;
        let too_large = if self.response_is_held {
            limits::was_too_large(envoy, HttpMessage::Response).then_some(HttpMessage::Response)
        } else if request_was_held {
            limits::was_too_large(envoy, HttpMessage::Request).then_some(HttpMessage::Request)
        } else {
            let written = [
                (self.request_is_written, HttpMessage::Request),
                (self.response_is_written, HttpMessage::Response),
            ];
            let mut written = written.into_iter().filter(|(is_written, _)| *is_written);
            let found = written.find(|(_, message)| limits::became_too_large(envoy, *message));
            found.map(|(_, message)| message)
        };
        if let Some(message) = too_large {
            self.stats.error(envoy, "body_too_large");
            limits::explain(message);
        }
    }
}

/// What ended a message that is being transformed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// Its head or its body.
    Message,
    /// Trailers, which HTTP/1.1 can only send behind a body without a length.
    Trailers,
}

impl End {
    fn forbids_length(self, body: BodyChange) -> bool {
        self == End::Trailers && body != BodyChange::Unchanged
    }
}

/// What the method of the request means for the bodies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    /// The bodies have no end to wait for.
    Upgrade,
    /// The response has no body.
    Head,
    Other,
}

impl Method {
    fn of_request<EHF: EnvoyHttpFilter>(envoy: &EHF) -> Method {
        // Envoy has removed those that it does not let through.
        let upgrades = || envoy.get_request_header_value("upgrade").is_some();
        let method = envoy.get_request_header_value(":method");
        match method.as_ref().map(EnvoyBuffer::as_slice) {
            Some(b"CONNECT") => Method::Upgrade,
            _ if upgrades() => Method::Upgrade,
            Some(b"HEAD") => Method::Head,
            _ => Method::Other,
        }
    }
}

fn has_status<EHF: EnvoyHttpFilter>(envoy: &EHF, code: &[u8]) -> bool {
    let status = envoy.get_response_header_value(":status");
    status.is_some_and(|status| status.as_slice() == code)
}

#[cfg(test)]
mod tests;
