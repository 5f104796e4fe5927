//! A module in the style of 1.37: `&self` and `Sync` configs, three-argument
//! `declare_init_functions!` with a per-route config, callouts that return their id, a scheduler
//! used from a thread, a body reader that borrows the host. Changed from its original is only
//! `vec![...]` to `&[...]`.

// As its authors write: their crates have other lints than this workspace.
#![allow(elided_lifetimes_in_paths, clippy::unwrap_used, clippy::collapsible_if)]
#![forbid(unsafe_code)]

use std::any::Any;
use std::io::Read;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use envoy_proxy_dynamic_modules_rust_sdk::*;

declare_init_functions!(
    init,
    new_http_filter_config_fn,
    new_http_filter_per_route_config_fn
);

fn init() -> bool {
    envoy_log_info!("loaded with {} filters", 2);
    true
}

fn new_http_filter_config_fn<EC: EnvoyHttpFilterConfig, EHF: EnvoyHttpFilter>(
    _envoy_filter_config: &mut EC,
    filter_name: &str,
    filter_config: &[u8],
) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    match filter_name {
        "words" => Some(Box::new(WordsConfig::new(filter_config))),
        "ask" => Some(Box::new(AskConfig)),
        name => {
            envoy_log_error!("unknown filter {}", name);
            None
        }
    }
}

fn new_http_filter_per_route_config_fn(name: &str, config: &[u8]) -> Option<Box<dyn Any>> {
    (name == "words").then(|| Box::new(RouteWord(config.to_vec())) as Box<dyn Any>)
}

struct RouteWord(Vec<u8>);

struct WordsConfig {
    banned: Vec<u8>,
    seen: Sender<String>,
}

impl WordsConfig {
    fn new(banned: &[u8]) -> Self {
        let (seen, received) = channel();
        thread::spawn(move || received.into_iter().count());
        WordsConfig {
            banned: banned.to_vec(),
            seen,
        }
    }
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for WordsConfig {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(Words {
            banned: self.banned.clone(),
            seen: self.seen.clone(),
            path: None,
        })
    }

    fn on_scheduled(&self, event_id: u64) {
        envoy_log_debug!("event {}", event_id);
    }
}

struct Words {
    banned: Vec<u8>,
    seen: Sender<String>,
    path: Option<String>,
}

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for Words {
    fn on_request_headers(
        &mut self,
        envoy_filter: &mut EHF,
        _end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_request_headers_status {
        for (key, value) in envoy_filter.get_request_headers() {
            let Ok(key) = std::str::from_utf8(key.as_slice()) else {
                continue;
            };
            if key == ":path" {
                self.path = Some(String::from_utf8_lossy(value.as_slice()).to_string());
            }
        }
        if let Some(config) = envoy_filter.get_most_specific_route_config() {
            if let Some(word) = config.downcast_ref::<RouteWord>() {
                self.banned = word.0.clone();
            }
        }
        envoy_filter.add_request_header("x-filter", b"words");
        abi::envoy_dynamic_module_type_on_http_filter_request_headers_status::StopIteration
    }

    fn on_request_body(
        &mut self,
        envoy_filter: &mut EHF,
        end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_request_body_status {
        if !end_of_stream {
            return abi::envoy_dynamic_module_type_on_http_filter_request_body_status::StopIterationAndBuffer;
        }
        let size = envoy_filter.get_buffered_request_body_size()
            + envoy_filter.get_received_request_body_size();
        let mut text = Vec::with_capacity(size);
        for view in [true, false] {
            let chunks = if view {
                envoy_filter.get_buffered_request_body()
            } else {
                envoy_filter.get_received_request_body()
            };
            if let Some(chunks) = chunks {
                BodyReader {
                    chunks,
                    chunk: 0,
                    offset: 0,
                }
                .read_to_end(&mut text)
                .unwrap();
            }
        }
        let found = text
            .windows(self.banned.len().max(1))
            .any(|word| word == self.banned);
        if found {
            envoy_filter.add_custom_flag("words");
            envoy_filter.send_response(403, &[], Some(b"Access forbidden"), Some("banned_word"));
            return abi::envoy_dynamic_module_type_on_http_filter_request_body_status::StopIterationNoBuffer;
        }
        abi::envoy_dynamic_module_type_on_http_filter_request_body_status::Continue
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        // The receiver may be gone already.
        let _ = self.seen.send(self.path.take().unwrap_or_default());
    }
}

/// Reads chunks that are still Envoy's.
struct BodyReader<'a> {
    chunks: Vec<EnvoyMutBuffer<'a>>,
    chunk: usize,
    offset: usize,
}

impl Read for BodyReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        while let Some(chunk) = self.chunks.get(self.chunk) {
            let rest = &chunk.as_slice()[self.offset..];
            if rest.is_empty() {
                self.chunk += 1;
                self.offset = 0;
                continue;
            }
            let n = rest.len().min(out.len());
            out[..n].copy_from_slice(&rest[..n]);
            self.offset += n;
            return Ok(n);
        }
        Ok(0)
    }
}

struct AskConfig;

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for AskConfig {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(Ask { callout: None })
    }
}

