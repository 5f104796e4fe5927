//! Messages that a filter holds and lets go on from within their last hook, which in HTTP/2 has the last chunk
//! in hand. The filter is the probe of the SDK, which does what its configuration says.
#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use rustformations_tests::{EnvoyConfig, Lab, Settings, on_every_envoy, workspace};
use serde_json::{Value, json};

use crate::client::Http2;
use crate::message::Message;
use crate::origin::{Http2Origin, Reply};

/// The folder of the probe, which is built beside the running test.
fn probe_folder() -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let test = std::env::current_exe().unwrap();
        // target/<profile>/deps/<test>
        let profile = test.ancestors().nth(2).unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(workspace::root().join("patched-envoy-sdk"));
        cargo.args([
            "build",
            "--quiet",
            "--example",
            "boundary_probe",
            "--target-dir",
        ]);
        cargo.arg(profile.parent().unwrap());
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(
            cargo.status().unwrap().success(),
            "the probe does not build"
        );
        profile.join("examples")
    };
    FOLDER.get_or_init(build).clone()
}

fn probe(plan: &str) -> Value {
    json!({"name": "probe", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter",
        "dynamic_module_config": {"name": "boundary_probe"},
        "filter_name": "probe",
        "filter_config": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": plan},
    }})
}

on_every_envoy! {
    fn a_message_that_goes_on_in_its_last_hook_is_whole(envoy) {
        let origin = Http2Origin::start().unwrap();
        origin.answer("/", Reply::new(200, Message::new().piece("one answer")));
        let plan = "request_headers=stop request_body=continue_decoding+buffer \
                    response_headers=stop response_body=continue_encoding+buffer";
        let config = EnvoyConfig::new().without_module().filter_before(probe(plan));
        let settings = Settings {
            module_folder: Some(probe_folder()),
            ..Settings::default()
        };
        let lab = Lab::start_with(envoy, &config.http2_origin(origin.address()), settings);
        let mut client = Http2::open(lab.address()).unwrap();
        let answer = client.send("POST", "/", Message::new().piece("two books"));
        assert_eq!((answer.status, answer.body.as_slice()), (200, &b"one answer"[..]));
        assert_eq!(origin.last().body, b"two books");
    }
}
