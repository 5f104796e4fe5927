//! The Dockerfile, what its context holds, the scripts, and what the module asks of a base image.
#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use k8s_check::dockerfile::{self, Instruction, context_sources, is_ignored, parse, problems};
use k8s_check::tree;
use rustformations_tests::{tools, workspace};

/// The newest glibc that every supported base has: Ubuntu 22.04's.
const GLIBC_FLOOR: (u32, u32) = (2, 35);

/// What every base image has, distroless ones too. They have no `libgcc_s.so.1`.
const LIBRARIES: [&str; 3] = ["[libc.so.6]", "[libm.so.6]", "[ld-linux"];

fn instructions() -> Vec<Instruction> {
    parse(&fs::read_to_string(tree::root().join("Dockerfile")).unwrap())
}

fn ignore_rules() -> String {
    fs::read_to_string(tree::root().join(".dockerignore")).unwrap()
}

#[test]
fn the_dockerfile_keeps_every_rule() {
    assert_eq!(problems(&instructions()), [""; 0]);
}

#[test]
fn everything_that_is_copied_exists_and_is_in_the_context() {
    let (instructions, rules) = (instructions(), ignore_rules());
    let sources = context_sources(&instructions);
    assert!(
        sources.contains(&"docker-entrypoint.sh") && sources.contains(&"envoy.yaml"),
        "{sources:?}"
    );
    for source in sources.into_iter().filter(|source| *source != ".") {
        assert!(
            tree::root().join(source).exists(),
            "{source} does not exist"
        );
        assert!(
            !is_ignored(&rules, Path::new(source)),
            "{source} is ignored"
        );
    }
}

#[test]
fn every_member_of_the_workspace_is_in_the_context_and_what_is_built_is_not() {
    let rules = ignore_rules();
    let manifest = fs::read_to_string(tree::root().join("Cargo.toml")).unwrap();
    let (_, members) = manifest.split_once("members = [").unwrap();
    let (members, _) = members.split_once(']').unwrap();
    let members: Vec<&str> = members.split('"').skip(1).step_by(2).collect();
    assert!(members.contains(&"rustformations"), "{members:?}");
    for member in members {
        let file = PathBuf::from(member).join("Cargo.toml");
        assert!(
            !is_ignored(&rules, &file),
            "{member} is ignored, and cargo wants every member"
        );
        assert!(
            is_ignored(&rules, &PathBuf::from(member).join("target/debug/x")),
            "{member}/target"
        );
    }
    for outside in [
        "target/release/librust_module.so",
        ".git/HEAD",
        "k8s/README.md",
    ] {
        assert!(is_ignored(&rules, Path::new(outside)), "{outside}");
    }
    assert!(!is_ignored(&rules, Path::new("Cargo.lock")));
}

