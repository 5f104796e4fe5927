//! `at-most`: state of the whole process.
//!
//! Lets only so many requests of one client run at a time. A client is known by a header. The count is one for
//! all workers and all configurations of the process, so it is a `static`; what belongs to one configuration
//! would be a field of [`AtMost`], which its workers share, and what belongs to one request is in its filter.
//!
//! A count that is given back when the filter is dropped cannot be forgotten, however the request ends.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use envoy_proxy_dynamic_modules_rust_sdk::prelude::*;
use serde::Deserialize;

pub(crate) const NAME: &str = "at-most";

/// How many requests of each client run now. Who has none is not in it, so that it does not grow.
static RUNNING: LazyLock<Mutex<HashMap<Vec<u8>, usize>>> = LazyLock::new(Mutex::default);

fn running() -> MutexGuard<'static, HashMap<Vec<u8>, usize>> {
    // Whoever panicked with the lock in hand has left the counts as they were.
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One of the requests that a client may have at a time.
struct Slot(Vec<u8>);

impl Slot {
    fn take(client: &[u8], at_most: usize) -> Option<Self> {
        let mut running = running();
        let count = running.entry(client.to_vec()).or_default();
        (*count < at_most).then(|| {
            *count += 1;
            Self(client.to_vec())
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut running = running();
        if let Some(count) = running.get_mut(&self.0) {
            *count -= 1;
            if *count == 0 {
                running.remove(&self.0);
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// How many requests at a time.
    requests: usize,
    /// The header that says whose.
    of: String,
}

pub(crate) struct AtMost(Arc<Settings>);

impl AtMost {
    pub(crate) fn new(config: &[u8]) -> Result<Self, String> {
        let settings: Settings = crate::parse(config)?;
        if settings.requests == 0 {
            return Err("`requests` must be at least 1".to_owned());
        }
        Ok(Self(Arc::new(settings)))
    }
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for AtMost {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(Turn {
            settings: Arc::clone(&self.0),
            slot: None,
        })
    }
}

/// One request.
struct Turn {
    settings: Arc<Settings>,
    slot: Option<Slot>,
}

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for Turn {
    fn on_request_headers(
        &mut self,
        envoy: &mut EHF,
        _end_of_stream: bool,
    ) -> RequestHeadersStatus {
        let Some(client) = envoy.get_request_header_value(&self.settings.of) else {
            return RequestHeadersStatus::Continue;
        };
        self.slot = Slot::take(client.as_slice(), self.settings.requests);
        if self.slot.is_some() {
            return RequestHeadersStatus::Continue;
        }
        let headers = [("retry-after", &b"1"[..])];
        envoy.send_response(
            429,
            &headers,
            Some(b"one after the other\n"),
            Some("at_most"),
        );
        RequestHeadersStatus::StopIteration
    }

    // The filter is dropped soon after. Giving back here makes "soon" "now".
    fn on_stream_complete(&mut self, _envoy: &mut EHF) {
        self.slot = None;
    }
}

#[cfg(test)]
mod tests {
    use envoy_proxy_dynamic_modules_rust_sdk::testing::{Exchange, FakeEnvoy, FakeMessage};

    use super::*;

    fn request(client: &str) -> FakeMessage {
        FakeMessage::request("GET", "/").header("x-user", client)
    }

    #[test]
    fn all_configurations_count_the_requests_of_a_client_together() {
        let config = || AtMost::new(br#"{"requests": 2, "of": "x-user"}"#).unwrap();
        let (here, there) = (config(), config());
        let exchange = |config, client: &str| {
            let mut exchange = Exchange::new(config, FakeEnvoy::default());
            exchange.request(&request(client));
            exchange
        };
        let mut first = exchange(&here, "anna");
        let second = exchange(&there, "anna");
        let third = exchange(&here, "anna");
        assert_eq!(third.downstream().status(), Some(429));
        assert!(exchange(&here, "otto").upstream().is_complete());

        first.response(&FakeMessage::response(200));
        assert!(first.is_over());
        assert!(exchange(&there, "anna").upstream().is_complete());
        drop(second);
        assert!(!running().contains_key(&b"anna"[..]), "nothing is left");
    }

    #[test]
    fn who_leaves_early_or_has_no_name_takes_no_place() {
        let config = AtMost::new(br#"{"requests": 1, "of": "x-user"}"#).unwrap();
        for _ in 0..2 {
            let mut exchange = Exchange::new(&config, FakeEnvoy::default());
            exchange.request(&request("mia"));
            assert!(exchange.upstream().is_complete());
            exchange.downstream_closed();
        }
        let mut nobody = Exchange::new(&config, FakeEnvoy::default());
        nobody.request(&FakeMessage::request("GET", "/"));
        assert!(nobody.upstream().is_complete());
    }
}
