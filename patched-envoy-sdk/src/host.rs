//! The Envoy this module runs in: its callbacks as typed tables, resolved once per process.
//!
//! [`attach`] is called from `program_init` on the main thread before any author code. Afterwards
//! every thread reads the same `&'static Host`; a call through it costs an indirect call and, where
//! the two ABI families differ, one predictable branch. No lookup and no lock per call.

mod common;
pub(crate) mod config;
mod detect;
mod executable;
pub(crate) mod filter;
mod later;
pub(crate) mod loaded;
mod logging;
pub(crate) mod once;
pub(crate) mod raw;
pub(crate) mod server;
pub(crate) mod symbols;
mod table_136;
mod table_137;

use std::ffi::CStr;
use std::sync::OnceLock;

use common::Common;
pub(crate) use detect::Refusal;
use later::Later;
pub(crate) use logging::{log_enabled, log_level, write};
pub(crate) use once::report_skipped_hook;
use symbols::{Program, Symbols};
use table_136::Table136;
use table_137::Table137;

use crate::capabilities::{self, Capabilities, Capability, EnvoyVersion};

/// Everything the running Envoy offers.
pub(crate) struct Host {
    pub(crate) version: EnvoyVersion,
    pub(crate) capabilities: Capabilities,
    /// The version string that this host wants to hear.
    pub(crate) abi: &'static CStr,
    common: Common,
    family: Family,
    later: Later,
}

/// The callbacks whose C signature changed between 1.36 and 1.37.
enum Family {
    V136(Table136),
    V137(Table137),
}

static HOST: OnceLock<Host> = OnceLock::new();

/// Finds out which Envoy this is and resolves its callbacks. Returns the version string the host
/// wants to hear. Safe to call again: a process has one host.
pub(crate) fn attach() -> Result<&'static CStr, Refusal> {
    let host = match HOST.get() {
        Some(host) => host,
        None => {
            let resolved = Host::resolve(&Program)?;
            HOST.get_or_init(|| resolved)
        }
    };
    capabilities::publish(host.version, host.capabilities);
    Ok(host.abi)
}

/// The attached host; `None` outside Envoy. One atomic load.
pub(crate) fn current() -> Option<&'static Host> {
    HOST.get()
}

impl Host {
    /// Whether the last chunk of a body may be in the buffer when its hook comes, instead of received.
    pub(crate) fn hides_last_chunk(&self) -> bool {
        self.version <= EnvoyVersion::V1_37
    }

    pub(crate) fn resolve(symbols: &impl Symbols) -> Result<Self, Refusal> {
        let version = detect::version(symbols)?;
        let missing = |name| Refusal::MissingCallback(version, name);
        let family = match version {
            EnvoyVersion::V1_36 => Family::V136(Table136::resolve(symbols).map_err(missing)?),
            _ => Family::V137(Table137::resolve(symbols).map_err(missing)?),
        };
        let common = Common::resolve(symbols).map_err(missing)?;
        let later = Later::resolve(symbols);
        let capabilities = found(version, &later);
        Ok(Self {
            version,
            capabilities,
            abi: detect::answer(version),
            common,
            family,
            later,
        })
    }
}

