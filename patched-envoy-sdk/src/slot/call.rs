//! Calls to Envoy that wait until the author's hook has returned, with copies of their arguments.
//!
//! Each of them can run other hooks of the same filter, or destroy it, before it returns. Recorded
//! by the stream's handle, carried out by the [`Slot`](super::Slot) on the same worker thread.

use crate::host::Host;
use crate::host::filter::replies;
use crate::host::raw::FilterPtr;

/// Owned header lines.
pub(crate) type Lines = Vec<(Vec<u8>, Vec<u8>)>;

/// One call that waits.
pub(crate) enum Call {
    ContinueDecoding,
    ContinueEncoding,
    SendResponse {
        status: u32,
        headers: Lines,
        body: Option<Vec<u8>>,
        details: Option<String>,
    },
    SendHeaders {
        headers: Lines,
        end_stream: bool,
    },
    SendData {
        data: Vec<u8>,
        end_stream: bool,
    },
    SendTrailers {
        trailers: Lines,
    },
    ResetStream {
        reason: u32,
        details: String,
    },
    GoAway {
        graceful: bool,
    },
}

impl Call {
    /// Whether this call decides the stream, so that the hook that made it must not let the message
    /// go on whatever status its author returns.
    pub(crate) fn ends_the_message(&self) -> bool {
        matches!(self, Self::SendResponse { .. } | Self::ResetStream { .. })
    }

    /// Makes the call.
    ///
    /// # Safety
    /// `envoy` is the live Envoy object of this stream's filter. It may be gone afterwards.
    pub(crate) unsafe fn make(self, host: &Host, envoy: FilterPtr) {
        // SAFETY: passed on; every callee wants the live Envoy object and reads the arguments only
        // while it runs.
        unsafe {
            match self {
                Self::ContinueDecoding => replies::continue_decoding(host, envoy),
                Self::ContinueEncoding => replies::continue_encoding(host, envoy),
                Self::SendResponse {
                    status,
                    headers,
                    body,
                    details,
                } => replies::send_response(
                    host,
                    envoy,
                    status,
                    &headers,
                    body.as_deref().unwrap_or_default(),
                    details.as_deref().unwrap_or_default(),
                ),
                Self::SendHeaders {
                    headers,
                    end_stream,
                } => {
                    replies::send_headers(host, envoy, &headers, end_stream);
                }
                Self::SendData { data, end_stream } => {
                    replies::send_data(host, envoy, &data, end_stream);
                }
                Self::SendTrailers { trailers } => replies::send_trailers(host, envoy, &trailers),
                Self::ResetStream { reason, details } => {
                    replies::reset_stream(host, envoy, reason, &details);
                }
                Self::GoAway { graceful } => replies::go_away(host, envoy, graceful),
            }
        }
    }
}
