//! Which configuration a stream runs: that of its route, or else the filter's.
//!
//! Asked on the stream's worker: in its first hook, and once more if the route is chosen again.

use std::sync::Arc;

use envoy_proxy_dynamic_modules_rust_sdk::EnvoyHttpFilter;

use super::configuration::RouteConfig;
use super::loaded::Loaded;

/// The configurations of one stream.
pub(super) struct Configured {
    of_filter: Arc<Loaded>,
    /// What runs.
    loaded: Arc<Loaded>,
    /// The route has a configuration of somebody else's making, which nobody was told of yet.
    is_foreign: bool,
}

impl Configured {
    pub(super) fn new(of_filter: Arc<Loaded>) -> Self {
        Self {
            loaded: Arc::clone(&of_filter),
            of_filter,
            is_foreign: false,
        }
    }

    pub(super) fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// Takes what the route says now.
    pub(super) fn ask_route<EHF: EnvoyHttpFilter>(&mut self, envoy: &EHF) {
        let route_config = envoy.get_most_specific_route_config();
        let of_route = route_config
            .as_ref()
            .map(|it| it.downcast_ref::<RouteConfig>());
        self.is_foreign |= matches!(of_route, Some(None));
        self.loaded = match of_route {
            Some(Some(RouteConfig(configuration))) => configuration.chosen.now(),
            Some(None) | None => Arc::clone(&self.of_filter),
        };
    }

    /// Whether a configuration that was asked for is of somebody else's making. Says so once.
    pub(super) fn met_foreign(&mut self) -> bool {
        std::mem::take(&mut self.is_foreign)
    }
}
