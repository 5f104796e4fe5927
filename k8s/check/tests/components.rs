//! The components in folders of users: what they add to GatewayParameters that are there and to those that are
//! made, for every way in and every kgateway line, with values that are nobody's default.
#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use k8s_check::references::Objects;
use k8s_check::schema::Definitions;
use k8s_check::tree::{self, EXAMPLES, Line};
use rustformations_tests::tools;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The ways in, and the keys of values.yaml that each reads.
const WAYS: [(&str, &[&str]); 3] = [
    ("image", &["registry", "repository", "tag"]),
    ("volume", &["reference"]),
    ("init-container", &["reference"]),
];

/// A registry with a port, and a tag that YAML would take for a number.
const VALUES: [(&str, &str); 6] = [
    ("name", "mine"),
    ("namespace", "elsewhere"),
    ("registry", "registry.test:5000/team"),
    ("repository", "proxies/rust"),
    ("tag", "20261127"),
    ("reference", "registry.test:5000/team/module:1.10"),
];

/// A folder of a user, beside a copy of the components.
struct Folder(TempDir);

impl Folder {
    fn new(components: &[&str], keys: &[&str], objects: &[Value]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        copy("components", folder.0.path());
        fs::create_dir_all(folder.0.path().join("user")).unwrap();
        let data = VALUES.iter().filter(|(key, _)| keys.contains(key));
        let data: serde_json::Map<String, Value> = data
            .map(|(key, value)| ((*key).to_owned(), json!(value)))
            .collect();
        let mut files = vec![("values".to_owned(), values(data))];
        let objects = objects.iter().enumerate();
        files.extend(objects.map(|(index, object)| (index.to_string(), object.clone())));
        let components = components
            .iter()
            .map(|name| format!("../components/{name}"));
        let kustomization = json!({
            "resources": files.iter().map(|(name, _)| format!("{name}.yaml")).collect::<Vec<_>>(),
            "components": components.collect::<Vec<_>>(),
        });
        files.push(("kustomization".to_owned(), kustomization));
        for (name, object) in files {
            // JSON is YAML.
            let path = folder.0.path().join(format!("user/{name}.yaml"));
            fs::write(path, object.to_string()).unwrap();
        }
        folder
    }

    fn render(&self) -> anyhow::Result<Vec<Value>> {
        tree::render_folder(&self.0.path().join("user"))
    }
}

/// Copies a folder below `k8s/` and what is in it into `to`.
fn copy(path: &str, to: &Path) {
    let from = tree::root().join("k8s").join(path);
    fs::create_dir_all(to.join(path)).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let below = format!("{path}/{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            copy(&below, to);
        } else {
            fs::copy(entry.path(), to.join(below)).unwrap();
        }
    }
}

fn values(data: serde_json::Map<String, Value>) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": data,
        "metadata": {
            "name": "rustformations",
            "annotations": {"config.kubernetes.io/local-config": "true"},
        },
    })
}

fn value(key: &str) -> &'static str {
    VALUES.iter().find(|(name, _)| *name == key).unwrap().1
}

fn gateway(name: &str, infrastructure: Option<Value>) -> Value {
    let mut gateway = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
        "metadata": {"name": name, "namespace": value("namespace")},
        "spec": {
            "gatewayClassName": "kgateway",
            "listeners": [{"name": "http", "protocol": "HTTP", "port": 80}],
        },
    });
    if let Some(infrastructure) = infrastructure {
        gateway["spec"]["infrastructure"] = infrastructure;
    }
    gateway
}

/// GatewayParameters that somebody has already, with an item in every list that is added to.
fn own_parameters(line: Line) -> Value {
    let mut parameters = json!({
        "apiVersion": "gateway.kgateway.dev/v1alpha1", "kind": "GatewayParameters",
        "metadata": {"name": "own", "namespace": value("namespace")},
        "spec": {"kube": {
            "deployment": {"replicas": 3},
            "podTemplate": {"extraVolumes": [{"name": "files", "secret": {"secretName": "files"}}]},
            "envoyContainer": {
                "image": {"registry": "old.test", "repository": "old", "digest": format!("sha256:{}", "0".repeat(64))},
                "extraVolumeMounts": [{"name": "files", "mountPath": "/files", "readOnly": true}],
                "env": [
                    {"name": "TZ", "value": "UTC"},
                    {"name": "ENVOY_DYNAMIC_MODULES_SEARCH_PATH", "value": "/files"},
                ],
                "resources": {"limits": {"memory": "3Gi"}},
            },
        }},
    });
    if line != Line::V2_2 {
        parameters["spec"]["kube"]["deploymentOverlay"] = json!({"spec": {"template": {"spec": {
            "initContainers": [{"name": "files", "image": "files:1"}],
        }}}});
    }
    parameters
}

fn by_name<'v>(list: &'v Value, name: &str) -> &'v Value {
    let mut found = list
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["name"] == name);
    let first = found.next().unwrap_or(&Value::Null);
    assert!(found.next().is_none(), "{name} twice in {list}");
    first
}

