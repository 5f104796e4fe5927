//! The filter `http-acl` as kgateway asks for it: allowing everyone at the listener, with an access
//! list on a route; every client of these tests is 127.0.0.1 unless a trusted header says otherwise.

use rustformations_tests::config::{module_filter, per_route};
use rustformations_tests::differences::LOCAL_REPLY_SAYS_WHY;
use rustformations_tests::{Envoy, EnvoyConfig, Lab, Route, on_every_envoy};
use serde_json::{Value, json};

const ACL: &str = "http-acl";
const BLOCKED: &str = "dynamicmodulescustom.dev.kgateway.http.acl.blocked";

/// As kgateway: the entry is in the chain with a default of "allow".
fn with_acl() -> EnvoyConfig {
    EnvoyConfig::new()
        .filter_name(ACL)
        .filter_level(json!({"defaultAction": "allow"}))
}

fn guarded(path: &str, policy: Value) -> Route {
    Route::at(path).filter_name(ACL).transform(policy)
}

fn lab_with(envoy: &Envoy, policy: Value) -> Lab {
    Lab::start(
        envoy,
        &with_acl()
            .route(guarded("/guarded", policy))
            .route(Route::at("/")),
    )
}

/// Denies this machine.
fn local_denied() -> Value {
    json!({
        "defaultAction": "allow",
        "rules": [{"name": "local", "cidrs": ["127.0.0.0/8"], "action": "deny"}],
    })
}

