//! Where the repository's files are, and what its overlays render to.
//!
//! Called by every test of this package on its own thread. Runs `kubectl kustomize`, which needs no
//! cluster and no network. Refuses a rendering that is not YAML.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use rustformations_tests::tools;
use serde::Deserialize as _;
use serde_json::Value;

/// A folder that renders, and the resource definitions its objects must obey.
#[derive(Clone, Copy, Debug)]
pub struct Overlay {
    /// Path below `k8s/`.
    pub path: &'static str,
    /// Folders of resource definitions, as `CRDS_DIR` names them.
    pub definitions: &'static [&'static str],
    /// The kgateway line, for overlays of kgateway.
    pub line: Option<Line>,
}

/// A release line of kgateway.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line {
    /// 2.2: Envoy 1.36.
    V2_2,
    /// 2.3: Envoy 1.37.
    V2_3,
    /// 2.4: Envoy 1.38.
    V2_4,
}

impl Line {
    /// Every line.
    pub const ALL: [Self; 3] = [Self::V2_2, Self::V2_3, Self::V2_4];

    /// The folders of its resource definitions, and of those of its Gateway API.
    pub const fn definitions(self) -> &'static [&'static str] {
        match self {
            Self::V2_2 => &["kgateway-v2.2.x", "gateway-api-v1.4.0"],
            Self::V2_3 => &["kgateway-v2.3.x", "gateway-api-v1.5.1"],
            Self::V2_4 => &["kgateway-v2.4.x", "gateway-api-v1.6.1"],
        }
    }
}

const fn of_line(line: Line, path: &'static str) -> Overlay {
    Overlay {
        path,
        definitions: line.definitions(),
        line: Some(line),
    }
}

const fn other(path: &'static str, definitions: &'static [&'static str]) -> Overlay {
    Overlay {
        path,
        definitions,
        line: None,
    }
}

/// Everything a user may apply. A folder with a `kustomization.yaml` that is missing here fails a test.
pub const OVERLAYS: &[Overlay] = &[
    of_line(Line::V2_2, "overlays/kgateway-2.2/image"),
    of_line(Line::V2_2, "overlays/kgateway-2.2/volume"),
    of_line(Line::V2_3, "overlays/kgateway-2.3/image"),
    of_line(Line::V2_3, "overlays/kgateway-2.3/volume"),
    of_line(Line::V2_3, "overlays/kgateway-2.3/init-container"),
    of_line(Line::V2_4, "overlays/kgateway-2.4/image"),
    of_line(Line::V2_4, "overlays/kgateway-2.4/volume"),
    of_line(Line::V2_4, "overlays/kgateway-2.4/init-container"),
    of_line(Line::V2_2, "overlays/kind/2.2"),
    of_line(Line::V2_3, "overlays/kind/2.3"),
    of_line(Line::V2_4, "overlays/kind/2.4"),
    of_line(Line::V2_4, "overlays/llm-openai"),
    of_line(Line::V2_2, "overlays/profiles/2.2"),
    of_line(Line::V2_3, "overlays/profiles/2.3"),
    of_line(Line::V2_4, "overlays/profiles/2.4"),
    other(
        "overlays/envoy-gateway",
        &["envoy-gateway-v1.9.0", "gateway-api-v1.5.1"],
    ),
    other("overlays/istio", &["istio-1.30.3", "gateway-api-v1.5.1"]),
    of_line(Line::V2_4, "overlays/providers/kgateway"),
    other(
        "overlays/providers/envoy-gateway",
        &["envoy-gateway-v1.9.0", "gateway-api-v1.5.1"],
    ),
    other(
        "overlays/providers/istio",
        &["istio-1.30.3", "gateway-api-v1.5.1"],
    ),
    other("observability", &["prometheus-operator-v0.93.0"]),
];

/// Folders as a user of a gateway has them, with the components in them.
pub const EXAMPLES: &[Overlay] = &[
    of_line(Line::V2_2, "examples/kgateway-2.2"),
    of_line(Line::V2_3, "examples/kgateway-2.3"),
    of_line(Line::V2_4, "examples/kgateway-2.4"),
];

/// Every folder that renders.
pub fn folders() -> impl Iterator<Item = &'static Overlay> {
    OVERLAYS.iter().chain(EXAMPLES)
}

/// The root of the repository.
pub fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package)
}

/// The folder of resource definitions that `CRDS_DIR` names, or `None` after saying that it names none.
///
/// # Errors
/// When it names something that is not a folder.
pub fn definitions_folder() -> Result<Option<PathBuf>> {
    let Some(folder) = std::env::var_os("CRDS_DIR").filter(|value| !value.is_empty()) else {
        tools::skip("CRDS_DIR names no folder of resource definitions")?;
        return Ok(None);
    };
    let folder = root().join(folder);
    if !folder.is_dir() {
        bail!("CRDS_DIR is {}, which is not a folder", folder.display());
    }
    Ok(Some(folder))
}

/// The objects that the folder `path` below `k8s/` renders to, in kustomize's order.
///
/// # Errors
/// When kubectl cannot be run or refuses the folder, or its output is not YAML.
pub fn render(path: &str) -> Result<Vec<Value>> {
    render_folder(&root().join("k8s").join(path))
}

/// The objects that any folder renders to.
///
/// # Errors
/// As [`render`].
pub fn render_folder(folder: &Path) -> Result<Vec<Value>> {
    let output = Command::new("kubectl")
        .arg("kustomize")
        .arg(folder)
        .output()?;
    if !output.status.success() {
        bail!(
            "{} does not render: {}",
            folder.display(),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let objects = read_documents(&String::from_utf8_lossy(&output.stdout));
    objects.with_context(|| folder.display().to_string())
}

/// The documents of a YAML file.
///
/// # Errors
/// When it is not YAML.
pub fn read_documents(text: &str) -> Result<Vec<Value>> {
    let documents = serde_yaml_ng::Deserializer::from_str(text).map(Value::deserialize);
    let documents: Vec<Value> = documents.collect::<Result<_, _>>()?;
    Ok(documents
        .into_iter()
        .filter(|document| !document.is_null())
        .collect())
}

/// `Kind namespace/name`, for messages.
pub fn name_of(object: &Value) -> String {
    let part = |pointer| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    format!(
        "{} {}/{}",
        part("/kind"),
        part("/metadata/namespace"),
        part("/metadata/name")
    )
}
