//! The module in a real Envoy, with `envoy.yaml` as it is but for its ports.
//!
//! `ENVOY=path/to/envoy cargo test -- --include-ignored` runs these; without an Envoy they are ignored, which
//! cargo says. Everything they need is in the standard library and in `lab.rs`.

mod lab;

use std::sync::mpsc::channel;

use lab::{Lab, Reply, eventually};

#[test]
#[ignore = "needs ENVOY=path/to/envoy"]
fn a_body_goes_on_once_the_service_agrees() {
    let lab = Lab::start(|request| match request.header("x-path") {
        Some("/forbidden") => Reply::new(403, ""),
        _ => Reply::new(200, "stored"),
    });
    let answer = lab.post("/orders", &[], "two books");
    assert_eq!((answer.status, answer.body.as_str()), (200, "stored"));
    let seen = lab.seen();
    let paths: Vec<_> = seen.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths, ["/check", "/orders"]);
    assert_eq!((&*seen[0].body, &*seen[1].body), ("two books", "two books"));

    let answer = lab.post("/forbidden", &[], "three books");
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (403, "not allowed\n")
    );
    assert_eq!(
        lab.seen().len(),
        3,
        "it was asked about and went no further"
    );
}

#[test]
#[ignore = "needs ENVOY=path/to/envoy"]
fn all_workers_count_the_requests_of_a_client_together() {
    let (release, released) = channel::<()>();
    let released = std::sync::Mutex::new(released);
    let lab = Lab::start(move |request| {
        if request.path == "/slow" {
            let _ = released.lock().unwrap().recv();
        }
        Reply::new(200, "done")
    });
    let anna = [("x-user", "anna")];
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| lab.get("/slow", &anna));
        eventually(|| (!lab.seen().is_empty()).then_some(()));
        // Each has a connection of its own, which any of the workers may get.
        for _ in 0..8 {
            assert_eq!(lab.get("/", &anna).status, 429);
            assert_eq!(lab.get("/", &[("x-user", "otto")]).status, 200);
        }
        release.send(()).unwrap();
        assert_eq!(slow.join().unwrap().status, 200);
    });
    eventually(|| (lab.get("/", &anna).status == 200).then_some(()));
}

#[test]
#[ignore = "needs ENVOY=path/to/envoy"]
fn requests_are_counted_and_measured() {
    let lab = Lab::start(|_| Reply::new(200, ""));
    lab.get("/", &[]);
    lab.post("/", &[], "12345678");
    let stat = |name: &str| {
        let stats = lab.admin("/stats?filter=my_filter");
        let lines = stats.lines();
        let values = lines.filter_map(|line| line.split_once(": "));
        let mut found = values.filter(|(known, _)| known.ends_with(name));
        found.next().map(|(_, value)| value.to_owned())
    };
    for method in ["GET", "POST"] {
        let name = format!("my_filter_requests.method.{method}");
        eventually(|| stat(&name).filter(|count| count == "1"));
    }
    // Envoy tells a histogram by its percentiles: of no bytes and of eight, the largest is eight.
    eventually(|| stat("my_filter_request_bytes").filter(|it| it.contains("P100(nan,8")));
    eventually(|| stat("my_filter_milliseconds.class.2xx").filter(|it| it.contains("P100(")));
}

#[test]
#[ignore = "needs ENVOY=path/to/envoy"]
fn a_route_has_a_stamp_of_its_own() {
    let lab = Lab::start(|_| Reply::new(200, ""));
    let stamp = |path| lab.get(path, &[]).header("x-stamp").map(str::to_owned);
    assert_eq!(stamp("/").as_deref(), Some("everywhere"));
    assert_eq!(stamp("/special").as_deref(), Some("only here"));
}

#[test]
#[ignore = "needs ENVOY=path/to/envoy"]
fn a_key_is_looked_up_on_another_thread() {
    let lab = Lab::start(|request| Reply::new(200, request.header("x-team").unwrap_or("none")));
    let answer = lab.post("/keys", &[("x-api-key", "s3cret")], "with a body");
    assert_eq!((answer.status, answer.body.as_str()), (200, "blue"));
    let seen = lab.seen();
    assert_eq!(seen.last().map(|it| it.body.as_str()), Some("with a body"));
    assert_eq!(lab.get("/keys", &[("x-api-key", "guessed")]).status, 401);
    assert_eq!(lab.get("/keys", &[]).status, 401);
    // Other routes have not switched the filter on.
    assert_eq!(lab.get("/", &[]).body, "none");
}
