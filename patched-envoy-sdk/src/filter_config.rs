//! One filter config as the boundary holds it: the author's object and the counter for its panics.
//!
//! Made on the main thread, shared by every stream of the config on every worker, freed on whatever
//! thread lets go of it last.

use std::sync::Arc;

use crate::guard;
use crate::host::Host;
use crate::host::config::EnvoyHttpFilterConfigImpl;
use crate::host::filter::{EnvoyHttpFilterImpl, metrics};
use crate::host::raw::FilterPtr;
use crate::http::{EnvoyCounterId, EnvoyHttpFilterConfig, HttpFilterConfig};

/// The author's config and what the SDK keeps beside it.
pub(crate) struct FilterConfig {
    author: Box<dyn HttpFilterConfig<EnvoyHttpFilterImpl>>,
    host: &'static Host,
    panics: Option<EnvoyCounterId>,
}

impl FilterConfig {
    /// Defines the panic counter, which is only possible now, and keeps the author's config. A host
    /// that refuses the counter costs the counter, not the filter.
    #[allow(clippy::arc_with_non_send_sync)] // Envoy moves the reference, not Rust; see the module.
    pub(crate) fn shared(
        host: &'static Host,
        envoy: &mut EnvoyHttpFilterConfigImpl,
        author: Box<dyn HttpFilterConfig<EnvoyHttpFilterImpl>>,
    ) -> Arc<Self> {
        let panics = envoy.define_counter(guard::counter_name()).ok();
        Arc::new(Self {
            author,
            host,
            panics,
        })
    }

    pub(crate) fn author(&self) -> &dyn HttpFilterConfig<EnvoyHttpFilterImpl> {
        &*self.author
    }

    /// Raises the panic counter.
    ///
    /// # Safety
    /// `envoy` is the live Envoy object of a stream of this config.
    pub(crate) unsafe fn count_panic(&self, envoy: FilterPtr) {
        if let Some(id) = self.panics {
            // SAFETY: promised by the caller.
            let _ = unsafe { metrics::increment_counter(self.host, envoy, id.0, None, 1) };
        }
    }
}