struct Ask {
    callout: Option<u64>,
}

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for Ask {
    fn on_request_headers(
        &mut self,
        envoy_filter: &mut EHF,
        _end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_request_headers_status {
        let (result, id) = envoy_filter.send_http_callout(
            "authority",
            &[
                (":method", b"GET"),
                (":path", b"/ask"),
                ("host", b"authority"),
            ],
            None,
            500,
        );
        if result != abi::envoy_dynamic_module_type_http_callout_init_result::Success {
            envoy_filter.send_response(500, &[], None, None);
            return abi::envoy_dynamic_module_type_on_http_filter_request_headers_status::StopIteration;
        }
        self.callout = Some(id);
        abi::envoy_dynamic_module_type_on_http_filter_request_headers_status::StopAllIterationAndBuffer
    }

    fn on_http_callout_done(
        &mut self,
        envoy_filter: &mut EHF,
        callout_id: u64,
        result: abi::envoy_dynamic_module_type_http_callout_result,
        response_headers: Option<&[(EnvoyBuffer, EnvoyBuffer)]>,
        _response_body: Option<&[EnvoyBuffer]>,
    ) {
        assert_eq!(self.callout, Some(callout_id));
        let allowed = result == abi::envoy_dynamic_module_type_http_callout_result::Success
            && response_headers.is_some_and(|headers| {
                headers
                    .iter()
                    .any(|(key, value)| key.as_slice() == b":status" && value.as_slice() == b"200")
            });
        if !allowed {
            envoy_filter.send_response(403, &[], Some(b"asked and refused"), None);
            return;
        }
        let scheduler = envoy_filter.new_scheduler();
        thread::spawn(move || scheduler.commit(7));
    }

    fn on_scheduled(&mut self, envoy_filter: &mut EHF, event_id: u64) {
        envoy_filter.set_request_header("x-asked", event_id.to_string().as_bytes());
        envoy_filter.continue_decoding();
    }
}

#[cfg(test)]
mod tests {
    use envoy_proxy_dynamic_modules_rust_sdk::testing::{
        Exchange, FakeEnvoy, FakeEnvoyConfig, FakeMessage,
    };

    use super::*;

    fn config(name: &str, bytes: &[u8]) -> Box<dyn HttpFilterConfig<FakeEnvoy>> {
        let mut host = FakeEnvoyConfig::new(EnvoyVersion::V1_37);
        new_http_filter_config_fn(&mut host, name, bytes).unwrap()
    }

    fn stream() -> FakeEnvoy {
        FakeEnvoy::new(EnvoyVersion::V1_37)
    }

    #[test]
    fn a_word_across_chunks_is_found_and_refused() {
        let config = config("words", b"secret");
        let mut exchange = Exchange::new(&*config, stream());
        exchange.request(
            &FakeMessage::request("POST", "/")
                .chunk("a sec")
                .chunk("ret plan"),
        );
        assert_eq!(exchange.downstream().status(), Some(403));
        assert_eq!(exchange.downstream().text(), "Access forbidden");
        assert_eq!(exchange.local_reply_details(), Some("banned_word"));
        assert_eq!(exchange.envoy().custom_flags(), ["words"]);
    }

    #[test]
    fn the_word_of_the_route_wins() {
        let config = config("words", b"secret");
        let route = new_http_filter_per_route_config_fn("words", b"plan").unwrap();
        let mut exchange = Exchange::new(&*config, stream().with_route_config(route));
        exchange.run(
            &FakeMessage::request("POST", "/").chunk("a secret"),
            &FakeMessage::response(200),
        );
        assert_eq!(exchange.upstream().text(), "a secret");
        assert_eq!(
            exchange.upstream().header("x-filter").as_deref(),
            Some("words")
        );
    }

    #[test]
    fn a_callout_holds_the_request_until_a_thread_has_woken_the_filter() {
        let config = config("ask", b"");
        let mut exchange = Exchange::new(&*config, stream().with_cluster("authority"));
        exchange.request(&FakeMessage::request("GET", "/"));
        assert!(!exchange.upstream().has_headers());

        let id = exchange.envoy().callouts()[0].id;
        assert!(exchange.answer_callout(id, &FakeMessage::response(200)));
        while !exchange.upstream().has_headers() {
            thread::yield_now();
            exchange.run_scheduled();
        }
        assert_eq!(exchange.upstream().header("x-asked").as_deref(), Some("7"));
    }

    #[test]
    fn a_callout_that_cannot_start_or_is_refused_ends_the_request() {
        let config = config("ask", b"");
        let mut exchange = Exchange::new(&*config, stream());
        exchange.request(&FakeMessage::request("GET", "/"));
        assert_eq!(exchange.downstream().status(), Some(500));

        let mut exchange = Exchange::new(&*config, stream().with_cluster("authority"));
        exchange.request(&FakeMessage::request("GET", "/"));
        let id = exchange.envoy().callouts()[0].id;
        assert!(exchange.answer_callout(id, &FakeMessage::response(401)));
        assert_eq!(exchange.downstream().text(), "asked and refused");
    }
}
