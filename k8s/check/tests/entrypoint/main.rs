//! The entrypoint of the image: the words it passes on, what it refuses, and that real Envoys of every
//! release start from it as kgateway 2.2, 2.3 and 2.4 would start them.
#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod bootstrap;
mod container;
mod secret;
mod words;

use container::{Files, Proxy, entrypoint, shared};
use k8s_check::tree::{self, Line};
use rustformations_tests::{Envoy, Origin, Reply, Request, on_every_envoy, workspace};
use serde_json::json;

use bootstrap::{Ports, http_listener, managed};

/// What kgateway's Deployment has in `args`, and nothing else.
const ARGS: &[&str] = &[
    "--disable-hot-restart",
    "--service-node",
    "ai-gateway-7d9.kgateway-system",
    "--log-level",
    "info",
    "--component-log-level",
    "connection:warning",
];

const LINES: [Line; 3] = [Line::V2_2, Line::V2_3, Line::V2_4];

/// Starts `envoy` as a pod of kgateway does, before there is a control plane; checks what it runs with.
fn starts_managed(envoy: &Envoy, line: Line) {
    let files = Files::new();
    let ports = Ports::free();
    let bootstrap = managed(line, &files.path(""), ports, None);
    let config = files.write("envoy.yaml", &bootstrap.to_string());
    files.write(
        "librust_module.so",
        "not opened: no configuration names it yet",
    );
    let labels = files.write(
        "labels",
        "app=\"x\"\ntopology.kubernetes.io/region=\"eu-1\"\ntopology.kubernetes.io/zone=\"eu-1b\"",
    );
    let folder = files.read_only_folder();
    let mut command = entrypoint(&shared(envoy), ARGS);
    command
        .current_dir(&folder)
        .env("INPUT_CONF", &config)
        .env("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", files.path(""))
        .env("ENVOY_UID", "0")
        .env("DISABLE_CORE_DUMPS", "true");
    if line == Line::V2_4 {
        command
            .env("PODINFO_LABELS", labels)
            .env("KGATEWAY_NODE_ZONE", "eu-1c");
    }
    let mut proxy = Proxy::start(command, &files);
    let admin = Request::new(ports.admin, "GET", "/config_dump");

    let server = proxy
        .wait_for(&Request::new(ports.admin, "GET", "/server_info"))
        .json();
    let node = &server["node"];
    assert_eq!(node["id"], "ai-gateway-7d9.kgateway-system");
    assert_eq!(node["cluster"], "ai-gateway.kgateway-system");
    let locality = match line {
        Line::V2_4 => json!({"region": "eu-1", "zone": "eu-1c", "sub_zone": ""}),
        Line::V2_2 | Line::V2_3 => json!(null),
    };
    assert_eq!(node["locality"], locality);
    let bootstrap = &proxy.dump(&admin, "BootstrapConfigDump")["bootstrap"];
    assert_eq!(
        bootstrap["static_resources"]["listeners"][0]["name"],
        "readiness_listener"
    );
    assert_eq!(
        bootstrap["static_resources"]["clusters"][0]["name"],
        "xds_cluster"
    );
    let secrets = proxy.dump(&admin, "SecretsConfigDump");
    assert_eq!(
        secrets["static_secrets"][0]["name"], "SYSTEM_CA_CERT",
        "{secrets}"
    );
    let listeners = proxy.dump(&admin, "ListenersConfigDump");
    assert_eq!(
        listeners["static_listeners"].as_array().map(Vec::len),
        Some(1)
    );

    assert_eq!(
        proxy.executable(),
        shared(envoy),
        "the shell is still there"
    );
    assert_eq!(
        std::fs::read_dir(&folder).unwrap().count(),
        0,
        "something was written"
    );
}

fn copy_module(files: &Files) {
    let module = workspace::module_folder()
        .unwrap()
        .join(workspace::MODULE_FILE);
    std::fs::copy(module, files.path(workspace::MODULE_FILE)).unwrap();
}

