//! Bodies: the received and the buffered view, on both ABI families, with every byte shown once.
//!
//! On the stream's worker thread. Envoy sometimes shows one buffer as both views; then the received
//! view has the bytes here and the buffered view does not exist.

use std::cell::Cell;

use super::{EnvoyHttpFilterImpl, view};
use crate::abi::envoy_dynamic_module_type_http_body_type as BodyView;
use crate::buffer::{EnvoyBuffer, EnvoyMutBuffer};
use crate::host::raw::{Buf, FilterPtr};
use crate::host::{Family, Host};
use crate::http::{EnvoyBodies, HttpMessage};

/// How many chunks a view has. What there is of an absent view depends on the host: 0 or `None`.
///
/// # Safety
/// `envoy` is the live Envoy object of this stream.
unsafe fn chunk_count(host: &Host, envoy: FilterPtr, which: BodyView) -> Option<usize> {
    // SAFETY: the caller's promise.
    unsafe {
        match &host.family {
            Family::V136(table) => {
                let size = match which {
                    BodyView::ReceivedRequestBody => {
                        table.http_get_received_request_body_vector_size
                    }
                    BodyView::BufferedRequestBody => {
                        table.http_get_buffered_request_body_vector_size
                    }
                    BodyView::ReceivedResponseBody => {
                        table.http_get_received_response_body_vector_size
                    }
                    BodyView::BufferedResponseBody => {
                        table.http_get_buffered_response_body_vector_size
                    }
                };
                let mut count = 0;
                size(envoy, &mut count).then_some(count)
            }
            Family::V137(table) => Some((table.http_get_body_chunks_size)(envoy, which as u32)),
        }
    }
}

/// The chunks of a view as the host has it; `None` if there is nothing in it.
///
/// # Safety
/// `envoy` is the live Envoy object of this stream.
unsafe fn raw_chunks(host: &Host, envoy: FilterPtr, which: BodyView) -> Option<Vec<Buf>> {
    // SAFETY: the caller's promise; the array has room for the number of chunks just named, and on
    // this thread nothing changes the body in between.
    unsafe {
        let count = chunk_count(host, envoy, which).filter(|count| *count > 0)?;
        let mut chunks = vec![Buf::EMPTY; count];
        let filled = match &host.family {
            Family::V136(table) => {
                let get = match which {
                    BodyView::ReceivedRequestBody => table.http_get_received_request_body_vector,
                    BodyView::BufferedRequestBody => table.http_get_buffered_request_body_vector,
                    BodyView::ReceivedResponseBody => table.http_get_received_response_body_vector,
                    BodyView::BufferedResponseBody => table.http_get_buffered_response_body_vector,
                };
                get(envoy, chunks.as_mut_ptr())
            }
            Family::V137(table) => {
                (table.http_get_body_chunks)(envoy, which as u32, chunks.as_mut_ptr())
            }
        };
        filled.then_some(chunks)
    }
}

/// Both views of a message, as the host has them.
///
/// # Safety
/// `envoy` is the live Envoy object of this stream.
unsafe fn raw_views(host: &Host, envoy: FilterPtr, message: HttpMessage) -> (Vec<Buf>, Vec<Buf>) {
    // SAFETY: the caller's promise.
    let chunks = |which| unsafe { raw_chunks(host, envoy, which) }.unwrap_or_default();
    (chunks(message.buffered()), chunks(message.received()))
}

/// Both views of a message, every byte shown once: bytes in both are received.
///
/// # Safety
/// `envoy` is the live Envoy object of this stream; the views are not used once the body has changed.
pub(crate) unsafe fn views<'a>(
    host: &Host,
    envoy: FilterPtr,
    message: HttpMessage,
) -> (Vec<&'a [u8]>, Vec<&'a [u8]>) {
    // SAFETY: the caller's promises.
    unsafe {
        let (buffered, received) = raw_views(host, envoy, message);
        let slices = |chunks: Vec<Buf>| chunks.iter().map(|chunk| chunk.as_slice()).collect();
        if same_bytes(&buffered, &received) {
            (Vec::new(), slices(received))
        } else {
            (slices(buffered), slices(received))
        }
    }
}

/// Drops bytes from the front of a view; `false` if there is no such view.
///
/// # Safety
/// `envoy` is the live Envoy object of this stream.
pub(crate) unsafe fn drain(host: &Host, envoy: FilterPtr, which: BodyView, count: usize) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        match &host.family {
            Family::V136(table) => {
                let drain = match which {
                    BodyView::ReceivedRequestBody => table.http_drain_received_request_body,
                    BodyView::BufferedRequestBody => table.http_drain_buffered_request_body,
                    BodyView::ReceivedResponseBody => table.http_drain_received_response_body,
                    BodyView::BufferedResponseBody => table.http_drain_buffered_response_body,
                };
                drain(envoy, count)
            }
            Family::V137(table) => (table.http_drain_body)(envoy, which as u32, count),
        }
    }
}

/// Adds bytes at the end of a view; `false` if there is none and none can be made.
///
/// # Safety
/// `envoy` is the live Envoy object of this stream.
pub(crate) unsafe fn append(host: &Host, envoy: FilterPtr, which: BodyView, data: &[u8]) -> bool {
    let data = Buf::of(data);
    // SAFETY: the caller's promise; Envoy copies the data during the call.
    unsafe {
        match &host.family {
            Family::V136(table) => {
                let append = match which {
                    BodyView::ReceivedRequestBody => table.http_append_received_request_body,
                    BodyView::BufferedRequestBody => table.http_append_buffered_request_body,
                    BodyView::ReceivedResponseBody => table.http_append_received_response_body,
                    BodyView::BufferedResponseBody => table.http_append_buffered_response_body,
                };
                append(envoy, data.ptr, data.len)
            }
            Family::V137(table) => (table.http_append_body)(envoy, which as u32, data),
        }
    }
}