/// Copies what the context holds of `from` to `to`.
fn copy_context(rules: &str, from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if is_ignored(rules, path.strip_prefix(tree::root()).unwrap()) && name != "k8s" {
            continue;
        }
        if path.is_dir() {
            fs::create_dir_all(to.join(name)).unwrap();
            copy_context(rules, &path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Runs what the stage runs, on a copy of the context: what is left must still be a workspace, and hold
/// nothing whose change should compile the dependencies again.
#[test]
fn the_cached_layer_holds_what_builds_and_emptied_roots_only() {
    let instructions = instructions();
    let mut stage = instructions
        .iter()
        .skip_while(|one| one.rest != "rust AS manifests");
    let run = stage.find(|one| one.name == "RUN").unwrap();
    let folder = tempfile::tempdir().unwrap();
    copy_context(&ignore_rules(), tree::root(), folder.path());
    assert!(
        folder
            .path()
            .join("rustformations/src/transformation.rs")
            .exists()
    );
    let mut shell = Command::new("/bin/sh");
    let output = shell
        .args(["-ec", &run.rest])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );

    let mut left = Vec::new();
    files_below(folder.path(), &mut left);
    for file in &left {
        if file.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(file).unwrap();
            assert_eq!(text, "fn main() {}\n", "{}", file.display());
        } else {
            let kept = ["Cargo.toml", "Cargo.lock", "release/build.sh"];
            let is_kept = kept.iter().any(|name| file.ends_with(name));
            assert!(is_kept, "{}", file.display());
        }
    }
    assert!(
        !folder
            .path()
            .join("rustformations/src/transformation.rs")
            .exists()
    );
    let mut cargo = Command::new(env!("CARGO"));
    let output = cargo
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_image_is_what_kgateway_and_a_stand_alone_user_expect() {
    let instructions = instructions();
    let has = |name: &str, part: &str| {
        instructions
            .iter()
            .any(|one| one.name == name && one.rest.contains(part))
    };
    assert!(has("ARG", "ENVOY_VERSION=1.36.4") && has("ARG", "RUST_VERSION="));
    assert!(
        has("FROM", "scratch AS module"),
        "no target for image volumes"
    );
    let last = instructions.iter().rfind(|one| one.name == "FROM").unwrap();
    assert_eq!(last.rest, "envoyproxy/envoy:v${ENVOY_VERSION} AS envoy");
    assert!(has("COPY", "/usr/local/lib/librust_module.so"));
    assert!(
        has("COPY", "/etc/envoy/envoy.yaml") && has("COPY", "/usr/share/rustformations/envoy.yaml")
    );
    assert!(has(
        "ENV",
        "ENVOY_DYNAMIC_MODULES_SEARCH_PATH=/usr/local/lib"
    ));
    assert!(has("USER", "10101"));
    for label in ["title", "description", "licenses", "version", "revision"] {
        let label = format!("org.opencontainers.image.{label}=");
        let labels = instructions
            .iter()
            .filter(|one| one.name == "LABEL" && one.rest.contains(&label));
        assert_eq!(labels.count(), 3, "{label} is not on every image");
    }
    assert!(
        has("RUN", "ca-certificates wget"),
        "kgateway's preStop hook needs wget"
    );
}

/// The stage that this image is made by, without its `FROM`.
fn stage<'i>(instructions: &'i [Instruction], from: &str) -> &'i [Instruction] {
    let is = |one: &Instruction| one.name == "FROM" && one.rest == from;
    let start = instructions.iter().position(is).unwrap() + 1;
    let rest = &instructions[start..];
    let end = rest.iter().position(|one| one.name == "FROM");
    &rest[..end.unwrap_or(rest.len())]
}

/// kgateway's start program, user and packages stay; its module does not.
#[test]
fn the_image_on_kgateways_own_replaces_one_file() {
    let instructions = instructions();
    let from = "cr.kgateway.dev/kgateway-dev/envoy-wrapper:v${KGATEWAY_VERSION} AS kgateway";
    let stage = stage(&instructions, from);
    let copies: Vec<&Instruction> = stage.iter().filter(|one| one.name == "COPY").collect();
    assert_eq!(copies.len(), 2, "{copies:?}");
    assert_eq!(copies[0].option("from"), Some("build"));
    assert_eq!(copies[0].option("chmod"), Some("0644"));
    let words = copies[0].words();
    assert_eq!(
        words,
        ["/out/librust_module.so", "/usr/local/lib/librust_module.so"]
    );
    // A folder that is ours alone.
    let licences = ["/out/licenses", "/usr/share/doc/rustformations"];
    assert_eq!(copies[1].words(), licences);
    let of = |name: &str| {
        let found = stage.iter().find(|one| one.name == name);
        found.map(|one| one.rest.as_str())
    };
    let searched = "ENVOY_DYNAMIC_MODULES_SEARCH_PATH=/usr/local/lib";
    assert_eq!(of("ENV"), Some(searched));
    assert_eq!(of("USER"), Some("10101"));
    for gone in ["RUN", "ENTRYPOINT", "CMD"] {
        assert_eq!(of(gone), None, "{gone} takes something of kgateway's away");
    }
    // The lab installs this release of 2.2.
    let default = instructions
        .iter()
        .find(|one| one.rest.starts_with("KGATEWAY_VERSION="));
    let lab = fs::read_to_string(tree::root().join("k8s/lab.sh")).unwrap();
    let (_, release) = default.unwrap().rest.split_once('=').unwrap();
    assert!(
        lab.contains(&format!("2.2) kgateway={release} ")),
        "{release}"
    );
}

