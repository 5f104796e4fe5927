//! The lab's script without a cluster: what it would do, word for word, and what it says when a tool,
//! a step or the proof is missing. The tools are stand-ins that write down how they were called.
#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use k8s_check::tree;
use rustformations_tests::tools;
use tempfile::TempDir;

fn lab(words: &[&str]) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg(tree::root().join("k8s/lab.sh")).args(words);
    for name in [
        "LAB_CLUSTER",
        "LAB_PORT",
        "LAB_ADMIN_PORT",
        "LAB_HTTPBUN_IMAGE",
        "KIND_NODE_IMAGE",
    ] {
        command.env_remove(name);
    }
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_dry_run_prints_exactly_what_would_be_done() {
    for line in ["2.2", "2.3", "2.4"] {
        let output = lab(&["--dry-run", "--kgateway", line]).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let printed = text(&output.stdout).replace(tree::root().to_str().unwrap(), "CLONE");
        let golden = tree::root().join(format!("k8s/check/tests/goldens/lab-{line}.txt"));
        if std::env::var_os("UPDATE_GOLDENS").is_some() {
            fs::write(&golden, &printed).unwrap();
        }
        assert_eq!(
            printed,
            fs::read_to_string(&golden).unwrap(),
            "kgateway {line}; UPDATE_GOLDENS=1 accepts it"
        );
    }
}

#[test]
fn the_lab_applies_the_image_that_it_builds() {
    if !tools::has_tool("kubectl").unwrap() {
        return;
    }
    for line in ["2.2", "2.3", "2.4"] {
        let output = lab(&["--dry-run", "--kgateway", line, "image", "mock"])
            .output()
            .unwrap();
        let printed = text(&output.stdout);
        let objects = tree::render(&format!("overlays/kind/{line}")).unwrap();
        let find = |kind: &str| {
            objects
                .iter()
                .find(|object| object["kind"] == kind)
                .unwrap()
        };
        let image = &find("GatewayParameters")["spec"]["kube"]["envoyContainer"]["image"];
        let image = format!(
            "{}:{}",
            image["repository"].as_str().unwrap(),
            image["tag"].as_str().unwrap()
        );
        assert!(
            printed.contains(&format!("kind load docker-image {image} ")),
            "{image}: {printed}"
        );
        let mock = &find("Deployment")["spec"]["template"]["spec"]["containers"][0]["image"];
        let mock = mock.as_str().unwrap();
        assert!(
            printed.contains(&format!("kind load docker-image {mock} ")),
            "{mock}: {printed}"
        );
    }
}

#[test]
fn a_wrong_command_line_is_refused_before_anything_is_done() {
    for (words, sentence) in [
        (
            &["--kgateway", "2.1"][..],
            "lab: unknown kgateway line 2.1.",
        ),
        (
            &["--kgateway"],
            "lab: --kgateway needs a line, such as 2.4.",
        ),
        (&["--fast"], "lab: unknown option --fast."),
        (&["check", "deploy"], "lab: unknown step deploy."),
    ] {
        let output = lab(words).output().unwrap();
        assert_eq!(output.status.code(), Some(64), "{words:?}");
        assert_eq!(text(&output.stderr).lines().next(), Some(sentence));
        assert!(output.stdout.is_empty(), "{words:?}");
    }
}

/// A PATH of stand-ins, each a few lines of shell that begin by writing down how they were called.
struct Tools(TempDir);

impl Tools {
    fn new() -> Self {
        let tools = Self(tempfile::tempdir().unwrap());
        for (name, body) in [
            (
                "docker",
                "[ \"$1\" != --version ] || echo 'Docker version 28.2.2, build e6534b4'",
            ),
            (
                "kind",
                "[ \"$1\" != version ] || echo 'kind v0.27.0 go1.23.6 linux/amd64'",
            ),
            (
                "kubectl",
                "case $* in *--client*) echo 'Client Version: v1.32.4' ;; esac",
            ),
            ("helm", "[ \"$1\" != version ] || echo 'v3.17.1+g980d8ac'"),
            (
                "curl",
                "[ \"$1\" != --version ] || echo 'curl 8.5.0 (x86_64-pc-linux-gnu)'",
            ),
        ] {
            tools.set(name, body);
        }
        for name in ["sed", "head", "grep", "tr", "dirname", "sleep", "cat"] {
            let found = ["/usr/bin", "/bin"]
                .iter()
                .map(|folder| Path::new(folder).join(name));
            let program = found.into_iter().find(|path| path.exists()).unwrap();
            std::os::unix::fs::symlink(program, tools.0.path().join(name)).unwrap();
        }
        tools
    }

