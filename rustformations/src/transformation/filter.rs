//! The state machine of one stream: which hook transforms, and what waits for a body.
//!
//! The program's needs decide, before any body byte arrives:
//!
//! - nothing to do in a direction: every hook of it passes;
//! - no template reads or writes the body: transformed in the headers hook, nothing is held;
//! - otherwise headers are held, the body is collected by Envoy (within its buffer limit), and the
//!   hook that sees the end of the message transforms: headers, body, or trailers.
//!
//! Upgrades (CONNECT, WebSocket) have no end to wait for: both directions are transformed in the
//! headers hooks, without a body. An error answers the client with a local reply; nothing of a
//! failed transform has been applied.

use std::sync::Arc;

use envoy_proxy_dynamic_modules_rust_sdk::abi::{
    envoy_dynamic_module_type_on_http_filter_request_body_status as RequestBodyStatus,
    envoy_dynamic_module_type_on_http_filter_request_headers_status as RequestHeadersStatus,
    envoy_dynamic_module_type_on_http_filter_request_trailers_status as RequestTrailersStatus,
    envoy_dynamic_module_type_on_http_filter_response_body_status as ResponseBodyStatus,
    envoy_dynamic_module_type_on_http_filter_response_headers_status as ResponseHeadersStatus,
    envoy_dynamic_module_type_on_http_filter_response_trailers_status as ResponseTrailersStatus,
};
use envoy_proxy_dynamic_modules_rust_sdk::{
    EnvoyHttpFilter, HttpFilter, envoy_log_debug, envoy_log_error, envoy_log_warn,
};
use transformations::{Applied, BodyAccess, Program, Stream, TransformError};

use super::RouteProgram;
use super::host::Host;
use super::stats::Stats;

/// One stream of the transformation filter.
pub(super) struct TransformationFilter {
    /// The filter-level program, until the route has been asked for its own.
    filter_program: Arc<Program>,
    stats: Stats,
    stream: Option<Stream>,
    is_upgrade: bool,
    request_is_held: bool,
    response_is_held: bool,
}

impl TransformationFilter {
    pub(super) fn new(filter_program: Arc<Program>, stats: Stats) -> Self {
        Self {
            filter_program,
            stats,
            stream: None,
            is_upgrade: false,
            request_is_held: false,
            response_is_held: false,
        }
    }

    /// Opens the stream in its first hook: chooses the program and keeps what the response half
    /// will want to know of the request.
    fn open<EHF: EnvoyHttpFilter>(&mut self, envoy: &mut EHF) {
        let program = self.choose_program(envoy);
        let mut stream = program.open();
        let needs = program.needs();
        if needs.captures_request_headers {
            stream.on_request_headers(&Host(envoy));
        }
        if needs.request.buffers() || needs.response.buffers() {
            self.is_upgrade = is_upgrade(envoy);
        }
        self.stream = Some(stream);
    }

    fn choose_program<EHF: EnvoyHttpFilter>(&self, envoy: &EHF) -> Arc<Program> {
        let Some(route_config) = envoy.get_most_specific_route_config() else {
            return Arc::clone(&self.filter_program);
        };
        match route_config.downcast_ref::<RouteProgram>() {
            Some(RouteProgram(program)) => Arc::clone(program),
            None => {
                envoy_log_error!(
                    "the route's configuration belongs to another filter of this module: name the \
                     same filter on the route and on the listener; using the listener's"
                );
                self.stats.error(envoy, "foreign_route_config");
                Arc::clone(&self.filter_program)
            }
        }
    }

    fn access(&self) -> BodyAccess {
        if self.is_upgrade {
            BodyAccess::HeadersOnly
        } else {
            BodyAccess::Whole
        }
    }

    /// Transforms the request; `false` if the client got an answer instead.
    fn transform_request<EHF: EnvoyHttpFilter>(&mut self, envoy: &mut EHF) -> bool {
        self.request_is_held = false;
        let access = self.access();
        let Some(stream) = &mut self.stream else {
            return true;
        };
        let outcome = stream.transform_request(&mut Host(envoy), access);
        if outcome.is_ok() {
            self.stats.request_transformed(envoy);
        }
        self.conclude(envoy, outcome)
    }

