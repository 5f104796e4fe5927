//! The driver: one filter, one stream, from the first hook to the last, by Envoy's rules.
//!
//! Runs on the test's own thread. Panics of the filter are not caught: in a test they should be
//! seen. Pieces of a message sent after the stream is over are dropped, as a closed stream drops
//! them.

mod callouts;
mod flow;
mod hooks;
mod replies;
mod resume;
mod status;

use std::time::Duration;

use crate::{HttpFilter, HttpFilterConfig, HttpMessage};

use super::actions::Action;
use super::envoy::FakeEnvoy;
use super::header_map::FakeHeaderMap;
use super::message::{DeliveredMessage, FakeMessage};
use flow::Flow;

/// One stream through one filter.
///
/// Send it a request and a response, whole with [`run`](Self::run) or piece by piece, and look at
/// what reached the [`upstream`](Self::upstream) and the [`downstream`](Self::downstream).
pub struct Exchange<'c> {
    envoy: FakeEnvoy,
    config: &'c dyn HttpFilterConfig<FakeEnvoy>,
    filter: Option<Box<dyn HttpFilter<FakeEnvoy>>>,
    made: bool,
    request: Flow,
    response: Flow,
    /// The hook with a status that is running, whether it ends its message, and whether it asked to go on before
    /// it stopped.
    deciding: Option<HttpMessage>,
    at_end: bool,
    resume_early: bool,
    local_reply_details: Option<String>,
    reset: Option<String>,
    over: bool,
}

impl<'c> Exchange<'c> {
    /// A stream that has not begun. The filter is made right before its first hook, as in the SDK.
    #[must_use]
    pub fn new(config: &'c dyn HttpFilterConfig<FakeEnvoy>, envoy: FakeEnvoy) -> Self {
        Self {
            envoy,
            config,
            filter: None,
            made: false,
            request: Flow::default(),
            response: Flow::default(),
            deciding: None,
            at_end: false,
            resume_early: false,
            local_reply_details: None,
            reset: None,
            over: false,
        }
    }

    // === sending ===

    /// The whole exchange: the request, then, if it reached the upstream completely, the response.
    /// Scheduled events are delivered in between. As HTTP/1 does, a body ends with an empty last
    /// chunk; trailers end it without one.
    pub fn run(&mut self, request: &FakeMessage, response: &FakeMessage) -> &mut Self {
        self.send(HttpMessage::Request, request);
        self.run_scheduled();
        if self.request.delivered.complete {
            self.send(HttpMessage::Response, response);
            self.run_scheduled();
        }
        self
    }

    /// A whole request.
    pub fn request(&mut self, request: &FakeMessage) -> &mut Self {
        self.send(HttpMessage::Request, request);
        self
    }

    /// A whole response.
    pub fn response(&mut self, response: &FakeMessage) -> &mut Self {
        self.send(HttpMessage::Response, response);
        self
    }

    /// The request's headers; body and trailers of `head` are not sent.
    pub fn request_headers(&mut self, head: &FakeMessage, end_of_stream: bool) -> &mut Self {
        self.on_headers(HttpMessage::Request, head.headers.clone(), end_of_stream);
        self
    }

    /// A chunk of the request's body.
    pub fn request_body(&mut self, chunk: impl AsRef<[u8]>, end_of_stream: bool) -> &mut Self {
        self.on_data(HttpMessage::Request, chunk.as_ref(), end_of_stream);
        self
    }

    /// The request's trailers.
    pub fn request_trailers(&mut self, lines: &[(&str, &str)]) -> &mut Self {
        self.on_trailers(
            HttpMessage::Request,
            FakeHeaderMap::from_lines(lines.iter().copied()),
        );
        self
    }

    /// The response's headers; body and trailers of `head` are not sent.
    pub fn response_headers(&mut self, head: &FakeMessage, end_of_stream: bool) -> &mut Self {
        self.on_headers(HttpMessage::Response, head.headers.clone(), end_of_stream);
        self
    }

