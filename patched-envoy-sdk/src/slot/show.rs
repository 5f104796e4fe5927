//! Showing the last chunk of a body where a body hook receives it, on the Envoys that hide it.
//!
//! Called around body hooks, on the stream's worker thread. What the last chunk is, [`last_chunk`] knows.

use super::{Slot, last_chunk};
use crate::host::filter::bodies;
use crate::http::HttpMessage;

impl Slot {
    /// Moves the last chunk from the end of the buffer, where the host has put it, back to where a body
    /// hook receives it. What this filter has the host hold is on its way anyway.
    pub(super) fn show_last_chunk(&self, message: HttpMessage) {
        let flow = self.flow(message);
        let Some(envoy) = self.stream.live().filter(|_| !flow.keeps.get()) else {
            return;
        };
        // SAFETY: not gone, so Envoy's object is alive; the views are used before the body is changed.
        let (buffered, received) = unsafe { bodies::views(self.stream.host, envoy, message) };
        if buffered.is_empty() || received.iter().any(|chunk| !chunk.is_empty()) {
            return;
        }
        let total = buffered.iter().map(|chunk| chunk.len()).sum::<usize>();
        let last = flow.passed.take().last_chunk(&buffered);
        if last == 0 {
            return;
        }
        let others = last_chunk::range(&buffered, 0, total - last);
        let chunk = last_chunk::range(&buffered, total - last, last);
        // SAFETY: not gone, so Envoy's object is alive; no view is left.
        unsafe {
            let append = |view, bytes: &[u8]| bodies::append(self.stream.host, envoy, view, bytes);
            if !bodies::drain(self.stream.host, envoy, message.buffered(), total) {
                return;
            }
            if !others.is_empty() {
                append(message.buffered(), &others);
            }
            if !append(message.received(), &chunk) {
                append(message.buffered(), &chunk);
            }
        }
    }

    /// Notes what a body hook that is not the last has left, so that the last one is told apart from it.
    pub(super) fn remember_chunk(&self, message: HttpMessage) {
        let Some(envoy) = self.stream.live() else {
            return;
        };
        let flow = self.flow(message);
        // SAFETY: not gone, so Envoy's object is alive; the views are used before the body is changed.
        let (buffered, received) = unsafe { bodies::views(self.stream.host, envoy, message) };
        let mut passed = flow.passed.take();
        passed.remember(&buffered, &received, flow.keeps.get());
        flow.passed.set(passed);
    }
}
