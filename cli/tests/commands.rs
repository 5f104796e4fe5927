//! What the tool prints and how it ends: the goldens in `cmd`, and the examples of the documentation, all run from
//! the root of the repository or, for a golden, from its own folder.
//!
//! `TRYCMD=overwrite` writes them again.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::path::Path;
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rustformations"));
    command.current_dir(root()).args(arguments);
    command
        .env_remove("NO_COLOR")
        .env("COLUMNS", "300")
        .envs(environment.iter().copied());
    command.output().unwrap()
}

#[test]
fn commands_print_what_is_written_down() {
    std::env::set_current_dir(root()).unwrap();
    trycmd::TestCases::new()
        // Help is as wide as the terminal, of which a test has none.
        .env("COLUMNS", "300")
        .case("cli/tests/cmd/*.trycmd")
        .case("cli/tests/cmd/*.toml")
        .case("docs/cli.md")
        .run();
}

#[test]
fn every_configuration_of_the_repository_is_valid() {
    let prices = "/etc/rustformations=k8s/components/profiles";
    let profiles = ["--profiles", "k8s/components/profiles/profiles.yaml"];
    for envoy in ["1.36", "1.37", "1.38", "1.39", "1.40"] {
        let bootstraps = ["validate", "envoy.yaml", "k8s", "--map", prices];
        let output = run(
            &[&bootstraps[..], &profiles, &["--envoy", envoy]].concat(),
            &[],
        );
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        assert!(text.contains(" 0 errors"), "{text}");
    }
    let everything = std::fs::read_dir(root()).unwrap();
    let everything = everything.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    // The goldens of the tool are wrong on purpose; k8s has profiles of its own, and was checked with them.
    let everything: Vec<_> = everything
        .filter(|it| !["cli", "k8s", "target"].contains(&it.as_str()))
        .collect();
    let mut all = vec!["validate", "--map", prices, "--format", "json"];
    let looked_at = |name: &&String| root().join(name).is_dir() || name.ends_with(".yaml");
    all.extend(everything.iter().filter(looked_at).map(String::as_str));
    all.extend(["README.md"]);
    let output = run(&all, &[]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["errors"], 0, "{report:#}");
    assert_eq!(report["unread"], serde_json::json!([]), "{report:#}");
    assert!(report["configurations"].as_u64() > Some(30), "{report:#}");
}

/// Each page is known to have some, so that none is passed over.
#[test]
fn configurations_of_every_filter_are_found_on_pages() {
    for (page, configurations) in [("docs/providers.md", 2), ("docs/upstream.md", 1)] {
        let output = run(&["validate", page, "--format", "json"], &[]);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(
            report["configurations"].as_u64() >= Some(configurations),
            "{page}: {report:#}"
        );
    }
}

#[test]
fn every_policy_of_the_repository_can_be_carried_by_every_kgateway() {
    let prices = "/etc/rustformations=k8s/components/profiles";
    for kgateway in ["2.2", "2.3", "2.4"] {
        let profiles = "k8s/components/profiles/profiles.yaml";
        let files = ["validate", "k8s", "--map", prices, "--profiles", profiles];
        let policies = [&files[..], &["--traffic-policy"]].concat();
        let output = run(&[&policies[..], &[kgateway]].concat(), &[]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
    }
}

#[test]
fn colours_come_only_where_they_are_wanted() {
    let golden = "cli/tests/cmd/validate.in/misspelt.json";
    let has_colours = |arguments: &[&str], environment: &[(&str, &str)]| {
        let output = run(&[&["validate", golden], arguments].concat(), environment);
        output.stdout.contains(&0x1b)
    };
    assert!(!has_colours(&[], &[]));
    assert!(has_colours(&["--color", "always"], &[]));
    assert!(has_colours(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!has_colours(
        &["--color", "never"],
        &[("CLICOLOR_FORCE", "1")]
    ));
    assert!(!has_colours(&[], &[("NO_COLOR", "1")]));
}

#[test]
fn the_schemas_are_those_of_the_documentation() {
    for (arguments, file) in [
        (&["schema"][..], "schema.json"),
        (&["schema", "configuration"], "schema.json"),
        (&["schema", "profiles"], "schema-profiles.json"),
        (&["schema", "llm-provider"], "schema-llm-provider.json"),
        (&["schema", "http-acl"], "schema-http-acl.json"),
    ] {
        let output = run(arguments, &[]);
        let printed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let written = std::fs::read(root().join("docs").join(file)).unwrap();
        let written: serde_json::Value = serde_json::from_slice(&written).unwrap();
        assert_eq!(printed, written, "{file}");
    }
}

/// What stands in files, only tools look for; what is too long to show has no example.
#[test]
fn what_is_explained_of_files_is_said_of_them() {
    for (code, file) in [
        ("RF2001", "no-such-file.json"),
        ("RF2002", "file.yaml"),
        ("RF2003", "file.yaml"),
        ("RF2005", "file.yaml"),
    ] {
        let explained = transformations::Code::find(code).and_then(|it| it.explained());
        let transformations::codes::Example::File(text) = explained.unwrap().example else {
            panic!("{code} has no file");
        };
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file.yaml"), text).unwrap();
        let file = folder.path().join(file);
        let output = run(&["validate", file.to_str().unwrap()], &[]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(&format!("error[{code}]")), "{text}");
    }
}

#[test]
fn every_code_and_every_function_is_told_of() {
    let all = run(&["explain"], &[]);
    let all = String::from_utf8(all.stdout).unwrap();
    assert_eq!(all.lines().count(), transformations::Code::ALL.len());
    for (code, title) in transformations::Code::ALL {
        let output = run(&["explain", &code.to_string()], &[]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.contains(title), "{text}");
        assert!(text.contains("What to do"), "{text}");
    }
    let functions = run(&["functions"], &[]);
    let functions = String::from_utf8(functions.stdout).unwrap();
    for function in transformations::functions::all() {
        assert!(functions.contains(function.signature()));
    }
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = run(&["completions", shell], &[]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            text.contains("validate") && text.contains("traffic-policy"),
            "{shell}"
        );
    }
    let page = String::from_utf8(run(&["man"], &[]).stdout).unwrap();
    assert!(
        page.contains(".TH rustformations") && page.contains("validate"),
        "{page}"
    );
    for command in [
        "validate",
        "explain",
        "functions",
        "schema",
        "serve",
        "completions",
        "man",
    ] {
        let output = run(&["man", command], &[]);
        let page = String::from_utf8(output.stdout).unwrap();
        assert!(
            page.contains(&format!(".TH rustformations-{command}")),
            "{page}"
        );
        assert!(page.contains("Examples:"), "{page}");
    }
}

/// The commands, as the tool lists them.
fn commands() -> Vec<String> {
    let help = String::from_utf8(run(&["--help"], &[]).stdout).unwrap();
    let (_, rest) = help.split_once("Commands:\n").unwrap();
    let lines = rest.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.split_whitespace().next());
    let names = names.filter(|it| *it != "help").map(str::to_owned);
    names.collect()
}