/// Whether these two views are one buffer, by the address of the first byte.
fn same_bytes(buffered: &[Buf], received: &[Buf]) -> bool {
    match (buffered.first(), received.first()) {
        (Some(buffered), Some(received)) => !buffered.ptr.is_null() && buffered.ptr == received.ptr,
        _ => false,
    }
}

impl EnvoyHttpFilterImpl {
    /// Whether both views of a message are one buffer: the host's word from 1.38 on, before that the
    /// bytes, which the caller may have `at_hand`. Asked once in a hook, as soon as there are bytes to
    /// tell by: what a filter does to the views makes neither one buffer of two nor two of one.
    fn aliased(&self, message: HttpMessage, at_hand: Option<(&[Buf], &[Buf])>) -> bool {
        let Some((host, envoy)) = self.live() else {
            return false;
        };
        let known = self.known_alias(message);
        if let Some(aliased) = known.get() {
            return aliased;
        }
        let ask = match message {
            HttpMessage::Request => host.later.http_received_buffered_request_body,
            HttpMessage::Response => host.later.http_received_buffered_response_body,
        };
        if let Some(ask) = ask {
            // SAFETY: live.
            let aliased = unsafe { ask(envoy) };
            known.set(Some(aliased));
            return aliased;
        }
        let fetched;
        let (buffered, received) = match at_hand {
            Some(views) => views,
            None => {
                // SAFETY: live.
                fetched = unsafe { raw_views(host, envoy, message) };
                (&*fetched.0, &*fetched.1)
            }
        };
        let aliased = same_bytes(buffered, received);
        if !buffered.is_empty() {
            known.set(Some(aliased));
        }
        aliased
    }

    fn known_alias(&self, message: HttpMessage) -> &Cell<Option<bool>> {
        match message {
            HttpMessage::Request => &self.request_is_aliased,
            HttpMessage::Response => &self.response_is_aliased,
        }
    }

    /// Whether `which` is a buffered view that shows what the received view shows already.
    fn shown_as_received(&self, which: BodyView) -> bool {
        match which {
            BodyView::BufferedRequestBody => self.aliased(HttpMessage::Request, None),
            BodyView::BufferedResponseBody => self.aliased(HttpMessage::Response, None),
            BodyView::ReceivedRequestBody | BodyView::ReceivedResponseBody => false,
        }
    }

    /// The chunks of the whole body so far, each once.
    fn whole_chunks(&self, message: HttpMessage) -> Vec<Buf> {
        let Some((host, envoy)) = self.live() else {
            return Vec::new();
        };
        // SAFETY: live.
        let (mut buffered, received) = unsafe { raw_views(host, envoy, message) };
        if buffered.is_empty() || self.aliased(message, Some((&buffered, &received))) {
            return received;
        }
        buffered.extend(received);
        buffered
    }
}

impl EnvoyBodies for EnvoyHttpFilterImpl {
    fn body_chunks_mut<'a>(&'a mut self, which: BodyView) -> Option<Vec<EnvoyMutBuffer<'a>>> {
        if self.shown_as_received(which) {
            return None;
        }
        let (host, envoy) = self.live()?;
        // SAFETY: live.
        let chunks = unsafe { raw_chunks(host, envoy, which) }?;
        let lend = |chunk: Buf| {
            let len = if chunk.ptr.is_null() { 0 } else { chunk.len };
            // SAFETY: the host's slices of one buffer are disjoint and writable, stay until this
            // body is changed, and `&mut self` keeps every other view of it away.
            unsafe { EnvoyMutBuffer::new_from_raw(chunk.ptr.cast_mut(), len) }
        };
        Some(chunks.into_iter().map(lend).collect())
    }

    fn body_view_size(&self, which: BodyView) -> usize {
        let Some((host, envoy)) = self.live() else {
            return 0;
        };
        // SAFETY: live.
        let size = unsafe {
            match &host.family {
                Family::V136(_) => raw_chunks(host, envoy, which)
                    .map_or(0, |chunks| chunks.iter().map(|chunk| chunk.len).sum()),
                Family::V137(table) => (table.http_get_body_size)(envoy, which as u32),
            }
        };
        if size > 0 && self.shown_as_received(which) {
            0
        } else {
            size
        }
    }

    fn drain_body(&mut self, which: BodyView, number_of_bytes: usize) -> bool {
        let Some((host, envoy)) = self.live() else {
            return false;
        };
        if self.shown_as_received(which) {
            return false;
        }
        // SAFETY: live.
        unsafe { drain(host, envoy, which, number_of_bytes) }
    }

    fn append_body(&mut self, which: BodyView, data: &[u8]) -> bool {
        let Some((host, envoy)) = self.live() else {
            return false;
        };
        // SAFETY: live.
        unsafe { append(host, envoy, which, data) }
    }

    fn received_is_buffered(&self, message: HttpMessage) -> bool {
        self.aliased(message, None)
    }

    fn for_each_body_chunk<'a>(
        &'a self,
        message: HttpMessage,
        visit: &mut dyn FnMut(EnvoyBuffer<'a>),
    ) {
        for chunk in self.whole_chunks(message) {
            // SAFETY: Envoy's chunks stay until this body is changed, which needs `&mut self`.
            visit(unsafe { view(chunk) });
        }
    }
}
