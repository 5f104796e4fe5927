//! The filter `my-smart-header`: the smallest example of `docs/filters.md`, complete in one file.
//!
//! Every response gets `x-custom-transformed: true` and `x-smart-header:
//! method=<method>&path=<path>`, with the path as the client sent it. For a filter of this module, copy
//! the file, give it a name, and add it to the table in `lib.rs`; for one of your own, copy `examples/my-filter`.

use envoy_proxy_dynamic_modules_rust_sdk::prelude::*;

/// The name to write as `filter_name` in Envoy's configuration.
pub(crate) const NAME: &str = "my-smart-header";

/// One per configuration: made on the main thread, shared by all workers.
pub(crate) struct MySmartHeaderConfig;

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for MySmartHeaderConfig {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(MySmartHeader::default())
    }
}

/// One per request: all its hooks run on the same worker thread.
#[derive(Default)]
struct MySmartHeader {
    summary: Option<Vec<u8>>,
}

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for MySmartHeader {
    // Before the router rewrites the path, so this is what the client asked for.
    fn on_request_headers(
        &mut self,
        envoy: &mut EHF,
        _end_of_stream: bool,
    ) -> RequestHeadersStatus {
        self.summary = Some(summarize_request(envoy));
        RequestHeadersStatus::Continue
    }

    fn on_response_headers(
        &mut self,
        envoy: &mut EHF,
        _end_of_stream: bool,
    ) -> ResponseHeadersStatus {
        // A filter in front of us may have answered before we saw the request.
        let summary = self
            .summary
            .take()
            .unwrap_or_else(|| summarize_request(envoy));
        envoy.set_response_header("x-custom-transformed", b"true");
        envoy.set_response_header("x-smart-header", &summary);
        ResponseHeadersStatus::Continue
    }
}

// Header values are bytes: Envoy does not promise UTF-8.
fn summarize_request<EHF: EnvoyHttpFilter>(envoy: &EHF) -> Vec<u8> {
    let mut summary = Vec::new();
    for (label, header) in [("method=", ":method"), ("&path=", ":path")] {
        summary.extend_from_slice(label.as_bytes());
        if let Some(value) = envoy.get_request_header_value(header) {
            summary.extend_from_slice(value.as_slice());
        }
    }
    summary
}