    fn set(&self, name: &str, body: &str) {
        let path = self.0.path().join(name);
        let calls = self.0.path().join("calls");
        let text = format!(
            "#!/bin/sh\necho \"{name} $*\" >>{}\n{body}\n",
            calls.display()
        );
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.0.path().join(name)).unwrap();
    }

    fn run(&self, words: &[&str]) -> Output {
        lab(words).env("PATH", self.0.path()).output().unwrap()
    }

    /// The one sentence of a run that must fail.
    fn complaint(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
        let complaint = text(&output.stderr);
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
        complaint
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.0.path().join("calls")).unwrap_or_default()
    }

    /// A curl that answers as a proxy whose counter reads as it is told, first before and then after.
    fn proxy(&self, headers: &str, before: &str, after: &str) {
        let marker = self.0.path().join("asked");
        let marker = marker.display();
        self.set(
            "curl",
            &format!(
                "case $* in\n*/ready*) echo LIVE ;;\n*/stats*)\n    if [ -e {marker} ]; then printf '{after}'; else printf '{before}'; fi ;;\n\
                 *) : >{marker}; printf 'HTTP/1.1 200 OK\\r\\n{headers}\\r\\n{{}}' ;;\nesac"
            ),
        );
        self.set(
            "kubectl",
            "case $* in *port-forward*) exec sleep 30 ;; esac",
        );
    }
}

const PROOF: &str =
    "x-custom-transformed: true\\r\\nx-smart-header: method=POST&path=/v1/chat/completions\\r\\n";
const ONE: &str = "dynamicmodulescustom.rustformations_responses_transformed: 1\\n";

#[test]
fn tools_that_are_missing_or_old_are_named_with_the_remedy() {
    let tools = Tools::new();
    assert!(tools.run(&["check"]).status.success());
    tools.set("kind", "echo 'kind v0.19.0 go1.20'");
    assert!(
        tools
            .complaint(&["check"])
            .contains("kind is 0.19 and 0.20 or later is needed")
    );
    tools.set("kind", "echo 'kind v1.0.0'");
    tools.remove("helm");
    assert!(
        tools
            .complaint(&["check"])
            .contains("helm is not installed; see https://helm.sh/")
    );
}

#[test]
fn a_cluster_that_is_there_is_kept() {
    let tools = Tools::new();
    tools.set(
        "kind",
        "[ \"$*\" != 'get clusters' ] || echo ai-gateway-lab",
    );
    assert!(tools.run(&["cluster"]).status.success());
    assert!(!tools.calls().contains("create"), "{}", tools.calls());
    tools.set("kind", "[ \"$*\" != 'get clusters' ] || echo another");
    assert!(tools.run(&["cluster"]).status.success());
    assert!(
        tools
            .calls()
            .contains("kind create cluster --name ai-gateway-lab"),
        "{}",
        tools.calls()
    );
}

#[test]
fn a_step_that_fails_says_what_to_do_and_ends_the_lab() {
    let tools = Tools::new();
    tools.set("kubectl", "case $* in *apply*) exit 1 ;; esac");
    let complaint = tools.complaint(&["apply", "wait"]);
    assert!(
        complaint.contains("'k8s/lab.sh gateway-api kgateway'"),
        "{complaint}"
    );
    assert!(!tools.calls().contains("rollout"), "{}", tools.calls());
}

#[test]
fn the_headers_and_the_counter_together_are_the_proof() {
    let tools = Tools::new();
    tools.proxy(PROOF, "", ONE);
    let output = tools.run(&["request"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("lab: rustformations answered (1 transformed so far)."));
    assert!(
        tools
            .calls()
            .contains("port-forward deployment/ai-gateway 8082:8080 19000:19000")
    );
}

#[test]
fn an_answer_without_the_headers_is_no_proof() {
    let tools = Tools::new();
    tools.proxy("server: envoy\\r\\n", "", ONE);
    let complaint = tools.complaint(&["request"]);
    assert!(
        complaint.contains("the answer has no \"x-custom-transformed: true\""),
        "{complaint}"
    );
}

#[test]
fn the_headers_of_another_module_are_no_proof() {
    for (before, after) in [("", ""), (ONE, ONE)] {
        let tools = Tools::new();
        tools.proxy(PROOF, before, after);
        let complaint = tools.complaint(&["request"]);
        assert!(complaint.contains("another module answered"), "{complaint}");
    }
}
