//! What the running Envoy can do, by capability and never by version number.
//!
//! The boundary publishes the answer once, in `program_init` on the main thread, from the callbacks
//! it really found; afterwards every thread may read it for the price of one atomic load. A filter
//! asks while its configuration is compiled and refuses there what it could not keep while serving.

use std::fmt;
use std::sync::OnceLock;

/// A line of Envoy releases this crate knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EnvoyVersion {
    /// 1.36.3 and later patches of 1.36.
    V1_36,
    /// 1.37.
    V1_37,
    /// 1.38.
    V1_38,
    /// 1.39.
    V1_39,
    /// 1.40 and, until this crate knows better, everything newer.
    V1_40,
}

impl EnvoyVersion {
    /// Every line, oldest first.
    pub const ALL: [Self; 5] = [
        Self::V1_36,
        Self::V1_37,
        Self::V1_38,
        Self::V1_39,
        Self::V1_40,
    ];

    /// The line of the Envoy this module was loaded by; `None` outside Envoy.
    #[must_use]
    pub fn of_host() -> Option<Self> {
        HOST.get().map(|host| host.0)
    }

    /// The major and the minor version.
    #[must_use]
    pub const fn numbers(self) -> (u16, u16) {
        match self {
            Self::V1_36 => (1, 36),
            Self::V1_37 => (1, 37),
            Self::V1_38 => (1, 38),
            Self::V1_39 => (1, 39),
            Self::V1_40 => (1, 40),
        }
    }
}

impl fmt::Display for EnvoyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor) = self.numbers();
        write!(f, "{major}.{minor}")
    }
}

macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident, $since:ident, $sentence:literal;)+) => {
        /// One thing that some Envoys can do and others cannot.
        ///
        /// What every supported Envoy can do (headers, bodies, replies, string and number metadata,
        /// metrics, callouts, the scheduler) has no entry here: it is always there.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Capability { $($(#[$doc])* $name,)+ }

        impl Capability {
            /// Every capability, in the order in which Envoy learned them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The first Envoy that has it.
            #[must_use]
            pub const fn since(self) -> EnvoyVersion {
                match self { $(Self::$name => EnvoyVersion::$since,)+ }
            }

            /// What it is, as the subject of a sentence for people: "adding a header line".
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)+ }
            }
        }
    };
}