/// What a way promises of the parameters that it was given.
fn way_is_in(way: &str, kube: &Value) {
    let container = &kube["envoyContainer"];
    if way == "image" {
        let image = json!({
            "registry": value("registry"), "repository": value("repository"), "tag": value("tag"),
            "pullPolicy": "IfNotPresent",
        });
        assert_eq!(container["image"], image);
        return;
    }
    let volume = by_name(&kube["podTemplate"]["extraVolumes"], "rustformations");
    if way == "volume" {
        let image = json!({"reference": value("reference"), "pullPolicy": "IfNotPresent"});
        assert_eq!(volume["image"], image);
    } else {
        let spec = &kube["deploymentOverlay"]["spec"]["template"]["spec"];
        let init = by_name(&spec["initContainers"], "rustformations");
        assert_eq!(init["image"], value("reference"));
        assert!(volume["emptyDir"].is_object(), "{volume}");
    }
    let mount = by_name(&container["extraVolumeMounts"], "rustformations");
    let searched = by_name(&container["env"], "ENVOY_DYNAMIC_MODULES_SEARCH_PATH");
    assert_eq!(mount["readOnly"], true);
    assert!(mount["mountPath"].is_string());
    assert_eq!(searched["value"], mount["mountPath"]);
}

fn obey(line: Line, objects: &[Value]) -> Vec<String> {
    let Some(folder) = tree::definitions_folder().unwrap() else {
        return Vec::new();
    };
    let definitions = Definitions::read(&folder, line.definitions()).unwrap();
    let problems = objects
        .iter()
        .flat_map(|object| definitions.problems(object));
    problems.collect()
}

/// What a line refuses: way and line that do not go together.
fn refusals(line: Line, way: &str) -> &'static [&'static str] {
    match (line, way) {
        (Line::V2_2, "init-container") => &[".spec.kube.deploymentOverlay: unknown field"],
        _ => &[],
    }
}

#[test]
fn gateways_without_parameters_get_some_with_the_values_of_the_user() {
    if !tools::has_tool("kubectl").unwrap() {
        return;
    }
    let labels = json!({"labels": {"team": "edge"}});
    let gateways = [gateway("plain", None), gateway("labelled", Some(labels))];
    for (way, keys) in WAYS {
        let keys = [&["name", "namespace"], keys].concat();
        let objects = Folder::new(&["parameters", way], &keys, &gateways)
            .render()
            .unwrap();
        // Neither the mock LLM nor a route or policy of ours, and no values.
        let kinds: BTreeSet<&str> = objects
            .iter()
            .map(|one| one["kind"].as_str().unwrap())
            .collect();
        assert_eq!(kinds, ["Gateway", "GatewayParameters"].into());
        assert_eq!(objects.len(), 3, "{objects:#?}");
        let find = |kind, name| {
            Objects(&objects)
                .find(kind, value("namespace"), name)
                .unwrap()
        };
        let parameters = find("GatewayParameters", value("name"));
        way_is_in(way, &parameters["spec"]["kube"]);
        let resources = &parameters["spec"]["kube"]["envoyContainer"]["resources"];
        for part in ["/requests/cpu", "/requests/memory", "/limits/memory"] {
            assert!(
                resources.pointer(part).is_some(),
                "{part} is not in {resources}"
            );
        }
        let reference = json!({
            "group": "gateway.kgateway.dev", "kind": "GatewayParameters", "name": value("name"),
        });
        for name in ["plain", "labelled"] {
            let infrastructure = &find("Gateway", name)["spec"]["infrastructure"];
            assert_eq!(infrastructure["parametersRef"], reference);
        }
        assert_eq!(
            find("Gateway", "labelled")["spec"]["infrastructure"]["labels"]["team"],
            "edge"
        );
        assert_eq!(Objects(&objects).problems(&[]), [""; 0], "{way}");
        for line in Line::ALL {
            let refused = refusals(line, way);
            if tree::definitions_folder().unwrap().is_some() || refused.is_empty() {
                assert_eq!(obey(line, &objects), refused, "{way} on {line:?}");
            }
        }
    }
}

#[test]
fn parameters_that_are_there_keep_what_they_have() {
    if !tools::has_tool("kubectl").unwrap() {
        return;
    }
    for (way, keys) in WAYS {
        for line in Line::ALL {
            if !refusals(line, way).is_empty() {
                continue;
            }
            let own = own_parameters(line);
            let folder = Folder::new(&[way], keys, std::slice::from_ref(&own));
            let objects = folder.render().unwrap();
            assert_eq!(objects.len(), 1, "{objects:#?}");
            assert_eq!(objects[0]["metadata"], own["metadata"]);
            let (kube, own) = (&objects[0]["spec"]["kube"], &own["spec"]["kube"]);
            way_is_in(way, kube);
            let lists = [
                "/podTemplate/extraVolumes",
                "/envoyContainer/extraVolumeMounts",
                "/deploymentOverlay/spec/template/spec/initContainers",
            ];
            for list in lists.into_iter().filter(|list| own.pointer(list).is_some()) {
                let mine = &own.pointer(list).unwrap()[0];
                assert_eq!(kube.pointer(list).unwrap()[0], *mine, "{way}: {list}");
            }
            let same = [
                "/deployment",
                "/envoyContainer/env/0",
                "/envoyContainer/resources",
            ];
            for part in same {
                assert_eq!(kube.pointer(part), own.pointer(part), "{way}: {part}");
            }
            assert_eq!(obey(line, &objects), [""; 0], "{way} on {line:?}");
        }
    }
}

