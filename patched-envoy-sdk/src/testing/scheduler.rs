//! The scheduler of the fake host: commits queue up until the test lets the worker run them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::{EnvoyHttpFilterConfigScheduler, EnvoyHttpFilterScheduler};

/// What a filter gets from `new_scheduler`. Clones share one queue, on any thread.
#[derive(Debug, Clone, Default)]
pub struct FakeScheduler {
    events: Arc<Mutex<VecDeque<u64>>>,
}

impl FakeScheduler {
    fn push(&self, event_id: u64) {
        self.events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(event_id);
    }

    pub(crate) fn pop(&self) -> Option<u64> {
        self.events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    }
}

impl EnvoyHttpFilterScheduler for FakeScheduler {
    fn commit(&self, event_id: u64) {
        self.push(event_id);
    }
}

impl EnvoyHttpFilterConfigScheduler for FakeScheduler {
    fn commit(&self, event_id: u64) {
        self.push(event_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_out_in_the_order_of_their_commits_from_any_thread() {
        let scheduler = FakeScheduler::default();
        let elsewhere = scheduler.clone();
        EnvoyHttpFilterScheduler::commit(&scheduler, 1);
        std::thread::spawn(move || EnvoyHttpFilterScheduler::commit(&elsewhere, 2))
            .join()
            .expect("the thread commits");
        assert_eq!(
            [scheduler.pop(), scheduler.pop(), scheduler.pop()],
            [Some(1), Some(2), None]
        );
    }
}
