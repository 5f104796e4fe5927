//! The changelog has the form that the release reads, and the images are for what is supported.
#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use rustformations_tests::{VERSIONS, workspace};

/// Runs `release/SCRIPT` of a folder that has what it reads.
fn run(root: &Path, script: &str, arguments: &[&str]) -> Output {
    let script = root.join("release").join(script);
    Command::new(script).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_notes_of_a_release_are_its_section_of_the_changelog() {
    let folder = tempfile::tempdir().unwrap();
    let release = folder.path().join("release");
    fs::create_dir(&release).unwrap();
    let script = workspace::root().join("release/notes.sh");
    fs::copy(script, release.join("notes.sh")).unwrap();
    let manifest =
        "[workspace.package]\nversion = \"1.2.0\"\n\n[profile.release]\nversion = \"9\"\n";
    fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    let changelog = "# Changelog\n\n## [Unreleased]\n\n- later\n\n## [1.2.0] - 2030-01-02\n\n### Added\n\n- now\n\n\
                     ## [1.1.0] - 2029-01-02\n\n- before\n\n[1.2.0]: https://example.com\n";
    fs::write(folder.path().join("CHANGELOG.md"), changelog).unwrap();

    let notes = run(folder.path(), "notes.sh", &["1.2.0"]);
    assert_eq!(text(&notes.stdout), "### Added\n\n- now\n");

    let other = run(folder.path(), "notes.sh", &["1.3.0"]);
    assert!(!other.status.success());
    assert!(text(&other.stderr).contains("has version 1.2.0, not 1.3.0"));

    fs::write(
        folder.path().join("CHANGELOG.md"),
        "## [Unreleased]\n\n- later\n",
    )
    .unwrap();
    let silent = run(folder.path(), "notes.sh", &["1.2.0"]);
    assert!(!silent.status.success());
    assert!(text(&silent.stderr).contains("no section [1.2.0]"));
}

#[test]
fn the_changelog_keeps_its_form() {
    let changelog = fs::read_to_string(workspace::root().join("CHANGELOG.md")).unwrap();
    let mut sections = changelog
        .lines()
        .filter_map(|line| line.strip_prefix("## "));
    assert_eq!(sections.next(), Some("[Unreleased]"));
    for section in sections {
        let (version, date) = section.split_once(" - ").unwrap_or((section, ""));
        let is_version = version.starts_with('[') && version.matches('.').count() == 2;
        assert!(is_version && date.len() == 10, "{section}");
    }
    let kinds = [
        "Added",
        "Changed",
        "Deprecated",
        "Removed",
        "Fixed",
        "Security",
    ];
    for kind in changelog
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
    {
        assert!(kinds.contains(&kind), "{kind}");
    }
}

/// The images of a release are for every supported Envoy, and for the gateways of the lab.
#[test]
fn there_is_an_image_for_each_envoy_and_each_kgateway() {
    let list = text(&run(workspace::root(), "images.sh", &["list"]).stdout);
    let of_target = |target: &str| -> Vec<String> {
        let lines = list.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        let arguments = lines
            .filter(|words| words[1] == target)
            .map(|words| words[2]);
        arguments
            .map(|it| it.split_once('=').unwrap().1.to_owned())
            .collect()
    };
    let minors: Vec<String> = of_target("envoy").iter().map(|it| minor(it)).collect();
    let supported: Vec<String> = VERSIONS.iter().map(|it| minor(&it.to_string())).collect();
    assert_eq!(minors, supported);
    assert_eq!(of_target("module"), ["VERSION"]);
    let dockerfile = fs::read_to_string(workspace::root().join("Dockerfile")).unwrap();
    for target in list.lines().filter_map(|line| line.split(' ').nth(1)) {
        assert!(dockerfile.contains(&format!(" AS {target}\n")), "{target}");
    }

    let lab = fs::read_to_string(workspace::root().join("k8s/lab.sh")).unwrap();
    let in_lab = |name: &str| -> Vec<String> {
        let assigned = format!(" {name}=");
        let values = lab.split(&assigned).skip(1);
        let values = values.filter(|rest| rest.starts_with(|first: char| first.is_ascii_digit()));
        values
            .map(|rest| rest.split(' ').next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(of_target("kgateway"), in_lab("kgateway"));
    for envoy in in_lab("envoy") {
        assert!(of_target("envoy").contains(&envoy), "{envoy}");
    }
}

fn minor(version: &str) -> String {
    version.rsplit_once('.').unwrap().0.to_owned()
}
