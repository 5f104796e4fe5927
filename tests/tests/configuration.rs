//! Configurations that cannot be: Envoy refuses them and lives on with what it had, and its log holds
//! the module's sentence about what is wrong, where, and what would be right.

use rustformations_tests::config::FILTER_NAME;
use rustformations_tests::differences::{
    METADATA_HOLDS_BOOLEANS, PER_ROUTE_STRUCT_IS_JSON, STRUCT_IS_JSON,
};
use rustformations_tests::{
    Envoy, EnvoyConfig, FilterConfig, Lab, Route, Settings, on_every_envoy,
};
use serde_json::{Value, json};

const SECRET: &str = "sesame-open-thyself";

/// Bad configurations, and what the log must say about each.
fn bad_configurations() -> Vec<(FilterConfig, &'static [&'static str])> {
    let request = |rules: Value| FilterConfig::from(json!({"request": rules}));
    let set = |value: &str| request(json!({"set": [{"name": "x-a", "value": value}]}));
    vec![
        (
            "{\"request\": }".into(),
            &["error[RF0002] the JSON text has a syntax error at line 1, column 13"],
        ),
        (
            "{\"request\": {".into(),
            &["error[RF0002] the JSON text ends too early", "must be one JSON object"],
        ),
        ("[1, 2]".into(), &["error[RF0003] the configuration is a list"]),
        ("\"{\\\"request\\\": {}}\"".into(), &["error[RF0004]", "encoded twice"]),
        (set("{{ header('x-b')"), &["error[RF1201] request.set[0].value: syntax error"]),
        (set("{% if 1 %}"), &["error[RF1201] request.set[0].value"]),
        (
            set("{{ heder('x-b') }}"),
            &[
                "error[RF1203] request.set[0].value: unknown function \"heder\"",
                "^^^^^",
                "did you mean \"header\"?",
            ],
        ),
        (
            set("{{ 'x'|uper }}"),
            &[
                "error[RF1204] request.set[0].value: unknown filter \"uper\"",
                "did you mean \"upper\"?",
            ],
        ),
        (
            set("{{ length(header('x-b')) }}"),
            &["error[RF1203]", "length is a filter: {{ value | length }}"],
        ),
        (set("{% include 'x' %}"), &["error[RF1215] request.set[0].value"]),
        (set("{{ response.status }}"), &["error[RF1207]", "there is no response yet"]),
        (
            request(json!({"body": {"parseAs": "AsJSON"}})),
            &[
                "error[RF1005] request.body.parseAs: expected one of \"AsString\", \"AsJson\", \"None\"",
                "did you mean \"AsJson\"?",
            ],
        ),
        (
            request(json!({"set": 1})),
            &["error[RF1001] request.set: expected a list", "found a number"],
        ),
        (
            request(json!({"set": [{"name": "x a", "value": "1"}]})),
            &["error[RF1003] request.set[0].name"],
        ),
        (
            request(json!({"remove": [":path"]})),
            &["error[RF1004] request.remove[0]: :path cannot be removed"],
        ),
        (
            json!({"limits": {"fuel": 0}}).into(),
            &["error[RF1006] limits.fuel: expected a whole number"],
        ),
        (
            FilterConfig::Message(json!({"@type": "type.googleapis.com/google.protobuf.BytesValue", "value": "//4="})),
            &["error[RF0001] the configuration is not UTF-8 text"],
        ),
        // Several at once are all named.
        (
            json!({
                "request": {"set": [{"name": "", "value": "1"}, {"name": "x", "value": "{{ nope() }}"}]},
                "response": {"add": [{"name": "y", "value": "{{"}]},
            })
            .into(),
            &[
                "[RF1003] request.set[0].name",
                "[RF1203] request.set[1].value: unknown function \"nope\"",
                "[RF1201] response.add[0].value",
            ],
        ),
    ]
}

fn assert_says(log: &str, sentences: &[&str]) {
    for sentence in sentences {
        assert!(log.contains(sentence), "no \"{sentence}\" in:\n{log}");
    }
}

fn marked(value: &str) -> Value {
    json!({"response": {"set": [{"name": "x-mark", "value": value}]}})
}

/// A lab with a route that marks responses "old" and can be replaced.
fn replaceable(envoy: &Envoy, settings: Settings) -> Lab {
    let config = EnvoyConfig::new().routes_from_file();
    let config = config.route(Route::at("/").transform(marked("old")));
    Lab::start_with(envoy, &config, settings)
}

