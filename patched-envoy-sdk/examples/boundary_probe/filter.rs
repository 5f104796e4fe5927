//! The filter: every hook tells the log that it ran, and follows the plan.

use envoy_proxy_dynamic_modules_rust_sdk::*;

use abi::{
    envoy_dynamic_module_type_http_callout_result as CalloutResult,
    envoy_dynamic_module_type_http_stream_reset_reason as StreamResetReason,
    envoy_dynamic_module_type_on_http_filter_local_reply_status as LocalReplyStatus,
    envoy_dynamic_module_type_on_http_filter_request_body_status as RequestBody,
    envoy_dynamic_module_type_on_http_filter_request_headers_status as RequestHeaders,
    envoy_dynamic_module_type_on_http_filter_request_trailers_status as RequestTrailers,
    envoy_dynamic_module_type_on_http_filter_response_body_status as ResponseBody,
    envoy_dynamic_module_type_on_http_filter_response_headers_status as ResponseHeaders,
    envoy_dynamic_module_type_on_http_filter_response_trailers_status as ResponseTrailers,
};

use super::Plan;
use super::actions::{Verdict, act};
use super::survey::Metrics;

pub(crate) struct Probe {
    pub(crate) plan: Plan,
    pub(crate) metrics: Metrics,
}

impl Probe {
    fn run<EHF: EnvoyHttpFilter>(&mut self, hook: &str, envoy: &mut EHF) -> Verdict {
        envoy_log_info!("hook {hook}");
        let mut verdict = Verdict::Pass;
        for action in self.plan.actions(hook) {
            verdict = act(action, hook, envoy, &self.metrics).unwrap_or(verdict);
        }
        envoy_log_info!("hook {hook} returns");
        verdict
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        envoy_log_info!("filter dropped");
        if self.plan.actions("drop").any(|action| action == "panic") {
            panic!("drop panics");
        }
    }
}

fn text(chunks: &[EnvoyBuffer<'_>]) -> String {
    chunks
        .iter()
        .map(|chunk| String::from_utf8_lossy(chunk.as_slice()))
        .collect()
}

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for Probe {
    fn on_request_headers(&mut self, envoy: &mut EHF, _end_of_stream: bool) -> RequestHeaders {
        match self.run("request_headers", envoy) {
            Verdict::Pass => RequestHeaders::Continue,
            Verdict::Stop => RequestHeaders::StopIteration,
            Verdict::Buffer => RequestHeaders::StopAllIterationAndBuffer,
        }
    }

    fn on_request_body(&mut self, envoy: &mut EHF, _end_of_stream: bool) -> RequestBody {
        match self.run("request_body", envoy) {
            Verdict::Pass => RequestBody::Continue,
            Verdict::Stop => RequestBody::StopIterationNoBuffer,
            Verdict::Buffer => RequestBody::StopIterationAndBuffer,
        }
    }

    fn on_request_trailers(&mut self, envoy: &mut EHF) -> RequestTrailers {
        match self.run("request_trailers", envoy) {
            Verdict::Pass => RequestTrailers::Continue,
            _ => RequestTrailers::StopIteration,
        }
    }

    fn on_response_headers(&mut self, envoy: &mut EHF, _end_of_stream: bool) -> ResponseHeaders {
        match self.run("response_headers", envoy) {
            Verdict::Pass => ResponseHeaders::Continue,
            Verdict::Stop => ResponseHeaders::StopIteration,
            Verdict::Buffer => ResponseHeaders::StopAllIterationAndBuffer,
        }
    }

    fn on_response_body(&mut self, envoy: &mut EHF, _end_of_stream: bool) -> ResponseBody {
        match self.run("response_body", envoy) {
            Verdict::Pass => ResponseBody::Continue,
            Verdict::Stop => ResponseBody::StopIterationNoBuffer,
            Verdict::Buffer => ResponseBody::StopIterationAndBuffer,
        }
    }

    fn on_response_trailers(&mut self, envoy: &mut EHF) -> ResponseTrailers {
        match self.run("response_trailers", envoy) {
            Verdict::Pass => ResponseTrailers::Continue,
            _ => ResponseTrailers::StopIteration,
        }
    }

    fn on_stream_complete(&mut self, envoy: &mut EHF) {
        self.run("stream_complete", envoy);
    }

    fn on_http_callout_done(
        &mut self,
        envoy: &mut EHF,
        callout_id: u64,
        result: CalloutResult,
        response_headers: Option<&[(EnvoyBuffer<'_>, EnvoyBuffer<'_>)]>,
        response_body: Option<&[EnvoyBuffer<'_>]>,
    ) {
        let lines = response_headers.map(<[_]>::len);
        let body = response_body.map(text);
        envoy_log_info!("callout_done id={callout_id:#x} {result:?} lines={lines:?} body={body:?}");
        self.run("callout_done", envoy);
    }

    fn on_http_stream_headers(
        &mut self,
        envoy: &mut EHF,
        stream_handle: u64,
        response_headers: &[(EnvoyBuffer<'_>, EnvoyBuffer<'_>)],
        end_stream: bool,
    ) {
        let lines = response_headers.len();
        envoy_log_info!("stream_headers id={stream_handle:#x} lines={lines} end={end_stream}");
        self.run("stream_headers", envoy);
    }

    fn on_http_stream_data(
        &mut self,
        envoy: &mut EHF,
        stream_handle: u64,
        response_data: &[EnvoyBuffer<'_>],
        end_stream: bool,
    ) {
        let data = text(response_data);
        envoy_log_info!("stream_data id={stream_handle:#x} {data:?} end={end_stream}");
        self.run("stream_data", envoy);
    }

    fn on_http_stream_trailers(
        &mut self,
        envoy: &mut EHF,
        stream_handle: u64,
        response_trailers: &[(EnvoyBuffer<'_>, EnvoyBuffer<'_>)],
    ) {
        let lines = response_trailers.len();
        envoy_log_info!("stream_trailers id={stream_handle:#x} lines={lines}");
        self.run("stream_trailers", envoy);
    }

    fn on_http_stream_complete(&mut self, envoy: &mut EHF, stream_handle: u64) {
        envoy_log_info!("stream_end id={stream_handle:#x}");
        self.run("stream_end", envoy);
    }

    fn on_http_stream_reset(
        &mut self,
        envoy: &mut EHF,
        stream_handle: u64,
        reset_reason: StreamResetReason,
    ) {
        envoy_log_info!("stream_reset id={stream_handle:#x} {reset_reason:?}");
        self.run("stream_reset", envoy);
    }

    fn on_scheduled(&mut self, envoy: &mut EHF, event_id: u64) {
        envoy_log_info!("scheduled event={event_id}");
        self.run("scheduled", envoy);
    }

    fn on_downstream_above_write_buffer_high_watermark(&mut self, envoy: &mut EHF) {
        self.run("above_watermark", envoy);
    }

    fn on_downstream_below_write_buffer_low_watermark(&mut self, envoy: &mut EHF) {
        self.run("below_watermark", envoy);
    }

    fn on_local_reply(
        &mut self,
        envoy: &mut EHF,
        response_code: u32,
        details: EnvoyBuffer<'_>,
        reset_imminent: bool,
    ) -> LocalReplyStatus {
        let details = text(&[details]);
        envoy_log_info!("local_reply {response_code} {details:?} imminent={reset_imminent}");
        match self.run("local_reply", envoy) {
            Verdict::Pass => LocalReplyStatus::Continue,
            _ => LocalReplyStatus::ContinueAndResetStream,
        }
    }
}
