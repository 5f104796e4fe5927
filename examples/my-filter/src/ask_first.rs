//! `ask-first`: a body, a callout, and on.
//!
//! Holds a request until its body is complete, sends the body to a service, and lets the request go on if the
//! service answers 200. Any other answer is 403 for the client; no answer is 503, so that nothing passes unasked.
//!
//! Envoy holds the body, up to its buffer limit, and answers 413 beyond.

use std::sync::Arc;

use envoy_proxy_dynamic_modules_rust_sdk::prelude::*;
use serde::Deserialize;

pub(crate) const NAME: &str = "ask-first";

/// The configuration, shared by all workers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The cluster of the service.
    cluster: String,
    /// How long it may take.
    #[serde(default = "one_second")]
    timeout_milliseconds: u64,
}

fn one_second() -> u64 {
    1000
}

pub(crate) struct AskFirst(Arc<Settings>);

impl AskFirst {
    pub(crate) fn new(config: &[u8]) -> Result<Self, String> {
        crate::parse(config).map(|settings| Self(Arc::new(settings)))
    }
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for AskFirst {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(Question {
            settings: Arc::clone(&self.0),
            asked: None,
        })
    }
}

/// One request.
struct Question {
    settings: Arc<Settings>,
    /// The callout that is under way.
    asked: Option<u64>,
}

impl Question {
    /// Sends what has come of the body, which is all of it now.
    fn ask(&mut self, envoy: &mut impl EnvoyHttpFilter) {
        let body = envoy.copy_body(HttpMessage::Request);
        let path = envoy.get_request_header_value(":path");
        let path = path.map(|path| path.as_slice().to_vec());
        let headers = [
            (":method", &b"POST"[..]),
            (":path", b"/check"),
            ("host", self.settings.cluster.as_bytes()),
            ("x-path", path.as_deref().unwrap_or_default()),
        ];
        let (begun, id) = envoy.send_http_callout(
            &self.settings.cluster,
            &headers,
            Some(&body),
            self.settings.timeout_milliseconds,
        );
        if begun == CalloutInitResult::Success {
            self.asked = Some(id);
        } else {
            refuse(envoy, 503, "ask_first_not_asked");
        }
    }
}

fn refuse(envoy: &mut impl EnvoyHttpFilter, status: u32, details: &str) {
    let headers = [("content-type", &b"text/plain"[..])];
    envoy.send_response(status, &headers, Some(b"not allowed\n"), Some(details));
}

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for Question {
    fn on_request_headers(
        &mut self,
        _envoy: &mut EHF,
        end_of_stream: bool,
    ) -> RequestHeadersStatus {
        if end_of_stream {
            // No body, nothing to ask about.
            return RequestHeadersStatus::Continue;
        }
        RequestHeadersStatus::StopIteration
    }

    fn on_request_body(&mut self, envoy: &mut EHF, end_of_stream: bool) -> RequestBodyStatus {
        if end_of_stream {
            self.ask(envoy);
        }
        RequestBodyStatus::StopIterationAndBuffer
    }

    // With trailers, no chunk of the body is the last one: they are the end.
    fn on_request_trailers(&mut self, envoy: &mut EHF) -> RequestTrailersStatus {
        self.ask(envoy);
        RequestTrailersStatus::StopIteration
    }

    fn on_http_callout_done(
        &mut self,
        envoy: &mut EHF,
        callout_id: u64,
        result: CalloutResult,
        response_headers: Option<&[(EnvoyBuffer<'_>, EnvoyBuffer<'_>)]>,
        _response_body: Option<&[EnvoyBuffer<'_>]>,
    ) {
        if self.asked.take() != Some(callout_id) {
            return;
        }
        let mut headers = response_headers.unwrap_or_default().iter();
        let status = headers.find(|(name, _)| name.as_slice() == b":status");
        match status.map(|(_, value)| value.as_slice()) {
            Some(b"200") => envoy.continue_decoding(),
            Some(_) => refuse(envoy, 403, "ask_first_denied"),
            None => {
                envoy_log_warn!(
                    "{NAME}: no answer from {}: {result:?}",
                    self.settings.cluster
                );
                refuse(envoy, 503, "ask_first_no_answer");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use envoy_proxy_dynamic_modules_rust_sdk::testing::{Exchange, FakeEnvoyConfig, FakeMessage};

    use super::*;

    fn post() -> FakeMessage {
        FakeMessage::request("POST", "/orders")
            .chunk("two ")
            .chunk("pieces")
    }

    /// A request whose body is complete, and which now waits.
    fn waiting<'c>(config: &'c AskFirst, message: &FakeMessage) -> Exchange<'c> {
        let host = FakeEnvoyConfig::default().with_cluster("policy");
        let mut exchange = Exchange::new(config, host.stream());
        exchange.request(message);
        assert!(exchange.is_held(HttpMessage::Request));
        exchange
    }

    fn config() -> AskFirst {
        AskFirst::new(br#"{"cluster": "policy"}"#).unwrap()
    }

    #[test]
    fn a_request_goes_on_as_it_was_once_the_service_agrees() {
        let config = config();
        for message in [post(), post().trailer("checksum", "1")] {
            let mut exchange = waiting(&config, &message);
            let asked = exchange
                .answer_next_callout(&FakeMessage::response(200))
                .unwrap();
            assert_eq!(asked.body, b"two pieces");
            assert_eq!(asked.headers.value("x-path").as_deref(), Some("/orders"));
            assert_eq!(asked.timeout_milliseconds, 1000);
            assert!(exchange.upstream().is_complete());
            assert_eq!(exchange.upstream().text(), "two pieces");
        }
    }

    #[test]
    fn a_request_is_refused_if_the_service_says_no_or_nothing() {
        let config = config();
        let mut denied = waiting(&config, &post());
        denied.answer_next_callout(&FakeMessage::response(403));
        assert_eq!(denied.downstream().status(), Some(403));
        let mut unanswered = waiting(&config, &post());
        unanswered.fail_next_callout(CalloutResult::Reset);
        assert_eq!(unanswered.downstream().status(), Some(503));
        for exchange in [denied, unanswered] {
            assert!(!exchange.upstream().has_headers());
        }
    }

    #[test]
    fn a_request_is_refused_if_there_is_nobody_to_ask() {
        let config = config();
        let mut exchange = Exchange::new(&config, FakeEnvoyConfig::default().stream());
        exchange.request(&post());
        assert_eq!(exchange.downstream().status(), Some(503));
        assert_eq!(exchange.local_reply_details(), Some("ask_first_not_asked"));
    }

    #[test]
    fn a_request_without_a_body_is_not_asked_about() {
        let config = config();
        let mut exchange = Exchange::new(&config, FakeEnvoyConfig::default().stream());
        exchange.request(&FakeMessage::request("GET", "/orders"));
        assert!(exchange.upstream().is_complete());
    }
}
