//! Makes a call that has waited. Done with the filter back in its slot, on the stream's worker thread.

use crate::host::Host;
use crate::host::filter::replies;
use crate::host::raw::FilterPtr;
use crate::stream::call::Call;

impl Call {
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
