//! The images and versions that samples and pages name are those that a release has.
#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::fs;
use std::path::Path;
use std::process::Command;

use k8s_check::dockerfile::parse;
use k8s_check::tree;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Tag, target and build argument of each image of a release.
fn images() -> Vec<[String; 3]> {
    let script = tree::root().join("release/images.sh");
    let output = Command::new("/bin/sh")
        .arg(script)
        .arg("list")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8(output.stdout)
        .unwrap()
        .replace("VERSION-", &format!("{VERSION}-"));
    let words = |line: &str| {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        words.try_into().unwrap()
    };
    lines.lines().map(words).collect()
}

/// What users read and apply.
fn texts(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("check") {
            texts(&path, found);
        } else if path.is_file() {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path.display().to_string(), text));
        }
    }
}

/// The tags of our images in a text: after the name of the repository, and as the value of `tag`.
fn tags(text: &str) -> impl Iterator<Item = &str> {
    let after = |marker| text.split(marker).skip(1);
    let values = after("rustformations:").chain(after("\n  tag: "));
    let tags = values.map(|rest| rest.split([' ', '\n', '`', '"']).next().unwrap());
    tags.filter(|tag| tag.starts_with(|first: char| first.is_ascii_digit()))
}

#[test]
fn every_image_that_is_named_is_one_of_a_release() {
    let images = images();
    let mut found = Vec::new();
    texts(&tree::root().join("k8s"), &mut found);
    let mut seen = 0;
    for (file, text) in &found {
        for tag in tags(text) {
            // The lab puts the Envoy of its line there.
            let is_one = match tag.split_once('$') {
                Some((start, _)) => start == format!("{VERSION}-envoy"),
                None => images.iter().any(|image| image[0] == tag),
            };
            assert!(is_one, "{file}: {tag}");
            seen += 1;
        }
        for reference in text.split("?ref=").skip(1) {
            assert!(reference.starts_with(&format!("v{VERSION}`")), "{file}");
        }
    }
    assert!(seen > 20, "only {seen} tags were found");
}

#[test]
fn every_build_that_the_page_shows_makes_the_image_of_its_tag() {
    let page = fs::read_to_string(tree::root().join("k8s/README.md")).unwrap();
    let images = images();
    let lines = page
        .lines()
        .filter(|line| line.starts_with("docker build --target "));
    let mut targets = Vec::new();
    for line in lines {
        let after = |option: &str| {
            let (_, rest) = line.split_once(option)?;
            rest.split_whitespace().next()
        };
        let tag = tags(line).next().unwrap();
        let target = after("--target ").unwrap();
        let image = images.iter().find(|image| image[0] == tag).unwrap();
        assert_eq!(image[1], target, "{line}");
        match after("--build-arg ") {
            Some(argument) => assert_eq!(image[2], argument, "{line}"),
            None => assert_eq!(target, "module", "{line}"),
        }
        targets.push(target);
    }
    assert!(
        ["module", "kgateway", "envoy"]
            .iter()
            .all(|it| targets.contains(it)),
        "{targets:?}"
    );
}

#[test]
fn images_that_are_built_by_hand_say_the_version_of_the_source() {
    let text = fs::read_to_string(tree::root().join("Dockerfile")).unwrap();
    let instructions = parse(&text);
    let arguments = instructions.iter().filter(|one| one.name == "ARG");
    let versions: Vec<&str> = arguments
        .filter_map(|one| one.rest.strip_prefix("VERSION="))
        .collect();
    assert_eq!(versions, [VERSION; 3]);
}
