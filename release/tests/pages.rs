//! What the pages for contributors and reporters name is there: files, headings, and targets of `make`.
#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::fs;

use rustformations_tests::workspace;

const PAGES: [&str; 5] = [
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "THIRD-PARTY.md",
    ".github/PULL_REQUEST_TEMPLATE.md",
];

fn read(name: &str) -> String {
    fs::read_to_string(workspace::root().join(name))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The parts of a text between back quotes, which are odd ones.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Headings as they are linked to: in lower case, words joined, without signs.
fn anchors(page: &str) -> Vec<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = text
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut links = 0;
    for page in PAGES {
        let text = read(page);
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            if link.starts_with("https://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = read(if file.is_empty() { page } else { file });
            let there = heading.is_empty() || anchors(&target).iter().any(|it| it == heading);
            assert!(there, "{page}: {link}");
            links += 1;
        }
    }
    assert!(links > 5, "{links}");
}

#[test]
fn files_and_commands_that_are_named_are_there() {
    let makefile = read("Makefile");
    let mut commands = 0;
    for page in PAGES {
        let text = read(page);
        for part in quoted(&text).filter(|part| !part.contains('\n')) {
            let mut words = part.split_whitespace();
            let first = words.next().unwrap_or_default();
            if let ("make", Some(target)) = (first, words.next()) {
                assert!(makefile.contains(&format!("\n{target}:")), "{page}: {part}");
                commands += 1;
            }
            let is_path = !first.starts_with('/')
                && first.contains('/')
                && fs::metadata(workspace::root().join(first.split('/').next().unwrap())).is_ok();
            // What a build makes is not there yet.
            if is_path && !first.starts_with("target/") {
                assert!(workspace::root().join(first).exists(), "{page}: {part}");
            }
        }
    }
    assert!(commands > 5, "{commands}");
}
