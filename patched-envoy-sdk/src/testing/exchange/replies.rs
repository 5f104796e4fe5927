//! Answers that do not come from the upstream: local replies of the filter and of others, streamed
//! replies, resets.

use crate::abi::envoy_dynamic_module_type_on_http_filter_local_reply_status as LocalReplyStatus;
use crate::{Capability, EnvoyBuffer, EnvoyVersion, HttpMessage};

use super::Exchange;
use crate::testing::header_map::FakeHeaderMap;

impl Exchange<'_> {
    /// Somebody else answers: a `direct_response` route, the router, another filter. Such a reply
    /// passes through the filter's response hooks, unless a response is already there.
    pub fn local_reply(&mut self, status: u32, body: &str, details: &str) -> &mut Self {
        if !self.over {
            self.other_local_reply(status, body.as_bytes(), details);
        }
        self
    }

    pub(super) fn other_local_reply(&mut self, status: u32, body: &[u8], details: &str) {
        if !self.announce(status, details) {
            return;
        }
        let headers = reply_headers(status, FakeHeaderMap::default(), body);
        if self.envoy.response.headers.is_some() {
            self.answer(headers, body);
            return;
        }
        self.on_headers(HttpMessage::Response, headers, body.is_empty());
        if !body.is_empty() {
            self.on_data(HttpMessage::Response, body, true);
        }
    }

    /// The filter answers: its own response hooks are skipped.
    pub(super) fn own_local_reply(
        &mut self,
        status: u32,
        headers: FakeHeaderMap,
        body: &[u8],
        details: &str,
    ) {
        if self.announce(status, details) {
            self.answer(reply_headers(status, headers, body), body);
        }
    }

    /// Tells the filter about a local reply. False when it cannot be sent any more, or the filter
    /// wants the stream reset instead.
    fn announce(&mut self, status: u32, details: &str) -> bool {
        if self.response.delivered.has_headers() {
            self.reset_now(details);
            return false;
        }
        self.local_reply_details = Some(details.to_owned());
        if !self.envoy.has(Capability::LocalReplyHook) {
            return true;
        }
        let answer = self.hook(|filter, envoy| {
            filter.on_local_reply(envoy, status, EnvoyBuffer::new(details), false)
        });
        if !self.over && answer == Some(LocalReplyStatus::ContinueAndResetStream) {
            self.reset_now(details);
        }
        !self.over
    }

    fn answer(&mut self, headers: FakeHeaderMap, body: &[u8]) {
        let flow = self.flow(HttpMessage::Response);
        flow.pass_headers(&headers, false);
        flow.pass_data(body.to_vec(), true);
        self.finish();
    }

    pub(super) fn reset_now(&mut self, details: &str) {
        self.reset = Some(details.to_owned());
        self.finish();
    }

    // === replies that the filter streams ===

    /// Up to Envoy 1.38 a streamed reply passes the filter's own response hooks.
    fn own_hooks_see_streamed_replies(&self) -> bool {
        self.envoy.version <= EnvoyVersion::V1_38
    }

    pub(super) fn stream_headers(&mut self, headers: FakeHeaderMap, end: bool) {
        if self.own_hooks_see_streamed_replies() {
            self.on_headers(HttpMessage::Response, headers, end);
            return;
        }
        self.envoy.response.headers = Some(headers.clone());
        self.flow(HttpMessage::Response).pass_headers(&headers, end);
        self.finish_if(end);
    }

    pub(super) fn stream_data(&mut self, data: Vec<u8>, end: bool) {
        if self.own_hooks_see_streamed_replies() {
            self.on_data(HttpMessage::Response, &data, end);
            return;
        }
        self.flow(HttpMessage::Response).pass_data(data, end);
        self.finish_if(end);
    }

    pub(super) fn stream_trailers(&mut self, trailers: FakeHeaderMap) {
        if self.own_hooks_see_streamed_replies() {
            self.on_trailers(HttpMessage::Response, trailers);
            return;
        }
        self.flow(HttpMessage::Response)
            .pass_trailers(Some(&trailers));
        self.finish();
    }

    fn finish_if(&mut self, end: bool) {
        if end {
            self.finish();
        }
    }
}

/// The headers of a local reply, with what Envoy adds to them.
fn reply_headers(status: u32, mut headers: FakeHeaderMap, body: &[u8]) -> FakeHeaderMap {
    headers.set(":status", status.to_string().as_bytes());
    headers.remove("content-length");
    if !body.is_empty() {
        headers.set("content-length", body.len().to_string().as_bytes());
        if headers.value_bytes("content-type").is_none() {
            headers.set("content-type", b"text/plain");
        }
    }
    headers
}
