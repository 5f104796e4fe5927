//! The lab tests itself, with Envoys that have no module: what a test sees through it must be what
//! happened.

use std::time::{Duration, Instant};

use rustformations_tests::{
    Body, EnvoyConfig, Lab, Reply, Route, Settings, differences::PER_ROUTE_FILTER_NAME,
    on_every_envoy,
};
use serde_json::json;

fn bare() -> EnvoyConfig {
    EnvoyConfig::new().without_module()
}

on_every_envoy! {
    fn a_request_and_its_answer_arrive_line_by_line(envoy) {
        let lab = Lab::start(envoy, &bare());
        let reply = Reply::new(201).header("x-r", "1").header("x-r", "2").body("made");
        lab.origin().answer("/things", reply);
        let request = lab.post("/things?q=1").header("x-q", "a").header("x-q", [0xff_u8, b'b']);
        let answer = request.body("thing").send();
        assert_eq!(answer.status, 201);
        assert_eq!(answer.headers.values("x-r"), ["1", "2"]);
        assert_eq!(answer.text(), "made");
        let received = lab.origin().last();
        assert_eq!((received.method.as_str(), received.path.as_str()), ("POST", "/things?q=1"));
        let lines: Vec<&[u8]> = received.headers.raw_values("x-q").collect();
        assert_eq!(lines, [b"a".as_slice(), b"\xffb"]);
        assert_eq!(received.text(), "thing");
    }

    fn chunks_keep_their_pace_and_trailers_come_last_both_ways(envoy) {
        let lab = Lab::start(envoy, &bare());
        let pause = Duration::from_millis(300);
        let script = || Body::chunked().piece("one").pause(pause).piece("two").trailer("x-end", "yes");
        lab.origin().answer("/slow", Reply::new(200).stream(script()));
        let answer = lab.post("/slow").stream(script()).send();
        assert_eq!(answer.text(), "onetwo");
        assert_eq!(answer.trailers.values("x-end"), ["yes"]);
        let [(first, _), (second, _)] = answer.pieces.as_slice() else { panic!("{answer:?}") };
        assert!(*second - *first >= pause / 2, "{answer:?}");
        let received = lab.origin().last();
        assert_eq!(received.text(), "onetwo");
        assert_eq!(received.trailers.values("x-end"), ["yes"]);
        assert!(received.pieces.len() >= 2, "{received:?}");
    }

    fn server_sent_events_are_seen_one_by_one(envoy) {
        let lab = Lab::start(envoy, &bare());
        lab.origin().answer("/sse", Reply::events(&["1", "2", "3"], Duration::from_millis(300)));
        let began = Instant::now();
        let mut exchange = lab.get("/sse").begin().unwrap();
        assert_eq!(exchange.next_piece().unwrap().unwrap(), b"data: 1\n\n");
        assert!(began.elapsed() < Duration::from_millis(550));
        assert_eq!(exchange.finish().unwrap().text(), "data: 2\n\ndata: 3\n\n");
        assert!(began.elapsed() >= Duration::from_millis(600));
    }

    fn an_answer_that_breaks_off_is_reported_as_cut(envoy) {
        let lab = Lab::start(envoy, &bare());
        lab.origin().answer("/cut", Reply::new(200).stream(Body::chunked().piece("half").cut()));
        lab.origin().answer("/short", Reply::new(200).stream(Body::whole("half").declared(8)));
        for path in ["/cut", "/short"] {
            let answer = lab.get(path).send();
            assert!(answer.cut, "{path}");
            assert_eq!(answer.text(), "half", "{path}");
        }
    }

    fn a_request_that_breaks_off_is_recorded_as_cut(envoy) {
        let lab = Lab::start(envoy, &bare());
        // The pause lets the first bytes through before the client leaves.
        let body = Body::chunked().piece("half").pause(Duration::from_millis(200)).cut();
        assert!(lab.post("/").stream(body).try_send().is_err());
        let received = lab.origin().last();
        assert!(received.cut);
        assert_eq!(received.text(), "half");
    }

    fn an_answer_may_come_before_the_request_has_ended(envoy) {
        let lab = Lab::start(envoy, &bare());
        lab.origin().answer("/early", Reply::new(200).body("already").before_body());
        let body = Body::chunked().piece("a").pause(Duration::from_secs(2)).piece("b");
        let began = Instant::now();
        let exchange = lab.post("/early").stream(body).begin().unwrap();
        assert_eq!(exchange.status, 200);
        assert!(began.elapsed() < Duration::from_secs(1));
    }

    fn an_upgrade_becomes_a_tunnel(envoy) {
        let lab = Lab::start(envoy, &bare().websocket());
        lab.origin().answer("/socket", Reply::echo_tunnel());
        let request = lab.get("/socket").header("connection", "upgrade");
        let exchange = request.header("upgrade", "websocket").begin().unwrap();
        assert_eq!(exchange.status, 101);
        assert_eq!(exchange.into_tunnel().echo(b"ping").unwrap(), b"ping");
    }

    fn a_kept_connection_takes_turns_and_pipelines(envoy) {
        let lab = Lab::start(envoy, &bare());
        lab.origin().answer_with("/echo", |received| Reply::new(200).body(received.text()));
        let mut connection = lab.connect();
        let ask = |text: &str| lab.post("/echo").body(text);
        for turn in ["one", "two"] {
            assert_eq!(connection.send(&[ask(turn)]).unwrap()[0].text(), turn);
        }
        let answers = connection.send(&[ask("a"), lab.get("/"), ask("b")]).unwrap();
        let texts: Vec<String> = answers.iter().map(rustformations_tests::Answer::text).collect();
        assert_eq!(texts, ["a", "ok", "b"]);
        assert_eq!(lab.stat("http.lab.downstream_cx_total"), 1);
    }

    fn a_connect_becomes_a_tunnel(envoy) {
        let route = Route::at("/").field("match", json!({"connect_matcher": {}}));
        let upgrades = json!([{"upgrade_type": "CONNECT"}]);
        let config = bare().connection_manager("upgrade_configs", upgrades).route(route);
        let lab = Lab::start(envoy, &config);
        lab.origin().answer("far.test:443", Reply::connect_tunnel());
        let request = lab.request("CONNECT", "far.test:443").header("host", "far.test:443");
        let exchange = request.begin().unwrap();
        assert_eq!(exchange.status, 200);
        assert_eq!(exchange.into_tunnel().echo(b"ping").unwrap(), b"ping");
    }

    fn fields_of_the_virtual_host_are_kept_when_routes_are_replaced(envoy) {
        let added = json!([{"header": {"key": "x-host-level", "value": "yes"}}]);
        let config = bare().routes_from_file().virtual_host("response_headers_to_add", added);
        let mut lab = Lab::start(envoy, &config);
        assert_eq!(lab.get("/").send().header("x-host-level"), "yes");
        assert!(lab.replace_routes(&[Route::at("/").direct_response(202, "new")]));
        assert_eq!(lab.get("/").send().header("x-host-level"), "yes");
    }

    fn routes_rewrite_and_answer_as_they_say(envoy) {
        let config = bare()
            .route(Route::at("/v1/chat").rewrite_path("/llm/chat"))
            .route(Route::at("/no").direct_response(418, "teapot"));
        let lab = Lab::start(envoy, &config);
        assert_eq!(lab.get("/v1/chat?a=b").send().status, 200);
        assert_eq!(lab.origin().last().path, "/llm/chat?a=b");
        let answer = lab.get("/no").send();
        assert_eq!((answer.status, answer.text().as_str()), (418, "teapot"));
        assert_eq!(lab.get("/elsewhere").send().status, 404);
    }

    fn routes_are_replaced_while_serving_and_bad_ones_are_refused(envoy) {
        let mut lab = Lab::start(envoy, &bare().routes_from_file());
        assert_eq!(lab.get("/").send().status, 200);
        assert!(lab.replace_routes(&[Route::at("/").direct_response(202, "new")]));
        assert_eq!(lab.get("/").send().status, 202);
        let bad = Route::at("/").field("match", json!({"safe_regex": {"regex": "("}}));
        assert!(!lab.replace_routes(&[bad]));
        assert_eq!(lab.get("/").send().status, 202);
    }

    fn a_configuration_that_envoy_refuses_shows_its_log(envoy) {
        let logs = Lab::refuse(envoy, &bare().route(Route::at("/").field("no_such", json!(1))));
        assert!(logs.contains("no_such"), "{logs}");
    }

    fn the_newer_name_of_a_per_route_configuration_is_known_from_its_release_on(envoy) {
        let route = Route::at("/").named_by_filter_name().transform(json!({}));
        let config = bare().route(route);
        if PER_ROUTE_FILTER_NAME.is_in(envoy.version()) {
            assert_eq!(Lab::start(envoy, &config).get("/").send().status, 200);
        } else {
            let refusal = Lab::refuse(envoy, &config);
            assert!(refusal.contains("'filter_name'"), "{refusal}");
        }
    }

    fn stats_and_logs_are_readable_while_envoy_serves(envoy) {
        let settings = Settings { log_level: "info".to_owned(), ..Settings::default() };
        let lab = Lab::start_with(envoy, &bare(), settings);
        lab.get("/").send();
        assert_eq!(lab.stat("cluster.origin.upstream_rq_total"), 1);
        lab.expect_log("starting main dispatch loop");
    }
}

#[test]
#[should_panic(expected = "Envoy died")]
fn a_test_fails_when_envoy_has_died_even_if_it_looked_at_nothing() {
    let envoy = rustformations_tests::envoy::chosen().unwrap();
    let lab = Lab::start(&envoy, &bare());
    lab.envoy().admin_post("/quitquitquit").unwrap();
    std::thread::sleep(Duration::from_secs(2));
}
