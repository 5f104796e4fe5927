//! What a container of ours must say, wherever it stands.
//!
//! Called by [`super::Objects::problems`].

use serde_json::Value;

use super::{items, text};

/// The containers of a Deployment.
pub(super) fn deployment(deployment: &Value) -> Vec<String> {
    let containers = items(deployment, "/spec/template/spec/containers");
    containers.flat_map(|one| container(one, true)).collect()
}

/// A pinned image, limits, no rights it does not need and, for one that serves, probes.
pub(super) fn container(container: &Value, serves: bool) -> Vec<String> {
    let mut found = Vec::new();
    let name = text(container, "/name");
    let mut want = |is: bool, what: &str| {
        if !is {
            found.push(format!("container {name} {what}"));
        }
    };
    let image = text(container, "/image");
    let file = image.rsplit('/').next().unwrap_or_default();
    want(
        file.contains(':') || image.contains("@sha256:"),
        "has an image without a tag",
    );
    want(
        !container["resources"]["limits"]["memory"].is_null(),
        "has no memory limit",
    );
    let security = &container["securityContext"];
    want(
        security["allowPrivilegeEscalation"] == false,
        "may escalate its privileges",
    );
    want(
        security["readOnlyRootFilesystem"] == true,
        "may write to its image",
    );
    want(
        security["capabilities"]["drop"][0] == "ALL",
        "keeps capabilities",
    );
    if serves {
        want(
            !container["readinessProbe"].is_null(),
            "has no readiness probe",
        );
        want(
            !container["livenessProbe"].is_null(),
            "has no liveness probe",
        );
    }
    found
}

/// Every mount names a volume that is there.
pub(super) fn mounts_have_volumes<'v>(
    mounts: impl Iterator<Item = &'v Value>,
    volumes: impl Iterator<Item = &'v Value>,
) -> Vec<String> {
    let volumes: Vec<&str> = volumes.map(|volume| text(volume, "/name")).collect();
    let missing = mounts
        .map(|mount| text(mount, "/name"))
        .filter(|name| !volumes.contains(name));
    missing
        .map(|name| format!("there is no volume {name}"))
        .collect()
}
