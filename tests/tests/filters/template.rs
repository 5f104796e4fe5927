//! `examples/my-filter`.

use std::path::PathBuf;

use rustformations_tests::envoy::{VERSIONS, bring};
use rustformations_tests::{EnvoyProcess, Settings, on_every_envoy, workspace};

use crate::curl::Session;
use crate::project::{cargo, target};
use crate::repository;

fn folder() -> PathBuf {
    workspace::root().join("examples/my-filter")
}

#[test]
fn its_tests_pass_without_an_envoy_and_say_what_they_left_out() {
    let printed = cargo(&folder(), &["test", "--locked"], &[]);
    assert!(
        printed.contains("ignored, needs ENVOY=path/to/envoy"),
        "{printed}"
    );
}

on_every_envoy! {
    fn its_tests_pass_in_envoy(envoy) {
        let binary = envoy.binary().as_os_str();
        let arguments = ["test", "--locked", "--test", "in_envoy", "--", "--include-ignored"];
        let printed = cargo(&folder(), &arguments, &[("ENVOY", binary)]);
        assert!(printed.contains("5 passed; 0 failed; 0 ignored"), "{printed}");
    }
}

#[test]
fn its_page_says_what_happens() {
    cargo(&folder(), &["build", "--locked"], &[]);
    let envoy = bring(VERSIONS[VERSIONS.len() - 1]).unwrap();
    let bootstrap = std::fs::read_to_string(folder().join("envoy.yaml")).unwrap();
    let session = Session::start(&envoy, &bootstrap, &target().join("debug"), &folder());
    let page = std::fs::read_to_string(folder().join("README.md")).unwrap();
    assert_eq!(session.follow(&page), 6);
}

/// A filter of this repository's module, as `http_filters` have it.
const NEIGHBOUR: &str = "          - name: neighbour
            typed_config:
              \"@type\": type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter
              dynamic_module_config: { name: rust_module }
              filter_name: my-smart-header
";

#[test]
fn it_works_beside_the_module_of_this_repository() {
    cargo(&folder(), &["build", "--locked"], &[]);
    let both = tempfile::tempdir().unwrap();
    for module in [
        target().join("debug/libmy_filter.so"),
        workspace::module_folder()
            .unwrap()
            .join(workspace::MODULE_FILE),
    ] {
        let name = module.file_name().unwrap();
        std::os::unix::fs::symlink(&module, both.path().join(name)).unwrap();
    }
    let bootstrap = std::fs::read_to_string(folder().join("envoy.yaml")).unwrap();
    let stamp = "          - name: stamp\n";
    let bootstrap = bootstrap.replace(stamp, &format!("{NEIGHBOUR}{stamp}"));
    let expected = "
```sh
curl -i http://localhost:10000/
```
```text
x-smart-header: method=GET&path=/
x-stamp: everywhere
```";
    for version in [VERSIONS[0], VERSIONS[VERSIONS.len() - 1]] {
        let session = Session::start(&bring(version).unwrap(), &bootstrap, both.path(), &folder());
        assert_eq!(session.follow(expected), 1, "{version}");
    }
}

#[test]
fn envoys_say_of_what_they_refuse_what_the_page_for_authors_says() {
    cargo(&folder(), &["build", "--locked"], &[]);
    let page = std::fs::read_to_string(workspace::root().join("docs/filters.md")).unwrap();
    let bootstrap = std::fs::read_to_string(folder().join("envoy.yaml")).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    for version in VERSIONS {
        let envoy = bring(version).unwrap();
        let missing = match version.at_least(1, 37) {
            true => "not found in any search path",
            false => "cannot open shared object file",
        };
        for (right, wrong, said) in [
            (
                r#""requests": 1"#,
                r#""requests": 0"#,
                "Failed to initialize dynamic module",
            ),
            ("my_filter", "not_there", missing),
        ] {
            let file = scratch.path().join("envoy.yaml");
            std::fs::write(&file, bootstrap.replace(right, wrong)).unwrap();
            let settings = Settings {
                module_folder: Some(target().join("debug")),
                ..Settings::default()
            };
            let (accepted, log) = EnvoyProcess::validate(&envoy, &file, &settings).unwrap();
            assert!(
                !accepted && log.contains(said),
                "{version} of {wrong}: {log}"
            );
            assert!(page.contains(&format!("`{said}`")), "{said}");
        }
    }
}

#[test]
fn the_address_of_the_repository_is_that_of_the_workspace() {
    let repository = repository();
    for file in [
        "examples/my-filter/Cargo.toml",
        "examples/my-filter/README.md",
        "docs/filters.md",
    ] {
        let text = std::fs::read_to_string(workspace::root().join(file)).unwrap();
        let mut addresses = text.match_indices("https://github.com/").peekable();
        assert!(addresses.peek().is_some(), "{file}");
        for (at, _) in addresses {
            let line = text[at..].lines().next();
            assert!(
                text[at..].starts_with(&repository),
                "{file}: {line:?} is not {repository}"
            );
        }
    }
}

/// Where another version stood there, cargo would ask the repository which it has.
#[test]
fn its_lock_file_names_the_version_of_this_tree() {
    let sdk = "name = \"envoy-proxy-dynamic-modules-rust-sdk\"\n";
    let right = format!("{sdk}version = \"{}\"\n", env!("CARGO_PKG_VERSION"));
    let lock = std::fs::read_to_string(folder().join("Cargo.lock")).unwrap();
    assert!(
        lock.contains(&right),
        "write into examples/my-filter/Cargo.lock:\n{right}"
    );
}

/// Nothing is downloaded for it that the workspace has not.
#[test]
fn its_dependencies_are_among_those_of_the_workspace() {
    let read = |file: &str| std::fs::read_to_string(workspace::root().join(file)).unwrap();
    let (own, all) = (read("examples/my-filter/Cargo.lock"), read("Cargo.lock"));
    let packages = |lock: &str| -> Vec<String> {
        let packages = lock.split("[[package]]").skip(1);
        let from_outside = packages.filter(|package| package.contains("checksum = "));
        let name_and_version = |package: &str| package.lines().skip(1).take(2).collect();
        from_outside.map(name_and_version).collect()
    };
    let all = packages(&all);
    for package in packages(&own) {
        assert!(
            all.contains(&package),
            "{package}: take the workspace's version with \"examples/cargo.sh update \
             --manifest-path examples/my-filter/Cargo.toml NAME --precise VERSION\""
        );
    }
}
