//! Configurations that name the secret SYSTEM_CA_CERT themselves: one that brings it keeps its own, and one that
//! only uses it gets ours. Real Envoys say which is which.

use k8s_check::tree::Line;
use rustformations_tests::{Envoy, Request, on_every_envoy};
use serde_json::{Value, json};

use super::ARGS;
use super::bootstrap::{Ports, managed};
use super::container::{Files, Proxy, entrypoint, outcome, shared};

const NAME: &str = "SYSTEM_CA_CERT";

const NO_MODULE: &str = "not opened: no configuration names it";

/// A configuration with the secret, in the ways that people and programs write it.
const BROUGHT: &[(&str, &str)] = &[
    (
        "block.yaml",
        "admin: {}\nstatic_resources:\n  secrets:\n  - name: SYSTEM_CA_CERT\n    validation_context:\n      trusted_ca: {filename: OWN}\n",
    ),
    (
        "last.yaml",
        "admin: {}\nstatic_resources:\n  secrets:\n    - validation_context:\n        trusted_ca:\n          filename: OWN\n      name: 'SYSTEM_CA_CERT' # ours\n",
    ),
    (
        "flow.yaml",
        "admin: {}\nstatic_resources: {secrets: [{name: SYSTEM_CA_CERT, validation_context: {trusted_ca: {filename: OWN}}}]}\n",
    ),
    (
        "anchor.yaml",
        "admin: {}\nnode: {id: &ca SYSTEM_CA_CERT}\nstatic_resources:\n  secrets:\n  - name: *ca\n    validation_context:\n      trusted_ca: {filename: OWN}\n",
    ),
    (
        "compact.json",
        r#"{"admin":{},"staticResources":{"secrets":[{"validationContext":{"trustedCa":{"filename":"OWN"}},"name":"SYSTEM_CA_CERT"}]}}"#,
    ),
    (
        "lines.json",
        "{\n  \"admin\": {},\n  \"static_resources\": {\n    \"secrets\": [\n      {\n        \"name\":\n          \"SYSTEM_CA_CERT\",\n        \"validation_context\": {\"trusted_ca\": {\"filename\": \"OWN\"}}\n      }\n    ]\n  }\n}\n",
    ),
];

/// A cluster that trusts whom the secret trusts.
fn user_of_the_secret() -> Value {
    json!({
        "name": "provider", "type": "STATIC", "connect_timeout": "5s",
        "transport_socket": {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                "common_tls_context": {"validation_context_sds_secret_config": {"name": NAME}},
            },
        },
    })
}

/// Starts `envoy` with the bootstrap of a kgateway 2.4 that `change` has been made to; returns what was merged
/// into it: its secrets, and the region of its node.
fn secrets_and_region(
    envoy: &Envoy,
    change: impl FnOnce(&mut Value, &Files),
) -> (Vec<Value>, Value) {
    let files = Files::new();
    let ports = Ports::free();
    let mut bootstrap = managed(Line::V2_4, &files.path(""), ports, None);
    change(&mut bootstrap["static_resources"], &files);
    let config = files.write("envoy.yaml", &bootstrap.to_string());
    files.write("librust_module.so", NO_MODULE);
    let mut command = entrypoint(&shared(envoy), ARGS);
    command
        .env("INPUT_CONF", config)
        .env("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", files.path(""))
        .env("KGATEWAY_NODE_REGION", "eu-1");
    let mut proxy = Proxy::start(command, &files);
    let admin = |path: &str| Request::new(ports.admin, "GET", path);
    let server = proxy.wait_for(&admin("/server_info")).json();
    let dump = proxy.dump(&admin("/config_dump"), "SecretsConfigDump");
    let secrets = dump["static_secrets"].as_array().unwrap();
    let secrets = secrets.iter().map(|secret| secret["secret"].clone());
    (
        secrets.collect(),
        server["node"]["locality"]["region"].clone(),
    )
}

on_every_envoy! {
    fn a_secret_that_a_configuration_brings_is_not_merged_a_second_time(envoy) {
        for (name, text) in BROUGHT {
            let files = Files::new();
            let own = files.write("own.pem", "");
            let config = files.write(name, &text.replace("OWN", own.to_str().unwrap()));
            files.write("librust_module.so", NO_MODULE);
            let mut command = entrypoint(&shared(envoy), &["--mode", "validate"]);
            command
                .env("INPUT_CONF", config)
                .env("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", files.path(""));
            let (status, _, complaint) = outcome(command);
            assert!(status.success(), "{name}: {complaint}");
        }
    }

    fn a_proxy_keeps_the_secret_of_its_configuration_and_gets_the_locality(envoy) {
        let mut file = String::new();
        let (secrets, region) = secrets_and_region(envoy, |resources, files| {
            let own = files.write("own.pem", "");
            file = own.to_str().unwrap().to_owned();
            resources["secrets"] = json!([
                {"name": "other", "generic_secret": {"secret": {"inline_string": "x"}}},
                {"name": NAME, "validation_context": {"trusted_ca": {"filename": own}}},
            ]);
        });
        let own: Vec<&Value> = secrets.iter().filter(|secret| secret["name"] == NAME).collect();
        assert_eq!(own.len(), 1, "{secrets:?}");
        assert_eq!(own[0]["validation_context"]["trusted_ca"]["filename"], file.as_str());
        assert_eq!(region, "eu-1");
    }

    fn a_proxy_whose_clusters_use_the_secret_gets_ours(envoy) {
        let (secrets, region) = secrets_and_region(envoy, |resources, _| {
            resources["secrets"] = json!([{"name": "other", "generic_secret": {"secret": {"inline_string": "x"}}}]);
            resources["clusters"].as_array_mut().unwrap().push(user_of_the_secret());
        });
        let ours = secrets.iter().find(|secret| secret["name"] == NAME);
        let file = ours.and_then(|secret| secret["validation_context"]["trusted_ca"]["filename"].as_str());
        assert!(file.is_some_and(|file| file.starts_with("/etc/")), "{secrets:?}");
        assert_eq!(region, "eu-1");
    }
}
