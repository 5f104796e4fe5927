//! Whole bodies: read, copied and replaced through the methods that are this crate's own, wherever
//! the bytes happen to be.

use envoy_proxy_dynamic_modules_rust_sdk::testing::{
    Exchange, FakeEnvoy, FakeEnvoyConfig, FakeMessage,
};
use envoy_proxy_dynamic_modules_rust_sdk::*;

use abi::envoy_dynamic_module_type_on_http_filter_request_body_status as BodyStatus;
use abi::envoy_dynamic_module_type_on_http_filter_request_headers_status as HeadersStatus;
use abi::envoy_dynamic_module_type_on_http_filter_request_trailers_status as TrailersStatus;

/// Puts brackets around every request body, and invents one where there is none.
struct Bracket;

impl Bracket {
    fn bracket<EHF: EnvoyHttpFilter>(envoy: &mut EHF) {
        let whole = envoy.copy_body(HttpMessage::Request);
        assert_eq!(whole, read_whole_request_body(envoy));
        assert_eq!(whole.len(), envoy.body_size(HttpMessage::Request));
        let chunks = envoy.body_chunks(HttpMessage::Request);
        let joined: Vec<u8> = chunks
            .iter()
            .flat_map(|chunk| chunk.as_slice().to_vec())
            .collect();
        assert_eq!(whole, joined);

        let new = [b"[", &whole[..], b"]"].concat();
        assert!(envoy.replace_body(HttpMessage::Request, &new));
    }
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for Bracket {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(Bracket)
    }
}

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for Bracket {
    fn on_request_headers(&mut self, envoy: &mut EHF, end_of_stream: bool) -> HeadersStatus {
        if end_of_stream {
            Self::bracket(envoy);
            return HeadersStatus::Continue;
        }
        HeadersStatus::StopIteration
    }

    fn on_request_body(&mut self, envoy: &mut EHF, end_of_stream: bool) -> BodyStatus {
        if !end_of_stream {
            return BodyStatus::StopIterationAndBuffer;
        }
        Self::bracket(envoy);
        BodyStatus::Continue
    }

    fn on_request_trailers(&mut self, envoy: &mut EHF) -> TrailersStatus {
        Self::bracket(envoy);
        TrailersStatus::Continue
    }
}

fn upstream_of(prepare: impl Fn(&mut Exchange<'_>)) -> Vec<String> {
    EnvoyVersion::ALL
        .map(|version| {
            let mut exchange = Exchange::new(&Bracket, FakeEnvoy::new(version));
            prepare(&mut exchange);
            assert!(exchange.upstream().is_complete(), "{version}");
            exchange.upstream().text()
        })
        .to_vec()
}

fn post() -> FakeMessage {
    FakeMessage::request("POST", "/")
}

#[test]
fn a_body_in_one_last_chunk_is_replaced() {
    let bodies = upstream_of(|exchange| {
        exchange
            .request_headers(&post(), false)
            .request_body("one", true);
    });
    assert_eq!(bodies, ["[one]"; 5]);
}

#[test]
fn a_body_half_buffered_and_half_received_is_replaced() {
    let bodies = upstream_of(|exchange| {
        exchange
            .request_headers(&post(), false)
            .request_body("one ", false);
        exchange.request_body("two", true);
    });
    assert_eq!(bodies, ["[one two]"; 5]);
}

#[test]
fn a_body_that_ends_with_trailers_is_replaced() {
    let bodies = upstream_of(|exchange| {
        exchange.request(&post().chunk("one ").chunk("two").trailer("t", "1"));
    });
    assert_eq!(bodies, ["[one two]"; 5]);
}

#[test]
fn a_body_that_an_earlier_filter_has_buffered_is_replaced_once() {
    let bodies = upstream_of(|exchange| {
        exchange.buffered_by_an_earlier_filter(HttpMessage::Request);
        exchange.request(&post().chunk("one ").chunk("two"));
    });
    assert_eq!(bodies, ["[one two]"; 5]);
}

#[test]
fn a_request_without_a_body_gets_one() {
    let bodies = upstream_of(|exchange| {
        exchange.request_headers(&post(), true);
    });
    assert_eq!(bodies, ["[]"; 5]);
}

#[test]
fn a_config_can_ask_what_its_host_lacks_before_any_traffic() {
    let old = FakeEnvoyConfig::new(EnvoyVersion::V1_36);
    assert!(!EnvoyHttpFilterConfig::capabilities(&old).has(Capability::AddHeader));
    let new = FakeEnvoyConfig::new(EnvoyVersion::V1_40);
    assert!(EnvoyHttpFilterConfig::capabilities(&new).has(Capability::AddHeader));
}