    /// Transforms the response; `false` if the client gets another answer instead.
    fn transform_response<EHF: EnvoyHttpFilter>(&mut self, envoy: &mut EHF) -> bool {
        self.response_is_held = false;
        let access = self.access();
        let Some(stream) = &mut self.stream else {
            return true;
        };
        let outcome = stream.transform_response(&mut Host(envoy), access);
        if outcome.is_ok() {
            self.stats.response_transformed(envoy);
        }
        self.conclude(envoy, outcome)
    }

    fn conclude<EHF: EnvoyHttpFilter>(
        &self,
        envoy: &mut EHF,
        outcome: Result<Applied, TransformError>,
    ) -> bool {
        match outcome {
            Ok(applied) => {
                if let Some(error) = applied.error {
                    self.report(envoy, error);
                }
                if applied.refused > 0 {
                    self.stats.error(envoy, "refused_by_envoy");
                }
                true
            }
            Err(error) => {
                self.report(envoy, error);
                envoy.send_response(error.status(), &[], None, Some(error.details()));
                false
            }
        }
    }

    /// Counts and logs an error: which field, and what kind; never what the message held.
    fn report<EHF: EnvoyHttpFilter>(&self, envoy: &EHF, error: TransformError) {
        self.stats.error(envoy, kind_label(error));
        let field = self
            .stream
            .as_ref()
            .map_or("", |s| s.program().field_path(error.field()));
        // A client can cause a 400 at will, so it must not be able to fill the log with them.
        if error.status() < 500 {
            envoy_log_debug!("{field}: {error}");
        } else {
            envoy_log_warn!("{field}: {error}");
        }
    }
}

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for TransformationFilter {
    fn on_request_headers(&mut self, envoy: &mut EHF, end_of_stream: bool) -> RequestHeadersStatus {
        self.open(envoy);
        let Some(stream) = &self.stream else {
            return RequestHeadersStatus::Continue;
        };
        let needs = &stream.program().needs().request;
        if !needs.has_work {
            return RequestHeadersStatus::Continue;
        }
        if needs.buffers() && !end_of_stream && !self.is_upgrade {
            self.request_is_held = true;
            return RequestHeadersStatus::StopIteration;
        }
        if self.transform_request(envoy) {
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
        if self.transform_request(envoy) {
            RequestBodyStatus::Continue
        } else {
            RequestBodyStatus::StopIterationNoBuffer
        }
    }

    fn on_request_trailers(&mut self, envoy: &mut EHF) -> RequestTrailersStatus {
        if !self.request_is_held || self.transform_request(envoy) {
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
        self.request_is_held = false;
        let Some(stream) = &self.stream else {
            return ResponseHeadersStatus::Continue;
        };
        let needs = &stream.program().needs().response;
        if !needs.has_work {
            return ResponseHeadersStatus::Continue;
        }
        if needs.buffers() && !end_of_stream && !self.is_upgrade {
            self.response_is_held = true;
            return ResponseHeadersStatus::StopIteration;
        }
        if self.transform_response(envoy) {
            ResponseHeadersStatus::Continue
        } else {
            ResponseHeadersStatus::StopIteration
        }
    }

    fn on_response_body(&mut self, envoy: &mut EHF, end_of_stream: bool) -> ResponseBodyStatus {
        if !self.response_is_held {
            return ResponseBodyStatus::Continue;
        }
        if !end_of_stream {
            return ResponseBodyStatus::StopIterationAndBuffer;
        }
        if self.transform_response(envoy) {
            ResponseBodyStatus::Continue
        } else {
            ResponseBodyStatus::StopIterationNoBuffer
        }
    }

    fn on_response_trailers(&mut self, envoy: &mut EHF) -> ResponseTrailersStatus {
        if !self.response_is_held || self.transform_response(envoy) {
            ResponseTrailersStatus::Continue
        } else {
            ResponseTrailersStatus::StopIteration
        }
    }
}

/// The details of the local reply, without what all of them begin with.
fn kind_label(error: TransformError) -> &'static str {
    error
        .details()
        .strip_prefix("rustformation_")
        .unwrap_or(error.details())
}

fn is_upgrade<EHF: EnvoyHttpFilter>(envoy: &EHF) -> bool {
    let is = |header: &str, expected: &[u8]| {
        envoy
            .get_request_header_value(header)
            .is_some_and(|value| value.as_slice().eq_ignore_ascii_case(expected))
    };
    is(":method", b"CONNECT") || is("upgrade", b"websocket")
}
