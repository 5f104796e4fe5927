//! Attempts to bring Envoy down, or to make it hang, leak or answer nonsense, through traffic and through
//! reloads under it. Every test ends with the same questions: does Envoy live, has nothing panicked, is
//! no stream left over.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustformations_tests::{
    Body, Envoy, EnvoyConfig, Lab, Reply, Request, Route, Settings, on_every_envoy,
};
use serde_json::{Value, json};

fn both_ways(transform: &Value) -> Value {
    json!({"request": transform, "response": transform})
}

fn set(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

/// Reads and rewrites bodies both ways.
fn rewriting() -> Value {
    both_ways(&json!({
        "body": {"value": "<{{ body() }}>"},
        "set": [set("x-length", "{{ body()|length }}")],
    }))
}

fn lab_with(envoy: &Envoy, transform: Value) -> Lab {
    Lab::start(
        envoy,
        &EnvoyConfig::new().route(Route::at("/").transform(transform)),
    )
}

/// Asserts that Envoy serves, that nothing panicked and that no stream is left over.
fn assert_sane(lab: &Lab) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let active = lab.stat("http.lab.downstream_rq_active")
            + lab.stat("cluster.origin.upstream_rq_active");
        if active == 0 {
            break;
        }
        assert!(Instant::now() < deadline, "{active} streams are left over");
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(lab.stat("rustformations_panics"), 0);
    assert!(!lab.logs().contains("panic"), "{}", lab.logs());
    assert_eq!(lab.get("/still-there").send().status, 200);
}

