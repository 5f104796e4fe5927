//! What was done to a message: what a stage, the AI half and an exchange answer.
//!
//! Filled in on the worker of an exchange, and read by the host, which logs and counts what it says. It holds
//! nothing of a message.

use crate::error::Failure;

/// What became of a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyChange {
    /// It is as it was.
    #[default]
    Unchanged,
    /// It was replaced, and `content-length` set, unless it came without one.
    Replaced,
    /// It was emptied, `content-length` set to 0 and `content-type` removed.
    Emptied,
    /// A rule set a status that allows no body: it was emptied, and whatever is still to come of it
    /// is dropped. `content-length`, `transfer-encoding` and `content-type` were removed.
    Forbidden,
}

/// What was done to a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// The message was transformed: once in each direction in which there is something to do.
    pub transformed: bool,
    /// Headers were written.
    pub headers: bool,
    /// What became of the body.
    pub body: BodyChange,
    /// Dynamic metadata was written.
    pub metadata: bool,
    /// The request's route is to be chosen again: what routes match on has changed, or the
    /// configuration says so. The program of the exchange stays the same.
    pub reroute: bool,
    /// Writes that the host refused.
    pub refused: u32,
    /// Events of a stream that a rule applied to.
    pub events: u32,
    /// What failed and was left out, to be logged and counted: the first of each kind, and of the events
    /// in a chunk the first.
    pub failures: Vec<Failure>,
    /// How many failures of events there were beside the one in `failures`.
    pub more_failures: u32,
}

impl Applied {
    /// Puts failures before those that were noted so far.
    #[inline(never)]
    pub(crate) fn put_first(&mut self, noted: Vec<Failure>) {
        let later = std::mem::replace(&mut self.failures, noted);
        self.failures.extend(later);
    }

    /// Adds what was done later to the same message.
    pub(crate) fn add(&mut self, later: Applied) {
        self.transformed |= later.transformed;
        self.headers |= later.headers;
        self.metadata |= later.metadata;
        self.reroute |= later.reroute;
        if later.body != BodyChange::Unchanged {
            self.body = later.body;
        }
        self.refused = self.refused.saturating_add(later.refused);
        self.events = self.events.saturating_add(later.events);
        self.more_failures = self.more_failures.saturating_add(later.more_failures);
        self.failures.extend(later.failures);
    }
}