on_every_envoy! {
    fn the_listeners_default_lets_everyone_in(envoy) {
        let lab = Lab::start(envoy, &with_acl().route(Route::at("/")));
        assert_eq!(lab.post("/").body("b").send().text(), "ok");
        assert_eq!(lab.stat(BLOCKED), 0);
    }

    fn a_route_turns_an_address_range_away(envoy) {
        let lab = lab_with(envoy, local_denied());
        let answer = lab.post("/guarded").body("b").send();
        assert_eq!((answer.status, answer.text().as_str()), (403, ""));
        assert!(lab.origin().received().is_empty());
        assert_eq!(lab.get("/open").send().status, 200);
        assert_eq!(lab.stat(BLOCKED), 1);
    }

    fn a_default_of_deny_lets_in_whom_a_rule_allows(envoy) {
        let allowing = |cidr: &str| {
            json!({
                "defaultAction": "deny", "rules": [{"name": "few", "cidrs": [cidr], "action": "allow"}],
            })
        };
        let lab = lab_with(envoy, allowing("127.0.0.1/32"));
        assert_eq!(lab.get("/guarded").send().status, 200);
        let lab = lab_with(envoy, allowing("10.0.0.0/8"));
        assert_eq!(lab.get("/guarded").send().status, 403);
        let lab = lab_with(envoy, json!({"defaultAction": "deny"}));
        assert_eq!(lab.get("/guarded").send().status, 403);
    }

    fn the_longest_range_decides_whatever_the_order(envoy) {
        let hole = |last: &str| {
            json!({"defaultAction": "allow", "rules": [
                {"name": "hole", "cidrs": ["127.0.0.1"], "action": last},
                {"name": "everyone", "cidrs": ["0.0.0.0/0", "::/0"], "action": if last == "allow" { "deny" } else { "allow" }},
            ]})
        };
        assert_eq!(
            lab_with(envoy, hole("allow")).get("/guarded").send().status,
            200
        );
        assert_eq!(
            lab_with(envoy, hole("deny")).get("/guarded").send().status,
            403
        );
    }

    fn the_answer_is_as_the_policy_says(envoy) {
        let mut policy = local_denied();
        policy["denyResponse"] = json!({
            "statusCode": 451,
            "headers": [{"name": "x-reason", "value": "because"}, {"name": "retry-after", "value": "60"}],
            "blockedByHeaderName": "x-blocked-by",
        });
        let answer = lab_with(envoy, policy).get("/guarded").send();
        assert_eq!(answer.status, 451);
        assert_eq!(answer.headers.values("x-reason"), ["because"]);
        assert_eq!(answer.headers.values("retry-after"), ["60"]);
        assert_eq!(answer.headers.values("x-blocked-by"), ["local"]);
    }

    fn nothing_of_a_policy_ends_the_answer_early_or_late(envoy) {
        for status in [204, 205, 304, 403] {
            let policy = json!({
                "defaultAction": "allow",
                "rules": [{"name": "one\r\nx-by: two", "cidrs": ["127.0.0.0/8"], "action": "deny"}],
                "denyResponse": {"statusCode": status, "blockedByHeaderName": "x-by", "headers": [
                    {"name": "x-why", "value": "a\r\n\r\nb\u{0}\u{7f}\tc"},
                    {"name": "content-length", "value": "5"},
                    {"name": "transfer-encoding", "value": "chunked"},
                    {"name": "connection", "value": "upgrade"},
                ]},
            });
            let lab = lab_with(envoy, policy);
            for method in ["GET", "HEAD"] {
                let mut connection = lab.connect();
                let denied = connection.send(&[lab.request(method, "/guarded")]).unwrap().remove(0);
                assert_eq!((denied.status, denied.text().as_str()), (status, ""));
                assert_eq!(denied.headers.values("x-why"), ["a    b  \tc"]);
                assert_eq!(denied.headers.values("x-by"), ["one  x-by: two"]);
                // The answer has ended where the next one begins.
                let next = connection.send(&[lab.get("/open")]).unwrap().remove(0);
                assert_eq!((next.status, next.text().as_str()), (200, "ok"));
            }
        }
    }

    fn the_blocked_by_header_names_the_rule_or_what_stands_for_it(envoy) {
        let respond = json!({"blockedByHeaderName": "x-by"});
        let named = |rules: Value, default: &str| json!({"defaultAction": default, "rules": rules, "denyResponse": respond});
        let cases = [
            (
                named(
                    json!([{"name": "r", "cidrs": ["127.0.0.1"], "action": "deny"}]),
                    "allow",
                ),
                "r",
            ),
            (
                named(json!([{"cidrs": ["127.0.0.1"], "action": "deny"}]), "allow"),
                "rule",
            ),
            (named(json!([]), "deny"), "default"),
        ];
        for (policy, expected) in cases {
            assert_eq!(
                lab_with(envoy, policy)
                    .get("/guarded")
                    .send()
                    .header("x-by"),
                expected
            );
        }
    }

    fn the_reason_is_dynamic_metadata_and_a_detail_of_the_answer(envoy) {
        let any = json!({"status_code_filter": {"comparison": {
            "op": "GE", "value": {"default_value": 0, "runtime_key": "none"},
        }}});
        let show = json!([
            {"header": {"key": "x-by", "value": "%DYNAMIC_METADATA(dev.kgateway.http.acl:blocked-by)%"}},
            {"header": {"key": "x-details", "value": "%RESPONSE_CODE_DETAILS%"}},
        ]);
        let config = with_acl()
            .connection_manager(
                "local_reply_config",
                json!({"mappers": [{"filter": any, "headers_to_add": show}]}),
            )
            .route(guarded("/", local_denied()));
        let answer = Lab::start(envoy, &config).get("/").send();
        assert_eq!(
            (answer.status, answer.header("x-by").as_str()),
            (403, "local")
        );
        let says_why = answer.header("x-details") == "http_acl_denied";
        assert_eq!(
            says_why,
            LOCAL_REPLY_SAYS_WHY.is_in(envoy.version()),
            "{answer:?}"
        );
    }

    fn a_forwarded_address_counts_only_behind_trusted_hops(envoy) {
        let policy = || {
            json!({
                "defaultAction": "allow",
                "rules": [{"name": "far", "cidrs": ["203.0.113.0/24", "2001:db8::/32"], "action": "deny"}],
            })
        };
        let cases = [
            // The address of the connection: what the client claims is nothing.
            (json!({"use_remote_address": true}), "203.0.113.7", 200),
            // Envoy believes the header's last address, or the one that many hops before it.
            (json!({"use_remote_address": false}), "203.0.113.7", 403),
            (
                json!({"use_remote_address": false}),
                "198.51.100.1, 203.0.113.7",
                403,
            ),
            (
                json!({"use_remote_address": false}),
                "203.0.113.7, 198.51.100.1",
                200,
            ),
            (json!({"use_remote_address": false}), "2001:db8::7", 403),
            (
                json!({"use_remote_address": true, "xff_num_trusted_hops": 1}),
                "203.0.113.7",
                403,
            ),
            (
                json!({"use_remote_address": true, "xff_num_trusted_hops": 1}),
                "203.0.113.7, 198.51.100.1",
                200,
            ),
            // Something that is no address is not believed.
            (json!({"use_remote_address": false}), "nonsense", 200),
        ];
        for (fields, forwarded, expected) in cases {
            let fields = fields.as_object().unwrap().clone();
            let config = fields
                .into_iter()
                .fold(with_acl(), |config, (field, value)| {
                    config.connection_manager(&field, value)
                });
            let lab = Lab::start(envoy, &config.route(guarded("/", policy())));
            let answer = lab.get("/").header("x-forwarded-for", forwarded).send();
            assert_eq!(answer.status, expected, "{forwarded}");
        }
    }

    fn a_policy_that_cannot_be_is_refused_with_every_problem(envoy) {
        let bad = json!({
            "defaultAction": "deny",
            "rules": [{"cidrs": ["10.0.0.0/8", "nowhere"], "action": "allow"}, {"cidrs": ["10.1.2.3/8"], "action": "deny"}],
            "denyResponse": {"statusCode": 99},
        });
        let sentences = [
            "http-acl: the configuration is refused",
            "error[RF1140] rules[0].cidrs[1]: not an IP address",
            "error[RF1140] rules[1].cidrs[0]: the address has bits set behind the prefix: write 10.0.0.0/8",
            "error[RF1006] denyResponse.statusCode",
        ];
        let log = Lab::refuse(
            envoy,
            &EnvoyConfig::new()
                .filter_name(ACL)
                .filter_level(bad.clone()),
        );
        for sentence in sentences {
            assert!(log.contains(sentence), "no \"{sentence}\" in:\n{log}");
        }
        // Nothing configured would mean nobody is turned away: refused as well.
        let log = Lab::refuse(
            envoy,
            &EnvoyConfig::new().filter_name(ACL).filter_level("{}"),
        );
        assert!(log.contains("defaultAction"), "{log}");
        let mut lab = Lab::start(
            envoy,
            &with_acl()
                .routes_from_file()
                .route(guarded("/", local_denied())),
        );
        assert!(!lab.replace_routes(&[guarded("/", bad)]));
        assert_eq!(lab.get("/").send().status, 403);
    }

    fn the_configuration_of_another_filter_does_not_open_the_door(envoy) {
        let config = with_acl().route(Route::at("/").transform(json!({})));
        let lab = Lab::start(envoy, &config);
        assert_eq!(lab.get("/").send().status, 500);
        assert!(lab.origin().received().is_empty());
        lab.expect_log("http-acl: the route's configuration belongs to another filter");
    }

    fn an_access_list_before_a_transform_spares_it_and_its_answer_is_transformed(envoy) {
        let acl = per_route("per_route_config_name", ACL, &local_denied().into());
        let transform = json!({
            "request": {"set": [{"name": "x-a", "value": "1"}]},
            "response": {"set": [{"name": "x-status", "value": "{{ header(':status') }}"}]},
        });
        let config = EnvoyConfig::new()
            .filter_before(module_filter(
                "acl",
                ACL,
                &json!({"defaultAction": "allow"}).into(),
                false,
            ))
            .route(Route::at("/").per_filter("acl", acl).transform(transform));
        let lab = Lab::start(envoy, &config);
        let answer = lab.get("/").send();
        assert_eq!(
            (answer.status, answer.header("x-status").as_str()),
            (403, "403")
        );
        assert_eq!(lab.stat("rustformations_requests_transformed"), 0);
        assert_eq!(lab.stat("rustformations_responses_transformed"), 1);
    }
}
