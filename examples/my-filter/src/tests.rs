//! What all filters have in common. Each is tested beside its code.

use envoy_proxy_dynamic_modules_rust_sdk::testing::{FakeEnvoy, FakeEnvoyConfig, logged};

use super::*;

/// What the log says about a refused configuration.
fn refusal(name: &str, config: &str) -> String {
    let mut host = FakeEnvoyConfig::default();
    let (made, lines) =
        logged(|| new_http_filter_config::<_, FakeEnvoy>(&mut host, name, config.as_bytes()));
    assert!(made.is_none(), "{name} takes {config}");
    lines[0].1.clone()
}

#[test]
fn every_name_is_known_on_every_envoy() {
    let configs = [
        ("api-keys", r#"{"file": "keys.txt"}"#),
        ("ask-first", r#"{"cluster": "policy"}"#),
        ("at-most", r#"{"requests": 2, "of": "x-user"}"#),
        ("measure", ""),
        ("stamp", r#"{"header": "x-stamp", "text": "hello"}"#),
    ];
    for (name, config) in configs {
        for version in EnvoyVersion::ALL {
            let mut host = FakeEnvoyConfig::new(version);
            let made = new_http_filter_config::<_, FakeEnvoy>(&mut host, name, config.as_bytes());
            assert!(made.is_some(), "{name} on {version}");
        }
    }
    assert_eq!(configs.map(|(name, _)| name).join(", "), NAMES);
}

#[test]
fn a_refusal_says_what_would_be_right() {
    for (name, config, expected) in [
        ("at-least", "{}", "it has: api-keys, ask-first"),
        (
            "ask-first",
            "{}",
            "missing field `cluster` at line 1 column 2",
        ),
        (
            "ask-first",
            r#"{"clutser": "a"}"#,
            "unknown field `clutser`, expected `cluster`",
        ),
        (
            "at-most",
            r#"{"requests": 0, "of": "x-user"}"#,
            "`requests` must be at least 1",
        ),
        ("at-most", "", "EOF while parsing"),
        (
            "stamp",
            r#"{"header": "", "text": "a"}"#,
            "`header` must be the name of a header",
        ),
    ] {
        let said = refusal(name, config);
        assert!(said.starts_with(name) && said.contains(expected), "{said}");
    }
}

#[test]
fn a_route_can_configure_only_what_has_something_to_configure() {
    let (made, lines) = logged(|| new_http_filter_per_route_config("measure", b"{}"));
    assert!(made.is_none());
    assert!(lines[0].1.contains("they can: stamp"), "{lines:?}");
}
