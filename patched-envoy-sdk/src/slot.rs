//! The slot: where one stream's filter lives, and the rules by which hooks reach it.
//!
//! Envoy holds a pointer to a `Slot` per stream and passes it to every hook, always on the worker
//! thread of the stream. The slot exists because Envoy re-enters: a callback made inside a hook may
//! run further hooks of the same filter, or destroy it, before it returns. The rules:
//!
//! - The filter is *taken out* before an author's hook runs and put back after, so `&mut self` of a
//!   filter is never aliased.
//! - Calls that can re-enter are recorded and made once the filter is back ([`call`]), so the hooks
//!   they cause find it in place.
//! - Whatever still arrives while the filter is out is queued if it is an event, and answered with
//!   the passing status, once loudly, if it is not.
//! - Calls that hooks make from within hooks that they caused are refused beyond a depth that no real
//!   filter reaches, before the stack is used up.
//! - `destroy` only marks; the outermost hook frees. After the mark the author's handle is inert.
//! - The author's filter is made at the first hook of the stream, never inside `http_filter_new`,
//!   where callbacks crash Envoy 1.36 and 1.37.
//! - After a panic the filter is gone, the stream fails closed and later hooks do nothing.

pub(crate) mod call;
pub(crate) mod event;
mod last_chunk;
#[cfg(test)]
mod tests;
mod visit;

use std::cell::Cell;
use std::sync::Arc;

use call::Call;
use event::OwnedEvent;
use last_chunk::Passed;
pub(crate) use visit::{Outcome, Visit};

use crate::abi::envoy_dynamic_module_type_attribute_id as AttributeId;
use crate::filter_config::FilterConfig;
use crate::host::Host;
use crate::host::filter::{EnvoyHttpFilterImpl, attributes, headers, replies};
use crate::host::once::report_refused_nesting;
use crate::host::raw::FilterPtr;
use crate::http::{HttpFilter, grpc};

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

/// How many hooks of one filter may be caused by each other. Real chains are a handful: resuming
/// runs a body hook, which answers, which runs the local reply hook.
const MAX_NESTING: u32 = 16;

/// What waits for the filter to be back, in the order in which it came.
enum Waiting {
    Call(Call),
    Event(OwnedEvent),
}

/// One stream's filter. All fields are cells: hooks that re-enter share the slot by `&`.
pub(crate) struct Slot {
    pub(crate) host: &'static Host,
    config: Arc<FilterConfig>,
    envoy: Cell<FilterPtr>,
    place: Cell<Place>,
    waiting: Cell<Vec<Waiting>>,
    /// Hooks on the stack right now.
    depth: Cell<u32>,
    /// Author's hooks on the stack whose consequences are not settled yet.
    nesting: Cell<u32>,
    /// `destroy` was called; freed when `depth` is back to 0.
    destroyed: Cell<bool>,
    /// The stream is over for the author: the handle answers nothing any more.
    gone: Cell<bool>,
    /// `stream_complete` has come: questions are fine, but nothing can be sent or resumed.
    complete: Cell<bool>,
    /// The response has started, so a panic can no longer be answered with a 500 of ours.
    response_started: Cell<bool>,
    /// A call that ends the message was recorded since the running hook began.
    ended: Cell<bool>,
    /// Whether the request is a gRPC call, once that was looked up.
    grpc: Cell<Option<bool>>,
    /// The filter stands in the chain of a cluster, behind the router.
    upstream: Cell<bool>,
    /// Numbers callouts where Envoy leaves that to the module (1.36).
    callouts: Cell<u32>,
    request: Flow,
    response: Flow,
}

