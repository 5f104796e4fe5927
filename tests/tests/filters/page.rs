//! The project that `docs/filters.md` prints, made from nothing. The page's other examples are run with the
//! documentation of the SDK.

use rustformations_tests::envoy::{VERSIONS, bring};
use rustformations_tests::workspace;

use crate::curl::Session;
use crate::project::{cargo, target};

/// A file of the project, as printed.
fn printed(page: &str, file: &str) -> String {
    let mark = format!("<!-- recipe first: {file} -->\n```");
    let (_, block) = page.split_once(&mark).unwrap();
    let (_, block) = block.split_once('\n').unwrap();
    block.split_once("\n```").unwrap().0.to_owned() + "\n"
}

#[test]
fn the_project_of_the_page_passes_its_tests_and_does_what_is_said_in_envoy() {
    let page = std::fs::read_to_string(workspace::root().join("docs/filters.md")).unwrap();
    let project = tempfile::tempdir().unwrap();
    let folder = project.path();
    std::fs::create_dir(folder.join("src")).unwrap();
    for file in ["Cargo.toml", "src/lib.rs", "envoy.yaml"] {
        std::fs::write(folder.join(file), printed(&page, file)).unwrap();
    }
    // From where it is, cargo knows that the SDK of this tree has taken the repository's place.
    let lock = workspace::root().join("examples/my-filter/Cargo.lock");
    let lock = std::fs::read_to_string(lock)
        .unwrap()
        .replace("my-filter", "first-filter");
    std::fs::write(folder.join("Cargo.lock"), lock).unwrap();
    let printed_by_tests = cargo(folder, &["test"], &[]);
    assert!(
        printed_by_tests.contains("2 passed; 0 failed"),
        "{printed_by_tests}"
    );
    cargo(folder, &["build"], &[]);
    let bootstrap = printed(&page, "envoy.yaml");
    for version in [VERSIONS[0], VERSIONS[VERSIONS.len() - 1]] {
        let envoy = bring(version).unwrap();
        let session = Session::start(&envoy, &bootstrap, &target().join("debug"), folder);
        assert_eq!(session.follow(&page), 2, "{version}");
    }
}
