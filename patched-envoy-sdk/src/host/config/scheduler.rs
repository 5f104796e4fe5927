//! Waking a filter config from any thread, 1.37 and later.
//!
//! Made on the main thread; committed to and dropped on whatever thread holds it.

use crate::capabilities::Capability;
use crate::host::raw::{ConfigPtr, SchedulerPtr};
use crate::host::{Family, Host, once};
use crate::http::scheduler::EnvoyHttpFilterConfigScheduler;

/// Envoy's scheduler for one filter config; null where the host has none.
pub(super) struct ConfigScheduler {
    host: &'static Host,
    scheduler: SchedulerPtr,
}

// SAFETY: Envoy lets the commit and delete callbacks run on any thread, and keeps the handle alive
// until delete.
unsafe impl Send for ConfigScheduler {}
// SAFETY: as above; concurrent commits are allowed, and delete needs the value itself.
unsafe impl Sync for ConfigScheduler {}

impl ConfigScheduler {
    /// Says once where commits will go nowhere.
    ///
    /// # Safety
    /// `envoy` is a live filter config object, and this is the main thread.
    pub(super) unsafe fn new(host: &'static Host, envoy: ConfigPtr) -> Self {
        let scheduler = match &host.family {
            Family::V136(_) => {
                once::warn_unsupported(host, Capability::ConfigScheduler, "new_scheduler");
                std::ptr::null_mut()
            }
            // SAFETY: the caller's promise.
            Family::V137(table) => unsafe { (table.http_filter_config_scheduler_new)(envoy) },
        };
        Self { host, scheduler }
    }
}

impl EnvoyHttpFilterConfigScheduler for ConfigScheduler {
    fn commit(&self, event_id: u64) {
        if let Family::V137(table) = &self.host.family
            && !self.scheduler.is_null()
        {
            // SAFETY: not deleted yet; a commit after the config is gone is dropped by Envoy.
            unsafe { (table.http_filter_config_scheduler_commit)(self.scheduler, event_id) }
        }
    }
}

impl Drop for ConfigScheduler {
    fn drop(&mut self) {
        if let Family::V137(table) = &self.host.family
            && !self.scheduler.is_null()
        {
            // SAFETY: made by Envoy, deleted once.
            unsafe { (table.http_filter_config_scheduler_delete)(self.scheduler) }
        }
    }
}
