//! Envoy's command operators in header values: the same as Envoy's own formatter gives beside us.

use rustformations_tests::config::NEWER_FILTER_NAME;
use rustformations_tests::{Body, Envoy, EnvoyConfig, Lab, Reply, Route, on_every_envoy};
use serde_json::{Value, json};

fn set(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

fn lab_with(envoy: &Envoy, transform: Value) -> Lab {
    let route = Route::at("/").transform(transform);
    Lab::start(envoy, &EnvoyConfig::new().route(route))
}

/// Envoy's own filter for headers, with operators in the given part of its configuration.
fn header_mutation(part: &str, values: &[(&str, &str)]) -> Value {
    let append = |(name, value): &(&str, &str)| {
        json!({"append": {
            "header": {"key": format!("envoy-{name}"), "value": value},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        }})
    };
    let values: Vec<Value> = values.iter().map(append).collect();
    json!({"name": "oracle", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
        "mutations": {part: values},
    }})
}

on_every_envoy! {
    /// Word for word the policy that the articles print.
    fn the_articles_policy_gives_what_the_articles_show(envoy) {
        let transform = json!({"response": {"set": [
            set("X-Custom-Transformed", "true"),
            set("X-Smart-Header", "method=%REQ(:METHOD)%&path=%REQ(:PATH)%"),
        ]}});
        let route = Route::at("/v1/chat/completions")
            .filter_name(NEWER_FILTER_NAME)
            .transform(transform)
            .rewrite_path("/llm/chat/completions");
        let config = EnvoyConfig::new().filter_name(NEWER_FILTER_NAME).route(route);
        let lab = Lab::start(envoy, &config);
        let answer = lab.post("/v1/chat/completions").json(&json!({"model": "gpt-4"})).send();
        assert_eq!(lab.origin().last().path, "/llm/chat/completions");
        assert_eq!(answer.header("x-custom-transformed"), "true");
        assert_eq!(answer.header("x-smart-header"), "method=POST&path=/v1/chat/completions");
    }

    fn requests_get_what_envoys_own_formatter_gives(envoy) {
        let values = [
            ("method", "%REQ(:METHOD)% %REQ(:path)% %REQ(HOST)%"),
            ("first", "%REQ(X-A?X-B)%"),
            ("second", "%REQ(X-NONE?X-B):3%"),
            ("protocol", "%PROTOCOL%"),
            ("remote", "%DOWNSTREAM_REMOTE_ADDRESS%"),
            ("ip", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"),
            ("year", "%START_TIME(%Y-%m %a %j %z)%"),
            ("percent", "100%%"),
        ];
        let rules: Vec<Value> = values.iter().map(|(name, value)| set(&format!("ours-{name}"), value)).collect();
        let route = Route::at("/").transform(json!({"request": {"set": rules}}));
        let oracle = header_mutation("request_mutations", &values);
        let lab = Lab::start(envoy, &EnvoyConfig::new().filter_after(oracle).route(route));
        lab.get("/p?q=1").header("x-a", "one").header("x-a", "two").header("x-b", "beta").send();
        let received = lab.origin().last();
        for (name, _) in values {
            let theirs = received.header(&format!("envoy-{name}"));
            assert!(!theirs.is_empty(), "{name}");
            assert_eq!(received.header(&format!("ours-{name}")), theirs, "{name}");
        }
        assert_eq!(received.header("ours-first"), "one");
        assert_eq!(received.header("ours-second"), "bet");
        assert_eq!(received.header("ours-protocol"), "HTTP/1.1");
    }

    fn responses_get_what_envoys_own_formatter_gives(envoy) {
        let values = [
            ("method", "%REQ(:METHOD)%"),
            ("first", "%REQ(X-A)%"),
            ("resp", "%RESP(X-NONE?X-R):4%"),
            ("protocol", "%PROTOCOL%"),
            ("remote", "%DOWNSTREAM_REMOTE_ADDRESS%"),
            ("host", "%UPSTREAM_HOST%"),
            ("time", "%START_TIME(%Y-%m-%d)%"),
        ];
        let rules: Vec<Value> = values.iter().map(|(name, value)| set(&format!("ours-{name}"), value)).collect();
        let route = Route::at("/").transform(json!({"response": {"set": rules}}));
        let oracle = header_mutation("response_mutations", &values);
        let lab = Lab::start(envoy, &EnvoyConfig::new().filter_after(oracle).route(route));
        lab.origin().answer("/", Reply::new(200).header("x-r", "first").header("x-r", "second"));
        let answer = lab.get("/").header("x-a", "one").header("x-a", "two").send();
        for (name, _) in values {
            let theirs = answer.header(&format!("envoy-{name}"));
            assert!(!theirs.is_empty(), "{name}");
            assert_eq!(answer.header(&format!("ours-{name}")), theirs, "{name}");
        }
        assert_eq!(answer.header("ours-first"), "one");
        assert_eq!(answer.header("ours-resp"), "firs");
    }

    fn what_is_not_there_is_a_hyphen(envoy) {
        let rules = json!([
            set("x-1", "%REQ(x-none)% %RESP(x-none?x-nil)% %TRAILER(x-none)% %DYNAMIC_METADATA(a:b)%"),
            set("x-host", "%UPSTREAM_HOST%"),
        ]);
        let route = Route::at("/").transform(json!({"response": {"set": rules}})).direct_response(418, "tea");
        let lab = Lab::start(envoy, &EnvoyConfig::new().route(route));
        let answer = lab.get("/").send();
        assert_eq!((answer.status, answer.header("x-1")), (418, "- - - -".to_owned()));
        assert_eq!(answer.header("x-host"), "-");
    }

    fn operators_templates_and_text_mix(envoy) {
        let transform = json!({
            "request": {"dynamicMetadata": [
                {"namespace": "my.ns", "key": "model", "value": {"stringValue": "{{ header('x-model') }}"}},
                {"namespace": "my.ns", "key": "price", "value": {"numberValue": "1.5"}},
            ]},
            "response": {"add": [
                set("x-code", "%RESPONSE_CODE%/{{ response.status }}"),
                set("x-meta", "%DYNAMIC_METADATA(my.ns:model):5% at %DYNAMIC_METADATA(my.ns:price)%"),
                set("x-if", "{% if request.method == 'GET' %}got %REQ(:path)%{% else %}%REQ(:method)%{% endif %}"),
                set("x-user", "{{ request_header('x-user') }}"),
                set("x-text", "50% off, 100%%, a%2Fb%20c, {% raw %}%REQ(:path)%{% endraw %}"),
            ]},
        });
        let lab = lab_with(envoy, transform);
        lab.origin().answer("/p", Reply::new(404));
        let user = "%REQ(:path)% {{ body() }}";
        let answer = lab.get("/p").header("x-model", "gpt-4o").header("x-user", user).send();
        assert_eq!(answer.header("x-code"), "404/404");
        assert_eq!(answer.header("x-meta"), "gpt-4 at 1.5");
        assert_eq!(answer.header("x-if"), "got /p");
        assert_eq!(answer.header("x-user"), user);
        assert_eq!(answer.header("x-text"), "50% off, 100%, a%2Fb%20c, %REQ(:path)%");
    }

    fn trailers_of_a_held_response_are_there(envoy) {
        let held = json!({"response": {
            "body": {"value": "{{ body() }}!"},
            "set": [set("x-sum", "%TRAILER(x-none?X-Sum)%")],
        }});
        let lab = lab_with(envoy, held);
        let body = Body::chunked().piece("a").piece("b").trailer("x-sum", "2");
        lab.origin().answer("/", Reply::new(200).stream(body));
        let answer = lab.get("/").send();
        assert_eq!(answer.text(), "ab!");
        assert_eq!(answer.header("x-sum"), "2");
    }

    fn the_start_is_when_the_request_came(envoy) {
        let both = json!({"set": [set("x-start", "%START_TIME(%s.%3f)%"), set("x-default", "%START_TIME%")]});
        let lab = lab_with(envoy, json!({"request": both, "response": both}));
        let late = std::time::Duration::from_millis(300);
        lab.origin().answer("/", Reply::new(200).stream(Body::chunked().pause(late).piece("late")));
        let answer = lab.get("/").send();
        let request = lab.origin().last();
        assert_eq!(answer.header("x-start"), request.header("x-start"));
        assert_eq!(answer.header("x-default"), request.header("x-default"));
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let age = now.as_secs_f64() - answer.header("x-start").parse::<f64>().unwrap();
        assert!((0.0..60.0).contains(&age), "{age}");
    }

    fn an_unknown_operator_is_refused_when_the_configuration_is_loaded(envoy) {
        let transform = json!({"response": {"set": [set("x-a", "%RQE(:METHOD)%")]}});
        let log = Lab::refuse(envoy, &EnvoyConfig::new().filter_level(transform));
        assert!(log.contains("unknown operator %RQE%"), "{log}");
        assert!(log.contains("did you mean %REQ(name?other):length%?"), "{log}");
    }
}
