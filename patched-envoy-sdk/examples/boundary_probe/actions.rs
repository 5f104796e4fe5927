//! The actions a plan can name, and what they mean for the status of the hook.

use envoy_proxy_dynamic_modules_rust_sdk::*;

use abi::envoy_dynamic_module_type_http_filter_stream_reset_reason as ResetReason;

use super::survey::{self, Metrics};

/// The headers of every callout and HTTP stream.
pub(crate) const CALL: &[(&str, &[u8])] = &[(":method", b"GET"), (":path", b"/c"), ("host", b"h")];

/// What a hook should answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    Stop,
    Buffer,
}

/// Does one thing; some of them decide the status.
pub(crate) fn act<EHF: EnvoyHttpFilter>(
    action: &str,
    hook: &str,
    envoy: &mut EHF,
    metrics: &Metrics,
) -> Option<Verdict> {
    match action {
        "stop" => return Some(Verdict::Stop),
        "buffer" => return Some(Verdict::Buffer),
        "panic" => panic!("{hook} panics"),
        "reply" => envoy.send_response(403, &[("x-why", b"probe")], Some(b"no"), Some("denied")),
        "bare_reply" => envoy.send_response(204, &[], None, None),
        "stream_reply" => {
            envoy.send_response_headers(&[(":status", b"200")], false);
            envoy.send_response_data(b"part", false);
            envoy.send_response_trailers(&[("x-end", b"1")]);
        }
        "continue_decoding" => envoy.continue_decoding(),
        "continue_encoding" => envoy.continue_encoding(),
        "reset" => envoy.reset_stream(ResetReason::LocalRefusedStreamReset, "probe reset"),
        "go_away" => envoy.send_go_away_and_close(true),
        "recreate" => {
            let done = envoy.recreate_stream(Some(&[(":status", b"302")]));
            envoy_log_info!("recreate {done}");
        }
        "callout" => {
            let (result, id) = envoy.send_http_callout("up", CALL, Some(b"body"), 25);
            envoy_log_info!("callout {result:?} id={}", id != 0);
        }
        "stream" => {
            let (result, id) = envoy.start_http_stream("up", CALL, None, false, 25);
            envoy_log_info!("stream {result:?} id={}", id != 0);
        }
        "read" => {
            let path = envoy
                .get_request_header_value(":path")
                .map(|path| path.as_slice().len());
            envoy_log_info!("read path {path:?}");
        }
        "survey" => survey::request(envoy, metrics),
        "survey_body" => survey::bodies(envoy),
        "survey_138" => survey::since_138(envoy),
        "survey_139" => survey::since_139(envoy),
        other => envoy_log_error!("unknown action {other}"),
    }
    None
}
