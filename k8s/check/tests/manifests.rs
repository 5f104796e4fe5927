//! Every overlay renders, obeys the resource definitions of the releases it is for, and finds its parts.
#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use k8s_check::references::Objects;
use k8s_check::schema::{Definitions, problems};
use k8s_check::tree::{self, OVERLAYS, name_of};
use rustformations_tests::tools;
use serde_json::{Value, json};

/// The Secrets that a user makes by hand, as the overlay's comment says.
const SECRETS: &[&str] = &["anthropic", "openai"];

fn can_render() -> bool {
    tools::has_tool("kubectl").unwrap()
}

fn folders_below(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            folders_below(&path, found);
        } else if path.ends_with("kustomization.yaml") {
            found.insert(folder.to_owned());
        }
    }
}

#[test]
fn every_folder_that_can_be_applied_is_checked() {
    let k8s = tree::root().join("k8s");
    let mut found = BTreeSet::new();
    folders_below(&k8s.join("overlays"), &mut found);
    folders_below(&k8s.join("examples"), &mut found);
    folders_below(&k8s.join("observability"), &mut found);
    let checked: BTreeSet<PathBuf> = tree::folders().map(|one| k8s.join(one.path)).collect();
    assert_eq!(found, checked);
}

#[test]
fn every_object_obeys_its_definition_without_unknown_fields() {
    let Some(folder) = tree::definitions_folder().unwrap() else {
        return;
    };
    if !can_render() {
        return;
    }
    let mut found = Vec::new();
    for overlay in tree::folders() {
        let definitions = Definitions::read(&folder, overlay.definitions).unwrap();
        let objects = tree::render(overlay.path).unwrap();
        assert!(!objects.is_empty(), "{} is empty", overlay.path);
        for object in &objects {
            for problem in definitions.problems(object) {
                found.push(format!("{}: {}: {problem}", overlay.path, name_of(object)));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// Deployments, overlays of generated Deployments and ConfigMaps hold pod specs that no definition
/// describes. Envoy Gateway's definition describes the same types, and lends its own.
#[test]
fn every_container_and_volume_has_only_fields_of_kubernetes() {
    let Some(folder) = tree::definitions_folder().unwrap() else {
        return;
    };
    if !can_render() {
        return;
    }
    let definitions = Definitions::read(&folder, &["envoy-gateway-v1.9.0"]).unwrap();
    let base = "/properties/spec/properties/provider/properties/kubernetes/properties/envoyDeployment/properties";
    let part = |rest: &str| {
        definitions
            .part(
                "gateway.envoyproxy.io/v1alpha1/EnvoyProxy",
                &format!("{base}/{rest}"),
            )
            .unwrap()
    };
    let container = part("initContainers/items");
    let volume = part("pod/properties/volumes/items");
    let mut seen = 0;
    for overlay in tree::folders() {
        for object in tree::render(overlay.path).unwrap() {
            let patch = object.pointer("/data/deployment").and_then(Value::as_str);
            let patch = patch.map(|text| tree::read_documents(text).unwrap().remove(0));
            let specs = [
                object.pointer("/spec/template/spec"),
                object.pointer("/spec/kube/deploymentOverlay/spec/template/spec"),
                patch
                    .as_ref()
                    .and_then(|patch| patch.pointer("/spec/template/spec")),
            ];
            for spec in specs.into_iter().flatten() {
                let list = |name: &str| spec[name].as_array().cloned().unwrap_or_default();
                for one in list("containers").iter().chain(&list("initContainers")) {
                    assert_eq!(problems(container, one), [""; 0], "{}", overlay.path);
                    seen += 1;
                }
                for one in &list("volumes") {
                    assert_eq!(problems(volume, one), [""; 0], "{}", overlay.path);
                    seen += 1;
                }
            }
        }
    }
    assert!(
        seen > 12,
        "only {seen} containers and volumes were looked at"
    );
}

/// What a proxy asks for and may take. No limit of its time: what is slowed down so is every request.
#[test]
fn every_proxy_says_what_it_needs() {
    if !can_render() {
        return;
    }
    for folder in tree::folders().filter(|one| one.path != "observability") {
        let objects = tree::render(folder.path).unwrap();
        let mut proxies = 0;
        for object in &objects {
            let patch = object.pointer("/data/deployment").and_then(Value::as_str);
            let patch = patch.map(|text| tree::read_documents(text).unwrap().remove(0));
            let (whole, pointer) = match (object["kind"].as_str().unwrap(), &patch) {
                ("GatewayParameters", _) => (object, "/spec/kube/envoyContainer"),
                ("EnvoyProxy", _) => (
                    object,
                    "/spec/provider/kubernetes/envoyDeployment/container",
                ),
                (_, Some(patch)) => (patch, "/spec/template/spec/containers/0"),
                _ => continue,
            };
            let resources = &whole.pointer(pointer).unwrap()["resources"];
            for (part, wanted) in [
                ("/requests/cpu", true),
                ("/requests/memory", true),
                ("/limits/memory", true),
                ("/limits/cpu", false),
            ] {
                let is_there = resources.pointer(part).is_some();
                assert_eq!(is_there, wanted, "{}: {part}", folder.path);
            }
            proxies += 1;
        }
        assert_eq!(proxies, 1, "{}", folder.path);
    }
}

#[test]
fn every_reference_finds_its_object() {
    if !can_render() {
        return;
    }
    let mut found = Vec::new();
    for overlay in tree::folders() {
        let objects = tree::render(overlay.path).unwrap();
        for problem in Objects(&objects).problems(SECRETS) {
            found.push(format!("{}: {problem}", overlay.path));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn secrets_made_by_hand_are_explained_where_they_are_needed() {
    for (overlay, secrets) in [
        ("llm-openai", &["openai"][..]),
        ("providers/kgateway", &["anthropic"]),
        ("providers/istio", SECRETS),
        ("providers/envoy-gateway", SECRETS),
    ] {
        let file = tree::root().join(format!("k8s/overlays/{overlay}/kustomization.yaml"));
        let text = std::fs::read_to_string(file).unwrap();
        for secret in secrets {
            let line = format!("create secret generic {secret} ");
            assert!(text.contains(&line), "{overlay}: {line}");
        }
    }
}

#[test]
fn the_kind_overlays_pull_nothing() {
    if !can_render() {
        return;
    }
    for overlay in OVERLAYS
        .iter()
        .filter(|overlay| overlay.path.starts_with("overlays/kind/"))
    {
        let objects = tree::render(overlay.path).unwrap();
        let policy = |kind, pointer| {
            Objects(&objects)
                .of_kind(kind)
                .next()
                .unwrap()
                .pointer(pointer)
                .cloned()
        };
        let proxy = policy(
            "GatewayParameters",
            "/spec/kube/envoyContainer/image/pullPolicy",
        );
        let mock = policy(
            "Deployment",
            "/spec/template/spec/containers/0/imagePullPolicy",
        );
        let service = policy("GatewayParameters", "/spec/kube/service/type");
        assert_eq!(proxy, Some(json!("Never")));
        assert_eq!(mock, Some(json!("Never")));
        assert_eq!(service, Some(json!("NodePort")));
    }
}

/// What the checks themselves must not miss: the mistakes that the articles' readers made.
mod the_checks {
    use super::*;

    fn definitions(sets: &[&str]) -> Option<Definitions> {
        let folder = tree::definitions_folder().unwrap()?;
        Some(Definitions::read(&folder, sets).unwrap())
    }

    fn parameters(kube: Value) -> Value {
        json!({
            "apiVersion": "gateway.kgateway.dev/v1alpha1", "kind": "GatewayParameters",
            "metadata": {"name": "x", "namespace": "y"}, "spec": {"kube": kube},
        })
    }

    #[test]
    fn a_field_of_a_later_line_is_unknown_to_an_earlier_one() {
        let object = parameters(json!({"deploymentOverlay": {"spec": {}}}));
        let Some(older) = definitions(&["kgateway-v2.2.x"]) else {
            return;
        };
        let Some(newer) = definitions(&["kgateway-v2.3.x"]) else {
            return;
        };
        assert_eq!(
            older.problems(&object),
            [".spec.kube.deploymentOverlay: unknown field"]
        );
        assert_eq!(newer.problems(&object), [""; 0]);
    }

    #[test]
    fn cel_rules_are_evaluated() {
        let mut object = parameters(json!({}));
        object["spec"]["selfManaged"] = json!({});
        let Some(definitions) = definitions(&["kgateway-v2.4.x"]) else {
            return;
        };
        let problems = definitions.problems(&object);
        assert!(
            problems.iter().any(|problem| problem.starts_with("CEL: ")),
            "{problems:?}"
        );
    }

    #[test]
    fn a_backend_without_a_type_is_refused_by_2_2_and_taken_by_2_4() {
        let object = json!({
            "apiVersion": "gateway.kgateway.dev/v1alpha1", "kind": "Backend", "metadata": {"name": "x"},
            "spec": {"static": {"hosts": [{"host": "a.test", "port": 1}]}},
        });
        let Some(older) = definitions(&["kgateway-v2.2.x"]) else {
            return;
        };
        let Some(newer) = definitions(&["kgateway-v2.4.x"]) else {
            return;
        };
        assert_ne!(older.problems(&object), [""; 0]);
        assert_eq!(newer.problems(&object), [""; 0]);
    }

    #[test]
    fn a_wrong_value_and_a_key_given_twice_are_found() {
        let object = json!({
            "apiVersion": "gateway.kgateway.dev/v1alpha1", "kind": "TrafficPolicy", "metadata": {"name": "x"},
            "spec": {"transformation": {"request": {
                "body": {"parseAs": "None"},
                "set": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}],
            }}},
        });
        let Some(definitions) = definitions(&["kgateway-v2.2.x"]) else {
            return;
        };
        let problems = definitions.problems(&object);
        assert!(
            problems.iter().any(|problem| problem.contains("\"None\"")),
            "{problems:?}"
        );
        assert!(
            problems
                .iter()
                .any(|problem| problem.contains("its key is there twice")),
            "{problems:?}"
        );
    }

    #[test]
    fn a_route_to_nowhere_a_port_on_a_backend_and_a_missing_registry_are_found() {
        let objects = [
            json!({
                "kind": "HTTPRoute", "metadata": {"name": "r", "namespace": "n"},
                "spec": {"parentRefs": [{"name": "nobody"}], "rules": [{"backendRefs": [
                    {"kind": "Backend", "name": "b", "port": 3090}, {"name": "nothing", "port": 1},
                ]}]},
            }),
            json!({"kind": "Backend", "metadata": {"name": "b", "namespace": "n"}, "spec": {"type": "Static"}}),
            json!({
                "kind": "GatewayParameters", "metadata": {"name": "p", "namespace": "n"},
                "spec": {"kube": {"envoyContainer": {"image": {"repository": "x", "tag": "latest"}}}},
            }),
            json!({
                "kind": "GatewayParameters", "metadata": {"name": "q", "namespace": "n"},
                "spec": {"kube": {"envoyContainer": {"image": {"registry": null, "repository": "x", "tag": "1"}}}},
            }),
            json!({
                "kind": "GatewayClass", "metadata": {"name": "c"},
                "spec": {"parametersRef": {"kind": "GatewayParameters", "name": "p", "namespace": "m"}},
            }),
        ];
        assert_eq!(
            Objects(&objects).problems(&[]),
            [
                "HTTPRoute n/r: there is no gateway nobody",
                "HTTPRoute n/r: kgateway refuses a port for Backend b",
                "HTTPRoute n/r: there is no Service nothing",
                "GatewayParameters n/p: without a registry, even an empty one, kgateway's own is meant",
                "GatewayParameters n/p: the image is not pinned",
                "GatewayParameters n/q: without a registry, even an empty one, kgateway's own is meant",
                "GatewayClass /c: its parameters GatewayParameters p are not in m",
            ]
        );
    }
}
