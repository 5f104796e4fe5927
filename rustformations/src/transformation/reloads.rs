//! What became of files that changed: counted by the thread that reads them, told Envoy by the next stream.
//!
//! Envoy's counters can be raised in the hooks of a stream only, on a worker. So changes wait in the process
//! for the next stream of a configuration that follows a file.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What changed, and what became of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reload {
    /// The new profiles are in use.
    ProfilesTaken,
    /// The file of profiles is broken; those before it are in use.
    ProfilesRefused,
    /// The new prices are in use.
    PricesTaken,
    /// A file of prices is broken; those before it are in use.
    PricesRefused,
}

impl Reload {
    const ALL: [Reload; 4] = [
        Reload::ProfilesTaken,
        Reload::ProfilesRefused,
        Reload::PricesTaken,
        Reload::PricesRefused,
    ];

    /// The labels of the counter: what changed, and what became of that.
    pub(super) const fn labels(self) -> [&'static str; 2] {
        match self {
            Reload::ProfilesTaken => ["profiles", "taken"],
            Reload::ProfilesRefused => ["profiles", "refused"],
            Reload::PricesTaken => ["prices", "taken"],
            Reload::PricesRefused => ["prices", "refused"],
        }
    }
}

/// What was not told yet.
struct Waiting {
    any: AtomicBool,
    counts: [AtomicU64; 4],
}

static WAITING: Waiting = Waiting {
    any: AtomicBool::new(false),
    counts: [const { AtomicU64::new(0) }; 4],
};

/// Counts one change.
pub(super) fn count(reload: Reload) {
    WAITING.count(reload);
}

/// Tells everything that was counted since, once. Costs one relaxed load where there is nothing.
pub(super) fn tell(counter: impl FnMut(Reload, u64)) {
    WAITING.tell(counter);
}

impl Waiting {
    fn count(&self, reload: Reload) {
        let counts = Reload::ALL.iter().zip(&self.counts);
        for (_, count) in counts.filter(|(it, _)| **it == reload) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.any.store(true, Ordering::Release);
    }

    fn tell(&self, mut counter: impl FnMut(Reload, u64)) {
        if !self.any.load(Ordering::Relaxed) || !self.any.swap(false, Ordering::Acquire) {
            return;
        }
        for (reload, count) in Reload::ALL.into_iter().zip(&self.counts) {
            let times = count.swap(0, Ordering::Relaxed);
            if times > 0 {
                counter(reload, times);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_told_once() {
        let waiting = Waiting {
            any: AtomicBool::new(false),
            counts: Default::default(),
        };
        let told = || {
            let mut told = Vec::new();
            waiting.tell(|reload, times| told.push((reload.labels(), times)));
            told
        };
        assert!(told().is_empty());
        waiting.count(Reload::PricesRefused);
        waiting.count(Reload::ProfilesTaken);
        waiting.count(Reload::PricesRefused);
        assert_eq!(
            told(),
            [(["profiles", "taken"], 1), (["prices", "refused"], 2)]
        );
        assert!(told().is_empty());
    }
}