/// Profiles go beside any way in.
#[test]
fn profiles_are_mounted_beside_what_is_there() {
    if !tools::has_tool("kubectl").unwrap() {
        return;
    }
    let own = own_parameters(Line::V2_4);
    let folder = Folder::new(&["volume", "profiles"], &["reference"], &[own]);
    let objects = folder.render().unwrap();
    let map = Objects(&objects).of_kind("ConfigMap").next().unwrap();
    assert!(map["data"]["profiles.yaml"].is_string() && map["data"]["prices.json"].is_string());
    let parameters = Objects(&objects)
        .of_kind("GatewayParameters")
        .next()
        .unwrap();
    let kube = &parameters["spec"]["kube"];
    way_is_in("volume", kube);
    let names = |pointer: &str| -> Vec<&str> {
        let list = kube.pointer(pointer).unwrap().as_array().unwrap().iter();
        list.map(|one| one["name"].as_str().unwrap()).collect()
    };
    let wanted = ["files", "rustformations", "profiles"];
    assert_eq!(names("/podTemplate/extraVolumes"), wanted);
    assert_eq!(names("/envoyContainer/extraVolumeMounts"), wanted);
    let volume = by_name(&kube["podTemplate"]["extraVolumes"], "profiles");
    assert_eq!(volume["configMap"]["name"], map["metadata"]["name"]);
    let mount = by_name(&kube["envoyContainer"]["extraVolumeMounts"], "profiles");
    let file = by_name(&kube["envoyContainer"]["env"], "RUSTFORMATIONS_PROFILES");
    let file = file["value"].as_str().unwrap();
    assert_eq!(
        Path::new(file).parent(),
        mount["mountPath"].as_str().map(Path::new)
    );
    assert!(mount["subPath"].is_null());
    assert_eq!(objects.len(), 2, "{objects:#?}");
    assert_eq!(obey(Line::V2_4, &objects), [""; 0]);
}

/// What kubectl says then is what troubleshooting.md has as headings.
#[test]
fn a_folder_whose_values_are_missing_is_refused_with_what_is_missing() {
    if !tools::has_tool("kubectl").unwrap() {
        return;
    }
    let page = fs::read_to_string(tree::root().join("k8s/troubleshooting.md")).unwrap();
    let own = own_parameters(Line::V2_4);
    let folder = Folder::new(&["volume"], &["name"], std::slice::from_ref(&own));
    let refusal = format!("{:#}", folder.render().unwrap_err()).replace('`', "");
    let heading = "fieldPath data.reference is missing for replacement source";
    assert!(refusal.contains(heading), "{refusal}");
    assert!(page.contains(&format!("\n### {heading}\n")));

    fs::write(folder.0.path().join("user/values.yaml"), own.to_string()).unwrap();
    fs::remove_file(folder.0.path().join("user/0.yaml")).unwrap();
    let kustomization =
        json!({"resources": ["values.yaml"], "components": ["../components/volume"]});
    fs::write(
        folder.0.path().join("user/kustomization.yaml"),
        kustomization.to_string(),
    )
    .unwrap();
    let refusal = format!("{:#}", folder.render().unwrap_err());
    let heading = "nothing selected by ConfigMap";
    assert!(refusal.contains(heading), "{refusal}");
    assert!(page.contains(&format!("\n### {heading}\n")));
}

/// Every value of an example can be changed, and is in what is applied.
#[test]
fn the_examples_say_what_their_values_say() {
    if !tools::has_tool("kubectl").unwrap() {
        return;
    }
    for example in EXAMPLES {
        let folder = tempfile::tempdir().unwrap();
        copy("components", folder.path());
        copy(example.path, folder.path());
        let folder = folder.path().join(example.path);
        let file = folder.join("values.yaml");
        let text = fs::read_to_string(&file).unwrap();
        let document = tree::read_documents(&text).unwrap().remove(0);
        let data = document["data"].as_object().unwrap();
        let before = tree::render_folder(&folder).unwrap();
        assert!(
            !before.iter().any(|one| one["kind"] == "ConfigMap"),
            "{before:#?}"
        );
        for key in data.keys() {
            let mut changed = data.clone();
            changed[key] = json!(value(key));
            fs::write(&file, values(changed).to_string()).unwrap();
            let now = tree::render_folder(&folder).unwrap();
            let parameters = Objects(&now).of_kind("GatewayParameters").next().unwrap();
            let says = parameters.to_string();
            assert!(
                says.contains(value(key)),
                "{}: {key} is not in {says}",
                example.path
            );
        }
    }
}
