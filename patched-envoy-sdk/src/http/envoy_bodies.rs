//! The bodies of a stream, by view and as a whole. Not in the official crate.
//!
//! The official names (`get_received_request_body`, ...) on
//! [`EnvoyHttpFilter`](super::EnvoyHttpFilter) are one-line spellings of these. Called on the
//! stream's worker thread, from inside its hooks.

use crate::abi::envoy_dynamic_module_type_http_body_type as BodyView;
use crate::buffer::{EnvoyBuffer, EnvoyMutBuffer};

/// One of the two messages of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HttpMessage {
    /// From the client to the upstream host.
    Request,
    /// Back to the client.
    Response,
}

impl HttpMessage {
    /// The view of what this hook was called with.
    #[must_use]
    pub const fn received(self) -> BodyView {
        match self {
            Self::Request => BodyView::ReceivedRequestBody,
            Self::Response => BodyView::ReceivedResponseBody,
        }
    }

    /// The view of what earlier stops have collected.
    #[must_use]
    pub const fn buffered(self) -> BodyView {
        match self {
            Self::Request => BodyView::BufferedRequestBody,
            Self::Response => BodyView::BufferedResponseBody,
        }
    }
}

/// Reading and changing bodies.
///
/// The *received* view is the chunk a body hook was called with and exists only in that hook. The
/// *buffered* view is what earlier stops have collected. Envoy sometimes shows the same bytes in
/// both; this crate then shows them as received and leaves buffered empty, so that buffered followed
/// by received is always the whole body so far, with no byte twice.
///
/// Envoy never corrects `content-length`. A filter that changes a body must hold the headers and
/// remove or set it: one that is too small lets the rest of this body pass for the next request.
pub trait EnvoyBodies {
    /// The chunks of one view, to be changed in place; `None` if there is nothing to see. Costs one
    /// allocation.
    fn body_chunks_mut<'a>(&'a mut self, view: BodyView) -> Option<Vec<EnvoyMutBuffer<'a>>>;

    /// The size of one view; 0 if there is nothing to see.
    fn body_view_size(&self, view: BodyView) -> usize;

    /// Drops bytes from the front of one view. `false` if the view does not exist.
    fn drain_body(&mut self, view: BodyView, number_of_bytes: usize) -> bool;

    /// Adds bytes at the end of one view. Appending to a buffered view that does not exist creates
    /// it, which gives a header-only message a body; a received view that does not exist refuses.
    fn append_body(&mut self, view: BodyView, data: &[u8]) -> bool;

    /// Whether Envoy itself has the same bytes as received and as buffered, as found by the first look in
    /// this hook that met bytes. Only of
    /// interest for diagnosis: the views of this crate never show them twice.
    fn received_is_buffered(&self, message: HttpMessage) -> bool;

    /// Visits the whole body so far, buffered before received, chunk by chunk and without copies.
    fn for_each_body_chunk<'a>(
        &'a self,
        message: HttpMessage,
        visit: &mut dyn FnMut(EnvoyBuffer<'a>),
    );

    /// The chunks of the whole body so far, without copying them. Costs up to three allocations.
    fn body_chunks(&self, message: HttpMessage) -> Vec<EnvoyBuffer<'_>> {
        let mut chunks = Vec::new();
        self.for_each_body_chunk(message, &mut |chunk| chunks.push(chunk));
        chunks
    }

    /// The size of the whole body so far.
    fn body_size(&self, message: HttpMessage) -> usize {
        self.body_view_size(message.buffered()) + self.body_view_size(message.received())
    }

    /// A copy of the whole body so far. Costs one copy, and one allocation beside those of
    /// [`body_chunks`](Self::body_chunks).
    fn copy_body(&self, message: HttpMessage) -> Vec<u8> {
        let chunks = self.body_chunks(message);
        let mut whole = Vec::with_capacity(chunks.iter().map(|chunk| chunk.as_slice().len()).sum());
        for chunk in &chunks {
            whole.extend_from_slice(chunk.as_slice());
        }
        whole
    }

    /// Replaces the whole body so far. `false` if the message cannot carry a body any more.
    ///
    /// `content-length` is the caller's duty; see [`EnvoyBodies`].
    fn replace_body(&mut self, message: HttpMessage, data: &[u8]) -> bool {
        for view in [message.buffered(), message.received()] {
            let size = self.body_view_size(view);
            if size > 0 && !self.drain_body(view, size) {
                return false;
            }
        }
        data.is_empty()
            || self.append_body(message.received(), data)
            || self.append_body(message.buffered(), data)
    }
}
