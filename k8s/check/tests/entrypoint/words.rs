//! Which words reach Envoy, and which starts are refused, with a program that prints its words in
//! Envoy's place.

use super::container::{Files, entrypoint, outcome};

const CA: &str = r#""static_resources":{"secrets":[{"name":"SYSTEM_CA_CERT","validation_context":{"trusted_ca":{"filename":""#;

/// A place with a configuration and a module, and the words that the entrypoint makes of `words` there.
fn words_for(words: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, Vec<String>, String) {
    let files = Files::new();
    let config = files.write("envoy.yaml", "admin: {}");
    files.write("librust_module.so", "");
    run(
        &files,
        words,
        &[&[("INPUT_CONF", config.to_str().unwrap())], environment].concat(),
    )
}

fn run(
    files: &Files,
    words: &[&str],
    environment: &[(&str, &str)],
) -> (Option<i32>, Vec<String>, String) {
    let envoy = files.program("envoy", "#!/bin/sh\nprintf '%s\\n' \"$@\"\n");
    let mut command = entrypoint(&envoy, words);
    command
        .env("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", files.path(""))
        .env("PODINFO_LABELS", files.path("labels"))
        .envs(environment.iter().copied());
    let (status, printed, complaint) = outcome(command);
    (
        status.code(),
        printed.lines().map(str::to_owned).collect(),
        complaint,
    )
}

fn refusal(files: &Files, environment: &[(&str, &str)]) -> String {
    let (code, printed, complaint) = run(files, &[], environment);
    assert_eq!((code, printed), (Some(64), Vec::new()), "{complaint}");
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    complaint
}

#[test]
fn without_words_envoy_gets_the_configuration_and_the_system_ca() {
    let (code, printed, complaint) = words_for(&[], &[]);
    assert_eq!((code, complaint.as_str()), (Some(0), ""));
    assert_eq!(printed[0], "--config-yaml");
    assert!(
        printed[1].starts_with(&format!("{{{CA}/etc/")),
        "{}",
        printed[1]
    );
    assert!(
        serde_json::from_str::<serde_json::Value>(&printed[1]).is_ok(),
        "{}",
        printed[1]
    );
    assert_eq!(printed[2], "-c");
    assert!(printed[3].ends_with("/envoy.yaml"));
    assert_eq!(printed.len(), 4);
}

#[test]
fn options_follow_and_the_word_envoy_changes_nothing() {
    let (_, plain, _) = words_for(&["--log-level", "two words"], &[]);
    assert_eq!(plain[4..], ["--log-level", "two words"]);
    let (_, named, _) = words_for(&["envoy", "--log-level", "two words"], &[]);
    assert_eq!(named[4..], ["--log-level", "two words"]);
}

#[test]
fn other_programs_run_as_they_are() {
    let (code, printed, complaint) = words_for(&["/bin/sh", "-c", "echo looking around"], &[]);
    assert_eq!((code, complaint.as_str()), (Some(0), ""));
    assert_eq!(printed, ["looking around"]);
}

#[test]
fn the_version_needs_neither_module_nor_configuration() {
    let files = Files::new();
    let (code, printed, complaint) = run(&files, &["--version"], &[]);
    assert_eq!((code, complaint.as_str()), (Some(0), ""));
    assert_eq!(printed, ["--version"]);
}

#[test]
fn a_configuration_in_words_is_neither_repeated_nor_added_to() {
    let (_, printed, _) = words_for(&["--config-yaml", "{}"], &[]);
    assert_eq!(printed, ["--config-yaml", "{}"]);
    for option in ["-c", "--config-path"] {
        let files = Files::new();
        let own = files.write("own.yaml", "admin: {}");
        files.write("librust_module.so", "");
        let own = own.to_str().unwrap();
        let (_, printed, complaint) = run(&files, &[option, own], &[]);
        assert_eq!(printed[0], "--config-yaml", "{complaint}");
        assert_eq!(printed[2..], [option, own]);
    }
}

#[test]
fn values_that_are_joined_to_their_option_are_words_of_their_own() {
    let files = Files::new();
    let own = files.write("own.yaml", "admin: {}");
    files.write("librust_module.so", "");
    let own = own.to_str().unwrap();
    for (option, joined) in [
        ("-c", format!("-c{own}")),
        ("-c", format!("-c={own}")),
        ("--config-path", format!("--config-path={own}")),
    ] {
        let words = ["--log-level", "two words", &joined, "--concurrency", "1"];
        let (_, printed, complaint) = run(&files, &words, &[]);
        assert_eq!(printed[0], "--config-yaml", "{complaint}");
        let wanted = [
            "--log-level",
            "two words",
            option,
            own,
            "--concurrency",
            "1",
        ];
        assert_eq!(printed[2..], wanted);
        // It is the file that is looked at, too.
        let missing = joined.replace(own, "/nowhere.yaml");
        let (code, _, complaint) = run(&files, &[&missing], &[]);
        assert_eq!(code, Some(64), "{complaint}");
        assert!(
            complaint.contains("the configuration /nowhere.yaml is missing"),
            "{complaint}"
        );
    }
    let (_, printed, _) = words_for(&["--config-yaml=node: {id: a=b}"], &[]);
    assert_eq!(printed, ["--config-yaml", "node: {id: a=b}"]);
}