/// Whether one direction is held, as far as the statuses we returned tell.
#[derive(Default)]
pub(crate) struct Flow {
    /// A status hook of this direction is running.
    deciding: Cell<bool>,
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
            host,
            config,
            envoy: Cell::new(envoy),
            place: Cell::new(Place::Unmade),
            waiting: Cell::new(Vec::new()),
            depth: Cell::new(0),
            nesting: Cell::new(0),
            destroyed: Cell::new(false),
            gone: Cell::new(false),
            complete: Cell::new(false),
            response_started: Cell::new(false),
            ended: Cell::new(false),
            grpc: Cell::new(None),
            upstream: Cell::new(false),
            callouts: Cell::new(0),
            request: Flow::default(),
            response: Flow::default(),
        }
    }

    /// Envoy's object for this stream while the author may use it.
    pub(crate) fn live(&self) -> Option<FilterPtr> {
        if self.gone.get() {
            None
        } else {
            Some(self.envoy.get())
        }
    }

    /// Whether `stream_complete` has come: there is nothing left to send, resume or start over.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete.get()
    }

    /// Records a call that must wait until the running author's hook has returned.
    pub(crate) fn defer(&self, call: Call) {
        if self.gone.get() || self.is_complete() || self.refuses_nesting() {
            return;
        }
        if call.ends_the_message() {
            self.ended.set(true);
        }
        self.push(Waiting::Call(call));
    }

    /// Whether the running hook is too deep inside hooks that this filter's own calls have caused to
    /// make another such call: a reply in every `on_local_reply`, or a callout in every completion
    /// that comes inline, would use up the stack and take Envoy down. Says so once per process.
    pub(crate) fn refuses_nesting(&self) -> bool {
        let refuses = self.nesting.get() > MAX_NESTING;
        if refuses {
            report_refused_nesting(MAX_NESTING);
        }
        refuses
    }

    /// The stream ended under the running hook: nothing may be asked of it any more.
    pub(crate) fn mark_gone(&self) {
        self.gone.set(true);
        self.ended.set(true);
    }

    /// The ids of callouts whose completion is already waiting.
    pub(crate) fn finished_callout(&self, since: usize) -> Option<u64> {
        let waiting = self.waiting.take();
        let id = waiting.iter().skip(since).find_map(|item| match item {
            Waiting::Event(OwnedEvent {
                kind: event::Kind::CalloutDone { id, .. },
                ..
            }) => Some(*id),
            _ => None,
        });
        self.waiting.set(waiting);
        id
    }

    /// How much is waiting; pairs with [`Slot::finished_callout`].
    pub(crate) fn waiting_len(&self) -> usize {
        let waiting = self.waiting.take();
        let len = waiting.len();
        self.waiting.set(waiting);
        len
    }

    /// The `grpc-status` to send along with a local reply of this HTTP status, whose headers have these
    /// names; none if the request is no gRPC call.
    pub(crate) fn grpc_status<'h>(
        &self,
        http: u32,
        names: impl IntoIterator<Item = &'h str>,
    ) -> Option<&'static str> {
        grpc::status_for(http, names).filter(|_| self.is_grpc_call())
    }

    /// Whether the request is a gRPC call. Looked up for the first reply, or before the header that says
    /// so is changed: Envoy has made up its mind when the request came.
    pub(crate) fn is_grpc_call(&self) -> bool {
        if let Some(known) = self.grpc.get() {
            return known;
        }
        let Some(envoy) = self.live() else {
            return false;
        };
        // SAFETY: not gone, so Envoy's object is alive.
        let is_call = unsafe { headers::is_grpc_call(self.host, envoy) };
        self.grpc.set(Some(is_call));
        is_call
    }

    /// Finds out where the filter stands, right before it is made: in a cluster's chain the host is
    /// chosen by then, and nowhere else is its address known that early.
    fn find_place(&self) {
        if let Some(envoy) = self.live() {
            // SAFETY: not gone, so Envoy's object is alive.
            let address =
                unsafe { attributes::text(self.host, envoy, AttributeId::UpstreamAddress) };
            self.upstream
                .set(address.is_some_and(|address| address.len > 0));
        }
    }

    /// Whether the filter stands in the chain of a cluster, as an upstream HTTP filter. Route and client
    /// are out of its reach there, and Envoys crash when they are reached for.
    pub(crate) fn is_upstream(&self) -> bool {
        self.upstream.get()
    }

    /// Whether this stream can be reset on request: the host has the call, and the filter does not
    /// stand where the call crashes every host.
    pub(crate) fn can_reset(&self) -> bool {
        replies::can_reset(self.host) && !self.is_upstream()
    }

    /// A number no other callout of this stream has.
    pub(crate) fn next_callout(&self) -> u32 {
        let number = self.callouts.get().wrapping_add(1);
        self.callouts.set(number);
        number
    }

    /// The response headers are here: from now on a 500 of ours may come too late.
    pub(crate) fn response_starts(&self) {
        self.response_started.set(true);
    }

    fn push(&self, item: Waiting) {
        let mut waiting = self.waiting.take();
        waiting.push(item);
        self.waiting.set(waiting);
    }
}