#[test]
fn every_command_has_examples_exit_codes_and_a_place_in_the_documentation() {
    let page = std::fs::read_to_string(root().join("docs/cli.md")).unwrap();
    let headings: Vec<_> = page
        .lines()
        .filter_map(|it| it.strip_prefix("## "))
        .collect();
    let commands = commands();
    assert!(commands.len() > 12, "{commands:?}");
    for command in commands {
        let help = String::from_utf8(run(&[&command, "--help"], &[]).stdout).unwrap();
        for part in [
            "Examples:",
            "Exit code",
            &format!("rustformations {command}"),
        ] {
            assert!(help.contains(part), "{command} has no {part:?}:\n{help}");
        }
        let mut headings = headings.iter().flat_map(|it| it.split(", "));
        assert!(
            headings.any(|it| it == command),
            "docs/cli.md has no heading for {command}"
        );
    }
}

/// `serve` and `inspect` need an Envoy, completions are long: their successes are tests of their own.
#[test]
fn every_command_has_a_golden_for_success_and_one_for_failure() {
    let mut seen = std::collections::BTreeSet::new();
    for entry in std::fs::read_dir(root().join("cli/tests/cmd")).unwrap() {
        let path = entry.unwrap().path();
        let text = match path.extension().and_then(|it| it.to_str()) {
            Some("trycmd" | "toml") => std::fs::read_to_string(&path).unwrap(),
            _ => continue,
        };
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let (command, fails) = if let Some(rest) = line.strip_prefix("$ rustformations ") {
                let fails = lines.peek().is_some_and(|it| it.starts_with("? "));
                (rest.split_whitespace().next().unwrap().to_owned(), fails)
            } else if let Some(rest) = line.strip_prefix("args = [\"") {
                let command = rest.split('"').next().unwrap().to_owned();
                (command, text.contains("status.code"))
            } else {
                continue;
            };
            let is_help = line.ends_with("-h") || line.ends_with("--help");
            if !is_help {
                seen.insert((command, fails));
            }
        }
    }
    for command in commands() {
        let elsewhere = ["serve", "inspect", "completions"].contains(&command.as_str());
        let succeeds = elsewhere || seen.contains(&(command.clone(), false));
        assert!(succeeds, "{command} has no golden for success");
        assert!(
            seen.contains(&(command.clone(), true)),
            "{command} has no golden for failure"
        );
    }
}

#[test]
fn what_is_said_on_standard_error_has_no_colours_either() {
    let file = "cli/tests/cmd/migrate.in/policy.yaml";
    let has_colours = |environment: &[(&str, &str)]| {
        let output = run(&["migrate", file], environment);
        assert!(!output.stderr.is_empty());
        output.stderr.contains(&0x1b)
    };
    assert!(has_colours(&[("CLICOLOR_FORCE", "1")]));
    assert!(!has_colours(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
}
