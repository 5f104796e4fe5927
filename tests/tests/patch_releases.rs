//! What an operator sees of the loaded module, and patch releases of Envoy: they load it and run it.

use rustformations_tests::lab::with_envoy;
use rustformations_tests::{Envoy, EnvoyConfig, Lab, PATCH_RELEASES, Route, on_every_envoy};
use serde_json::json;

fn works_and_says_what_it_is(envoy: &Envoy) {
    let rules = json!({"body": {"value": "<{{ body() }}>"}, "set": [{"name": "x-a", "value": "{{ header(':path')|upper }}"}]});
    let route = Route::at("/").transform(json!({"request": rules}));
    let lab = Lab::start(envoy, &EnvoyConfig::new().route(route));
    assert_eq!(lab.post("/x").body("was").send().status, 200);
    let received = lab.origin().last();
    assert_eq!(
        (received.text().as_str(), received.header("x-a").as_str()),
        ("<was>", "/X")
    );
    let build = format!(
        "rustformations_build.version.{}.revision.",
        env!("CARGO_PKG_VERSION")
    );
    let stats = lab.stats();
    let gauge = stats.iter().find(|(name, _)| name.contains(&build));
    assert_eq!(gauge.map(|(_, value)| *value), Some(1), "{stats:?}");
    let version = envoy.version();
    lab.expect_log(&format!(
        "is loaded into Envoy {}.{} (ABI ",
        version.major, version.minor
    ));
    lab.expect_log(&format!(
        "rustformations {} (revision ",
        env!("CARGO_PKG_VERSION")
    ));
    assert_eq!(lab.logs().matches("is loaded into Envoy").count(), 1);
}

on_every_envoy! {
    fn a_loaded_module_says_once_what_it_is(envoy) {
        works_and_says_what_it_is(envoy);
    }
}

#[test]
fn patch_releases_load_the_module_and_run_it() {
    for version in PATCH_RELEASES {
        with_envoy(version, works_and_says_what_it_is);
    }
}
