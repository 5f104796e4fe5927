//! Whether the objects of one rendering find each other: parents, backends, policies, parameters,
//! ports, volumes, modules and images.
//!
//! Called by tests on their own thread. These are the mistakes that every schema lets through and that
//! show as a silent 404, a policy without effect or a pod that never starts.

mod pods;

use serde_json::Value;

use crate::tree::name_of;

/// The objects of one rendering.
#[derive(Clone, Copy, Debug)]
pub struct Objects<'a>(pub &'a [Value]);

/// The text at `pointer`, or nothing.
fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The items at `pointer`, or none.
fn items<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

impl<'a> Objects<'a> {
    /// The object of this kind, namespace and name.
    pub fn find(self, kind: &str, namespace: &str, name: &str) -> Option<&'a Value> {
        self.of_kind(kind).find(|object| {
            text(object, "/metadata/namespace") == namespace
                && text(object, "/metadata/name") == name
        })
    }

    /// The objects of this kind.
    pub fn of_kind(self, kind: &str) -> impl Iterator<Item = &'a Value> {
        self.0
            .iter()
            .filter(move |object| text(object, "/kind") == kind)
    }

    /// What does not fit, one sentence each. `secrets` are those that users make by hand.
    pub fn problems(self, secrets: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        for object in self.0 {
            let mut problems = match text(object, "/kind") {
                "Gateway" => self.gateway(object),
                "GatewayClass" => self.class(object),
                "HTTPRoute" => self.route(object),
                "Backend" => self.backend(object),
                "Service" => self.service(object),
                "EnvoyExtensionPolicy" => self.extension_policy(object),
                "GatewayParameters" => {
                    let mut found = parameters(object, secrets);
                    found.extend(self.config_maps(object));
                    found
                }
                "Deployment" => pods::deployment(object),
                _ => Vec::new(),
            };
            problems.extend(self.targets(object));
            found.extend(
                problems
                    .into_iter()
                    .map(|problem| format!("{}: {problem}", name_of(object))),
            );
        }
        found
    }

    /// The ConfigMaps that the proxy mounts, which runs where its parameters are.
    fn config_maps(self, parameters: &Value) -> Vec<String> {
        let namespace = text(parameters, "/metadata/namespace");
        let volumes = items(parameters, "/spec/kube/podTemplate/extraVolumes");
        let names = volumes.map(|volume| text(volume, "/configMap/name"));
        names
            .filter(|name| !name.is_empty())
            .filter(|name| self.find("ConfigMap", namespace, name).is_none())
            .map(|name| format!("there is no ConfigMap {name} in {namespace}"))
            .collect()
    }

    fn gateway(self, gateway: &Value) -> Vec<String> {
        let reference = &gateway["spec"]["infrastructure"]["parametersRef"];
        self.parameters(reference, text(gateway, "/metadata/namespace"))
    }

    fn class(self, class: &Value) -> Vec<String> {
        match class["spec"].get("parametersRef") {
            Some(reference) => self.parameters(reference, text(reference, "/namespace")),
            None => Vec::new(),
        }
    }

    fn parameters(self, reference: &Value, namespace: &str) -> Vec<String> {
        let (kind, name) = (text(reference, "/kind"), text(reference, "/name"));
        match self.find(kind, namespace, name) {
            Some(_) => Vec::new(),
            None => vec![format!(
                "its parameters {kind} {name} are not in {namespace}"
            )],
        }
    }

    fn route(self, route: &Value) -> Vec<String> {
        let namespace = text(route, "/metadata/namespace");
        let mut found = Vec::new();
        for parent in items(route, "/spec/parentRefs") {
            let parent_namespace = parent["namespace"].as_str().unwrap_or(namespace);
            let Some(gateway) = self.find("Gateway", parent_namespace, text(parent, "/name"))
            else {
                found.push(format!("there is no gateway {}", text(parent, "/name")));
                continue;
            };
            let admits = |listener: &Value| match text(listener, "/allowedRoutes/namespaces/from") {
                "All" => true,
                _ => parent_namespace == namespace,
            };
            if !items(gateway, "/spec/listeners").any(admits) {
                found.push(format!(
                    "no listener of {} admits it",
                    text(parent, "/name")
                ));
            }
        }
        for backend in items(route, "/spec/rules").flat_map(|rule| items(rule, "/backendRefs")) {
            let to = backend["namespace"].as_str().unwrap_or(namespace);
            let (kind, name) = (
                backend["kind"].as_str().unwrap_or("Service"),
                text(backend, "/name"),
            );
            if to != namespace && self.of_kind("ReferenceGrant").next().is_none() {
                found.push(format!(
                    "{kind} {name} is in {to} and no ReferenceGrant allows it"
                ));
            }
            match (self.find(kind, to, name), kind) {
                (None, _) => found.push(format!("there is no {kind} {name}")),
                (Some(_), "Backend") if !backend["port"].is_null() => {
                    found.push(format!("kgateway refuses a port for Backend {name}"));
                }
                (Some(service), "Service") if !has_port(service, &backend["port"]) => {
                    found.push(format!("Service {name} has no port {}", backend["port"]));
                }
                (Some(_), _) => {}
            }
        }
        found
    }

    fn backend(self, backend: &Value) -> Vec<String> {
        let mut found = Vec::new();
        if text(backend, "/spec/type") != "Static" {
            found.push("kgateway 2.2 and 2.3 refuse a Backend without its type".to_owned());
        }
        for host in items(backend, "/spec/static/hosts") {
            let Some(name) = text(host, "/host").strip_suffix(".svc.cluster.local") else {
                continue;
            };
            let (name, namespace) = name.split_once('.').unwrap_or((name, ""));
            match self.find("Service", namespace, name) {
                Some(service) if has_port(service, &host["port"]) => {}
                Some(_) => found.push(format!("Service {name} has no port {}", host["port"])),
                None => found.push(format!("there is no Service {name} in {namespace}")),
            }
        }
        found
    }

    fn service(self, service: &Value) -> Vec<String> {
        let namespace = text(service, "/metadata/namespace");
        let selected = |deployment: &&Value| {
            let labels = &deployment["spec"]["template"]["metadata"]["labels"];
            let selector = service["spec"]["selector"].as_object();
            text(deployment, "/metadata/namespace") == namespace
                && selector.is_some_and(|selector| {
                    selector.iter().all(|(key, value)| labels[key] == *value)
                })
        };
        let Some(deployment) = self.of_kind("Deployment").find(selected) else {
            return vec!["it selects no pods".to_owned()];
        };
        let mut found = Vec::new();
        for port in items(service, "/spec/ports") {
            let target = if port["targetPort"].is_null() {
                &port["port"]
            } else {
                &port["targetPort"]
            };
            let is_target =
                |port: &Value| port["name"] == *target || port["containerPort"] == *target;
            let mut containers = items(deployment, "/spec/template/spec/containers");
            if !containers.any(|container| items(container, "/ports").any(is_target)) {
                found.push(format!("no container has the port {target}"));
            }
        }
        found
    }

    fn targets(self, policy: &Value) -> Vec<String> {
        let namespace = text(policy, "/metadata/namespace");
        let missing = |target: &&Value| {
            self.find(text(target, "/kind"), namespace, text(target, "/name"))
                .is_none()
        };
        let say = |target: &Value| {
            format!(
                "its target {} {} is not in {namespace}",
                text(target, "/kind"),
                text(target, "/name")
            )
        };
        items(policy, "/spec/targetRefs")
            .filter(missing)
            .map(say)
            .collect()
    }

    fn extension_policy(self, policy: &Value) -> Vec<String> {
        let mut found = Vec::new();
        for module in items(policy, "/spec/dynamicModule") {
            let proxies = self.of_kind("EnvoyProxy");
            let mut registered = proxies.flat_map(|proxy| {
                items(proxy, "/spec/dynamicModules").map(move |module| (proxy, module))
            });
            let name = text(module, "/name");
            let Some((proxy, module)) =
                registered.find(|(_, module)| text(module, "/name") == name)
            else {
                found.push(format!("no EnvoyProxy registers the module {name}"));
                continue;
            };
            let path = text(module, "/source/local/path");
            let deployment = &proxy["spec"]["provider"]["kubernetes"]["envoyDeployment"];
            let mut mounts = items(deployment, "/container/volumeMounts");
            if !mounts.any(|mount| path.starts_with(text(mount, "/mountPath"))) {
                found.push(format!("nothing is mounted where {path} should be"));
            }
            found.extend(pods::mounts_have_volumes(
                items(deployment, "/container/volumeMounts"),
                items(deployment, "/pod/volumes"),
            ));
        }
        found
    }
}

