//! What the pages of this folder show is right: objects obey their definitions, the folder that a reader is told
//! to write renders with each way in, and what is patched by hand is what the component would do.
#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::fs;
use std::path::Path;
use std::process::Command;

use k8s_check::references::Objects;
use k8s_check::schema::Definitions;
use k8s_check::tree::{self, Line};
use rustformations_tests::tools;
use serde_json::{Value, json};

fn page(name: &str) -> String {
    fs::read_to_string(tree::root().join("k8s").join(name)).unwrap()
}

/// The blocks of YAML of a page.
fn blocks(page: &str) -> Vec<&str> {
    let blocks = page.split("```yaml\n").skip(1);
    blocks
        .map(|block| block.split_once("```").unwrap().0)
        .collect()
}

fn block_of_kind(page: &str, kind: &str) -> (String, Value) {
    let texts = blocks(page).into_iter();
    let mut found = texts.map(|text| {
        (
            text.to_owned(),
            tree::read_documents(text).unwrap().remove(0),
        )
    });
    found.find(|(_, object)| object["kind"] == kind).unwrap()
}

fn obey(sets: &[&str], objects: &[Value]) {
    let Some(folder) = tree::definitions_folder().unwrap() else {
        return;
    };
    let definitions = Definitions::read(&folder, sets).unwrap();
    for object in objects {
        assert_eq!(definitions.problems(object), [""; 0], "{sets:?}: {object}");
    }
}

#[test]
fn objects_that_no_overlay_holds_obey_their_definitions() {
    let (_, policy) = block_of_kind(&page("README.md"), "TrafficPolicy");
    for line in Line::ALL {
        obey(line.definitions(), std::slice::from_ref(&policy));
    }
    let (_, backend) = block_of_kind(&page("articles.md"), "AgentgatewayBackend");
    obey(&["agentgateway-v1.1.0"], &[backend]);
    // Nothing is shown that no test looks at.
    assert_eq!(blocks(&page("README.md")).len(), 3);
    assert_eq!(blocks(&page("articles.md")).len(), 1);
    assert_eq!(blocks(&page("troubleshooting.md")).len(), 0);
}

fn gateway() -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
        "metadata": {"name": "edge", "namespace": "gateways"},
        "spec": {
            "gatewayClassName": "kgateway",
            "infrastructure": {"labels": {"team": "edge"}},
            "listeners": [{"name": "http", "protocol": "HTTP", "port": 80}],
        },
    })
}

/// Beside a clone, as the page has it.
fn render(way: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(tree::root(), folder.path().join("rustformations")).unwrap();
    render_in(folder.path(), |text| {
        text.replace("components/volume", &format!("components/{way}"))
    })
}

/// The folder of the page below `folder`, after a change of what it lists.
fn render_in(folder: &Path, change: impl FnOnce(&str) -> String) -> Vec<Value> {
    let page = page("README.md");
    let mine = folder.join("mine");
    fs::create_dir(&mine).unwrap();
    let (kustomization, _) = block_of_kind(&page, "Kustomization");
    fs::write(mine.join("kustomization.yaml"), change(&kustomization)).unwrap();
    fs::write(
        mine.join("values.yaml"),
        block_of_kind(&page, "ConfigMap").0,
    )
    .unwrap();
    fs::write(mine.join("gateway.yaml"), gateway().to_string()).unwrap();
    tree::render_folder(&mine).unwrap()
}

#[test]
fn the_folder_of_the_page_renders_with_each_way_in() {
    if !tools::has_tool("kubectl").unwrap() {
        return;
    }
    let values = block_of_kind(&page("README.md"), "ConfigMap").1["data"].clone();
    for (way, keys, lines) in [
        ("volume", &["reference"][..], &Line::ALL[..]),
        ("init-container", &["reference"], &Line::ALL[1..]),
        ("image", &["registry", "repository", "tag"], &Line::ALL),
    ] {
        let objects = render(way);
        assert_eq!(Objects(&objects).problems(&[]), [""; 0], "{way}");
        for line in lines {
            obey(line.definitions(), &objects);
        }
        let find = |kind, name| Objects(&objects).find(kind, "gateways", name).unwrap();
        let parameters = find("GatewayParameters", values["name"].as_str().unwrap()).to_string();
        for key in keys {
            assert!(
                parameters.contains(&values[*key].to_string()),
                "{way}: {key}"
            );
        }
    }
}

/// The other form that the page names: an address, a folder behind two slashes, and a version.
#[test]
fn the_components_can_be_listed_from_a_repository() {
    if !tools::has_tool("kubectl").unwrap() || !tools::has_tool("git").unwrap() {
        return;
    }
    let page = page("README.md");
    let listed = page.split_once(concat!("(`", env!("CARGO_PKG_REPOSITORY")));
    let (_, listed) = listed.unwrap();
    let (path, version) = listed.split_once("/volume?ref=").unwrap();
    let (version, _) = version.split_once('`').unwrap();
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("rustformations");
    fs::create_dir_all(repository.join("k8s")).unwrap();
    let run = |program: &str, words: &[&str]| {
        let mut command = Command::new(program);
        command.args(words).current_dir(&repository);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
    };
    let from = tree::root().join("k8s/components");
    run("cp", &["-R", from.to_str().unwrap(), "k8s/"]);
    run("git", &["init", "--quiet"]);
    run("git", &["add", "--all"]);
    let who = ["-c", "user.name=test", "-c", "user.email=test@test.test"];
    let what = ["-c", "commit.gpgsign=false", "commit", "--quiet", "-m", "x"];
    run("git", &[&who[..], &what].concat());
    run("git", &["tag", version]);
    let address = format!("file://{}{path}", repository.display());
    let objects = render_in(folder.path(), |text| {
        let text = text.replace("../rustformations/k8s/components", &address);
        let lines = text.lines().map(|line| {
            let line = line.split('#').next().unwrap().trim_end();
            let version = match line.contains(&address) {
                true => format!("?ref={version}"),
                false => String::new(),
            };
            line.to_owned() + &version
        });
        lines.collect::<Vec<_>>().join("\n")
    });
    assert_eq!(objects, render("volume"));
}

/// What is between the quotes after `-p` in the line that patches a Gateway in this way.
fn patch(kind: &str) -> Value {
    let page = page("README.md");
    let marker = format!("patch gateway edge --type {kind} -p '");
    let (_, rest) = page.split_once(&marker).unwrap();
    serde_json::from_str(rest.split('\'').next().unwrap()).unwrap()
}

#[test]
fn a_gateway_patched_by_hand_is_what_the_component_makes_of_it_and_the_way_back() {
    if !tools::has_tool("kubectl").unwrap() {
        return;
    }
    let objects = render("volume");
    let made = Objects(&objects)
        .find("Gateway", "gateways", "edge")
        .unwrap();
    let patch_in = patch("merge");
    let (fields, infrastructure) = (&patch_in["spec"], &patch_in["spec"]["infrastructure"]);
    let names = |object: &Value| object.as_object().unwrap().len();
    assert_eq!(
        (names(&patch_in), names(fields), names(infrastructure)),
        (1, 1, 1)
    );
    let mut patched = gateway();
    let reference = infrastructure["parametersRef"].clone();
    patched["spec"]["infrastructure"]["parametersRef"] = reference.clone();
    assert_eq!(patched, *made);
    let way_back = patch("json");
    assert_eq!(
        way_back,
        json!([{"op": "remove", "path": way_back[0]["path"]}])
    );
    let removed = patched.pointer(way_back[0]["path"].as_str().unwrap());
    assert_eq!(removed, Some(&reference));
}
