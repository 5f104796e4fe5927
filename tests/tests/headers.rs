//! Header rules on real Envoys: what `set`, `add` and `remove` make of a message in both directions,
//! and what templates see of its headers.

use rustformations_tests::differences::ADD_MAKES_A_LINE;
use rustformations_tests::{Envoy, EnvoyConfig, Lab, Reply, Route, on_every_envoy};
use serde_json::{Value, json};

fn lab_with(envoy: &Envoy, transform: Value) -> Lab {
    Lab::start(
        envoy,
        &EnvoyConfig::new().route(Route::at("/").transform(transform)),
    )
}

fn set(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

on_every_envoy! {
    fn set_then_add_then_remove_in_both_directions(envoy) {
        let rules = json!({
            // The order of the fields is not the order of the steps.
            "remove": ["x-gone", "x-never-there"],
            "add": [set("x-a", "2"), set("x-gone", "2"), set("x-new", "n")],
            "set": [set("x-a", "1"), set("x-gone", "1")],
        });
        let lab = lab_with(envoy, json!({"request": rules, "response": rules}));
        let reply = Reply::new(200)
            .header("x-a", "0")
            .header("x-gone", "0")
            .body("ok");
        lab.origin().answer("/", reply);
        let answer = lab.get("/").header("x-a", "0").header("x-gone", "0").send();
        let received = lab.origin().last();
        let both: &[&str] = if ADD_MAKES_A_LINE.is_in(envoy.version()) {
            &["1", "2"]
        } else {
            &["1, 2"]
        };
        for headers in [&received.headers, &answer.headers] {
            assert_eq!(headers.values("x-a"), both);
            assert_eq!(headers.values("x-new"), ["n"]);
            assert!(!headers.has("x-gone"), "{headers:?}");
        }
        assert_eq!(answer.text(), "ok");
    }

    fn templates_see_the_message_as_it_was(envoy) {
        let rules = json!({
            "set": [set("x-a", "new"), set("x-copy", "{{ header('x-a') }}")],
            "add": [set("x-later", "{{ header('x-a') }}+{{ header('x-b') }}")],
            "remove": ["x-b"],
        });
        let lab = lab_with(envoy, json!({"request": rules, "response": rules}));
        lab.origin()
            .answer("/", Reply::new(200).header("x-a", "old").header("x-b", "b"));
        let answer = lab.get("/").header("x-a", "old").header("x-b", "b").send();
        for headers in [&lab.origin().last().headers, &answer.headers] {
            assert_eq!(headers.values("x-a"), ["new"]);
            assert_eq!(headers.values("x-copy"), ["old"]);
            assert_eq!(headers.values("x-later"), ["old+b"]);
            assert!(!headers.has("x-b"), "{headers:?}");
        }
    }

    fn set_to_nothing_removes_and_add_of_nothing_adds_nothing(envoy) {
        let rules = json!({
            "set": [{"name": "x-omitted"}, set("x-empty", ""), set("x-rendered", "{{ header('x-none') }}")],
            "add": [{"name": "x-kept"}, set("x-kept", "{{ header('x-none') }}")],
        });
        let lab = lab_with(envoy, json!({"request": rules, "response": rules}));
        let names = ["x-omitted", "x-empty", "x-rendered", "x-kept"];
        let reply = names
            .iter()
            .fold(Reply::new(200), |reply, name| reply.header(name, "there"));
        lab.origin().answer("/", reply);
        let request = names
            .iter()
            .fold(lab.get("/"), |request, name| request.header(name, "there"));
        let answer = request.send();
        for headers in [&lab.origin().last().headers, &answer.headers] {
            let left: Vec<_> = names.iter().filter(|name| headers.has(name)).collect();
            assert_eq!(left, [&"x-kept"], "{headers:?}");
            assert_eq!(headers.values("x-kept"), ["there"]);
        }
    }

    fn set_replaces_every_line_of_a_repeated_header(envoy) {
        let rules = json!({"set": [set("X-Many", "one")]});
        let lab = lab_with(envoy, json!({"request": rules, "response": rules}));
        lab.origin().answer(
            "/",
            Reply::new(200).header("x-many", "1").header("x-many", "2"),
        );
        let answer = lab
            .get("/")
            .header("x-many", "1")
            .header("x-many", "2")
            .send();
        assert_eq!(lab.origin().last().headers.values("x-many"), ["one"]);
        assert_eq!(answer.headers.values("x-many"), ["one"]);
    }

    fn the_later_of_two_rules_for_a_name_wins(envoy) {
        let lab = lab_with(
            envoy,
            json!({"request": {"set": [set("x-a", "1"), set("X-A", "2")]}}),
        );
        lab.get("/").send();
        assert_eq!(lab.origin().last().headers.values("x-a"), ["2"]);
    }

    fn a_further_cookie_is_a_line_of_its_own_or_refused_aloud(envoy) {
        let lab = lab_with(
            envoy,
            json!({"response": {"add": [set("set-cookie", "b=2")]}}),
        );
        lab.origin()
            .answer("/with", Reply::new(200).header("set-cookie", "a=1"));
        assert_eq!(
            lab.get("/without").send().headers.values("set-cookie"),
            ["b=2"]
        );
        let cookies = lab.get("/with").send().headers.values("set-cookie");
        if ADD_MAKES_A_LINE.is_in(envoy.version()) {
            assert_eq!(cookies, ["a=1", "b=2"]);
            assert_eq!(lab.stat("rustformations_errors.kind.refused_by_envoy"), 0);
        } else {
            // Two cookies joined in one line would be one broken cookie.
            assert_eq!(cookies, ["a=1"]);
            assert_eq!(lab.stat("rustformations_errors.kind.refused_by_envoy"), 1);
            lab.expect_log("set-cookie");
        }
    }

    fn repeated_headers_are_read_joined(envoy) {
        let lab = lab_with(
            envoy,
            json!({
                "request": {"set": [set("x-seen", "{{ header('X-Many') }}")]},
                "response": {"set": [
                    set("x-seen", "{{ header('x-many') }}"),
                    set("x-asked", "{{ request_header('x-many') }}"),
                ]},
            }),
        );
        lab.origin().answer(
            "/",
            Reply::new(200).header("x-many", "c").header("x-many", "d"),
        );
        let answer = lab
            .get("/")
            .header("x-many", "a")
            .header("x-other", "-")
            .header("x-many", "b")
            .send();
        assert_eq!(lab.origin().last().header("x-seen"), "a, b");
        assert_eq!(answer.header("x-seen"), "c, d");
        assert_eq!(answer.header("x-asked"), "a, b");
    }

    fn a_value_that_is_not_text_passes_untouched_and_templates_skip_it(envoy) {
        let rules = json!({"set": [
            set("x-seen", "[{{ header('x-raw') }}]"),
            set("x-mixed-seen", "[{{ header('x-mixed') }}]"),
        ]});
        let lab = lab_with(envoy, json!({"request": rules, "response": rules}));
        let raw: &[u8] = b"\xff\xfe";
        let reply = Reply::new(200)
            .header("x-raw", raw)
            .header("x-mixed", raw)
            .header("x-mixed", "text");
        lab.origin().answer("/", reply);
        let answer = lab
            .get("/")
            .header("x-raw", raw)
            .header("x-mixed", raw)
            .header("x-mixed", "text")
            .send();
        for headers in [&lab.origin().last().headers, &answer.headers] {
            assert_eq!(headers.raw_values("x-raw").collect::<Vec<_>>(), [raw]);
            assert_eq!(headers.values("x-seen"), ["[]"]);
            assert_eq!(headers.values("x-mixed-seen"), ["[text]"]);
        }
    }

    fn utf8_values_are_read_and_written_byte_for_byte(envoy) {
        let lab = lab_with(
            envoy,
            json!({"request": {"set": [set("x-copy", "é{{ header('x-a') }}")]}}),
        );
        assert_eq!(lab.get("/").header("x-a", "日本").send().status, 200);
        assert_eq!(lab.origin().last().header("x-copy"), "é日本");
    }

    fn pseudo_headers_are_read_and_written(envoy) {
        let lab = lab_with(
            envoy,
            json!({
                "request": {"set": [
                    set(":path", "{{ header(':path') }}&more=1"),
                    set(":authority", "other.test"),
                    set(":method", "PUT"),
                    set("x-was", "{{ header(':method') }} {{ header(':authority') }}{{ header(':path') }}"),
                ]},
                "response": {"set": [set(":status", "203"), set("x-was", "{{ header(':status') }}")]},
            }),
        );
        let answer = lab.post("/p?q=1").body("b").send();
        let received = lab.origin().last();
        assert_eq!(
            (received.method.as_str(), received.path.as_str()),
            ("PUT", "/p?q=1&more=1")
        );
        assert_eq!(received.header("host"), "other.test");
        assert_eq!(received.header("x-was"), "POST lab.test/p?q=1");
        assert_eq!(
            (answer.status, answer.header("x-was").as_str()),
            (203, "200")
        );
    }

    fn pseudo_headers_cannot_be_emptied_away(envoy) {
        let lab = lab_with(
            envoy,
            json!({
                "request": {"set": [set(":path", "{{ header('x-none') }}"), set(":method", "{{ header('x-none') }}")]},
                "response": {"set": [set(":status", "{{ header('x-none') }}")]},
            }),
        );
        lab.origin().answer("/kept", Reply::new(201));
        assert_eq!(lab.get("/kept").send().status, 201);
        let received = lab.origin().last();
        assert_eq!(
            (received.method.as_str(), received.path.as_str()),
            ("GET", "/kept")
        );
    }

    fn a_response_template_reads_the_path_the_client_sent_although_the_route_rewrites_it(envoy) {
        let header = "method={{ request_header(':method') }}&path={{ request_header(':path') }}";
        let only_response = json!({"response": {"set": [set("x-smart-header", header)]}});
        let both =
            json!({"request": {"set": [set("x-a", "1")]}, "response": only_response["response"]});
        let buffering = json!({"response": {"set": [
            set("x-smart-header", header), set("x-length", "{{ body()|length }}"),
        ]}});
        let routed = |path: &str, transform: Value| {
            Route::at(path)
                .rewrite_path("/llm/chat/completions")
                .transform(transform)
        };
        let config = EnvoyConfig::new()
            .route(routed("/response", only_response))
            .route(routed("/both", both))
            .route(routed("/buffering", buffering));
        let lab = Lab::start(envoy, &config);
        for path in ["/response", "/both", "/buffering"] {
            let answer = lab.post(&format!("{path}?q=1")).body("{}").send();
            assert_eq!(lab.origin().last().path, "/llm/chat/completions?q=1");
            assert_eq!(
                answer.header("x-smart-header"),
                format!("method=POST&path={path}?q=1")
            );
        }
    }

    fn a_response_template_reads_request_headers_as_the_client_sent_them(envoy) {
        let lab = lab_with(
            envoy,
            json!({
                "request": {"set": [set("x-a", "changed")], "remove": ["x-b"]},
                "response": {"set": [set("x-seen", "{{ request_header('x-a') }}{{ request_header('x-b') }}")]},
            }),
        );
        let answer = lab.get("/").header("x-a", "1").header("x-b", "2").send();
        assert_eq!(lab.origin().last().header("x-a"), "changed");
        assert_eq!(answer.header("x-seen"), "12");
    }

    fn cookies_are_read_by_name(envoy) {
        let rules = json!({"set": [
            set("x-exact", "[{{ get_cookie('sid') }}]"),
            set("x-any-case", "[{{ get_cookie_i('SID') }}]"),
            set("x-case-matters", "[{{ get_cookie('SID') }}]"),
            set("x-second-line", "[{{ get_cookie('theme') }}]"),
            set("x-missing", "[{{ get_cookie('none') }}]"),
        ]});
        let lab = lab_with(envoy, json!({"request": rules, "response": rules}));
        let request = lab.get("/").header("cookie", "a=1; sid=x=y ;sid=second");
        let answer = request.header("cookie", "theme=dark").send();
        for headers in [&lab.origin().last().headers, &answer.headers] {
            assert_eq!(headers.values("x-exact"), ["[x=y]"]);
            assert_eq!(headers.values("x-any-case"), ["[x=y]"]);
            assert_eq!(headers.values("x-case-matters"), ["[]"]);
            assert_eq!(headers.values("x-second-line"), ["[dark]"]);
            assert_eq!(headers.values("x-missing"), ["[]"]);
        }
    }

    fn a_value_cannot_smuggle_another_header_line(envoy) {
        let lab = lab_with(
            envoy,
            json!({
                "request": {"set": [set("x-name", "{{ name }}")], "body": {"parseAs": "AsJson"}},
                "response": {"set": [set("x-name", "{{ name }}")], "body": {"parseAs": "AsJson"}},
            }),
        );
        let hostile = json!({"name": "a\r\nx-evil: 1\nx-evil: 2\u{0}b"});
        lab.origin().answer("/", Reply::json(&hostile));
        let answer = lab.post("/").json(&hostile).send();
        for headers in [&lab.origin().last().headers, &answer.headers] {
            assert_eq!(headers.values("x-name"), ["a  x-evil: 1 x-evil: 2 b"]);
            assert!(!headers.has("x-evil"), "{headers:?}");
        }
    }

    fn a_rendered_value_is_never_html_escaped(envoy) {
        let lab = lab_with(
            envoy,
            json!({"request": {"set": [set("x-a", "{{ header('x-b') }}/index.html")]}}),
        );
        lab.get("/").header("x-b", "<\"&'>").send();
        assert_eq!(lab.origin().last().header("x-a"), "<\"&'>/index.html");
    }

    fn a_head_request_is_transformed_and_its_answer_keeps_its_length(envoy) {
        let lab = lab_with(
            envoy,
            json!({"response": {
                "set": [set("x-r", "1")], "body": {"value": "injected"},
            }}),
        );
        lab.origin()
            .answer("/", Reply::new(200).header("content-length", "5"));
        let answer = lab.request("HEAD", "/").send();
        assert_eq!((answer.status, answer.header("x-r").as_str()), (200, "1"));
        assert_eq!(answer.text(), "");
    }

    fn headers_that_no_rule_names_pass_as_they_came(envoy) {
        let lab = lab_with(
            envoy,
            json!({"request": {"set": [set("x-a", "1")]}, "response": {"set": [set("x-a", "1")]}}),
        );
        let lines = [
            ("x-1", "a"),
            ("x-2", "b, c"),
            ("x-1", "d"),
            ("x-3", "  spaced  out"),
        ];
        let reply = lines.iter().fold(Reply::new(200), |reply, (name, value)| {
            reply.header(name, value)
        });
        lab.origin().answer("/", reply);
        let answer = lines
            .iter()
            .fold(lab.get("/"), |request, (name, value)| {
                request.header(name, value)
            })
            .send();
        for headers in [&lab.origin().last().headers, &answer.headers] {
            assert_eq!(headers.values("x-1"), ["a", "d"]);
            assert_eq!(headers.values("x-2"), ["b, c"]);
            assert_eq!(headers.values("x-3"), ["spaced  out"]);
        }
    }
}