/// Whoever reads how to build an image can do so.
#[test]
fn every_build_that_is_written_down_names_what_the_dockerfile_has() {
    let instructions = instructions();
    let stages = instructions.iter().filter(|one| one.name == "FROM");
    let stages: Vec<&str> = stages
        .filter_map(|one| one.words().get(2).copied())
        .collect();
    let arguments = instructions.iter().filter(|one| one.name == "ARG");
    let arguments: Vec<&str> = arguments
        .map(|one| one.rest.split('=').next().unwrap())
        .collect();
    let mut seen = Vec::new();
    for file in [
        "Dockerfile",
        "k8s/README.md",
        "k8s/examples/kgateway-2.2/kustomization.yaml",
    ] {
        let text = fs::read_to_string(tree::root().join(file)).unwrap();
        let words: Vec<&str> = text.split_whitespace().collect();
        for pair in words.windows(2) {
            let value = pair[1].split('=').next().unwrap();
            match pair[0] {
                "--target" => {
                    assert!(stages.contains(&value), "{file}: no stage {value}");
                    seen.push(value.to_owned());
                }
                "--build-arg" => assert!(arguments.contains(&value), "{file}: no argument {value}"),
                _ => {}
            }
        }
    }
    for target in ["module", "kgateway", "envoy"] {
        assert!(seen.iter().any(|it| it == target), "{target} is in no text");
    }
}

#[test]
fn rules_are_broken_by_what_they_forbid() {
    let bad = "FROM a:1 AS b\nRUN cargo build\nRUN curl -O https://a.test/b\nUSER app";
    let found = problems(&parse(bad));
    for part in ["lock file", "nobody pinned", "USER in digits"] {
        assert!(
            found.iter().any(|problem| problem.contains(part)),
            "{part}: {found:?}"
        );
    }
    for user in ["", "\nUSER 0", "\nUSER root", "\nUSER 10101\nFROM scratch"] {
        let found = problems(&parse(&format!("FROM a:1{user}")));
        assert_eq!(found.len(), 1, "{user:?}: {found:?}");
    }
    assert_eq!(problems(&parse("FROM a:1\nUSER 10101")), [""; 0]);
}

#[test]
fn ignore_rules_are_read_as_docker_reads_them() {
    let rules = "# why\n*.md\n**/target\nk8s/*\n!k8s/check\n";
    for (path, ignored) in [
        ("README.md", true),
        ("docs/README.md", false),
        ("target/x", true),
        ("a/b/target/x", true),
        ("k8s/base/x.yaml", true),
        ("k8s/check/src/lib.rs", false),
        ("k8s/check/target/x", false),
        ("src/targets.rs", false),
    ] {
        assert_eq!(is_ignored(rules, Path::new(path)), ignored, "{path}");
    }
}

#[test]
fn instructions_are_read_over_several_lines() {
    let read = parse("FROM a:1 AS b\n# no\nRUN x \\\n    # no\n    && y\n");
    assert_eq!(read.len(), 2);
    assert_eq!(
        read[1],
        dockerfile::Instruction {
            name: "RUN".into(),
            rest: "x && y".into()
        }
    );
}

