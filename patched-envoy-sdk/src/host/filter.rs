//! The author's handle on one stream: `EnvoyHttpFilter` over the real callbacks.
//!
//! Made for each hook on the stack of the stream's worker thread and lent to the author's code. The
//! files below it hold one topic each; [`official`] spells them as the trait does. Once the stream
//! is gone the handle is inert: every question is answered `None`, `false` or nothing.

pub(crate) mod attributes;
pub(crate) mod bodies;
pub(crate) mod callouts;
mod filter_state;
pub(crate) mod headers;
mod metadata;
pub(crate) mod metrics;
mod official;
pub(crate) mod replies;
pub(crate) mod route;
mod scheduler;
mod socket;
mod spans;

use std::cell::{Cell, RefCell};
use std::ptr::NonNull;

use super::Host;
use super::later::Later;
use super::once;
use super::raw::{Buf, FilterPtr};
use crate::buffer::EnvoyBuffer;
use crate::capabilities::Capability;
use crate::stream::Stream;
use crate::stream::call::Call;

/// Envoy's side of one stream; see [`EnvoyHttpFilter`](crate::EnvoyHttpFilter) for what it can do.
pub struct EnvoyHttpFilterImpl {
    stream: NonNull<Stream>,
    /// Copies of what Envoy would free under a view; they live as long as the handle.
    kept: RefCell<Vec<Box<[u8]>>>,
    /// Whether both views of the body are one buffer, once that is known.
    request_is_aliased: Cell<Option<bool>>,
    response_is_aliased: Cell<Option<bool>>,
}

impl EnvoyHttpFilterImpl {
    /// # Safety
    /// The stream outlives the handle.
    pub(crate) unsafe fn new(stream: NonNull<Stream>) -> Self {
        Self {
            stream,
            kept: RefCell::new(Vec::new()),
            request_is_aliased: Cell::new(None),
            response_is_aliased: Cell::new(None),
        }
    }

    fn stream(&self) -> &Stream {
        // SAFETY: promised by the creator of the handle.
        unsafe { self.stream.as_ref() }
    }

    /// The host and Envoy's object for this stream; `None` once the stream is gone. What is
    /// returned is alive until the next call that may end the stream, and those are deferred.
    fn live(&self) -> Option<(&'static Host, FilterPtr)> {
        let stream = self.stream();
        stream.live().map(|envoy| (stream.host, envoy))
    }

    /// A callback that only later Envoys have; absence is the answer.
    fn later<T>(
        &self,
        callback: impl FnOnce(&'static Later) -> Option<T>,
    ) -> Option<(T, FilterPtr)> {
        let (host, envoy) = self.live()?;
        callback(&host.later).map(|callback| (callback, envoy))
    }

    /// The same for a method that cannot answer: absence is said once.
    fn later_or_warn<T>(
        &self,
        capability: Capability,
        method: &str,
        callback: impl FnOnce(&'static Later) -> Option<T>,
    ) -> Option<(T, FilterPtr)> {
        let (host, envoy) = self.live()?;
        let found = callback(&host.later).map(|callback| (callback, envoy));
        if found.is_none() {
            once::warn_unsupported(host, capability, method);
        }
        found
    }

    /// Whether `method` concerns what a filter in a cluster's chain cannot reach: Envoy crashes or
    /// answers an untruth there, so nothing is called, and absence is said once.
    fn is_out_of_reach(&self, method: &str) -> bool {
        let upstream = self.stream().is_upstream();
        if upstream {
            once::warn_upstream(method);
        }
        upstream
    }

    /// Records a call that may run other hooks of this filter or end the stream.
    fn defer(&self, call: Call) {
        self.stream().defer(call);
    }

    /// Copies bytes that Envoy may free before the hook ends, and lends the copy.
    fn keep(&self, bytes: &[u8]) -> EnvoyBuffer<'_> {
        let copy: Box<[u8]> = bytes.into();
        // SAFETY: the boxed bytes do not move when the list grows, are never changed, and are freed
        // with the handle, which the view borrows.
        let view = unsafe { EnvoyBuffer::new_from_raw(copy.as_ptr(), copy.len()) };
        self.kept.borrow_mut().push(copy);
        view
    }
}

/// A view of what a callback pointed its out-buffer at.
///
/// # Safety
/// Envoy filled `buf` in, and keeps its bytes unchanged until the hook ends or the owner of the
/// bytes is changed, which the borrow behind `'a` prevents.
unsafe fn view<'a>(buf: Buf) -> EnvoyBuffer<'a> {
    // SAFETY: promised by the caller; a null pointer comes with length 0.
    unsafe { EnvoyBuffer::new_from_raw(buf.ptr, if buf.ptr.is_null() { 0 } else { buf.len }) }
}
