//! Requests of the filter's own: callouts on every host, HTTP streams from 1.37 on.
//!
//! On the stream's worker thread. Either may complete before the call that starts it returns; the
//! events it causes wait in the slot until the author's hook is over.

use super::EnvoyHttpFilterImpl;
use crate::abi::envoy_dynamic_module_type_http_callout_init_result as InitResult;
use crate::capabilities::Capability;
use crate::host::raw::{Borrowed, Buf};
use crate::host::{Family, once};

/// What a start callback answered; a value we do not know is a failure.
pub(crate) fn init_result(raw: u32) -> InitResult {
    InitResult::from_raw(raw).unwrap_or(InitResult::CannotCreateRequest)
}

impl EnvoyHttpFilterImpl {
    /// `Success` promises exactly one `on_http_callout_done` with the returned id. A callout that
    /// completed inline is a success even where the host has no request to show for it.
    pub(super) fn callout(
        &mut self,
        cluster: &str,
        headers: &[(&str, &[u8])],
        body: Option<&[u8]>,
        timeout_milliseconds: u64,
    ) -> (InitResult, u64) {
        let Some((host, envoy)) = self.live() else {
            return (InitResult::CannotCreateRequest, 0);
        };
        let slot = self.stream();
        // A stream that is complete will not hear of the answer any more.
        if slot.is_complete() || slot.refuses_nesting() {
            return (InitResult::CannotCreateRequest, 0);
        }
        let before = slot.waiting_len();
        let cluster = Buf::of(cluster.as_bytes());
        let lines = Borrowed::pairs(headers);
        let body = body.map_or(Buf::EMPTY, Buf::of);
        let mut id = 0;
        // SAFETY: live; Envoy copies everything during the call.
        let raw = unsafe {
            match &host.family {
                Family::V136(table) => {
                    // Here the module numbers its callouts itself.
                    let own = slot.next_callout();
                    id = u64::from(own);
                    (table.http_filter_http_callout)(
                        envoy,
                        own,
                        cluster.ptr,
                        cluster.len,
                        lines.as_ptr(),
                        lines.len(),
                        body.ptr,
                        body.len,
                        timeout_milliseconds,
                    )
                }
                Family::V137(table) => (table.http_filter_http_callout)(
                    envoy,
                    &mut id,
                    cluster,
                    lines.as_ptr(),
                    lines.len(),
                    body,
                    timeout_milliseconds,
                ),
            }
        };
        match (init_result(raw), slot.finished_callout(before)) {
            (InitResult::Success, _) => (InitResult::Success, id),
            (_, Some(finished)) => (InitResult::Success, finished),
            (failure, None) => (failure, id),
        }
    }

    pub(super) fn http_stream(
        &mut self,
        cluster: &str,
        headers: &[(&str, &[u8])],
        body: Option<&[u8]>,
        end_stream: bool,
        timeout_milliseconds: u64,
    ) -> (InitResult, u64) {
        let Some((host, envoy)) = self.live() else {
            return (InitResult::CannotCreateRequest, 0);
        };
        let Family::V137(table) = &host.family else {
            once::warn_unsupported(host, Capability::HttpStreams, "start_http_stream");
            return (InitResult::CannotCreateRequest, 0);
        };
        if self.stream().is_complete() || self.stream().refuses_nesting() {
            return (InitResult::CannotCreateRequest, 0);
        }
        let lines = Borrowed::pairs(headers);
        let mut id = 0;
        // SAFETY: live; Envoy copies everything during the call.
        let raw = unsafe {
            (table.http_filter_start_http_stream)(
                envoy,
                &mut id,
                Buf::of(cluster.as_bytes()),
                lines.as_ptr(),
                lines.len(),
                body.map_or(Buf::EMPTY, Buf::of),
                end_stream,
                timeout_milliseconds,
            )
        };
        (init_result(raw), id)
    }

    /// # Safety
    /// `stream` is an open HTTP stream of this filter.
    pub(super) unsafe fn stream_data(&mut self, stream: u64, data: &[u8], end: bool) -> bool {
        match self.live() {
            Some((host, envoy)) => match &host.family {
                Family::V136(_) => false,
                // SAFETY: live, and the caller's promise; Envoy copies the data during the call.
                Family::V137(table) => unsafe {
                    (table.http_stream_send_data)(envoy, stream, Buf::of(data), end)
                },
            },
            None => false,
        }
    }

    /// # Safety
    /// `stream` is an open HTTP stream of this filter.
    pub(super) unsafe fn stream_trailers(
        &mut self,
        stream: u64,
        trailers: &[(&str, &[u8])],
    ) -> bool {
        let lines = Borrowed::pairs(trailers);
        match self.live() {
            Some((host, envoy)) => match &host.family {
                Family::V136(_) => false,
                // SAFETY: live, and the caller's promise; Envoy copies the lines during the call.
                Family::V137(table) => unsafe {
                    (table.http_stream_send_trailers)(envoy, stream, lines.as_ptr(), lines.len())
                },
            },
            None => false,
        }
    }

    /// # Safety
    /// `stream` is an open HTTP stream of this filter.
    pub(super) unsafe fn stream_reset(&mut self, stream: u64) {
        if let Some((host, envoy)) = self.live()
            && let Family::V137(table) = &host.family
        {
            // SAFETY: live, and the caller's promise.
            unsafe { (table.http_filter_reset_http_stream)(envoy, stream) }
        }
    }
}
