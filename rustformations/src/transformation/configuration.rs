//! A configuration that Envoy holds: compiled from its text, with what this process and its Envoy allow.
//!
//! Made on Envoy's main thread; refused with everything that is wrong with it.

use std::sync::Arc;

use anyhow::Result;
use envoy_proxy_dynamic_modules_rust_sdk::{
    Capabilities, Capability, EnvoyVersion, envoy_log_warn,
};
use once_cell::sync::Lazy;
use transformations::CompileOptions;

use super::profiles::ModuleFiles;
use super::programs::{self, Chosen};
use crate::refusal::refused;
use crate::watch::{Watcher, Watching};

/// What a route's configuration compiles to.
pub(super) struct RouteConfig(pub(super) Configuration);

/// A configuration that Envoy holds.
pub(super) struct Configuration {
    pub(super) chosen: Chosen,
    /// Has files watched, if it follows any. Only here: what Envoy holds is never freed by the watcher.
    _watching: Option<Watching>,
}

impl Configuration {
    pub(super) fn new(name: &str, config: &[u8]) -> Result<Self> {
        let files = ModuleFiles::new(&OPTIONS);
        let (chosen, is_new) = programs::of_text(config, &OPTIONS, files).map_err(refused)?;
        let loaded = chosen.now();
        // A thousand routes may say the same; it is told once.
        if is_new {
            for warning in loaded.program.warnings() {
                envoy_log_warn!("{name}: {warning}");
            }
        }
        let follows = loaded.program.follows_files();
        let watching = follows.then(|| Watcher::of_process().watch());
        Ok(Self {
            chosen,
            _watching: watching,
        })
    }
}

/// What the process and its Envoy allow every configuration. Asked for once: neither changes.
static OPTIONS: Lazy<Arc<CompileOptions>> = Lazy::new(|| {
    let mut options = CompileOptions::from_process();
    let envoy = EnvoyVersion::of_host().unwrap_or(EnvoyVersion::V1_36);
    options.capabilities = capabilities(Capabilities::of_host(), envoy);
    Arc::new(options)
});

/// What configurations may ask of an Envoy that has these callbacks.
fn capabilities(host: Capabilities, envoy: EnvoyVersion) -> transformations::Capabilities {
    let mut capabilities = transformations::Capabilities::all();
    capabilities.metadata_bool = host.has(Capability::MetadataBool);
    capabilities.metadata_list = host.has(Capability::MetadataLists);
    capabilities.metadata_struct = host.has(Capability::MetadataStruct);
    capabilities.header_lines = host.has(Capability::AddHeader);
    capabilities.attributes_of_envoy = envoy.numbers();
    capabilities
}

#[cfg(test)]
mod tests {
    use super::{Capabilities, EnvoyVersion, capabilities};

    /// Whoever checks configurations away from an Envoy says the same as the Envoy.
    #[test]
    fn each_release_has_the_capabilities_that_are_known_of_it() {
        for envoy in EnvoyVersion::ALL {
            let known = transformations::Capabilities::of_envoy(envoy.numbers());
            assert_eq!(
                capabilities(Capabilities::of(envoy), envoy),
                known,
                "{envoy:?}"
            );
        }
    }
}
