//! Waking a filter from any thread.
//!
//! Made on the worker; committed to and dropped on whatever thread holds it.

use std::ptr;

use super::EnvoyHttpFilterImpl;
use crate::host::Host;
use crate::host::raw::SchedulerPtr;
use crate::http::EnvoyHttpFilterScheduler;

/// Envoy's scheduler for one filter; null when the stream was gone before it was made.
pub(crate) struct Scheduler {
    /// The host whose scheduler this is; `None` with the null pointer.
    made: Option<(&'static Host, SchedulerPtr)>,
}

// SAFETY: Envoy lets the commit and delete callbacks run on any thread, and keeps the handle alive
// until delete; it holds no reference to the filter that a commit could find dangling.
unsafe impl Send for Scheduler {}
// SAFETY: as above; concurrent commits are allowed, and delete needs the value itself.
unsafe impl Sync for Scheduler {}

impl EnvoyHttpFilterImpl {
    pub(super) fn scheduler(&self) -> Scheduler {
        let made = self.live().map(|(host, envoy)| {
            // SAFETY: live.
            (host, unsafe {
                (host.common.http_filter_scheduler_new)(envoy)
            })
        });
        Scheduler {
            made: made.filter(|(_, scheduler)| !ptr::eq(*scheduler, ptr::null())),
        }
    }
}

impl EnvoyHttpFilterScheduler for Scheduler {
    fn commit(&self, event_id: u64) {
        if let Some((host, scheduler)) = self.made {
            // SAFETY: not deleted yet; a commit after the stream is gone is dropped by Envoy.
            unsafe { (host.common.http_filter_scheduler_commit)(scheduler, event_id) }
        }
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        if let Some((host, scheduler)) = self.made {
            // SAFETY: made by Envoy, deleted once.
            unsafe { (host.common.http_filter_scheduler_delete)(scheduler) }
        }
    }
}
