//! The body callbacks of the fake host.

use crate::abi::envoy_dynamic_module_type_http_body_type as BodyView;
use crate::{EnvoyBodies, EnvoyBuffer, EnvoyMutBuffer, HttpMessage};

use crate::testing::FakeEnvoy;
use crate::testing::body::Chunks;
use crate::testing::in_flight::message_of;

impl EnvoyBodies for FakeEnvoy {
    fn body_chunks_mut<'a>(&'a mut self, view: BodyView) -> Option<Vec<EnvoyMutBuffer<'a>>> {
        self.note_call("chunks");
        let chunks = self.in_flight_mut(message_of(view)).view_mut(view)?;
        let lend = |chunk: &'a mut [u8]| {
            // SAFETY: the slice is borrowed for `'a` and given up to this one view.
            unsafe { EnvoyMutBuffer::new(chunk) }
        };
        Some(chunks.iter_mut().map(lend).collect())
    }

    fn body_view_size(&self, view: BodyView) -> usize {
        self.note_call("size");
        self.in_flight(message_of(view))
            .view(view)
            .map_or(0, Chunks::len)
    }

    fn drain_body(&mut self, view: BodyView, number_of_bytes: usize) -> bool {
        self.note_call("drain");
        self.in_flight_mut(message_of(view))
            .drain(view, number_of_bytes)
    }

    fn append_body(&mut self, view: BodyView, data: &[u8]) -> bool {
        self.note_call("append");
        self.in_flight_mut(message_of(view)).append(view, data)
    }

    fn received_is_buffered(&self, message: HttpMessage) -> bool {
        self.in_flight(message).aliased
    }

    fn for_each_body_chunk<'a>(
        &'a self,
        message: HttpMessage,
        visit: &mut dyn FnMut(EnvoyBuffer<'a>),
    ) {
        self.note_call("body");
        let message = self.in_flight(message);
        for chunks in [&message.buffered, &message.received].into_iter().flatten() {
            chunks
                .iter()
                .for_each(|chunk| visit(EnvoyBuffer::new(chunk)));
        }
    }
}
