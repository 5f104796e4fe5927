//! A filter whose hooks are closures of the test, and a record of which hooks ran.

use std::sync::{Arc, Mutex};

use crate::abi::{
    envoy_dynamic_module_type_http_callout_result as CalloutResult,
    envoy_dynamic_module_type_http_stream_reset_reason as StreamResetReason,
    envoy_dynamic_module_type_on_http_filter_local_reply_status as LocalReplyStatus,
    envoy_dynamic_module_type_on_http_filter_request_body_status as RequestBody,
    envoy_dynamic_module_type_on_http_filter_request_headers_status as RequestHeaders,
    envoy_dynamic_module_type_on_http_filter_request_trailers_status as RequestTrailers,
    envoy_dynamic_module_type_on_http_filter_response_body_status as ResponseBody,
    envoy_dynamic_module_type_on_http_filter_response_headers_status as ResponseHeaders,
    envoy_dynamic_module_type_on_http_filter_response_trailers_status as ResponseTrailers,
};
use crate::testing::FakeEnvoy;
use crate::{EnvoyBuffer, HttpFilter, HttpFilterConfig};

type Hook<S> = fn(&mut FakeEnvoy, bool) -> S;

/// What each hook does; a hook that is not set continues.
#[derive(Clone)]
pub(super) struct Script {
    pub(super) request_headers: Hook<RequestHeaders>,
    pub(super) request_body: Hook<RequestBody>,
    pub(super) request_trailers: Hook<RequestTrailers>,
    pub(super) response_headers: Hook<ResponseHeaders>,
    pub(super) response_body: Hook<ResponseBody>,
    pub(super) local_reply: Hook<LocalReplyStatus>,
    pub(super) callout_done: Hook<()>,
    pub(super) scheduled: Hook<()>,
    pub(super) seen: Arc<Mutex<Vec<String>>>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            request_headers: |_, _| RequestHeaders::Continue,
            request_body: |_, _| RequestBody::Continue,
            request_trailers: |_, _| RequestTrailers::Continue,
            response_headers: |_, _| ResponseHeaders::Continue,
            response_body: |_, _| ResponseBody::Continue,
            local_reply: |_, _| LocalReplyStatus::Continue,
            callout_done: |_, _| {},
            scheduled: |_, _| {},
            seen: Arc::default(),
        }
    }
}

impl Script {
    /// The hooks that ran, in order.
    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("no panic under the lock").clone()
    }

    fn note(&self, what: impl Into<String>) {
        self.seen
            .lock()
            .expect("no panic under the lock")
            .push(what.into());
    }
}

impl HttpFilterConfig<FakeEnvoy> for Script {
    fn new_http_filter(&self, _envoy: &mut FakeEnvoy) -> Box<dyn HttpFilter<FakeEnvoy>> {
        Box::new(Scripted(self.clone()))
    }
}

struct Scripted(Script);

impl Drop for Scripted {
    fn drop(&mut self) {
        self.0.note("drop");
    }
}

impl HttpFilter<FakeEnvoy> for Scripted {
    fn on_request_headers(&mut self, envoy: &mut FakeEnvoy, end: bool) -> RequestHeaders {
        self.0.note(format!("request_headers end={end}"));
        (self.0.request_headers)(envoy, end)
    }

    fn on_request_body(&mut self, envoy: &mut FakeEnvoy, end: bool) -> RequestBody {
        self.0.note(format!("request_body end={end}"));
        (self.0.request_body)(envoy, end)
    }

    fn on_request_trailers(&mut self, envoy: &mut FakeEnvoy) -> RequestTrailers {
        self.0.note("request_trailers");
        (self.0.request_trailers)(envoy, true)
    }

    fn on_response_headers(&mut self, envoy: &mut FakeEnvoy, end: bool) -> ResponseHeaders {
        self.0.note(format!("response_headers end={end}"));
        (self.0.response_headers)(envoy, end)
    }

    fn on_response_body(&mut self, envoy: &mut FakeEnvoy, end: bool) -> ResponseBody {
        self.0.note(format!("response_body end={end}"));
        (self.0.response_body)(envoy, end)
    }

    fn on_response_trailers(&mut self, _envoy: &mut FakeEnvoy) -> ResponseTrailers {
        self.0.note("response_trailers");
        ResponseTrailers::Continue
    }

    fn on_stream_complete(&mut self, _envoy: &mut FakeEnvoy) {
        self.0.note("stream_complete");
    }

    fn on_http_callout_done(
        &mut self,
        envoy: &mut FakeEnvoy,
        _id: u64,
        result: CalloutResult,
        _headers: Option<&[(EnvoyBuffer<'_>, EnvoyBuffer<'_>)]>,
        body: Option<&[EnvoyBuffer<'_>]>,
    ) {
        let body = body.map(|chunks| text(chunks));
        self.0.note(format!("callout_done {result:?} {body:?}"));
        (self.0.callout_done)(envoy, true);
    }

    fn on_http_stream_headers(
        &mut self,
        _envoy: &mut FakeEnvoy,
        _id: u64,
        headers: &[(EnvoyBuffer<'_>, EnvoyBuffer<'_>)],
        end: bool,
    ) {
        self.0
            .note(format!("stream_headers {} end={end}", headers.len()));
    }

    fn on_http_stream_data(
        &mut self,
        _envoy: &mut FakeEnvoy,
        _id: u64,
        data: &[EnvoyBuffer<'_>],
        end: bool,
    ) {
        self.0.note(format!("stream_data {} end={end}", text(data)));
    }

    fn on_http_stream_complete(&mut self, _envoy: &mut FakeEnvoy, _id: u64) {
        self.0.note("stream_done");
    }

    fn on_http_stream_reset(
        &mut self,
        _envoy: &mut FakeEnvoy,
        _id: u64,
        reason: StreamResetReason,
    ) {
        self.0.note(format!("stream_reset {reason:?}"));
    }

    fn on_scheduled(&mut self, envoy: &mut FakeEnvoy, event_id: u64) {
        self.0.note(format!("scheduled {event_id}"));
        (self.0.scheduled)(envoy, true);
    }

    fn on_local_reply(
        &mut self,
        envoy: &mut FakeEnvoy,
        code: u32,
        details: EnvoyBuffer<'_>,
        _reset_imminent: bool,
    ) -> LocalReplyStatus {
        self.0
            .note(format!("local_reply {code} {}", text(&[details])));
        (self.0.local_reply)(envoy, true)
    }
}

fn text(chunks: &[EnvoyBuffer<'_>]) -> String {
    chunks
        .iter()
        .map(|chunk| String::from_utf8_lossy(chunk.as_slice()))
        .collect()
}