#[test]
fn a_sidecar_runs_its_own_file_and_nothing_is_merged() {
    let files = Files::new();
    let (code, printed, complaint) = run(
        &files,
        &["--log-level", "info"],
        &[("ENVOY_SIDECAR", "true")],
    );
    assert_eq!((code, complaint.as_str()), (Some(0), ""));
    assert_eq!(
        printed,
        ["-c", "/etc/envoy/envoy-sidecar.yaml", "--log-level", "info"]
    );
}

#[test]
fn core_dumps_are_switched_off_only_when_asked() {
    let files = Files::new();
    let config = files.write("envoy.yaml", "admin: {}");
    files.write("librust_module.so", "");
    // Limits are inherited, so a parent with core dumps on is needed: its soft limit as far as it goes.
    let envoy = files.program("envoy", "#!/bin/sh\nulimit -c\n");
    let allowed = outcome(entrypoint(&envoy, &["/bin/sh", "-c", "ulimit -H -c"])).1;
    for (asked, printed) in [("true", "0\n"), ("false", allowed.as_str())] {
        let inner = entrypoint(&envoy, &[]);
        let script = inner
            .get_args()
            .next()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let lines = "ulimit -S -c \"$(ulimit -H -c)\"; exec /bin/sh \"$0\"";
        let mut command = entrypoint(&envoy, &["/bin/sh", "-c", lines, &script]);
        command
            .env("INPUT_CONF", &config)
            .env("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", files.path(""))
            .env("DISABLE_CORE_DUMPS", asked);
        let (status, limit, complaint) = outcome(command);
        assert!(status.success(), "{complaint}");
        assert_eq!(limit, printed, "DISABLE_CORE_DUMPS={asked}");
    }
}

#[test]
fn locality_comes_from_the_environment_before_the_labels() {
    let files = Files::new();
    let config = files.write("envoy.yaml", "admin: {}");
    files.write("librust_module.so", "");
    files.write(
        "labels",
        "kgateway=\"kube-gateway\"\ntopology.istio.io/subzone=\"rack-a\"\ntopology.kubernetes.io/region=\"eu\"\n\
         topology.kubernetes.io/zone=\"eu-b\"",
    );
    let environment = [
        ("INPUT_CONF", config.to_str().unwrap()),
        ("KGATEWAY_NODE_ZONE", "eu-c"),
    ];
    let (_, printed, _) = run(&files, &[], &environment);
    let wanted = r#""node":{"locality":{"region":"eu","zone":"eu-c","sub_zone":"rack-a"}}}"#;
    assert!(printed[1].ends_with(wanted), "{}", printed[1]);
    assert!(
        serde_json::from_str::<serde_json::Value>(&printed[1]).is_ok(),
        "{}",
        printed[1]
    );
}

#[test]
fn a_locality_that_would_break_the_json_is_refused() {
    let files = Files::new();
    let config = files.write("envoy.yaml", "admin: {}");
    files.write("librust_module.so", "");
    let environment = [
        ("INPUT_CONF", config.to_str().unwrap()),
        ("KGATEWAY_NODE_REGION", "a\",\"x\":\"b"),
    ];
    assert!(refusal(&files, &environment).contains("the node's region is"));
}

#[test]
fn a_missing_module_is_refused_with_where_it_should_be() {
    let files = Files::new();
    let complaint = refusal(&files, &[]);
    assert!(
        complaint.contains("/librust_module.so is missing or unreadable"),
        "{complaint}"
    );
    assert!(
        complaint.contains("ENVOY_DYNAMIC_MODULES_SEARCH_PATH"),
        "{complaint}"
    );
}

#[test]
fn a_missing_configuration_is_refused_with_where_it_should_be() {
    let files = Files::new();
    files.write("librust_module.so", "");
    let complaint = refusal(&files, &[("INPUT_CONF", "/nowhere/envoy.yaml")]);
    assert!(
        complaint.contains("/nowhere/envoy.yaml is missing or unreadable"),
        "{complaint}"
    );
}

#[test]
fn pod_templates_are_refused_and_the_modules_own_are_not() {
    for (line, refused) in [
        ("id: '{{.PodName}}.{{.PodNamespace}}'", true),
        ("address: '{{ .NodeIp }}'", true),
        ("id: '{{- .PodName }}'", true),
        ("id: '{{ if .PodName }}x{{ end }}'", true),
        (r#"value: '{{ request_header(":path") }}'"#, false),
        (
            r#""value": "{{ model }} {% if model %}.5{% endif %}""#,
            false,
        ),
    ] {
        let files = Files::new();
        let config = files.write("envoy.yaml", &format!("admin: {{}}\n{line}"));
        files.write("librust_module.so", "");
        let environment = [("INPUT_CONF", config.to_str().unwrap())];
        if refused {
            let complaint = refusal(&files, &environment);
            assert!(
                complaint.contains("envoy.yaml line 2 holds a pod template"),
                "{line}: {complaint}"
            );
        } else {
            let (code, _, complaint) = run(&files, &[], &environment);
            assert_eq!(code, Some(0), "{line}: {complaint}");
        }
    }
}
