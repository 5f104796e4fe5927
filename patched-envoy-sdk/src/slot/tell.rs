//! Tells an author's filter of an event. Called while the filter is out of its slot, on the stream's
//! worker thread.

use crate::host::filter::EnvoyHttpFilterImpl;
use crate::http::HttpFilter;
use crate::stream::event::{Event, Kind};

impl Event<'_> {
    /// Calls the author's hook.
    pub(crate) fn tell(
        self,
        filter: &mut dyn HttpFilter<EnvoyHttpFilterImpl>,
        envoy: &mut EnvoyHttpFilterImpl,
    ) {
        let Self { lines, chunks, .. } = self;
        match self.kind {
            Kind::CalloutDone {
                id,
                result,
                responded,
            } => filter.on_http_callout_done(
                envoy,
                id,
                result,
                responded.then_some(lines),
                responded.then_some(chunks),
            ),
            Kind::StreamHeaders { stream, end } => {
                filter.on_http_stream_headers(envoy, stream, lines, end);
            }
            Kind::StreamData { stream, end } => {
                filter.on_http_stream_data(envoy, stream, chunks, end);
            }
            Kind::StreamTrailers { stream } => filter.on_http_stream_trailers(envoy, stream, lines),
            Kind::StreamReset { stream, reason } => {
                filter.on_http_stream_reset(envoy, stream, reason);
            }
            Kind::StreamComplete { stream } => filter.on_http_stream_complete(envoy, stream),
            Kind::Scheduled { event } => filter.on_scheduled(envoy, event),
            Kind::AboveHighWatermark => {
                filter.on_downstream_above_write_buffer_high_watermark(envoy);
            }
            Kind::BelowLowWatermark => {
                filter.on_downstream_below_write_buffer_low_watermark(envoy);
            }
            Kind::Complete => filter.on_stream_complete(envoy),
        }
    }
}