on_every_envoy! {
    fn at_the_listener_envoy_does_not_start_and_its_log_says_why(envoy) {
        for (bad, sentences) in bad_configurations() {
            let log = Lab::refuse(envoy, &EnvoyConfig::new().filter_level(bad));
            assert_says(
                &log,
                &["http_simple_mutations: the configuration is refused"],
            );
            assert_says(&log, sentences);
        }
    }

    fn on_a_route_envoy_keeps_the_old_routes_and_its_log_says_why(envoy) {
        let mut lab = replaceable(envoy, Settings::default());
        for (bad, sentences) in bad_configurations() {
            let known = lab.logs().len();
            assert!(!lab.replace_routes(&[Route::at("/").transform(bad)]));
            assert_says(&lab.logs()[known..], sentences);
            assert_eq!(lab.get("/").send().header("x-mark"), "old");
        }
        assert!(lab.replace_routes(&[Route::at("/").transform(marked("new"))]));
        assert_eq!(lab.get("/").send().header("x-mark"), "new");
    }

    fn an_unknown_filter_name_is_refused_with_the_list_of_known_ones(envoy) {
        let known = [
            "has no filter named \"rustformatoin\"",
            "http_simple_mutations, rustformation, http-acl, llm-provider, my-smart-header",
        ];
        let log = Lab::refuse(envoy, &EnvoyConfig::new().filter_name("rustformatoin"));
        assert_says(&log, &known);
        let mut lab = replaceable(envoy, Settings::default());
        let route = Route::at("/")
            .filter_name("rustformatoin")
            .transform(marked("new"));
        assert!(!lab.replace_routes(&[route]));
        assert_says(&lab.logs(), &known);
        assert_eq!(lab.get("/").send().header("x-mark"), "old");
    }

    fn no_configuration_and_an_empty_one_do_nothing(envoy) {
        for empty in [
            FilterConfig::Absent,
            "".into(),
            " \n".into(),
            "{}".into(),
            "{\"request\":null}".into(),
        ] {
            let config = EnvoyConfig::new()
                .filter_level(empty.clone())
                .route(Route::at("/plain").transform(marked("route")));
            // A route without a configuration replaces the listener's all the same.
            let overriding = EnvoyConfig::new()
                .filter_level(marked("listener"))
                .route(Route::at("/empty").transform(empty))
                .route(Route::at("/"));
            let lab = Lab::start(envoy, &config);
            assert_eq!(lab.get("/plain").send().header("x-mark"), "route");
            let lab = Lab::start(envoy, &overriding);
            assert_eq!(lab.get("/other").send().header("x-mark"), "listener");
            let answer = lab.get("/empty").send();
            assert_eq!((answer.status, answer.headers.has("x-mark")), (200, false));
        }
    }

    fn a_struct_is_taken_where_envoy_gives_its_json_and_explained_elsewhere(envoy) {
        let wrapped = FilterConfig::Message(json!({
            "@type": "type.googleapis.com/google.protobuf.Struct", "value": marked("struct"),
        }));
        let remedy = ["error[RF0005]", "google.protobuf.StringValue"];
        let at_listener = EnvoyConfig::new().filter_level(wrapped.clone());
        if STRUCT_IS_JSON.is_in(envoy.version()) {
            assert_eq!(
                Lab::start(envoy, &at_listener)
                    .get("/")
                    .send()
                    .header("x-mark"),
                "struct"
            );
        } else {
            assert_says(&Lab::refuse(envoy, &at_listener), &remedy);
        }
        let mut lab = replaceable(envoy, Settings::default());
        let taken = lab.replace_routes(&[Route::at("/").transform(wrapped)]);
        assert_eq!(taken, PER_ROUTE_STRUCT_IS_JSON.is_in(envoy.version()));
        if taken {
            assert_eq!(lab.get("/").send().header("x-mark"), "struct");
        } else {
            assert_says(&lab.logs(), &remedy);
        }
    }

    fn a_capability_that_this_envoy_lacks_is_named(envoy) {
        let transform = json!({"request": {"dynamicMetadata": [
            {"namespace": "lab.test", "key": "flag", "value": {"boolValue": true}},
        ]}});
        let mut lab = replaceable(envoy, Settings::default());
        let taken = lab.replace_routes(&[Route::at("/").transform(transform)]);
        assert_eq!(taken, METADATA_HOLDS_BOOLEANS.is_in(envoy.version()));
        if !taken {
            assert_says(
                &lab.logs(),
                &["error[RF1010] request.dynamicMetadata[0]", "1.38"],
            );
        }
    }

    fn the_environment_is_read_only_where_it_is_allowed(envoy) {
        let environment = [
            ("LAB_OPEN", "visible"),
            ("LAB_SHUT", SECRET),
            ("RUSTFORMATIONS_ENV_ALLOW", "HOME, LAB_OPEN"),
        ];
        let environment = environment
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec();
        let mut lab = replaceable(
            envoy,
            Settings {
                environment,
                ..Settings::default()
            },
        );
        let reading =
            |name: &str| Route::at("/").transform(marked(&format!("[{{{{ env('{name}') }}}}]")));
        assert!(lab.replace_routes(&[reading("LAB_OPEN")]));
        assert_eq!(lab.get("/").send().header("x-mark"), "[visible]");
        assert!(!lab.replace_routes(&[reading("LAB_SHUT")]));
        assert_says(
            &lab.logs(),
            &[
                "error[RF1209]",
                "\"LAB_SHUT\" is not allowed",
                "RUSTFORMATIONS_ENV_ALLOW",
            ],
        );
        // A name that is only known at run time cannot get around the list.
        let computed = Route::at("/").transform(marked("[{{ env(request_header('x-name')) }}]"));
        lab.replace_routes(&[computed]);
        let answer = lab.get("/").header("x-name", "LAB_SHUT").send();
        assert!(!answer.header("x-mark").contains(SECRET), "{answer:?}");
        assert!(!lab.logs().contains(SECRET));
    }

    fn unknown_fields_are_ignored_with_a_warning(envoy) {
        let transform = json!({"response": {"set": [{"name": "x-mark", "value": "1", "why": "-"}], "bodi": {}}, "extra": [1]});
        let lab = Lab::start(
            envoy,
            &EnvoyConfig::new().route(Route::at("/").transform(transform)),
        );
        assert_eq!(lab.get("/").send().header("x-mark"), "1");
        assert_says(
            &lab.logs(),
            &[
                "[warning]",
                "warning[RF1008] response.bodi",
                "did you mean \"body\"?",
                "[RF1008] extra",
            ],
        );
    }

    fn what_may_be_a_secret_is_never_logged(envoy) {
        let others = |value: &str| {
            json!({"request": {"set": [
                {"name": "authorization", "value": format!("Bearer {SECRET}")},
                {"name": "x-key", "value": format!("{{{{ base64_encode('{SECRET}') }}}}")},
                {"name": "x-broken", "value": value},
            ]}})
            .to_string()
        };
        let bad = [
            others("{{ nope() }}"),
            others("{{ unclosed"),
            // Beside the mistake, in the same template.
            others(&format!("Bearer {SECRET} {{{{ nope() }}}}")),
            others(&format!("{{{{ nope('{SECRET}') }}}}")),
            format!("{{\"request\": \"{SECRET}\""),
            format!("\"{SECRET}\""),
            format!("{{\"request\": {{\"body\": {{\"parseAs\": \"{SECRET}\"}}}}}}"),
            format!("{{\"request\": {{\"set\": \"{SECRET}\"}}}}"),
        ];
        let mut lab = replaceable(envoy, Settings::default());
        for config in bad {
            let known = lab.logs().len();
            assert!(!lab.replace_routes(&[Route::at("/").transform(config.as_str())]));
            let log = &lab.logs()[known..];
            assert!(
                log.contains(FILTER_NAME) && !log.contains(SECRET),
                "{config} gave:\n{log}"
            );
        }
    }

    fn configurations_of_any_size_and_depth_are_judged_and_not_died_of(envoy) {
        let mut lab = replaceable(envoy, Settings::default());
        let deep = |open: &str, close: &str, count: usize| {
            format!("{}{}", open.repeat(count), close.repeat(count))
        };
        let template = |text: String| marked(&text).to_string();
        let refused = [
            deep("[", "]", 100_000),
            "[".repeat(1_000_000),
            format!("{{\"request\":{}}}", deep("{\"request\":", "}", 100_000)),
            template("{{".repeat(100_000)),
            template(format!("{{{{ {} }}}}", deep("(", ")", 100_000))),
            template(format!("{{{{ {} }}}}", deep("[", "]", 100_000))),
            template(format!("{{{{ {}1 }}}}", "-".repeat(100_000))),
            template(format!("{{{{ {}1 }}}}", "not ".repeat(100_000))),
            template(format!("{{{{ a{} }}}}", ".b".repeat(1_000_000))),
            template(format!("{{{{ 1{} }}}}", "|upper".repeat(1_000_000))),
            template(deep("{% if 1 %}", "{% endif %}", 100_000)),
            template(deep("{% for a in [1] %}", "{% endfor %}", 100_000)),
        ];
        for config in refused {
            let start: String = config.chars().take(60).collect();
            let taken = lab.replace_routes(&[Route::at("/").transform(config.as_str())]);
            assert!(!taken, "taken: {start}");
            assert_eq!(lab.get("/").send().header("x-mark"), "old");
        }
        // Large, but nothing is wrong with it.
        let many: Vec<Value> = (0..10_000)
            .map(|index| json!({"name": format!("x-{index}"), "value": ""}))
            .collect();
        let large = json!({"response": {"set": many, "remove": ["x-gone"]}, "request": {"body": {"value": "x".repeat(2 << 20)}}});
        assert!(lab.replace_routes(&[Route::at("/").transform(large)]));
        assert_eq!(lab.get("/").send().status, 200);
        assert_eq!(lab.origin().last().body.len(), 2 << 20);
    }
}
