//! Route, cluster, and what the host can say or change about the stream as a whole.
//!
//! On the stream's worker thread.

use std::any::Any;
use std::cell::Cell;
use std::sync::Arc;

use super::{EnvoyHttpFilterImpl, view};
use crate::abi::envoy_dynamic_module_type_log_level as Level;
use crate::buffer::EnvoyBuffer;
use crate::capabilities::Capability;
use crate::host::Family;
use crate::host::once;
use crate::host::raw::{Borrowed, Buf};
use crate::http::ClusterHostCount;

/// A per-route config as Envoy holds it: a pointer to this, leaked until its destroy hook.
pub(crate) type PerRouteConfig = Arc<dyn Any>;

/// How many streams may start over inside each other.
const MAX_RECREATING: u32 = 8;

thread_local! {
    /// `recreate_stream` calls on this worker's stack; a plain cell without a destructor.
    static RECREATING: Cell<u32> = const { Cell::new(0) };
}

impl EnvoyHttpFilterImpl {
    pub(super) fn per_route_config(&self) -> Option<PerRouteConfig> {
        let (host, envoy) = self.live()?;
        // SAFETY: live; what Envoy returns is null or the pointer our per-route hook gave it, which
        // it does not destroy while a route of this stream refers to it.
        unsafe {
            let config = (host.common.get_most_specific_route_config)(envoy);
            config.cast::<PerRouteConfig>().as_ref().cloned()
        }
    }

    pub(super) fn route_cache_cleared(&mut self) {
        // Envoy has chosen its last route by then, and reports a bug of its own when asked again.
        if self.stream().is_complete() || self.is_out_of_reach("clear_route_cache") {
            return;
        }
        if let Some((host, envoy)) = self.live() {
            // SAFETY: live.
            unsafe { (host.common.http_clear_route_cache)(envoy) }
        }
    }

    /// A host that cannot clear only the cluster clears the whole route, which includes it.
    pub(super) fn route_cluster_cache_cleared(&mut self) {
        if self.stream().is_complete() || self.is_out_of_reach("clear_route_cluster_cache") {
            return;
        }
        match self.later(|later| later.http_clear_route_cluster_cache) {
            // SAFETY: live.
            Some((clear, envoy)) => unsafe { clear(envoy) },
            None => self.route_cache_cleared(),
        }
    }

    pub(super) fn cluster_name(&self) -> Option<EnvoyBuffer<'_>> {
        let (get, envoy) = self.later(|later| later.http_get_cluster_name)?;
        let mut name = Buf::EMPTY;
        // SAFETY: live; the name stays until the route is cleared, which needs `&mut self`.
        unsafe { get(envoy, &mut name).then(|| view(name)) }
    }

    pub(super) fn cluster_host_count(&self, priority: u32) -> Option<ClusterHostCount> {
        let (get, envoy) = self.later(|later| later.http_get_cluster_host_count)?;
        let mut count = ClusterHostCount {
            total: 0,
            healthy: 0,
            degraded: 0,
        };
        // SAFETY: live; the three numbers are written during the call.
        let found = unsafe {
            get(
                envoy,
                priority,
                &mut count.total,
                &mut count.healthy,
                &mut count.degraded,
            )
        };
        found.then_some(count)
    }

    pub(super) fn override_host(&mut self, address: &str, strict: bool) -> bool {
        if self.is_out_of_reach("set_upstream_override_host") {
            return false;
        }
        self.later(|later| later.http_set_upstream_override_host)
            .is_some_and(
                // SAFETY: live; Envoy copies the address during the call.
                |(set, envoy)| unsafe { set(envoy, Buf::of(address.as_bytes()), strict) },
            )
    }

    /// Ends this stream under the running hook when it works, which is why the handle is inert
    /// afterwards; its answer is needed at once, which is why it is not deferred.
    ///
    /// `original` are the headers of the response that led to this, as for a redirect. Envoy
    /// asserts that they have a status, so those without one are refused here. The new stream's
    /// hooks run before this returns: a filter that starts over every time would use up the stack.
    pub(super) fn recreated(&mut self, original: Option<&[(&str, &[u8])]>) -> bool {
        if self.is_out_of_reach("recreate_stream") {
            return false;
        }
        let Some((recreate, envoy)) = self.later(|later| later.http_filter_recreate_stream) else {
            return false;
        };
        if self.stream().is_complete() {
            // There is no stream left to start over; Envoy would crash.
            return false;
        }
        let refuse = |reason: &str| {
            crate::host::write(Level::Error, reason, file!(), line!());
            false
        };
        if original.is_some_and(|lines| !lines.iter().any(|(key, _)| *key == ":status")) {
            return refuse("recreate_stream: the original response headers lack `:status`");
        }
        let depth = RECREATING.get();
        if depth == MAX_RECREATING {
            return refuse("recreate_stream: a stream that was started over too often goes on");
        }
        let lines = Borrowed::pairs(original.unwrap_or_default());
        RECREATING.set(depth + 1);
        // SAFETY: live; Envoy copies the lines during the call. Hooks that run inside find the
        // filter out of its slot: `stream_complete` is queued, `destroy` only marks.
        let recreated = unsafe { recreate(envoy, lines.as_ptr(), lines.len()) };
        RECREATING.set(depth);
        if recreated {
            self.stream().mark_gone();
        }
        recreated
    }

    pub(super) fn flag_added(&mut self, flag: &str) {
        let Some((host, envoy)) = self.live() else {
            return;
        };
        match &host.family {
            Family::V136(_) => {
                once::warn_unsupported(host, Capability::CustomFlag, "add_custom_flag");
            }
            // SAFETY: live; Envoy copies the flag during the call.
            Family::V137(table) => unsafe {
                (table.http_add_custom_flag)(envoy, Buf::of(flag.as_bytes()));
            },
        }
    }

    pub(super) fn buffer_limit(&self) -> u64 {
        // SAFETY: live.
        self.later(|later| later.http_get_buffer_limit)
            .map_or(0, |(get, envoy)| unsafe { get(envoy) })
    }

    pub(super) fn limit_buffer(&mut self, limit: u64) {
        let set = self.later_or_warn(Capability::BufferLimit, "set_buffer_limit", |later| {
            later.http_set_buffer_limit
        });
        if let Some((set, envoy)) = set {
            // SAFETY: live.
            unsafe { set(envoy, limit) }
        }
    }

    pub(super) fn worker_index(&self) -> u32 {
        let get = self.later_or_warn(Capability::WorkerIndex, "get_worker_index", |later| {
            later.http_filter_get_worker_index
        });
        // SAFETY: live.
        get.map_or(0, |(get, envoy)| unsafe { get(envoy) })
    }

    /// Envoy says 0 for "no connection".
    pub(super) fn connection_id_upstream(&self) -> Option<u64> {
        let (get, envoy) = self.later(|later| later.http_get_upstream_connection_id)?;
        // SAFETY: live.
        Some(unsafe { get(envoy) }).filter(|id| *id != 0)
    }
}
