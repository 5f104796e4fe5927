//! Passing on what is held, and the limits of holding it.

use super::flow::{Iteration, Piece};
use super::{Action, Exchange};
use crate::testing::body::Chunks;
use crate::testing::callouts::Callouts;
use crate::{Capability, HttpMessage};

impl Exchange<'_> {
    /// Passes on the headers, what is buffered, `chunk`, and the trailers if they were seen: what
    /// `Continue` means, whatever was held before.
    pub(super) fn go_on(&mut self, message: HttpMessage, chunk: Option<Chunks>) {
        let has_chunk = chunk.is_some();
        let in_flight = self.envoy.in_flight_mut(message);
        let mut data = in_flight.buffered.take();
        if let Some(chunk) = chunk {
            data.get_or_insert_default().take_from(chunk);
        }
        let headers = in_flight.headers.clone().unwrap_or_default();
        let trailers = in_flight.trailers.clone();
        let flow = self.flow(message);
        flow.iteration = Iteration::Running;
        let pass_trailers = std::mem::take(&mut flow.trailers_held);
        let ends_before_trailers = flow.ended && trailers.is_none();
        let bytes = data.map(|data| data.bytes()).unwrap_or_default();
        let has_data = has_chunk || !bytes.is_empty();
        flow.pass_headers(&headers, ends_before_trailers && !has_data);
        if has_data {
            flow.pass_data(bytes, ends_before_trailers);
        }
        if pass_trailers {
            flow.pass_trailers(trailers.as_ref());
        }
        if message == HttpMessage::Response && self.response.delivered.complete {
            self.finish();
            return;
        }
        self.read_again(message);
    }

    /// `continue_decoding` and `continue_encoding`.
    pub(super) fn resume(&mut self, message: HttpMessage) {
        let iteration = self.flow(message).iteration;
        let deciding = self.deciding == Some(message);
        match iteration {
            Iteration::Running if deciding => self.resume_early = true,
            Iteration::Stopped if deciding && self.at_end => self.resume_early = true,
            Iteration::Running => {}
            Iteration::Stopped => self.go_on(message, None),
            Iteration::StoppedAll { .. } => self.resume_all(message),
        }
    }

    /// After a stop of all hooks they run now, on everything that arrived meanwhile.
    fn resume_all(&mut self, message: HttpMessage) {
        let held = self.envoy.in_flight_mut(message).buffered.take();
        // The headers go on by themselves, unless this is all there is.
        match held {
            Some(held) => {
                let headers = self
                    .envoy
                    .in_flight(message)
                    .headers
                    .clone()
                    .unwrap_or_default();
                let flow = self.flow(message);
                flow.iteration = Iteration::Running;
                flow.pass_headers(&headers, false);
                self.give_data(message, held, true);
            }
            None => self.go_on(message, None),
        }
        if !self.over && std::mem::take(&mut self.flow(message).trailers_waiting) {
            self.give_trailers(message);
        }
        if !self.over && !self.flow(message).is_stopped() {
            self.read_again(message);
        }
    }

    /// Reads what the peer sent while reading was paused.
    fn read_again(&mut self, message: HttpMessage) {
        self.flow(message).paused = false;
        while !self.over && !self.flow(message).paused {
            match self.flow(message).unread.pop_front() {
                Some(Piece::Body(bytes, end)) => self.on_data(message, &bytes, end),
                Some(Piece::Trailers(trailers)) => self.on_trailers(message, trailers),
                None => return,
            }
        }
    }

    /// What happens when more is buffered than the limit allows.
    pub(super) fn check_limit(&mut self, message: HttpMessage, pause_at_limit: bool) {
        let limit = usize::try_from(self.envoy.buffer_limit).unwrap_or(usize::MAX);
        if limit == 0 || self.envoy.in_flight(message).buffered_len() <= limit {
            return;
        }
        match message {
            _ if pause_at_limit => self.flow(message).paused = true,
            HttpMessage::Request => {
                self.other_local_reply(413, b"Payload Too Large", "request_payload_too_large");
            }
            HttpMessage::Response => {
                self.other_local_reply(500, b"Internal Server Error", "response_payload_too_large");
            }
        }
    }

    /// The end: the last hook, then the filter is dropped.
    pub(super) fn finish(&mut self) {
        if self.over {
            return;
        }
        self.over = true;
        if let Some(mut filter) = self.filter.take() {
            filter.on_stream_complete(&mut self.envoy);
        }
        // What it asked for at the end has nobody to do it any more; its callouts are cancelled.
        self.envoy.actions.clear();
        let Callouts {
            callouts, streams, ..
        } = &mut self.envoy.callouts;
        callouts.clear();
        streams.iter_mut().for_each(|stream| stream.closed = true);
    }

    pub(super) fn perform(&mut self, action: Action) {
        match action {
            Action::ContinueDecoding => self.resume(HttpMessage::Request),
            Action::ContinueEncoding => self.resume(HttpMessage::Response),
            Action::SendResponse {
                status,
                headers,
                body,
                details,
            } => {
                self.own_local_reply(status, headers, &body, &details);
            }
            Action::SendHeaders {
                headers,
                end_stream,
            } => {
                self.stream_headers(headers, end_stream);
            }
            Action::SendData { data, end_stream } => self.stream_data(data, end_stream),
            Action::SendTrailers { trailers } => self.stream_trailers(trailers),
            Action::ResetStream { details } => {
                if self.envoy.has(Capability::ResetStream) {
                    self.reset_now(&details);
                } else if !self.response.delivered.has_headers() {
                    self.own_local_reply(500, Default::default(), b"", &details);
                }
            }
            Action::Recreated => self.finish(),
            Action::AnswerCallout { id } => self.answer_by_cluster(id),
            Action::AnswerHttpStream { id } => self.answer_stream_by_cluster(id),
        }
    }
}
