//! What an operator sees of the loaded module, and patch releases of Envoy: they load it and run it.

use std::os::unix::fs::PermissionsExt as _;

use rustformations_tests::lab::with_envoy;
use rustformations_tests::{
    Envoy, EnvoyConfig, Lab, PATCH_RELEASES, Route, Version, on_every_envoy,
};
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

/// The ABI versions that Envoy 1.36.4 and 1.37.0 insist on, and one that no release has.
const KNOWN: [(Version, &[u8; 64]); 2] = [
    (
        Version::new(1, 36, 4),
        b"7ee559f16f35086fa7dc9ed380e2efc6b4d89031a001fb504aa71eccd25882f7",
    ),
    (
        Version::new(1, 37, 0),
        b"4dae397a7c9ff0238d318d57ea656ce8b3fbff595787dcd7ee2ff5b79c9fe10f",
    ),
];
const UNKNOWN: &[u8; 64] = b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[test]
fn an_abi_version_that_only_the_executable_knows_is_found_there() {
    for (version, known) in KNOWN {
        with_envoy(version, |envoy| {
            let mut executable = std::fs::read(envoy.binary()).unwrap();
            let at = executable
                .windows(known.len())
                .position(|window| window == known)
                .unwrap();
            executable[at..at + known.len()].copy_from_slice(UNKNOWN);
            let folder = tempfile::tempdir().unwrap();
            let patched = folder.path().join("envoy");
            std::fs::write(&patched, executable).unwrap();
            std::fs::set_permissions(&patched, std::fs::Permissions::from_mode(0o755)).unwrap();
            works_and_says_what_it_is(&Envoy::at(&patched).unwrap());
        });
    }
}
