//! The panic wrapper kept for source compatibility must not swallow a hook.

use std::cell::RefCell;
use std::rc::Rc;

use envoy_proxy_dynamic_modules_rust_sdk::abi::*;
use envoy_proxy_dynamic_modules_rust_sdk::testing::FakeEnvoy;
use envoy_proxy_dynamic_modules_rust_sdk::{CatchUnwind, EnvoyBuffer, EnvoyHttpFilter, HttpFilter};

type HeaderLines<'a> = [(EnvoyBuffer<'a>, EnvoyBuffer<'a>)];

/// Writes down every hook and answers each with something other than the default.
struct Recorder(Rc<RefCell<Vec<&'static str>>>);

impl Recorder {
    fn note(&self, hook: &'static str) {
        self.0.borrow_mut().push(hook);
    }
}

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for Recorder {
    fn on_request_headers(
        &mut self,
        _: &mut EHF,
        _: bool,
    ) -> envoy_dynamic_module_type_on_http_filter_request_headers_status {
        self.note("request headers");
        envoy_dynamic_module_type_on_http_filter_request_headers_status::StopIteration
    }
    fn on_request_body(
        &mut self,
        _: &mut EHF,
        _: bool,
    ) -> envoy_dynamic_module_type_on_http_filter_request_body_status {
        self.note("request body");
        envoy_dynamic_module_type_on_http_filter_request_body_status::StopIterationNoBuffer
    }
    fn on_request_trailers(
        &mut self,
        _: &mut EHF,
    ) -> envoy_dynamic_module_type_on_http_filter_request_trailers_status {
        self.note("request trailers");
        envoy_dynamic_module_type_on_http_filter_request_trailers_status::StopIteration
    }
    fn on_response_headers(
        &mut self,
        _: &mut EHF,
        _: bool,
    ) -> envoy_dynamic_module_type_on_http_filter_response_headers_status {
        self.note("response headers");
        envoy_dynamic_module_type_on_http_filter_response_headers_status::StopIteration
    }
    fn on_response_body(
        &mut self,
        _: &mut EHF,
        _: bool,
    ) -> envoy_dynamic_module_type_on_http_filter_response_body_status {
        self.note("response body");
        envoy_dynamic_module_type_on_http_filter_response_body_status::StopIterationNoBuffer
    }
    fn on_response_trailers(
        &mut self,
        _: &mut EHF,
    ) -> envoy_dynamic_module_type_on_http_filter_response_trailers_status {
        self.note("response trailers");
        envoy_dynamic_module_type_on_http_filter_response_trailers_status::StopIteration
    }
    fn on_stream_complete(&mut self, _: &mut EHF) {
        self.note("stream complete");
    }
    fn on_http_callout_done(
        &mut self,
        _: &mut EHF,
        _: u64,
        _: envoy_dynamic_module_type_http_callout_result,
        _: Option<&HeaderLines<'_>>,
        _: Option<&[EnvoyBuffer<'_>]>,
    ) {
        self.note("callout done");
    }
    fn on_http_stream_headers(&mut self, _: &mut EHF, _: u64, _: &HeaderLines<'_>, _: bool) {
        self.note("http stream headers");
    }
    fn on_http_stream_data(&mut self, _: &mut EHF, _: u64, _: &[EnvoyBuffer<'_>], _: bool) {
        self.note("http stream data");
    }
    fn on_http_stream_trailers(&mut self, _: &mut EHF, _: u64, _: &HeaderLines<'_>) {
        self.note("http stream trailers");
    }
    fn on_http_stream_complete(&mut self, _: &mut EHF, _: u64) {
        self.note("http stream complete");
    }
    fn on_http_stream_reset(
        &mut self,
        _: &mut EHF,
        _: u64,
        _: envoy_dynamic_module_type_http_stream_reset_reason,
    ) {
        self.note("http stream reset");
    }
    fn on_scheduled(&mut self, _: &mut EHF, _: u64) {
        self.note("scheduled");
    }
    fn on_downstream_above_write_buffer_high_watermark(&mut self, _: &mut EHF) {
        self.note("above watermark");
    }
    fn on_downstream_below_write_buffer_low_watermark(&mut self, _: &mut EHF) {
        self.note("below watermark");
    }
    fn on_local_reply(
        &mut self,
        _: &mut EHF,
        _: u32,
        _: EnvoyBuffer<'_>,
        _: bool,
    ) -> envoy_dynamic_module_type_on_http_filter_local_reply_status {
        self.note("local reply");
        envoy_dynamic_module_type_on_http_filter_local_reply_status::ContinueAndResetStream
    }
}

#[test]
fn the_panic_wrapper_passes_every_hook_on_and_every_status_back() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let mut filter: Box<dyn HttpFilter<FakeEnvoy>> =
        Box::new(CatchUnwind::new(Recorder(Rc::clone(&seen))));
    let envoy = &mut FakeEnvoy::default();

    assert_eq!(filter.on_request_headers(envoy, true) as u32, 1);
    assert_eq!(filter.on_request_body(envoy, true) as u32, 3);
    assert_eq!(filter.on_request_trailers(envoy) as u32, 1);
    assert_eq!(filter.on_response_headers(envoy, true) as u32, 1);
    assert_eq!(filter.on_response_body(envoy, true) as u32, 3);
    assert_eq!(filter.on_response_trailers(envoy) as u32, 1);
    assert_eq!(
        filter.on_local_reply(envoy, 500, EnvoyBuffer::default(), false) as u32,
        1
    );
    filter.on_http_callout_done(
        envoy,
        1,
        envoy_dynamic_module_type_http_callout_result::Reset,
        None,
        None,
    );
    filter.on_http_stream_headers(envoy, 1, &[], false);
    filter.on_http_stream_data(envoy, 1, &[], false);
    filter.on_http_stream_trailers(envoy, 1, &[]);
    filter.on_http_stream_complete(envoy, 1);
    filter.on_http_stream_reset(
        envoy,
        1,
        envoy_dynamic_module_type_http_stream_reset_reason::Overflow,
    );
    filter.on_scheduled(envoy, 1);
    filter.on_downstream_above_write_buffer_high_watermark(envoy);
    filter.on_downstream_below_write_buffer_low_watermark(envoy);
    filter.on_stream_complete(envoy);

    assert_eq!(
        *seen.borrow(),
        [
            "request headers",
            "request body",
            "request trailers",
            "response headers",
            "response body",
            "response trailers",
            "local reply",
            "callout done",
            "http stream headers",
            "http stream data",
            "http stream trailers",
            "http stream complete",
            "http stream reset",
            "scheduled",
            "above watermark",
            "below watermark",
            "stream complete",
        ]
    );
}
