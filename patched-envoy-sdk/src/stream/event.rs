//! Events without a status: what Envoy tells a filter and does not wait for an answer to.
//!
//! Built by the exported hooks on the stream's worker thread. An event that arrives while the
//! filter is out (its own call completed inline) is copied and delivered as soon as the filter is back.

use crate::abi::{
    envoy_dynamic_module_type_http_callout_result as CalloutResult,
    envoy_dynamic_module_type_http_stream_reset_reason as ResetReason,
};
use crate::buffer::EnvoyBuffer;

/// What happened, without the bytes that came with it.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    CalloutDone {
        id: u64,
        result: CalloutResult,
        responded: bool,
    },
    StreamHeaders {
        stream: u64,
        end: bool,
    },
    StreamData {
        stream: u64,
        end: bool,
    },
    StreamTrailers {
        stream: u64,
    },
    StreamReset {
        stream: u64,
        reason: ResetReason,
    },
    StreamComplete {
        stream: u64,
    },
    Scheduled {
        event: u64,
    },
    AboveHighWatermark,
    BelowLowWatermark,
    Complete,
}

impl Kind {
    /// The author's hook for it, for reports.
    pub(crate) const fn hook(self) -> &'static str {
        match self {
            Self::CalloutDone { .. } => "on_http_callout_done",
            Self::StreamHeaders { .. } => "on_http_stream_headers",
            Self::StreamData { .. } => "on_http_stream_data",
            Self::StreamTrailers { .. } => "on_http_stream_trailers",
            Self::StreamReset { .. } => "on_http_stream_reset",
            Self::StreamComplete { .. } => "on_http_stream_complete",
            Self::Scheduled { .. } => "on_scheduled",
            Self::AboveHighWatermark => "on_downstream_above_write_buffer_high_watermark",
            Self::BelowLowWatermark => "on_downstream_below_write_buffer_low_watermark",
            Self::Complete => "on_stream_complete",
        }
    }
}

/// An event and views of its bytes.
#[derive(Clone, Copy)]
pub(crate) struct Event<'a> {
    pub(crate) kind: Kind,
    pub(crate) lines: &'a [(EnvoyBuffer<'a>, EnvoyBuffer<'a>)],
    pub(crate) chunks: &'a [EnvoyBuffer<'a>],
}

impl<'a> Event<'a> {
    /// An event that brings no bytes.
    pub(crate) const fn bare(kind: Kind) -> Self {
        Self {
            kind,
            lines: &[],
            chunks: &[],
        }
    }

    /// Copies the bytes.
    pub(crate) fn to_owned(self) -> OwnedEvent {
        let copy = |view: &EnvoyBuffer<'_>| view.as_slice().to_vec();
        OwnedEvent {
            kind: self.kind,
            lines: self
                .lines
                .iter()
                .map(|(key, value)| (copy(key), copy(value)))
                .collect(),
            chunks: self.chunks.iter().map(copy).collect(),
        }
    }
}

/// An event that owns its bytes.
pub(crate) struct OwnedEvent {
    pub(crate) kind: Kind,
    lines: Vec<(Vec<u8>, Vec<u8>)>,
    chunks: Vec<Vec<u8>>,
}

impl OwnedEvent {
    /// Lends the event to `use_it`.
    pub(crate) fn lend<R>(&self, use_it: impl FnOnce(Event<'_>) -> R) -> R {
        let lines: Vec<_> = self
            .lines
            .iter()
            .map(|(key, value)| (EnvoyBuffer::new(key), EnvoyBuffer::new(value)))
            .collect();
        let chunks: Vec<_> = self.chunks.iter().map(EnvoyBuffer::new).collect();
        use_it(Event {
            kind: self.kind,
            lines: &lines,
            chunks: &chunks,
        })
    }
}
