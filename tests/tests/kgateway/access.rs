//! Access lists, each as the policy of one route; clients are who `x-forwarded-for` says they are.

use rustformations_tests::lab::with_envoy;
use rustformations_tests::{Envoy, EnvoyConfig, Lab, Route, Version};
use serde_json::{Value, json};

use super::{entries, expected, tables, text};

const ACL: &str = "http-acl";
const BLOCKED_BY: &str = "%DYNAMIC_METADATA(dev.kgateway.http.acl:blocked-by)%";

#[test]
fn access_lists_decide_as_promised_1_36_4() {
    with_envoy(Version::new(1, 36, 4), access_lists_decide_as_promised);
}

#[test]
fn access_lists_decide_as_promised_1_40_0() {
    with_envoy(Version::new(1, 40, 0), access_lists_decide_as_promised);
}

fn access_lists_decide_as_promised(envoy: &Envoy) {
    let mut failures = Vec::new();
    for table in tables() {
        let lists = entries(&table, "acl");
        let config = EnvoyConfig::new()
            .filter_name(ACL)
            .filter_level(json!({"defaultAction": "allow"}))
            .connection_manager("use_remote_address", json!(false))
            .connection_manager("access_log", access_log());
        let routes = lists.iter().enumerate().map(|(number, list)| {
            Route::at(&format!("/{number}/"))
                .filter_name(ACL)
                .transform(text(list, "config"))
        });
        let lab = Lab::start(envoy, &routes.fold(config, EnvoyConfig::route));
        for (number, list) in lists.iter().enumerate() {
            // A client without an address cannot be had over TCP.
            let checks = entries(list, "checks").iter().enumerate();
            for (index, check) in checks.filter(|(_, check)| check["ip"] != "unix") {
                let path = format!("/{number}/{index}");
                let answer = lab
                    .get(&path)
                    .header("x-forwarded-for", text(check, "ip"))
                    .send();
                let mut problems = expected::differences(check, &lab, &answer, None);
                if let Some(rule) = check["blocked_by"].as_str() {
                    let line = format!("[{path}={rule}]");
                    if !lab.envoy().wait_for_log(&line) {
                        problems.push(format!("not blocked by {rule}"));
                    }
                }
                if !problems.is_empty() {
                    let problems = problems.join("; ");
                    failures.push(format!(
                        "{}, {}: {problems}",
                        text(list, "name"),
                        check["ip"]
                    ));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn access_log() -> Value {
    let format = format!("[%REQ(:PATH)%={BLOCKED_BY}]\n");
    json!([{
        "name": "envoy.access_loggers.stderr",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StderrAccessLog",
            "log_format": {"text_format_source": {"inline_string": format}},
        },
    }])
}
