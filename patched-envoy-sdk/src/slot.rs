//! The slot: where one stream's filter lives, and the rules by which hooks reach it.
//!
//! Envoy holds a pointer to a `Slot` per stream and passes it to every hook, always on the worker
//! thread of the stream. The slot exists because Envoy re-enters: a callback made inside a hook may
//! run further hooks of the same filter, or destroy it, before it returns. The rules:
//!
//! - The filter is *taken out* before an author's hook runs and put back after, so `&mut self` of a
//!   filter is never aliased.
//! - Calls that can re-enter are recorded and made once the filter is back ([`make`]), so the hooks
//!   they cause find it in place.
//! - Whatever still arrives while the filter is out is queued if it is an event, and answered with
//!   the passing status, once loudly, if it is not.
//! - Calls that hooks make from within hooks that they caused are refused beyond a depth that no real
//!   filter reaches, before the stack is used up.
//! - `destroy` only marks; the outermost hook frees. After the mark the author's handle is inert.
//! - The author's filter is made at the first hook of the stream, never inside `http_filter_new`,
//!   where callbacks crash Envoy 1.36 and 1.37.
//! - After a panic the filter is gone, the stream fails closed and later hooks do nothing.

mod last_chunk;
mod make;
mod show;
mod status;
mod tell;
#[cfg(test)]
mod tests;
mod visit;

use std::cell::Cell;
use std::sync::Arc;

use last_chunk::Passed;
pub(crate) use visit::{Outcome, Visit};

use crate::abi::envoy_dynamic_module_type_attribute_id as AttributeId;
use crate::filter_config::FilterConfig;
use crate::host::Host;
use crate::host::filter::{EnvoyHttpFilterImpl, attributes};
use crate::host::raw::FilterPtr;
use crate::http::HttpFilter;
use crate::stream::Stream;

/// The author's filter, as the boundary holds it.
pub(crate) type Filter = Box<dyn HttpFilter<EnvoyHttpFilterImpl>>;

/// Where the filter is.
enum Place {
    /// No hook has needed it yet.
    Unmade,
    /// At home.
    Here(Filter),
    /// An author's hook is running.
    Out,
    /// It panicked and was dropped.
    Poisoned,
}

/// One stream's filter. All fields are cells: hooks that re-enter share the slot by `&`.
pub(crate) struct Slot {
    /// What the author's handle sees of it, too.
    pub(crate) stream: Stream,
    config: Arc<FilterConfig>,
    place: Cell<Place>,
    /// Hooks on the stack right now.
    depth: Cell<u32>,
    /// `destroy` was called; freed when `depth` is back to 0.
    destroyed: Cell<bool>,
    /// The response has started, so a panic can no longer be answered with a 500 of ours.
    response_started: Cell<bool>,
    request: Flow,
    response: Flow,
}

/// Whether one direction is held, as far as the statuses we returned tell.
#[derive(Default)]
pub(crate) struct Flow {
    /// A status hook of this direction is running.
    deciding: Cell<bool>,
    /// The hook that ends the message has begun: the one of the last chunk, or of the trailers.
    last: Cell<bool>,
    /// The last status stopped the message and nothing resumed it since.
    stopped: Cell<bool>,
    /// It also has the host keep what came of the body.
    keeps: Cell<bool>,
    /// `continue_*` was called before the stop it was meant for took effect.
    resume: Cell<bool>,
    /// What the last body hook left, on hosts that hide the last chunk.
    passed: Cell<Passed>,
}

impl Slot {
    /// A slot for one stream. Calls nothing: neither Envoy nor author code.
    pub(crate) fn new(host: &'static Host, config: Arc<FilterConfig>, envoy: FilterPtr) -> Self {
        Self {
            stream: Stream::new(host, envoy),
            config,
            place: Cell::new(Place::Unmade),
            depth: Cell::new(0),
            destroyed: Cell::new(false),
            response_started: Cell::new(false),
            request: Flow::default(),
            response: Flow::default(),
        }
    }

    /// Finds out where the filter stands, right before it is made: in a cluster's chain the host is
    /// chosen by then, and nowhere else is its address known that early.
    fn find_place(&self) {
        if let Some(envoy) = self.stream.live() {
            // SAFETY: not gone, so Envoy's object is alive.
            let address =
                unsafe { attributes::text(self.stream.host, envoy, AttributeId::UpstreamAddress) };
            self.stream
                .upstream
                .set(address.is_some_and(|address| address.len > 0));
        }
    }

    /// The response headers are here: from now on a 500 of ours may come too late.
    pub(crate) fn response_starts(&self) {
        self.response_started.set(true);
    }
}