/// What hadolint says of a file, and whether it takes it; `None` where it cannot be had.
fn hadolint(file: &Path) -> Option<(bool, String)> {
    let program = tools::by_pip("hadolint").unwrap()?;
    let output = Command::new(program)
        .args(["--no-color", "--failure-threshold=info"])
        .arg(file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    Some((output.status.success(), said))
}

/// Past our own rules: hadolint's, and shellcheck's for what `RUN` runs.
#[test]
fn the_dockerfile_is_clean_for_hadolint() {
    if let Some((is_clean, said)) = hadolint(&tree::root().join("Dockerfile")) {
        assert!(is_clean, "{said}");
    }
}

#[test]
fn hadolint_finds_what_our_own_rules_leave_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("Dockerfile");
    let bad = "FROM rust\nFROM rust:latest AS b\nCOPY --from=c /x /y\nADD x y\n\
               RUN apt-get update && apt-get install --yes wget=1\nRUN sudo true\nUSER root\n\
               ENTRYPOINT /x.sh\n";
    fs::write(&file, bad).unwrap();
    let Some((_, said)) = hadolint(&file) else {
        return;
    };
    for (rule, about) in [
        ("DL3006", "an image without a tag"),
        ("DL3007", "the tag latest"),
        ("DL3022", "a stage that is not there"),
        ("DL3020", "ADD for a file"),
        ("DL3009", "lists of apt-get that stay"),
        ("DL3015", "recommended packages"),
        ("DL3004", "sudo"),
        ("DL3002", "root"),
        ("DL3025", "an entrypoint in a shell"),
    ] {
        assert!(said.contains(rule), "{about}: {said}");
    }
}

#[test]
fn the_scripts_are_clean_shell() {
    let Some(shellcheck) = tools::by_pip("shellcheck").unwrap() else {
        return;
    };
    let mut scripts = vec![(tree::root().join(".ci/run"), "bash")];
    for folder in ["", "examples", "fuzz", "k8s", "release", "tests"] {
        let files = fs::read_dir(tree::root().join(folder)).unwrap();
        let files = files.map(|entry| entry.unwrap().path());
        let posix = files.filter(|file| file.extension().is_some_and(|it| it == "sh"));
        scripts.extend(posix.map(|file| (file, "sh")));
    }
    assert!(scripts.len() > 4, "{scripts:?}");
    for (script, shell) in scripts {
        let output = Command::new(&shellcheck)
            .args(["--norc", "--shell", shell])
            .arg(script)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
}

fn readelf(what: &str) -> String {
    let module = workspace::module_folder()
        .unwrap()
        .join(workspace::MODULE_FILE);
    let output = Command::new("readelf")
        .args([what, "--wide"])
        .arg(&module)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Of the module as this machine builds it. The image's own build asks for less, its compiler being
/// older.
#[test]
fn the_module_asks_for_no_newer_glibc_than_every_base_image_has() {
    if !tools::has_tool("readelf").unwrap() {
        return;
    }
    let versions = readelf("--version-info");
    let wanted = versions.split("GLIBC_").skip(1).filter_map(|rest| {
        let number = rest
            .split(|c: char| !c.is_ascii_digit() && c != '.')
            .next()?;
        let mut parts = number.split('.').map(|part| part.parse::<u32>().ok());
        Some((parts.next()??, parts.next()??))
    });
    let newest = wanted.max().unwrap();
    assert!(
        newest <= GLIBC_FLOOR,
        "the module asks for glibc {newest:?}"
    );
}

#[test]
fn the_module_brings_its_unwinder_and_needs_only_the_c_library() {
    if !tools::has_tool("readelf").unwrap() {
        return;
    }
    let dynamic = readelf("--dynamic");
    let needed: Vec<&str> = dynamic
        .lines()
        .filter(|line| line.contains("(NEEDED)"))
        .collect();
    assert!(!needed.is_empty(), "{dynamic}");
    for line in needed {
        assert!(
            LIBRARIES.iter().any(|library| line.contains(library)),
            "{line}"
        );
    }
    let symbols = readelf("--dyn-syms");
    assert!(
        symbols.contains("envoy_dynamic_module_on_program_init"),
        "{symbols}"
    );
    assert!(!symbols.contains("_Unwind_"), "{symbols}");
}