fn has_port(service: &Value, port: &Value) -> bool {
    items(service, "/spec/ports").any(|open| open["port"] == *port)
}

/// The proxy of a kgateway Gateway: its image, or its module from a volume.
fn parameters(parameters: &Value, secrets: &[&str]) -> Vec<String> {
    let container = &parameters["spec"]["kube"]["envoyContainer"];
    let pod = &parameters["spec"]["kube"]["podTemplate"];
    let mut found = pods::mounts_have_volumes(
        items(container, "/extraVolumeMounts"),
        items(pod, "/extraVolumes"),
    );
    if let Some(image) = container.get("image") {
        if image["registry"].is_null() {
            found.push("without a registry, even an empty one, kgateway's own is meant".to_owned());
        }
        if text(image, "/repository") == "envoy-wrapper" {
            found.push("envoy-wrapper is the name of kgateway's own image".to_owned());
        }
        if matches!(text(image, "/tag"), "" | "latest") {
            found.push("the image is not pinned".to_owned());
        }
    }
    let searched = items(container, "/env")
        .find(|variable| variable["name"] == "ENVOY_DYNAMIC_MODULES_SEARCH_PATH")
        .map(|variable| text(variable, "/value"));
    let mounted: Vec<&str> = items(container, "/extraVolumeMounts")
        .map(|mount| text(mount, "/mountPath"))
        .collect();
    if container.get("image").is_none() && searched.is_none_or(|path| !mounted.contains(&path)) {
        found.push("Envoy does not search for modules where the volume is".to_owned());
    }
    for variable in items(container, "/env") {
        let secret = text(variable, "/valueFrom/secretKeyRef/name");
        if !secret.is_empty() && !secrets.contains(&secret) {
            found.push(format!("nobody makes the Secret {secret}"));
        }
    }
    for container in items(
        parameters,
        "/spec/kube/deploymentOverlay/spec/template/spec/initContainers",
    ) {
        found.extend(pods::container(container, false));
        found.extend(pods::mounts_have_volumes(
            items(container, "/volumeMounts"),
            items(pod, "/extraVolumes"),
        ));
    }
    found
}
