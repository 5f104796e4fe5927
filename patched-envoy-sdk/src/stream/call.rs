//! Calls to Envoy that wait until the author's hook has returned, with copies of their arguments.
//!
//! Each of them can run other hooks of the same filter, or destroy it, before it returns. Recorded
//! by the stream's handle, carried out by its slot on the same worker thread.

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
}