/// What this host can do, told by the callbacks that were really found. The local reply hook is the
/// module's export, so only the release line can tell.
fn found(version: EnvoyVersion, later: &Later) -> Capabilities {
    use Capability as C;
    let from_137 = version >= EnvoyVersion::V1_37;
    let spans = later.http_get_active_span.is_some()
        && later.http_span_set_tag.is_some()
        && later.http_span_spawn_child.is_some()
        && later.http_child_span_finish.is_some();
    let config_callouts = later.http_filter_config_http_callout.is_some()
        && later.http_filter_config_start_http_stream.is_some();
    [
        (C::AddHeader, from_137),
        (C::ReplyDetails, from_137),
        (C::HttpStreams, from_137),
        (C::ConfigScheduler, from_137),
        (C::CustomFlag, from_137),
        (C::LocalReplyHook, version >= EnvoyVersion::V1_38),
        (C::MetadataBool, later.http_get_metadata_bool.is_some()),
        (C::MetadataKeys, later.http_get_metadata_keys.is_some()),
        (
            C::MetadataLists,
            later.http_get_metadata_list_size.is_some(),
        ),
        (
            C::TypedFilterState,
            later.http_get_filter_state_typed.is_some(),
        ),
        (
            C::AttributeBool,
            later.http_filter_get_attribute_bool.is_some(),
        ),
        (C::SocketOptions, later.http_get_socket_option_int.is_some()),
        (C::BufferLimit, later.http_set_buffer_limit.is_some()),
        (C::Spans, spans),
        (C::ClusterHosts, later.http_get_cluster_host_count.is_some()),
        (
            C::UpstreamOverrideHost,
            later.http_set_upstream_override_host.is_some(),
        ),
        (
            C::RouteClusterCache,
            later.http_clear_route_cluster_cache.is_some(),
        ),
        (C::ResetStream, later.http_filter_reset_stream.is_some()),
        (
            C::RecreateStream,
            later.http_filter_recreate_stream.is_some(),
        ),
        (
            C::GoAway,
            later.http_filter_send_go_away_and_close.is_some(),
        ),
        (C::WorkerIndex, later.http_filter_get_worker_index.is_some()),
        (C::ConfigCallouts, config_callouts),
        (C::Server, later.register_function.is_some()),
        (
            C::ConfigMetrics,
            later.http_filter_config_increment_counter.is_some(),
        ),
        (
            C::UpstreamConnectionId,
            later.http_get_upstream_connection_id.is_some(),
        ),
        (
            C::SpanLocalDecision,
            later.http_span_disable_local_decision.is_some(),
        ),
        (C::LogCallSite, later.log_v2.is_some()),
        (
            C::MetadataStruct,
            later.http_set_dynamic_metadata_struct.is_some(),
        ),
    ]
    .into_iter()
    .filter(|(_, present)| *present)
    .fold(Capabilities::none(), |set, (capability, _)| {
        set.with(capability)
    })
}

#[cfg(test)]
pub(crate) mod fake_symbols {
    //! A host that exports chosen names. The functions behind them are never called.

    use super::*;
    use std::ffi::c_void;
    use std::ptr::NonNull;

    /// Exports exactly these callbacks.
    pub(crate) struct Named(pub(crate) Vec<&'static str>);

    impl Symbols for Named {
        fn find(&self, name: &CStr) -> Option<NonNull<c_void>> {
            let short = name
                .to_str()
                .ok()?
                .strip_prefix("envoy_dynamic_module_callback_")?;
            self.0.contains(&short).then(NonNull::dangling)
        }
    }

    /// Exports everything except these.
    pub(crate) struct AllBut(pub(crate) Vec<&'static str>);

    impl Symbols for AllBut {
        fn find(&self, name: &CStr) -> Option<NonNull<c_void>> {
            let short = name
                .to_str()
                .ok()?
                .strip_prefix("envoy_dynamic_module_callback_")?;
            (!self.0.contains(&short)).then(NonNull::dangling)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fake_symbols::AllBut;
    use super::*;

    #[test]
    fn the_newest_host_has_every_capability_we_know() {
        let host = Host::resolve(&AllBut(vec![])).expect("a full host is accepted");
        assert_eq!(host.version, EnvoyVersion::V1_40);
        assert_eq!(host.capabilities, Capabilities::of(EnvoyVersion::V1_40));
    }

    #[test]
    fn a_missing_core_callback_is_refused_by_its_full_name() {
        let refusal = Host::resolve(&AllBut(vec!["http_append_body"]))
            .err()
            .expect("refused");
        assert!(
            refusal
                .to_string()
                .contains("envoy_dynamic_module_callback_http_append_body"),
            "{refusal}"
        );
    }

    #[test]
    fn a_missing_later_callback_only_costs_its_capability() {
        let host = Host::resolve(&AllBut(vec!["http_filter_reset_stream"])).expect("accepted");
        assert!(!host.capabilities.has(Capability::ResetStream));
        assert!(host.capabilities.has(Capability::Spans));
    }
}