    /// A chunk of the response's body.
    pub fn response_body(&mut self, chunk: impl AsRef<[u8]>, end_of_stream: bool) -> &mut Self {
        self.on_data(HttpMessage::Response, chunk.as_ref(), end_of_stream);
        self
    }

    /// The response's trailers.
    pub fn response_trailers(&mut self, lines: &[(&str, &str)]) -> &mut Self {
        self.on_trailers(
            HttpMessage::Response,
            FakeHeaderMap::from_lines(lines.iter().copied()),
        );
        self
    }

    /// An earlier filter of the chain buffers this body and passes it on in one piece: then Envoy
    /// shows the filter the same bytes as received and as buffered.
    pub fn buffered_by_an_earlier_filter(&mut self, message: HttpMessage) -> &mut Self {
        self.flow(message).earlier_filter_buffers = true;
        self
    }

    /// Delivers what was committed to the filter's schedulers, on any thread, until nothing is left.
    pub fn run_scheduled(&mut self) -> &mut Self {
        while !self.over
            && let Some(event_id) = self.envoy.scheduler.pop()
        {
            self.hook(|filter, envoy| filter.on_scheduled(envoy, event_id));
        }
        self
    }

    /// Waits until another thread commits to one of the filter's schedulers, then delivers that and whatever
    /// else was committed. False, and nothing delivered, if none came in time or the stream is over: the test of
    /// a filter that works on a thread of its own needs no pauses, only a limit.
    pub fn wait_scheduled(&mut self, at_most: Duration) -> bool {
        let came = !self.over && self.envoy.scheduler.wait(at_most);
        if came {
            self.run_scheduled();
        }
        came
    }

    /// The client reads too slowly.
    pub fn downstream_above_high_watermark(&mut self) -> &mut Self {
        self.hook(|filter, envoy| filter.on_downstream_above_write_buffer_high_watermark(envoy));
        self
    }

    /// The client has caught up.
    pub fn downstream_below_low_watermark(&mut self) -> &mut Self {
        self.hook(|filter, envoy| filter.on_downstream_below_write_buffer_low_watermark(envoy));
        self
    }

    /// The client goes away: the stream is over, finished or not.
    pub fn downstream_closed(&mut self) -> &mut Self {
        self.finish();
        self
    }

    // === looking ===

    /// The host's side of the stream: metadata, filter state, metrics, callouts and more.
    #[must_use]
    pub fn envoy(&self) -> &FakeEnvoy {
        &self.envoy
    }

    /// The host's side of the stream, to change it between hooks.
    pub fn envoy_mut(&mut self) -> &mut FakeEnvoy {
        &mut self.envoy
    }

    /// What the upstream host received.
    #[must_use]
    pub fn upstream(&self) -> &DeliveredMessage {
        &self.request.delivered
    }

    /// What the client received.
    #[must_use]
    pub fn downstream(&self) -> &DeliveredMessage {
        &self.response.delivered
    }

    /// Whether the filter holds this message now.
    #[must_use]
    pub fn is_held(&self, message: HttpMessage) -> bool {
        let flow = match message {
            HttpMessage::Request => &self.request,
            HttpMessage::Response => &self.response,
        };
        !self.over && flow.is_stopped()
    }

    /// Whether reading this message is paused, because a watermark status reached the limit. If the
    /// filter waits for the end now, it waits for ever.
    #[must_use]
    pub fn is_paused(&self, message: HttpMessage) -> bool {
        match message {
            HttpMessage::Request => self.request.paused,
            HttpMessage::Response => self.response.paused,
        }
    }

    /// The details of the local reply, if there was one; empty when it gave none.
    #[must_use]
    pub fn local_reply_details(&self) -> Option<&str> {
        self.local_reply_details.as_deref()
    }

    /// Why the stream was reset, if it was.
    #[must_use]
    pub fn reset(&self) -> Option<&str> {
        self.reset.as_deref()
    }

    /// Whether the stream is over: the filter has seen `on_stream_complete` and is dropped.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }
}
