//! A message while it passes the filter: what the header and body callbacks of the fake see.

use crate::HttpMessage;
use crate::abi::envoy_dynamic_module_type_http_body_type as BodyView;

use super::body::Chunks;
use super::header_map::FakeHeaderMap;

/// One direction's message at the filter.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    pub(crate) headers: Option<FakeHeaderMap>,
    pub(crate) trailers: Option<FakeHeaderMap>,
    /// The chunk of the running body hook.
    pub(crate) received: Option<Chunks>,
    /// What earlier stops have collected.
    pub(crate) buffered: Option<Chunks>,
    /// Envoy shows the same bytes in both views; as in the real SDK they are then only received.
    pub(crate) aliased: bool,
}

impl InFlight {
    pub(crate) fn view(&self, view: BodyView) -> Option<&Chunks> {
        if is_received(view) {
            self.received.as_ref()
        } else {
            self.buffered.as_ref()
        }
    }

    pub(crate) fn view_mut(&mut self, view: BodyView) -> Option<&mut Chunks> {
        if is_received(view) {
            self.received.as_mut()
        } else {
            self.buffered.as_mut()
        }
    }

    pub(crate) fn drain(&mut self, view: BodyView, count: usize) -> bool {
        match self.view_mut(view) {
            Some(chunks) => {
                chunks.drain(count);
                true
            }
            None => false,
        }
    }

    pub(crate) fn append(&mut self, view: BodyView, bytes: &[u8]) -> bool {
        if is_received(view) || self.aliased {
            return match &mut self.received {
                Some(chunks) => {
                    chunks.append(bytes);
                    true
                }
                None => false,
            };
        }
        // Envoy makes the buffer on demand: this is how a header-only message gets a body.
        self.headers.is_some() && {
            self.buffered.get_or_insert_default().append(bytes);
            true
        }
    }

    pub(crate) fn buffered_len(&self) -> usize {
        self.buffered.as_ref().map_or(0, Chunks::len)
    }
}

/// The message a view belongs to.
pub(crate) const fn message_of(view: BodyView) -> HttpMessage {
    match view {
        BodyView::ReceivedRequestBody | BodyView::BufferedRequestBody => HttpMessage::Request,
        BodyView::ReceivedResponseBody | BodyView::BufferedResponseBody => HttpMessage::Response,
    }
}

const fn is_received(view: BodyView) -> bool {
    matches!(
        view,
        BodyView::ReceivedRequestBody | BodyView::ReceivedResponseBody
    )
}
