//! Answers to the filter's callouts and HTTP streams.

use crate::EnvoyBuffer;
use crate::abi::{
    envoy_dynamic_module_type_http_callout_result as CalloutResult,
    envoy_dynamic_module_type_http_stream_reset_reason as StreamResetReason,
};

use super::Exchange;
use crate::testing::callouts::FakeCallout;
use crate::testing::header_map::FakeHeaderMap;
use crate::testing::message::FakeMessage;

impl Exchange<'_> {
    /// Answers a callout. False if no such callout is waiting.
    pub fn answer_callout(&mut self, id: u64, answer: &FakeMessage) -> bool {
        if self.over || self.envoy.callouts.take(id).is_none() {
            return false;
        }
        let chunks: Vec<_> = answer.chunks.iter().map(EnvoyBuffer::new).collect();
        with_lines(&answer.headers, |lines| {
            self.hook(|filter, envoy| {
                let success = CalloutResult::Success;
                filter.on_http_callout_done(envoy, id, success, Some(lines), Some(&chunks));
            });
        });
        true
    }

    /// Lets a callout fail. False if no such callout is waiting.
    pub fn fail_callout(&mut self, id: u64, result: CalloutResult) -> bool {
        if self.over || self.envoy.callouts.take(id).is_none() {
            return false;
        }
        self.hook(|filter, envoy| filter.on_http_callout_done(envoy, id, result, None, None));
        true
    }

    /// Answers the callout that has waited longest, and returns what was asked; `None` if none waits.
    pub fn answer_next_callout(&mut self, answer: &FakeMessage) -> Option<FakeCallout> {
        let asked = self.envoy.callouts().first()?.clone();
        self.answer_callout(asked.id, answer).then_some(asked)
    }

    /// Lets the callout fail that has waited longest, and returns what was asked; `None` if none waits.
    pub fn fail_next_callout(&mut self, result: CalloutResult) -> Option<FakeCallout> {
        let asked = self.envoy.callouts().first()?.clone();
        self.fail_callout(asked.id, result).then_some(asked)
    }

    /// Response headers on one of the filter's HTTP streams. False if the stream is not open.
    pub fn http_stream_headers(&mut self, id: u64, head: &FakeMessage, end: bool) -> bool {
        self.is_open(id)
            && with_lines(&head.headers, |lines| {
                self.hook(|filter, envoy| filter.on_http_stream_headers(envoy, id, lines, end))
                    .is_some()
            })
    }

    /// Response data on one of the filter's HTTP streams. False if the stream is not open.
    pub fn http_stream_data(&mut self, id: u64, data: &[u8], end: bool) -> bool {
        let chunks = [EnvoyBuffer::new(data)];
        self.is_open(id)
            && self
                .hook(|filter, envoy| filter.on_http_stream_data(envoy, id, &chunks, end))
                .is_some()
    }

    /// Response trailers on one of the filter's HTTP streams. False if the stream is not open.
    pub fn http_stream_trailers(&mut self, id: u64, trailers: &[(&str, &str)]) -> bool {
        let trailers = FakeHeaderMap::from_lines(trailers.iter().copied());
        self.is_open(id)
            && with_lines(&trailers, |lines| {
                self.hook(|filter, envoy| filter.on_http_stream_trailers(envoy, id, lines))
                    .is_some()
            })
    }

    /// Ends one of the filter's HTTP streams. False if the stream is not open.
    pub fn complete_http_stream(&mut self, id: u64) -> bool {
        self.is_open(id) && self.envoy.callouts.close(id) && {
            self.hook(|filter, envoy| filter.on_http_stream_complete(envoy, id))
                .is_some()
        }
    }

    /// Resets one of the filter's HTTP streams. False if the stream is not open.
    pub fn reset_http_stream(&mut self, id: u64, reason: StreamResetReason) -> bool {
        self.is_open(id) && self.envoy.callouts.close(id) && {
            self.hook(|filter, envoy| filter.on_http_stream_reset(envoy, id, reason))
                .is_some()
        }
    }

    fn is_open(&self, id: u64) -> bool {
        !self.over && self.envoy.callouts.is_open(id)
    }

    pub(super) fn answer_by_cluster(&mut self, id: u64) {
        let callouts = &self.envoy.callouts.callouts;
        let cluster = callouts
            .iter()
            .find(|callout| callout.id == id)
            .map(|c| &c.cluster);
        if let Some(answer) = cluster
            .and_then(|cluster| self.envoy.answers.get(cluster))
            .cloned()
        {
            self.answer_callout(id, &answer);
        }
    }

    pub(super) fn answer_stream_by_cluster(&mut self, id: u64) {
        let streams = &self.envoy.callouts.streams;
        let cluster = streams
            .iter()
            .find(|stream| stream.id == id)
            .map(|s| &s.cluster);
        let Some(answer) = cluster
            .and_then(|cluster| self.envoy.answers.get(cluster))
            .cloned()
        else {
            return;
        };
        let last = answer.chunks.len();
        let ends = answer.trailers.is_none();
        self.http_stream_headers(id, &answer, ends && last == 0);
        for (index, chunk) in answer.chunks.iter().enumerate() {
            self.http_stream_data(id, chunk, ends && index + 1 == last);
        }
        if let Some(trailers) = &answer.trailers
            && self.is_open(id)
        {
            with_lines(trailers, |lines| {
                self.hook(|filter, envoy| filter.on_http_stream_trailers(envoy, id, lines));
            });
        }
        self.complete_http_stream(id);
    }
}

/// Lends lines in the shape in which hooks get them.
fn with_lines<R>(
    map: &FakeHeaderMap,
    lend: impl FnOnce(&[(EnvoyBuffer<'_>, EnvoyBuffer<'_>)]) -> R,
) -> R {
    let lines: Vec<_> = map
        .lines()
        .map(|(key, value)| (EnvoyBuffer::new(key), EnvoyBuffer::new(value)))
        .collect();
    lend(&lines)
}
