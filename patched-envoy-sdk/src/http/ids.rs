//! Ids of metrics: defined on the main thread with the filter config, used on every worker.
//!
//! The number inside means something to Envoy only (it counts from 0 or from 1, by version), and
//! labelled and unlabelled metrics are numbered apart; hence one type each.

macro_rules! metric_ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(transparent)]
        pub struct $name(pub usize);
    )+};
}

metric_ids! {
    /// A counter without labels.
    EnvoyCounterId;
    /// A counter with labels.
    EnvoyCounterVecId;
    /// A gauge without labels.
    EnvoyGaugeId;
    /// A gauge with labels.
    EnvoyGaugeVecId;
    /// A histogram without labels.
    EnvoyHistogramId;
    /// A histogram with labels.
    EnvoyHistogramVecId;
}
