//! The scheduler of the fake host: commits queue up until the test lets the worker run them.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::{EnvoyHttpFilterConfigScheduler, EnvoyHttpFilterScheduler};

/// What a filter gets from `new_scheduler`. Clones share one queue, on any thread.
#[derive(Debug, Clone, Default)]
pub struct FakeScheduler {
    queue: Arc<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    events: Mutex<VecDeque<u64>>,
    committed: Condvar,
}

impl FakeScheduler {
    fn push(&self, event_id: u64) {
        self.events().push_back(event_id);
        self.queue.committed.notify_all();
    }

    pub(crate) fn pop(&self) -> Option<u64> {
        self.events().pop_front()
    }

    /// Waits for a commit from another thread; whether there is one to take.
    pub(crate) fn wait(&self, at_most: Duration) -> bool {
        let waited =
            (self.queue.committed).wait_timeout_while(self.events(), at_most, |it| it.is_empty());
        let (events, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !events.is_empty()
    }

    fn events(&self) -> MutexGuard<'_, VecDeque<u64>> {
        let events = self.queue.events.lock();
        events.unwrap_or_else(PoisonError::into_inner)
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

    #[test]
    fn a_commit_is_waited_for_and_only_as_long_as_was_said() {
        let scheduler = FakeScheduler::default();
        assert!(!scheduler.wait(Duration::ZERO));
        let elsewhere = scheduler.clone();
        let thread = std::thread::spawn(move || EnvoyHttpFilterScheduler::commit(&elsewhere, 7));
        assert!(scheduler.wait(Duration::from_secs(30)));
        assert_eq!(scheduler.pop(), Some(7));
        thread.join().expect("the thread commits");
    }
}