on_every_envoy! {
    fn hostile_bodies_are_400_or_pass(envoy) {
        let transform = both_ways(&json!({
            "body": {"parseAs": "AsJson", "value": "{{ context()|tojson }}"},
            "set": [set("x-a", "{{ a }}"), set("x-deep", "{{ a.a.a.a[0][0] }}"), set("x-words", "{{ word_count(context()) }}")],
        }));
        let lab = Lab::start(
            envoy,
            &EnvoyConfig::new()
                .route(Route::at("/still-there"))
                .route(Route::at("/").transform(transform)),
        );
        let nested = |open: &str, close: &str, count: usize| {
            format!("{}{}", open.repeat(count), close.repeat(count)).into_bytes()
        };
        let bodies: Vec<Vec<u8>> = vec![
            b"\xff\xfe\xfd".to_vec(),
            b"{\"a\":\"\xff\"}".to_vec(),
            b"{\"a\":\"\\ud800\"}".to_vec(),
            b"{\"a\":\"\\u0000\\r\\n\"}".to_vec(),
            br#"{"a":1,"a":2,"a":{"a":3}}"#.to_vec(),
            nested("[", "]", 100_000),
            nested("{\"a\":", "}", 100_000),
            b"[".repeat(500_000),
            nested("[", "]", 120),
            format!("[{}1]", "1,".repeat(200_000)).into_bytes(),
            format!(
                "{{{}\"a\":1}}",
                (0..20_000)
                    .map(|n| format!("\"k{n}\":{n},"))
                    .collect::<String>()
            )
            .into_bytes(),
            format!("{{\"a\":{}}}", "9".repeat(500_000)).into_bytes(),
            format!("{{\"a\":1e{}}}", "9".repeat(1000)).into_bytes(),
            format!("{{\"a\":\"{}\"}}", "\\u00e9".repeat(100_000)).into_bytes(),
            b"\xef\xbb\xbf{\"a\":1}".to_vec(),
            b"   ".to_vec(),
            b"\0".repeat(1000),
            vec![b'"'; 1000],
        ];
        for body in bodies {
            let start = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
            // Answers may carry a header that this client does not read to its end; Envoy must not care.
            lab.origin()
                .answer("/echo", Reply::new(200).body(body.clone()));
            for request in [
                lab.post("/").body(body.clone()),
                lab.get("/echo"),
                lab.post("/").stream(Body::chunked().piece(body.clone())),
            ] {
                let began = Instant::now();
                if let Ok(answer) = request.try_send() {
                    assert!(
                        [200, 400, 431, 500, 502, 503].contains(&answer.status),
                        "{}: {start}",
                        answer.status
                    );
                }
                assert!(
                    began.elapsed() < Duration::from_secs(2),
                    "{:?}: {start}",
                    began.elapsed()
                );
            }
        }
        assert_sane(&lab);
    }

    fn huge_headers_are_copied_or_refused(envoy) {
        let copies: Vec<Value> = (0..20)
            .map(|index| {
                set(
                    &format!("x-copy-{index}"),
                    "{{ header('x-big') }}{{ request_header('x-big') }}",
                )
            })
            .collect();
        let transform = both_ways(&json!({"set": copies}));
        let lab = Lab::start(
            envoy,
            &EnvoyConfig::new()
                .route(Route::at("/still-there"))
                .route(Route::at("/").transform(transform)),
        );
        for length in [1, 1000, 30_000, 59_000, 100_000] {
            // Twenty times twice the size is more than this origin and this client read.
            let _ = lab.get("/").header("x-big", "b".repeat(length)).try_send();
        }
        let many = (0..90).fold(lab.get("/"), |request, index| {
            request.header("x-big", format!("{index}"))
        });
        assert_eq!(many.send().status, 200);
        assert!(
            lab.origin()
                .last()
                .header("x-copy-19")
                .starts_with("0, 1, 2, ")
        );
        assert_sane(&lab);
    }

    fn clients_that_leave_in_the_middle_leave_nothing_behind(envoy) {
        let lab = lab_with(envoy, rewriting());
        let slow = || {
            Body::chunked()
                .piece("x".repeat(10_000))
                .pause(Duration::from_millis(20))
        };
        lab.origin().answer_with("/slow", |_| {
            Reply::new(200).stream(
                Body::chunked()
                    .piece("a")
                    .pause(Duration::from_millis(100))
                    .piece("b"),
            )
        });
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for turn in 0..10 {
                        // In the middle of a request,
                        assert!(lab.post("/").stream(slow().cut()).try_send().is_err());
                        assert!(
                            lab.post("/")
                                .stream(Body::whole("short").declared(100))
                                .try_send()
                                .is_err()
                        );
                        // while the answer is on its way, or right after sending.
                        let leaving = lab.post("/slow").stream(slow()).begin();
                        if turn % 2 == 0 {
                            drop(leaving);
                        }
                        let mut connection = std::net::TcpStream::connect(lab.address()).unwrap();
                        std::io::Write::write_all(
                            &mut connection,
                            b"POST /slow HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nb",
                        )
                        .unwrap();
                    }
                });
            }
        });
        assert_sane(&lab);
    }

    fn origins_that_break_off_give_an_error_or_a_cut_answer(envoy) {
        let lab = lab_with(envoy, rewriting());
        let broken = [
            Body::chunked().piece("half").cut(),
            Body::chunked()
                .piece("half")
                .pause(Duration::from_millis(30))
                .cut(),
            Body::whole("half").declared(100),
            Body::chunked().cut(),
        ];
        for body in broken {
            lab.origin().answer("/broken", Reply::new(200).stream(body));
            for request in [lab.get("/broken"), lab.post("/broken").body("b")] {
                // Its headers were still held: the client sees a whole error, never a half answer.
                let answer = request.send();
                assert_eq!((answer.status, answer.cut), (502, false), "{answer:?}");
            }
        }
        assert_sane(&lab);
    }

    fn slow_bodies_of_many_clients_at_once_are_all_transformed(envoy) {
        let lab = lab_with(envoy, rewriting());
        lab.origin().answer_with("/", |received| {
            Reply::new(200).stream(
                Body::chunked()
                    .piece(received.text())
                    .pause(Duration::from_millis(30))
                    .piece("!"),
            )
        });
        let wrong = AtomicUsize::new(0);
        thread::scope(|scope| {
            for client in 0..40 {
                let (lab, wrong) = (&lab, &wrong);
                scope.spawn(move || {
                    let body = (0..10).fold(Body::chunked(), |body, piece| {
                        body.piece(format!("{client}.{piece};"))
                            .pause(Duration::from_millis(10))
                    });
                    let sent: String = (0..10).map(|piece| format!("{client}.{piece};")).collect();
                    let answer = lab.post("/").stream(body).send();
                    if answer.text() != format!("<<{sent}>!>") {
                        wrong.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(wrong.into_inner(), 0);
        assert_eq!(lab.stat("rustformations_requests_transformed"), 40);
        assert_sane(&lab);
    }

    fn routes_are_replaced_under_load_and_every_answer_is_of_one_configuration(envoy) {
        let generation = |number: usize| {
            let mark = format!("generation-{number}");
            Route::at("/").transform(json!({
                "request": {"set": [set("x-asked", &mark)], "body": {"value": format!("{mark}:{{{{ body() }}}}")}},
                "response": {"set": [set("x-answered", &mark)], "body": {"value": format!("{mark}:{{{{ body() }}}}")}},
            }))
        };
        let config = EnvoyConfig::new().routes_from_file().route(generation(0));
        let settings = Settings {
            concurrency: 2,
            ..Settings::default()
        };
        let mut lab = Lab::start_with(envoy, &config, settings);
        lab.origin()
            .answer_with("/load", |received| Reply::new(200).body(received.text()));
        let (stop, served, wrong) = (
            AtomicBool::new(false),
            AtomicUsize::new(0),
            AtomicUsize::new(0),
        );
        let request: Request = lab.post("/load").body("b");
        thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        let answer = request.clone().send();
                        let mark = answer.header("x-answered");
                        let expected = format!("{mark}:{mark}:b");
                        if answer.status != 200 || answer.text() != expected {
                            wrong.fetch_add(1, Ordering::Relaxed);
                        }
                        served.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            for number in 1..=20 {
                assert!(lab.replace_routes(&[generation(number)]));
                // A bad one in between changes nothing.
                assert!(!lab.replace_routes(&[Route::at("/").transform("{")]));
            }
            stop.store(true, Ordering::Relaxed);
        });
        assert!(
            served.load(Ordering::Relaxed) > 100,
            "only {served:?} requests"
        );
        assert_eq!(wrong.into_inner(), 0, "of {served:?}");
        assert_eq!(
            lab.get("/load").send().header("x-answered"),
            "generation-20"
        );
        assert_sane(&lab);
    }

    fn a_mixed_crowd_on_two_workers_is_served(envoy) {
        let endless =
            "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}";
        let config = EnvoyConfig::new()
            .buffer_limit(64 << 10)
            .route(Route::at("/loop").transform(json!({"request": {"set": [set("x-a", endless)]}})))
            .route(Route::at("/json").transform(both_ways(&json!({
                "body": {"parseAs": "AsJson", "value": "{{ context()|tojson }}"},
            }))))
            .route(
                Route::at("/direct")
                    .direct_response(200, "direct")
                    .transform(rewriting()),
            )
            .route(Route::at("/still-there"))
            .route(Route::at("/").transform(rewriting()));
        let lab = Lab::start_with(
            envoy,
            &config,
            Settings {
                concurrency: 2,
                ..Settings::default()
            },
        );
        lab.origin().answer(
            "/cut",
            Reply::new(200).stream(Body::chunked().piece("a").cut()),
        );
        lab.origin()
            .answer("/big", Reply::new(200).body(vec![b'x'; 1 << 20]));
        lab.origin()
            .answer("/early", Reply::new(200).body("early").before_body());
        let crowd = |turn: usize| -> (Request, &'static [u16]) {
            match turn % 10 {
                0 => (lab.get("/loop"), &[500]),
                1 => (lab.post("/json").body("{"), &[400]),
                2 => (lab.post("/json").json(&json!({"a": [1, 2]})), &[200, 400]),
                3 => (lab.post("/direct").body("b"), &[200]),
                4 => (lab.post("/").body(vec![b'x'; 256 << 10]), &[413]),
                5 => (lab.get("/big"), &[500]),
                6 => (lab.get("/cut"), &[502]),
                7 => (
                    lab.post("/")
                        .stream(Body::chunked().piece("a").piece("b").trailer("x-t", "1")),
                    &[200],
                ),
                8 => (
                    lab.post("/early").stream(
                        Body::chunked()
                            .piece("a")
                            .pause(Duration::from_millis(5))
                            .piece("b"),
                    ),
                    &[200],
                ),
                _ => (lab.get("/"), &[200]),
            }
        };
        thread::scope(|scope| {
            for client in 0..8 {
                let crowd = &crowd;
                scope.spawn(move || {
                    for turn in 0..50 {
                        let (request, expected) = crowd(client + turn);
                        // What is refused half way may end in a reset before the answer is read.
                        if let Ok(answer) = request.try_send() {
                            assert!(
                                expected.contains(&answer.status),
                                "turn {}: {answer:?}",
                                (client + turn) % 10
                            );
                        }
                    }
                });
            }
        });
        assert_sane(&lab);
    }
}
