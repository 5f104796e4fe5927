//! The column *policy* of the configuration reference says what the resource definitions say.
#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::collections::BTreeMap;

use k8s_check::schema::Definitions;
use k8s_check::tree;
use serde_json::Value;

const POLICY: &str = "gateway.kgateway.dev/v1alpha1/TrafficPolicy";
const LINES: [(&str, &str); 3] = [
    ("2.2", "kgateway-v2.2.x"),
    ("2.3", "kgateway-v2.3.x"),
    ("2.4", "kgateway-v2.4.x"),
];

/// Since which line a policy has each field of the tables, as the page says; `no` is none. A cell that is
/// empty says what is said of the field that the table is about.
fn as_documented() -> BTreeMap<String, String> {
    let page = std::fs::read_to_string(tree::root().join("docs/configuration.md")).unwrap();
    let mut column = None;
    let mut found = BTreeMap::new();
    for line in page.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if !line.starts_with('|') {
            column = None;
        } else if let Some(policy) = cells.iter().position(|cell| *cell == "policy") {
            column = Some(policy);
        } else if let Some(policy) = column
            && cells[1].starts_with('`')
            && !cells[policy].is_empty()
        {
            let since = cells[policy].split([',', ':', ' ']).next().unwrap();
            found.insert(cells[1].trim_matches('`').to_owned(), since.to_owned());
        }
    }
    found
}

#[test]
fn the_reference_says_what_a_policy_can_carry() {
    let Some(folder) = tree::definitions_folder().unwrap() else {
        return;
    };
    let documented = as_documented();
    assert!(documented.len() > 15, "{documented:?}");
    for (line, set) in LINES {
        let definitions = Definitions::read(&folder, &[set]).unwrap();
        let at = |pointer: &str| {
            let pointer = format!("/properties/spec/properties/transformation/properties{pointer}");
            definitions.part(POLICY, &pointer)
        };
        for (name, since) in &documented {
            let path = match name.as_str() {
                "request" | "response" => format!("/{name}"),
                "parseAs" | "value" | "patch" => {
                    format!("/request/properties/body/properties/{name}")
                }
                name if name.contains('.') || name == "envAllow" => format!("/{name}"),
                "stream" => format!("/response/properties/{name}"),
                name => format!("/request/properties/{name}"),
            };
            let expected = since != "no" && since.as_str() <= line;
            assert_eq!(at(&path).is_some(), expected, "{name} in {line}");
        }
        let modes = at("/request/properties/body/properties/parseAs/enum");
        let has_none = modes
            .unwrap()
            .as_array()
            .unwrap()
            .contains(&Value::from("None"));
        assert_eq!(has_none, line != "2.2", "{line}");
        let values = "/request/properties/dynamicMetadata/items/properties/value/properties";
        if let Some(values) = at(values).and_then(Value::as_object) {
            assert!(values.keys().eq(["stringValue"]), "{values:?} in {line}");
        }
    }
}