capabilities! {
    /// `add_*_header` and `add_*_trailer` as separate lines. Before: values are joined with `, `,
    /// except that a second `set-cookie` is refused.
    AddHeader, V1_37, "adding a header line";
    /// The `details` of a local reply. Before: dropped.
    ReplyDetails, V1_37, "details on a local reply";
    /// `start_http_stream` and its siblings on a filter. Before: `CannotCreateRequest`.
    HttpStreams, V1_37, "an HTTP stream opened by a filter";
    /// `new_scheduler` on a filter config. Before: commits go nowhere, with one warning.
    ConfigScheduler, V1_37, "the scheduler of a filter config";
    /// `add_custom_flag`. Before: nothing, with one warning.
    CustomFlag, V1_37, "a custom response flag";
    /// `on_local_reply`. Before: the hook is never called; local replies of others still pass
    /// through the response hooks.
    LocalReplyHook, V1_38, "the local reply hook";
    /// Boolean metadata. Before: reads are `None`, writes nothing, with one warning.
    MetadataBool, V1_38, "boolean metadata";
    /// Keys and namespaces of metadata. Before: `None`.
    MetadataKeys, V1_38, "listing metadata keys";
    /// Lists in metadata. Before: `None` and `false`.
    MetadataLists, V1_38, "lists in metadata";
    /// `get_filter_state_typed` and `set_filter_state_typed`. Before: `None` and `false`.
    TypedFilterState, V1_38, "typed filter state";
    /// `get_attribute_bool`. Before: `None`.
    AttributeBool, V1_38, "a boolean attribute";
    /// Socket options. Before: `None` and `false`.
    SocketOptions, V1_38, "socket options";
    /// `get_buffer_limit` and `set_buffer_limit`. Before: 0 and nothing, with one warning.
    BufferLimit, V1_38, "the buffer limit of a stream";
    /// Tracing spans. Before: `None`.
    Spans, V1_38, "tracing spans";
    /// `get_cluster_name` and `get_cluster_host_count`. Before: `None`.
    ClusterHosts, V1_38, "the cluster of a stream and its hosts";
    /// `set_upstream_override_host`. Before: `false`.
    UpstreamOverrideHost, V1_38, "an upstream override host";
    /// `clear_route_cluster_cache`. Before: the whole route cache is cleared instead.
    RouteClusterCache, V1_38, "clearing only the cluster of a route";
    /// `reset_stream`. Before: a 500 local reply while one is still possible, else nothing more can
    /// be done than to stop the stream, with one warning.
    ResetStream, V1_38, "resetting a stream";
    /// `recreate_stream`. Before: `false`.
    RecreateStream, V1_38, "recreating a stream";
    /// `send_go_away_and_close`. Before: nothing, with one warning.
    GoAway, V1_38, "closing the downstream connection with GOAWAY";
    /// `get_worker_index`. Before: 0, with one warning.
    WorkerIndex, V1_38, "the worker index";
    /// Callouts and HTTP streams from a filter config. Before: `CannotCreateRequest`.
    ConfigCallouts, V1_38, "an HTTP callout from a filter config";
    /// Process-wide functions and data shared between modules, concurrency, validation mode.
    Server, V1_38, "server-wide queries and registries";
    /// Metrics updated from the config context. Before: `MetricNotFound`.
    ConfigMetrics, V1_39, "updating a metric from a filter config";
    /// `upstream_connection_id`. Before: `None`.
    UpstreamConnectionId, V1_39, "the upstream connection id";
    /// `EnvoySpan::disable_local_decision`. Before: nothing, with one warning.
    SpanLocalDecision, V1_39, "turning off Envoy's own sampling decision";
    /// Log records that carry the call site. Before: a record without one.
    LogCallSite, V1_40, "the call site in log records";
    /// `set_dynamic_metadata_struct`. Before: nothing, with one warning.
    MetadataStruct, V1_40, "nested metadata";
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

/// A set of [`Capability`]. Copying it costs one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities(u64);

// One bit per capability.
const _: () = assert!(Capability::ALL.len() <= u64::BITS as usize);

impl Capabilities {
    /// The empty set.
    #[must_use]
    pub const fn none() -> Self {
        Self(0)
    }

    /// What a whole release line has. [`Capabilities::of_host`] is what this process really has.
    #[must_use]
    pub fn of(version: EnvoyVersion) -> Self {
        let since = |capability: &&Capability| capability.since() <= version;
        Capability::ALL
            .iter()
            .filter(since)
            .copied()
            .fold(Self::none(), Self::with)
    }

    /// What the Envoy that loaded this module has; empty outside Envoy. Costs one atomic load.
    #[must_use]
    pub fn of_host() -> Self {
        HOST.get().map_or(Self::none(), |host| host.1)
    }

    /// The set with one more capability.
    #[must_use]
    pub const fn with(self, capability: Capability) -> Self {
        Self(self.0 | 1 << capability as u8)
    }

    /// The set without a capability; for tests that need a host with a gap.
    #[must_use]
    pub const fn without(self, capability: Capability) -> Self {
        Self(self.0 & !(1 << capability as u8))
    }

    /// Whether the capability is there.
    #[must_use]
    pub const fn has(self, capability: Capability) -> bool {
        self.0 & (1 << capability as u8) != 0
    }

    /// The capabilities in the set.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL
            .iter()
            .copied()
            .filter(move |capability| self.has(*capability))
    }
}

static HOST: OnceLock<(EnvoyVersion, Capabilities)> = OnceLock::new();

/// Tells the process what its Envoy is. Called once, by the boundary, before any author code runs;
/// later calls change nothing, because the host cannot change under a running process.
pub(crate) fn publish(version: EnvoyVersion, capabilities: Capabilities) {
    let _ = HOST.set((version, capabilities));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_envoys_only_gain_capabilities() {
        for pair in EnvoyVersion::ALL.windows(2) {
            let (older, newer) = (Capabilities::of(pair[0]), Capabilities::of(pair[1]));
            assert!(older.iter().all(|capability| newer.has(capability)));
            assert!(newer.iter().count() > older.iter().count());
        }
    }

    #[test]
    fn the_oldest_envoy_has_only_what_needs_no_entry() {
        assert_eq!(Capabilities::of(EnvoyVersion::V1_36), Capabilities::none());
    }

    #[test]
    fn a_capability_can_be_taken_away_again() {
        let set = Capabilities::none().with(Capability::Spans);
        assert!(set.has(Capability::Spans));
        assert!(!set.without(Capability::Spans).has(Capability::Spans));
    }

    #[test]
    fn outside_envoy_nothing_is_promised() {
        assert_eq!(EnvoyVersion::of_host(), None);
        assert_eq!(Capabilities::of_host(), Capabilities::none());
    }
}
