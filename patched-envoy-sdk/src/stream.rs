//! What is known of one stream: shared by the slot, which hooks enter, and by the handle that they lend
//! to the author's code.
//!
//! Lies inside the slot, below both, and lives as long as that. Everything in it is a cell, since hooks
//! re-enter; all of it happens on the worker thread of the stream. Nothing in here calls Envoy.

use std::cell::Cell;

pub(crate) mod call;
pub(crate) mod event;

use call::Call;
use event::OwnedEvent;

use crate::host::Host;
use crate::host::once::report_refused_nesting;
use crate::host::raw::FilterPtr;

/// How many hooks of one filter may be caused by each other. Real chains are a handful: resuming
/// runs a body hook, which answers, which runs the local reply hook.
const MAX_NESTING: u32 = 16;

/// What waits for the filter to be back, in the order in which it came.
pub(crate) enum Waiting {
    Call(Call),
    Event(OwnedEvent),
}

/// One stream of a filter.
pub(crate) struct Stream {
    pub(crate) host: &'static Host,
    /// Envoy's object, as the running hook was given it.
    pub(crate) envoy: Cell<FilterPtr>,
    waiting: Cell<Vec<Waiting>>,
    /// Author's hooks on the stack whose consequences are not settled yet.
    pub(crate) nesting: Cell<u32>,
    /// The stream is over for the author: the handle answers nothing any more.
    pub(crate) gone: Cell<bool>,
    /// `stream_complete` has come: questions are fine, but nothing can be sent or resumed.
    pub(crate) complete: Cell<bool>,
    /// A call that ends the message was recorded since the running hook began.
    pub(crate) ended: Cell<bool>,
    /// Whether the request is a gRPC call, once that was looked up.
    pub(crate) grpc: Cell<Option<bool>>,
    /// The filter stands in the chain of a cluster, behind the router.
    pub(crate) upstream: Cell<bool>,
    /// Numbers callouts where Envoy leaves that to the module (1.36).
    callouts: Cell<u32>,
}

impl Stream {
    /// A stream of which nothing has been heard yet.
    pub(crate) fn new(host: &'static Host, envoy: FilterPtr) -> Self {
        Self {
            host,
            envoy: Cell::new(envoy),
            waiting: Cell::new(Vec::new()),
            nesting: Cell::new(0),
            gone: Cell::new(false),
            complete: Cell::new(false),
            ended: Cell::new(false),
            grpc: Cell::new(None),
            upstream: Cell::new(false),
            callouts: Cell::new(0),
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

    /// How much is waiting; pairs with [`Stream::finished_callout`].
    pub(crate) fn waiting_len(&self) -> usize {
        let waiting = self.waiting.take();
        let len = waiting.len();
        self.waiting.set(waiting);
        len
    }

    /// Takes everything that waits, oldest first.
    pub(crate) fn take_waiting(&self) -> Vec<Waiting> {
        self.waiting.take()
    }

    /// Whether the filter stands in the chain of a cluster, as an upstream HTTP filter. Route and client
    /// are out of its reach there, and Envoys crash when they are reached for.
    pub(crate) fn is_upstream(&self) -> bool {
        self.upstream.get()
    }

    /// A number no other callout of this stream has.
    pub(crate) fn next_callout(&self) -> u32 {
        let number = self.callouts.get().wrapping_add(1);
        self.callouts.set(number);
        number
    }

    pub(crate) fn push(&self, item: Waiting) {
        let mut waiting = self.waiting.take();
        waiting.push(item);
        self.waiting.set(waiting);
    }
}
