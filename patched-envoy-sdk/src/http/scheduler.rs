//! Waking a filter, or a filter config, from any thread.

/// Wakes one filter: each commit becomes one `on_scheduled` on the filter's own worker thread.
///
/// May be moved to and used from any thread. A commit after the stream is gone does nothing.
pub trait EnvoyHttpFilterScheduler: Send + Sync {
    /// Asks for `on_scheduled(event_id)`.
    fn commit(&self, event_id: u64);
}

impl EnvoyHttpFilterScheduler for Box<dyn EnvoyHttpFilterScheduler> {
    fn commit(&self, event_id: u64) {
        (**self).commit(event_id);
    }
}

/// Wakes a filter config: each commit becomes one `on_scheduled` on the main thread (Envoy 1.37+).
pub trait EnvoyHttpFilterConfigScheduler: Send + Sync {
    /// Asks for `on_scheduled(event_id)`.
    fn commit(&self, event_id: u64);
}

impl EnvoyHttpFilterConfigScheduler for Box<dyn EnvoyHttpFilterConfigScheduler> {
    fn commit(&self, event_id: u64) {
        (**self).commit(event_id);
    }
}
