//! One direction of an exchange: what is held, what has gone on, and Envoy's rules in between.
//!
//! Pure bookkeeping: [`Exchange`](super::Exchange) runs the hooks and asks this what their statuses
//! mean.

use std::collections::VecDeque;

use crate::testing::header_map::FakeHeaderMap;
use crate::testing::message::DeliveredMessage;

/// Whether the message runs through the filter or is held by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Iteration {
    #[default]
    Running,
    /// Held; later hooks still run.
    Stopped,
    /// Held; later hooks wait, too.
    StoppedAll { pause_at_limit: bool },
}

/// A piece of a message that the peer sent.
#[derive(Debug)]
pub(super) enum Piece {
    Body(Vec<u8>, bool),
    Trailers(FakeHeaderMap),
}

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Flow {
    pub(super) iteration: Iteration,
    /// The peer's end was seen.
    pub(super) ended: bool,
    /// The trailers hook ran and held the trailers.
    pub(super) trailers_held: bool,
    /// Trailers arrived while all hooks wait.
    pub(super) trailers_waiting: bool,
    /// An earlier filter of the chain buffers the body before this one sees it.
    pub(super) earlier_filter_buffers: bool,
    /// What that filter holds.
    pub(super) held_earlier: Vec<u8>,
    /// The limit of a watermark status is reached: nothing is read from the peer.
    pub(super) paused: bool,
    /// What the peer sent meanwhile.
    pub(super) unread: VecDeque<Piece>,
    /// What reached the other side.
    pub(super) delivered: DeliveredMessage,
}

impl Flow {
    pub(super) fn is_stopped(&self) -> bool {
        self.iteration != Iteration::Running
    }

    pub(super) fn pass_headers(&mut self, headers: &FakeHeaderMap, end: bool) {
        if self.delivered.headers.is_none() {
            self.delivered.headers = Some(headers.clone());
            self.delivered.complete = end;
        }
    }

    pub(super) fn pass_data(&mut self, bytes: Vec<u8>, end: bool) {
        self.delivered.push(bytes);
        self.delivered.complete |= end;
    }

    pub(super) fn pass_trailers(&mut self, trailers: Option<&FakeHeaderMap>) {
        self.delivered.trailers = trailers.cloned();
        self.delivered.complete = true;
    }
}
