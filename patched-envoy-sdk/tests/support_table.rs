//! The support table for people must say what the code says.

use envoy_proxy_dynamic_modules_rust_sdk::{Capability, EnvoyVersion};

const TABLE: &str = include_str!("../docs/support.md");

#[test]
fn the_support_table_lists_every_capability_with_its_first_envoy() {
    for capability in Capability::ALL {
        let row = TABLE
            .lines()
            .find(|line| line.starts_with(&format!("| `{capability:?}` |")))
            .unwrap_or_else(|| panic!("no row for {capability:?}"));
        assert!(
            row.contains(&format!("| {} |", capability.since())),
            "{row}"
        );
    }
}

#[test]
fn the_support_table_lists_nothing_else() {
    let names: Vec<String> = Capability::ALL.iter().map(|c| format!("{c:?}")).collect();
    let section = TABLE
        .split("## From a certain Envoy on")
        .nth(1)
        .expect("the section is there");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    for row in rows {
        let name = row
            .split('`')
            .next()
            .expect("split gives one part at least");
        assert!(
            names.iter().any(|known| known == name),
            "{name} is not a capability"
        );
    }
}

#[test]
fn every_supported_release_line_is_named() {
    for version in EnvoyVersion::ALL {
        assert!(TABLE.contains(&version.to_string()));
    }
}
