//! The filter `http-acl`: lets requests through by client address.
//!
//! kgateway 2.3 and later asks the same module for this filter to carry out
//! `TrafficPolicy.spec.acl`; without it, replacing kgateway's module would make Envoy refuse every
//! such policy. Compiled on the main thread, run by workers. Names of the metadata, of the counter
//! and of the header values are kgateway's, so that dashboards and access logs keep working.
//!
//! It fails closed: a client without a readable address is denied, and a route configuration that
//! belongs to another filter is answered with 500.

use std::any::Any;
use std::sync::{Arc, Once};

use anyhow::{Result, anyhow};
use envoy_proxy_dynamic_modules_rust_sdk::prelude::*;

use transformations::access::{AccessPolicy, Verdict};
use transformations::network::parse_source_address;

use crate::refusal::{log_refusal, refused};

/// The name kgateway asks for.
pub(crate) const NAME: &str = "http-acl";

const METADATA_NAMESPACE: &str = "dev.kgateway.http.acl";
const METADATA_KEY: &str = "blocked-by";
const BLOCKED_COUNTER: &str = "dev.kgateway.http.acl.blocked";

/// Compiles a filter-level configuration; `None`, after logging why, if it is no access policy.
pub(crate) fn new_http_filter_config<EC, EHF>(
    envoy_filter_config: &mut EC,
    config: &[u8],
) -> Option<Box<dyn HttpFilterConfig<EHF>>>
where
    EC: EnvoyHttpFilterConfig,
    EHF: EnvoyHttpFilter,
{
    let configured = AclConfig::new(envoy_filter_config, config);
    log_refusal(NAME, configured).map(|it| Box::new(it) as Box<dyn HttpFilterConfig<EHF>>)
}

/// Compiles a per-route configuration; `None`, after logging why, if it is no access policy.
pub(crate) fn new_per_route_config(config: &[u8]) -> Option<Box<dyn Any>> {
    log_refusal(NAME, compile(config)).map(|policy| Box::new(policy) as Box<dyn Any>)
}

fn compile(config: &[u8]) -> Result<Arc<AccessPolicy>> {
    let policy = AccessPolicy::compile(config);
    Ok(Arc::new(policy.map_err(refused)?))
}

struct AclConfig {
    policy: Arc<AccessPolicy>,
    blocked: EnvoyCounterId,
}

impl AclConfig {
    fn new<EC: EnvoyHttpFilterConfig>(envoy: &mut EC, config: &[u8]) -> Result<Self> {
        let policy = compile(config)?;
        let blocked = envoy.define_counter(BLOCKED_COUNTER).map_err(|refusal| {
            anyhow!("Envoy refused the counter {BLOCKED_COUNTER}: {refusal:?}")
        })?;
        Ok(Self { policy, blocked })
    }
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for AclConfig {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(AclFilter {
            policy: Arc::clone(&self.policy),
            blocked: self.blocked,
        })
    }
}

struct AclFilter {
    policy: Arc<AccessPolicy>,
    blocked: EnvoyCounterId,
}

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for AclFilter {
    fn on_request_headers(
        &mut self,
        envoy: &mut EHF,
        _end_of_stream: bool,
    ) -> RequestHeadersStatus {
        // The most specific policy replaces the others wholesale.
        if let Some(route_config) = envoy.get_most_specific_route_config() {
            let Some(policy) = route_config.downcast_ref::<Arc<AccessPolicy>>() else {
                // Any client can cause this: said once, then counted.
                static SAID: Once = Once::new();
                SAID.call_once(|| {
                    envoy_log_error!("{NAME}: the route's configuration belongs to another filter");
                });
                let _ = envoy.increment_counter(self.blocked, 1);
                envoy.send_response(500, &[], None, Some("http_acl_foreign_route_config"));
                return RequestHeadersStatus::StopIteration;
            };
            self.policy = Arc::clone(policy);
        }
        let client = envoy
            .get_attribute_string(AttributeId::SourceAddress)
            .and_then(|address| {
                parse_source_address(std::str::from_utf8(address.as_slice()).ok()?)
            });
        let verdict = match client {
            Some(client) => self.policy.judge(client),
            None => Verdict::Deny("unknown-ip"),
        };
        match verdict {
            Verdict::Allow => RequestHeadersStatus::Continue,
            Verdict::Deny(blocked_by) => {
                deny(envoy, &self.policy, self.blocked, blocked_by);
                RequestHeadersStatus::StopIteration
            }
        }
    }
}

fn deny<EHF: EnvoyHttpFilter>(
    envoy: &mut EHF,
    policy: &AccessPolicy,
    blocked: EnvoyCounterId,
    blocked_by: &str,
) {
    envoy.set_dynamic_metadata_string(METADATA_NAMESPACE, METADATA_KEY, blocked_by);
    // A counter that Envoy refuses to raise must not change the verdict.
    let _ = envoy.increment_counter(blocked, 1);
    let denial = policy.denial();
    let written = denial
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()));
    let reason = denial
        .blocked_by
        .as_deref()
        .map(|name| (name, blocked_by.as_bytes()));
    let headers: Vec<_> = written.chain(reason).collect();
    envoy.send_response(denial.status, &headers, None, Some("http_acl_denied"));
}
