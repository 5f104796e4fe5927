//! Every configuration that kgateway's own module loads is loaded, all in one bootstrap; every other is
//! refused.

use rustformations_tests::config::{module_filter, per_route};
use rustformations_tests::{Envoy, EnvoyConfig, Lab, Route, on_every_envoy};
use serde_json::{Value, json};

use super::{entries, tables, text};

/// Functions that no engine of kgateway has, though its translator's goldens name them: a request fails
/// there, the configuration here.
const INVENTED: &[&str] = &["headers(", "request_headers(", "length("];

fn is_invented(entry: &Value) -> bool {
    INVENTED
        .iter()
        .any(|name| text(entry, "config").contains(name))
}

fn loads(entry: &Value) -> bool {
    entry["kgateway_loads"] == json!(true) && !is_invented(entry)
}

/// Puts a configuration where kgateway puts it, beside what is there.
fn with(config: EnvoyConfig, entry: &Value, number: usize) -> EnvoyConfig {
    let (filter, text) = (text(entry, "filter"), text(entry, "config"));
    let name = format!("extra-{number}");
    let levels = entries(entry, "levels");
    let (at_listener, at_route) = (
        levels.contains(&json!("listener")),
        levels.contains(&json!("route")),
    );
    let of_listener = if at_listener {
        text
    } else {
        "{\"defaultAction\":\"allow\"}"
    };
    let of_listener = if filter == "http-acl" || at_listener {
        of_listener
    } else {
        "{}"
    };
    let config = config.filter_before(module_filter(&name, filter, &of_listener.into(), true));
    if !at_route {
        return config;
    }
    let of_route = per_route("per_route_config_name", filter, &text.into());
    config.route(Route::at(&format!("/{number}/")).per_filter(&name, of_route))
}

on_every_envoy! {
    fn everything_kgateway_writes_loads_in_one_bootstrap(envoy) {
        for table in tables() {
            let good = entries(&table, "load").iter().filter(|entry| loads(entry));
            let config = good
                .enumerate()
                .fold(EnvoyConfig::new(), |config, (number, entry)| with(config, entry, number));
            let lab = Lab::start(envoy, &config.route(Route::at("/")));
            assert_eq!(lab.get("/").send().status, 200);
        }
    }
}

/// The oldest and the newest Envoy are enough for what is decided by the module alone.
fn what_it_refuses_is_refused(envoy: &Envoy) {
    for table in tables() {
        for entry in entries(&table, "load").iter().filter(|entry| !loads(entry)) {
            let config = with(EnvoyConfig::new(), entry, 0);
            let log = Lab::refuse(envoy, &config.route(Route::at("/")));
            if is_invented(entry) {
                assert!(log.contains("error[RF1203]"), "{entry}: {log}");
            }
        }
    }
}

#[test]
fn what_it_refuses_is_refused_1_36_4() {
    rustformations_tests::lab::with_envoy(
        rustformations_tests::Version::new(1, 36, 4),
        what_it_refuses_is_refused,
    );
}

#[test]
fn what_it_refuses_is_refused_1_40_0() {
    rustformations_tests::lab::with_envoy(
        rustformations_tests::Version::new(1, 40, 0),
        what_it_refuses_is_refused,
    );
}