/// Starts `envoy` with the resources of a control plane on disk; checks probes and traffic.
fn serves_managed(envoy: &Envoy, line: Line, filter_name: &str) {
    let origin = Origin::start().unwrap();
    origin.answer(
        "/llm/chat/completions",
        Reply::json(&json!({"model": "gpt-4"})),
    );
    let files = Files::new();
    let ports = Ports::free();
    copy_module(&files);
    let filter = rustformations_tests::config::module_filter(
        rustformations_tests::config::CHAIN_ENTRY,
        filter_name,
        &"{}".into(),
        true,
    );
    let transform = json!({"response": {"set": [{"name": "x-proof", "value": "{{ request_header(':path') }}"}]}});
    let routes = json!([{
        "match": {"prefix": "/v1/chat/completions"},
        "route": {"cluster": "origin", "prefix_rewrite": "/llm/chat/completions"},
        "typed_per_filter_config": {
            rustformations_tests::config::CHAIN_ENTRY: rustformations_tests::config::per_route(
                "per_route_config_name",
                filter_name,
                &transform.into(),
            ),
        },
    }]);
    let listener = http_listener("listener~8080", ports.listener, routes, &[filter]);
    let cluster = bootstrap::cluster("origin", origin.address());
    let bootstrap = managed(line, &files.path(""), ports, Some((listener, cluster)));
    let config = files.write("envoy.yaml", &bootstrap.to_string());
    let mut command = entrypoint(&shared(envoy), ARGS);
    command
        .env("INPUT_CONF", &config)
        .env("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", files.path(""));
    let mut proxy = Proxy::start(command, &files);

    proxy.wait_for(&Request::new(ports.readiness, "GET", "/ready"));
    proxy.wait_for(&Request::new(ports.readiness, "GET", "/envoy-hc"));
    let request = Request::new(ports.listener, "POST", "/v1/chat/completions")
        .json(&json!({"model": "gpt-4"}));
    let answer = proxy.wait_for(&request);
    assert_eq!(answer.header("x-proof"), "/v1/chat/completions");

    // What the pod's preStop hook does with wget.
    let drain = Request::new(ports.admin, "POST", "/healthcheck/fail").send();
    assert_eq!(drain.status, 200);
    let drained = Request::new(ports.readiness, "GET", "/envoy-hc").send();
    assert_eq!(drained.status, 503);
}

on_every_envoy! {
    fn it_starts_as_a_proxy_of_every_kgateway_line_before_there_is_a_control_plane(envoy) {
        for line in LINES {
            starts_managed(envoy, line);
        }
    }

    fn it_serves_probes_and_transformed_traffic_as_a_proxy_of_every_kgateway_line(envoy) {
        serves_managed(envoy, Line::V2_2, "http_simple_mutations");
        serves_managed(envoy, Line::V2_3, "rustformation");
        serves_managed(envoy, Line::V2_4, "rustformation");
    }

    fn the_sample_configuration_of_the_image_is_valid_stand_alone(envoy) {
        let sample = std::fs::read_to_string(tree::root().join("envoy.yaml")).unwrap();
        let files = Files::new();
        let config = files.write("envoy.yaml", &sample);
        copy_module(&files);
        let mut command = entrypoint(&shared(envoy), &["--mode", "validate"]);
        command
            .env("INPUT_CONF", &config)
            .env("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", files.path(""));
        let (status, _, complaint) = container::outcome(command);
        assert!(status.success(), "{complaint}");
    }

    fn an_option_that_the_caller_brings_is_not_given_twice(envoy) {
        let files = Files::new();
        let config = files.write("own.yaml", "admin: {}");
        files.write("librust_module.so", "");
        let config = config.to_str().unwrap();
        for words in [
            &["-c", config, "--mode", "validate"][..],
            &["--config-path", config, "--mode", "validate"],
            &["--config-yaml", "admin: {}", "--mode", "validate"],
            &["-c", config, "--config-yaml", "node: {id: a}", "--mode", "validate"],
            // No Envoy takes these as they are.
            &[&format!("-c{config}"), "--mode", "validate"],
            &[&format!("-c={config}"), "--mode", "validate"],
            &[&format!("--config-path={config}"), "--mode", "validate"],
            &["--mode", "validate", "--config-yaml=admin: {}"],
        ] {
            let mut command = entrypoint(&shared(envoy), words);
            command.env("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", files.path(""));
            let (status, _, complaint) = container::outcome(command);
            assert!(status.success(), "{words:?}: {complaint}");
        }
    }
}
