//! The address of the repository is said once, in `Cargo.toml`; every other place agrees or takes it from there.
#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::fs;
use std::process::Command;

use rustformations_tests::workspace;

/// `OWNER/NAME`, as `Cargo.toml` has it.
fn repository() -> String {
    let manifest = fs::read_to_string(workspace::root().join("Cargo.toml")).unwrap();
    let line = manifest
        .lines()
        .find_map(|line| line.strip_prefix("repository = "));
    let address = line.unwrap().trim_matches('"');
    address
        .strip_prefix("https://github.com/")
        .unwrap()
        .to_owned()
}

/// Every file of the checkout that is text.
fn texts() -> Vec<(String, String)> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(workspace::root())
        .output()
        .unwrap();
    assert!(output.status.success(), "git ls-files");
    let names = String::from_utf8(output.stdout).unwrap();
    let read = |name: &str| fs::read_to_string(workspace::root().join(name)).ok();
    let texts = names.split('\0').filter(|name| !name.is_empty());
    texts
        .filter_map(|name| Some((name.to_owned(), read(name)?)))
        .collect()
}

/// The owners under which a text names a repository or an image of this name, such as `OWNER` in
/// `github.com/OWNER/NAME`.
fn owners<'a>(text: &'a str, host: &str, name: &str) -> Vec<&'a str> {
    let after_host = text.split(host).skip(1);
    let parts = after_host.filter_map(|rest| rest.split_once('/'));
    parts
        .filter(|(_, rest)| {
            let ends = rest.strip_prefix(name).map(|rest| rest.chars().next());
            let goes_on = |next: char| next.is_alphanumeric() || "-_".contains(next);
            ends.is_some_and(|next| !next.is_some_and(goes_on))
        })
        .map(|(owner, _)| owner)
        .collect()
}

#[test]
fn every_place_agrees() {
    let repository = repository();
    let (owner, name) = repository.split_once('/').unwrap();
    let mut places = 0;
    for (file, text) in texts() {
        for host in ["github.com/", "ghcr.io/"] {
            for found in owners(&text, host, name) {
                assert_eq!(found, owner, "{file}: {host}{found}/{name}");
                places += 1;
            }
        }
    }
    assert!(places > 0, "not even Cargo.toml");
}

#[test]
fn owners_are_found_where_the_name_is_whole() {
    let text = "https://github.com/one/name, ghcr.io/two/name:1 github.com/three/names github.com/four/name.git";
    assert_eq!(owners(text, "github.com/", "name"), ["one", "four"]);
    assert_eq!(owners(text, "ghcr.io/", "name"), ["two"]);
}

/// A fork that releases must not push to, nor point at, where it came from.
#[test]
fn workflows_and_images_take_it_from_where_they_run() {
    let read = |name: &str| fs::read_to_string(workspace::root().join(name)).unwrap();
    for workflow in ["ci", "release"] {
        let text = read(&format!(".github/workflows/{workflow}.yml"));
        assert!(!text.contains(&repository()), "{workflow}");
    }
    let dockerfile = read("Dockerfile");
    let images = dockerfile
        .matches("org.opencontainers.image.title=")
        .count();
    let sources = dockerfile
        .matches("org.opencontainers.image.source=\"${SOURCE}\"")
        .count();
    assert_eq!(images, sources, "each image says where its source is");
}
