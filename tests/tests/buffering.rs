//! What is held back and what flows: header-only rules never wait for a body, body rules wait within
//! Envoy's limit, and what has no end is never waited for.

use std::time::{Duration, Instant};

use rustformations_tests::{Body, Envoy, EnvoyConfig, Lab, Reply, Route, on_every_envoy};
use serde_json::{Value, json};

const KIB: u32 = 1024;

fn set(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

/// Rules that read no body, in all the ways to write that.
fn header_only() -> Value {
    let rules = json!({
        "set": [set("x-set", "{{ header('x-in') }}!")],
        "add": [set("x-added", "1")],
        "remove": ["x-in"],
    });
    json!({"request": rules, "response": rules})
}

/// A lab whose Envoy holds no more than a kilobyte.
fn tight(envoy: &Envoy, transform: Value) -> Lab {
    let config = EnvoyConfig::new().buffer_limit(KIB);
    Lab::start(envoy, &config.route(Route::at("/").transform(transform)))
}

on_every_envoy! {
    fn server_sent_events_flow_one_by_one_through_header_rules(envoy) {
        let unparsed =
            json!({"response": {"set": [set("x-set", "!")], "body": {"parseAs": "None"}}});
        let config = EnvoyConfig::new()
            .route(Route::at("/unparsed").transform(unparsed))
            .route(Route::at("/").transform(header_only()));
        let lab = Lab::start(envoy, &config);
        let pause = Duration::from_millis(250);
        for path in ["/plain", "/unparsed"] {
            lab.origin()
                .answer(path, Reply::events(&["1", "2", "3"], pause));
            let began = Instant::now();
            let mut exchange = lab.get(path).begin().unwrap();
            assert_eq!(exchange.headers.values("x-set"), ["!"]);
            assert_eq!(exchange.next_piece().unwrap().unwrap(), b"data: 1\n\n");
            assert!(
                began.elapsed() < 2 * pause,
                "the first event came after {:?}",
                began.elapsed()
            );
            let answer = exchange.finish().unwrap();
            assert_eq!(answer.text(), "data: 2\n\ndata: 3\n\n");
            let [(second, _), (third, _)] = answer.pieces.as_slice() else {
                panic!("{answer:?}")
            };
            assert!(*third - *second >= pause / 2, "{answer:?}");
        }
    }

    fn a_slow_upload_reaches_the_origin_piece_by_piece_through_header_rules(envoy) {
        let lab = tight(envoy, header_only());
        let pause = Duration::from_millis(250);
        let answer = lab
            .post("/")
            .header("x-in", "a")
            .stream(Body::chunked().piece("one").pause(pause).piece("two"))
            .send();
        assert_eq!(answer.status, 200);
        let received = lab.origin().last();
        assert_eq!(
            (received.header("x-set").as_str(), received.text().as_str()),
            ("a!", "onetwo")
        );
        let [(first, _), (second, _)] = received.pieces.as_slice() else {
            panic!("{received:?}")
        };
        assert!(*second - *first >= pause / 2, "{received:?}");
    }

    fn a_hundred_megabytes_pass_header_rules_under_a_limit_of_one_kilobyte(envoy) {
        let lab = tight(envoy, header_only());
        let megabyte = vec![b'x'; 1 << 20];
        let body = (0..100).fold(Body::chunked(), |body, _| body.piece(megabyte.clone()));
        let answer = lab.post("/").header("x-in", "a").stream(body).send();
        assert_eq!((answer.status, answer.header("x-set").as_str()), (200, "!"));
        let received = lab.origin().last();
        assert_eq!(
            (received.body.len(), received.header("x-set").as_str()),
            (100 << 20, "a!")
        );
    }

    fn a_long_answer_passes_header_rules_under_a_limit_of_one_kilobyte(envoy) {
        let lab = tight(envoy, header_only());
        lab.origin()
            .answer("/", Reply::new(200).body(vec![b'x'; 4 << 20]));
        let answer = lab.get("/").send();
        assert_eq!(
            (answer.status, answer.body.len(), answer.cut),
            (200, 4 << 20, false)
        );
        assert_eq!(answer.header("x-set"), "!");
    }

    fn a_direction_without_rules_is_not_held_by_the_other_one(envoy) {
        let lab = tight(
            envoy,
            json!({"request": {"body": {"value": "<{{ body() }}>"}}}),
        );
        lab.origin()
            .answer("/", Reply::new(200).body(vec![b'x'; 1 << 20]));
        let answer = lab.post("/").body("small").send();
        assert_eq!((answer.status, answer.body.len()), (200, 1 << 20));
        assert_eq!(lab.origin().last().text(), "<small>");
    }

    fn a_request_over_the_limit_is_a_413_and_its_answer_is_transformed(envoy) {
        let lab = tight(
            envoy,
            json!({
                "request": {"body": {"value": "<{{ body() }}>"}},
                "response": {"set": [set("x-set", "{{ header(':status') }}")]},
            }),
        );
        for body in [
            Body::whole(vec![b'x'; 256 << 10]),
            Body::chunked()
                .piece(vec![b'x'; 64 << 10])
                .piece(vec![b'x'; 64 << 10]),
        ] {
            let answer = lab.post("/").stream(body).send();
            assert_eq!(
                (answer.status, answer.header("x-set").as_str()),
                (413, "413")
            );
        }
        assert!(lab.origin().received().is_empty());
        // Envoy lives, and what fits still passes.
        assert_eq!(lab.post("/").body("small").send().status, 200);
        assert_eq!(lab.origin().last().text(), "<small>");
    }

    fn a_response_over_the_limit_is_a_500_and_envoy_lives(envoy) {
        let lab = tight(
            envoy,
            json!({"response": {"body": {"value": "<{{ body() }}>"}}}),
        );
        for stream in [
            Body::whole(vec![b'x'; 256 << 10]),
            Body::chunked()
                .piece(vec![b'x'; 64 << 10])
                .piece(vec![b'x'; 64 << 10]),
        ] {
            lab.origin().answer(
                "/big",
                Reply::new(200).header("x-secret", "s").stream(stream),
            );
            let answer = lab.get("/big").send();
            assert_eq!(answer.status, 500);
            assert!(
                !answer.text().contains("xx") && !answer.headers.has("x-secret"),
                "{answer:?}"
            );
        }
        assert_eq!(lab.get("/small").send().text(), "<ok>");
    }

    fn rules_that_do_not_parse_never_hold_a_body(envoy) {
        let rules = json!({
            "body": {"parseAs": "None", "value": "ignored"},
            "set": [set("x-body", "[{{ body() }}{{ context() }}]")],
            "dynamicMetadata": [{"namespace": "n", "key": "k", "value": {"stringValue": "v"}}],
        });
        let lab = tight(envoy, json!({"request": rules, "response": rules}));
        lab.origin()
            .answer("/", Reply::new(200).body(vec![b'y'; 256 << 10]));
        let answer = lab.post("/").body(vec![b'x'; 256 << 10]).send();
        assert_eq!((answer.status, answer.body.len()), (200, 256 << 10));
        let received = lab.origin().last();
        assert_eq!(received.body.len(), 256 << 10);
        assert_eq!(received.header("x-body") + &answer.header("x-body"), "[][]");
    }

    fn a_websocket_flows_both_ways_through_rules_that_read_bodies(envoy) {
        let rules = json!({
            "set": [set("x-set", "{{ body() }}!")],
            "body": {"value": "<{{ body() }}>"},
        });
        let route = Route::at("/").transform(json!({"request": rules, "response": rules}));
        let lab = Lab::start(envoy, &EnvoyConfig::new().websocket().route(route));
        lab.origin().answer("/socket", Reply::echo_tunnel());
        for upgrade in ["websocket", "WebSocket"] {
            let request = lab
                .get("/socket")
                .header("connection", "Upgrade")
                .header("upgrade", upgrade);
            let exchange = request.begin().unwrap();
            assert_eq!(
                (
                    exchange.status,
                    exchange.headers.values("x-set").concat().as_str()
                ),
                (101, "!")
            );
            let mut tunnel = exchange.into_tunnel();
            for message in ["ping", "pong", &"long".repeat(10_000)] {
                assert_eq!(tunnel.echo(message.as_bytes()).unwrap(), message.as_bytes());
            }
        }
    }

    fn a_refused_websocket_gets_its_answer(envoy) {
        let rules = json!({"set": [set("x-set", "!")], "body": {"value": "<{{ body() }}>"}});
        let route = Route::at("/").transform(json!({"request": rules, "response": rules}));
        let lab = Lab::start(envoy, &EnvoyConfig::new().websocket().route(route));
        lab.origin().answer("/socket", Reply::new(403).body("no"));
        let request = lab
            .get("/socket")
            .header("connection", "Upgrade")
            .header("upgrade", "websocket");
        let answer = request.send();
        assert_eq!(
            (
                answer.status,
                answer.text().as_str(),
                answer.header("x-set").as_str()
            ),
            (403, "no", "!")
        );
    }

    fn a_websocket_has_no_json_and_keeps_its_metadata(envoy) {
        let marking = json!({"dynamicMetadata": [
            {"namespace": "lab.test", "key": "seen", "value": {"stringValue": "[{{ body() }}]"}},
        ]});
        let showing = json!({"set": [set("x-seen", "{{ metadata('lab.test', 'seen') }}")]});
        let reading = json!({"body": {"parseAs": "AsJson"}, "set": [set("x-model", "{{ model }}")]});
        let config = EnvoyConfig::new()
            .websocket()
            .route(Route::at("/reading").transform(json!({"request": reading})))
            .route(Route::at("/").transform(json!({"request": marking, "response": showing})));
        let lab = Lab::start(envoy, &config);
        lab.origin().answer("/socket", Reply::echo_tunnel());
        let upgrade = |path: &str| {
            lab.get(path)
                .header("connection", "Upgrade")
                .header("upgrade", "websocket")
        };
        let exchange = upgrade("/socket").begin().unwrap();
        assert_eq!(
            (exchange.status, exchange.headers.values("x-seen").concat()),
            (101, "[]".to_owned())
        );
        assert_eq!(upgrade("/reading").send().status, 400);
    }

    fn a_connect_tunnel_flows_through_rules_that_read_bodies(envoy) {
        let rules = json!({"set": [set("x-set", "!")], "body": {"value": "<{{ body() }}>"}});
        let route = Route::at("/").field("match", json!({"connect_matcher": {}}));
        let upgrades = json!([{"upgrade_type": "CONNECT"}]);
        let config = EnvoyConfig::new().connection_manager("upgrade_configs", upgrades);
        let route = route.transform(json!({"request": rules, "response": rules}));
        let lab = Lab::start(envoy, &config.route(route));
        lab.origin().answer("far.test:443", Reply::connect_tunnel());
        let request = lab
            .request("CONNECT", "far.test:443")
            .header("host", "far.test:443");
        let exchange = request.begin().unwrap();
        assert_eq!(
            (
                exchange.status,
                exchange.headers.values("x-set").concat().as_str()
            ),
            (200, "!")
        );
        let mut tunnel = exchange.into_tunnel();
        assert_eq!(tunnel.echo(b"ping").unwrap(), b"ping");
        assert_eq!(tunnel.echo(b"pong").unwrap(), b"pong");
    }

    fn local_replies_of_others_go_through_the_response_rules(envoy) {
        let transform = json!({"response": {
            "set": [set("x-set", "{{ header(':status') }} {{ request_header(':path') }}")],
            "body": {"value": "<{{ body() }}>"},
        }});
        let config = EnvoyConfig::new()
            .cluster(json!({"name": "nowhere", "type": "STATIC"}))
            .cluster(json!({"name": "closed", "type": "STATIC", "connect_timeout": "1s", "load_assignment": {
                "cluster_name": "closed",
                "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": {
                    "address": "127.0.0.1", "port_value": 9,
                }}}}]}],
            }}))
            .route(Route::at("/direct").direct_response(418, "teapot").transform(transform.clone()))
            .route(Route::at("/empty").direct_response(204, "").transform(transform.clone()))
            .route(Route::at("/nowhere").action("cluster", json!("nowhere")).transform(transform.clone()))
            .route(Route::at("/closed").action("cluster", json!("closed")).transform(transform));
        let lab = Lab::start(envoy, &config);
        let answer = lab.get("/direct").send();
        assert_eq!((answer.status, answer.text().as_str()), (418, "<teapot>"));
        assert_eq!(answer.header("x-set"), "418 /direct");
        assert_eq!(answer.header("content-length"), "8");
        let answer = lab.get("/nowhere").send();
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (503, "<no healthy upstream>")
        );
        assert_eq!(answer.header("x-set"), "503 /nowhere");
        let answer = lab.post("/closed").body("b").send();
        assert_eq!(
            (answer.status, answer.header("x-set").as_str()),
            (503, "503 /closed")
        );
        assert!(
            answer.text().starts_with("<upstream connect error"),
            "{answer:?}"
        );
        // Its request is held for nothing: the answer comes all the same.
        let answer = lab
            .post("/direct")
            .stream(Body::chunked().piece("a").piece("b"))
            .send();
        assert_eq!(answer.text(), "<teapot>");
        assert_eq!(lab.get("/empty").send().header("x-set"), "204 /empty");
    }

    fn answers_of_filters_before_and_behind_go_through_the_response_rules(envoy) {
        // The one behind answers at the request's end, when ours lets go; the one before, without our
        // having seen the request.
        let lua = json!({"name": "lua", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
            "default_source_code": {"inline_string":
                "function envoy_on_request(handle) handle:respond({[':status'] = '429'}, 'slow down') end"},
        }});
        let transform = json!({
            "request": {"body": {"value": "<{{ body() }}>"}},
            "response": {"set": [set("x-set", "{{ body()|upper }}")], "body": {"value": "<{{ body() }}>"}},
        });
        for config in [
            EnvoyConfig::new().filter_after(lua.clone()),
            EnvoyConfig::new().filter_before(lua),
        ] {
            let lab = Lab::start(
                envoy,
                &config.route(Route::at("/").transform(transform.clone())),
            );
            let answer = lab
                .post("/")
                .stream(Body::chunked().piece("a").piece("b"))
                .send();
            assert_eq!(answer.status, 429);
            assert_eq!(
                (answer.header("x-set").as_str(), answer.text().as_str()),
                ("SLOW DOWN", "<slow down>")
            );
            assert!(lab.origin().received().is_empty());
        }
    }

    fn a_body_that_another_filter_has_buffered_is_not_read_twice(envoy) {
        let buffer = json!({"name": "buffer", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer",
            "max_request_bytes": 65536,
        }});
        let transform = json!({"request": {"set": [set("x-length", "{{ body()|length }}")], "body": {"value": "<{{ body() }}>"}}});
        for config in [
            EnvoyConfig::new().filter_before(buffer.clone()),
            EnvoyConfig::new().filter_after(buffer),
        ] {
            let lab = Lab::start(
                envoy,
                &config.route(Route::at("/").transform(transform.clone())),
            );
            let scripts = [
                Body::whole("one,two"),
                Body::chunked()
                    .piece("one,")
                    .pause(Duration::from_millis(20))
                    .piece("two"),
                Body::chunked()
                    .piece("one,")
                    .pause(Duration::from_millis(20))
                    .piece("two")
                    .trailer("x-end", "yes"),
            ];
            for script in scripts {
                assert_eq!(lab.post("/").stream(script).send().status, 200);
                let received = lab.origin().last();
                assert_eq!(
                    (
                        received.text().as_str(),
                        received.header("x-length").as_str()
                    ),
                    ("<one,two>", "7")
                );
                lab.origin().forget();
            }
        }
    }
}
