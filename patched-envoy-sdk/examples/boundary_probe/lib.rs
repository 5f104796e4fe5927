//! The module that the boundary tests load: a filter that does what its configuration says and
//! tells the host's log about everything.
//!
//! Not a pattern to copy; `require_header` is. Built as a `cdylib` like any module, loaded by the C
//! hosts of `tests/hosts`, driven by `tests/boundary.rs`. The configuration is a list of
//! `hook=action` pairs separated by blanks, where several actions are joined with `+`:
//! `request_headers=survey+stop scheduled=continue_decoding`. Hooks that are not named continue.

#![forbid(unsafe_code)]

mod actions;
mod filter;
mod survey;

use std::any::Any;

use envoy_proxy_dynamic_modules_rust_sdk::*;

use abi::envoy_dynamic_module_type_http_callout_result as CalloutResult;

declare_init_functions!(init, new_http_filter_config, new_per_route_config);

fn init() -> bool {
    match std::env::var("BOUNDARY_PROBE_INIT").as_deref() {
        Ok("false") => false,
        Ok("panic") => panic!("init panics"),
        _ => true,
    }
}

fn new_http_filter_config<EC: EnvoyHttpFilterConfig, EHF: EnvoyHttpFilter>(
    envoy: &mut EC,
    name: &str,
    config: &[u8],
) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    let plan = Plan(String::from_utf8_lossy(config).into_owned());
    envoy_log_info!("config name={name:?} bytes={}", config.len());
    for action in plan.actions("config") {
        match action {
            "panic" => panic!("config panics"),
            "refuse" => return None,
            "callout" => {
                let (result, id) = envoy.send_http_callout("cfg", actions::CALL, Some(b"b"), 9);
                envoy_log_info!("config callout {result:?} id={}", id != 0);
            }
            "schedule" => envoy.new_scheduler().commit(77),
            other => envoy_log_error!("unknown config action {other}"),
        }
    }
    let metrics = survey::Metrics::define(envoy);
    Some(Box::new(ProbeConfig { plan, metrics }))
}

fn new_per_route_config(name: &str, config: &[u8]) -> Option<Box<dyn Any>> {
    envoy_log_info!("per route name={name:?} bytes={}", config.len());
    match config {
        b"panic" => panic!("per route panics"),
        b"refuse" => None,
        _ => Some(Box::new(RouteConfig(
            String::from_utf8_lossy(config).into_owned(),
        ))),
    }
}

/// What a per-route config holds; says when it is dropped.
struct RouteConfig(String);

impl Drop for RouteConfig {
    fn drop(&mut self) {
        envoy_log_info!("route config dropped {}", self.0);
    }
}

/// Which hook does what.
#[derive(Clone)]
struct Plan(String);

impl Plan {
    fn actions<'p>(&'p self, hook: &str) -> impl Iterator<Item = &'p str> {
        let found = self
            .0
            .split_whitespace()
            .find_map(|pair| match pair.split_once('=') {
                Some((name, actions)) if name == hook => Some(actions),
                _ => None,
            });
        found.into_iter().flat_map(|actions| actions.split('+'))
    }
}

struct ProbeConfig {
    plan: Plan,
    metrics: survey::Metrics,
}

impl ProbeConfig {
    fn event(&self, hook: &str) {
        envoy_log_info!("config hook {hook}");
        if self.plan.actions(hook).any(|action| action == "panic") {
            panic!("{hook} panics");
        }
    }
}

impl Drop for ProbeConfig {
    fn drop(&mut self) {
        self.event("config_drop");
    }
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for ProbeConfig {
    fn new_http_filter(&self, envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        let path = envoy
            .get_request_header_value(":path")
            .map(|path| path.as_slice().len());
        envoy_log_info!("filter made, path is {path:?} bytes");
        if self.plan.actions("new").any(|action| action == "panic") {
            panic!("new panics");
        }
        Box::new(filter::Probe {
            plan: self.plan.clone(),
            metrics: self.metrics,
        })
    }

    fn on_scheduled(&self, event_id: u64) {
        envoy_log_info!("config event {event_id}");
        self.event("config_scheduled");
    }

    fn on_http_callout_done(
        &self,
        _envoy_config: &mut EnvoyHttpFilterConfigImpl,
        callout_id: u64,
        result: CalloutResult,
        response_headers: Option<&[(EnvoyBuffer<'_>, EnvoyBuffer<'_>)]>,
        response_body: Option<&[EnvoyBuffer<'_>]>,
    ) {
        let lines = response_headers.map(<[_]>::len);
        let chunks = response_body.map(<[_]>::len);
        envoy_log_info!("config callout {callout_id} {result:?} {lines:?} {chunks:?}");
        self.event("config_callout_done");
    }
}
