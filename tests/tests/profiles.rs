//! Profiles and files of prices in real Envoys: chosen by a header rule as kgateway's policies have one, and
//! edited, broken and taken away while requests are served.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustformations_tests::config::NEWER_FILTER_NAME;
use rustformations_tests::differences::PER_ROUTE_FILTER_NAME;
use rustformations_tests::mock_llm::MockLlm;
use rustformations_tests::origin::Reply;
use rustformations_tests::wire::Body;
use rustformations_tests::{
    Answer, EnvoyConfig, EnvoyProcess, Lab, Route, Settings, on_every_envoy, workspace,
};
use serde_json::{Value, json};

const BEFORE: &str = "
profiles:
  chat:
    request:
      set:
      - name: x-version
        value: '1'
    response:
      add:
      - {name: x-version, value: '1'}
      - {name: x-team, value: \"{{ request_header('x-team') }}\"}
  embed:
    request:
      set:
      - {name: x-version, value: embed}
";

/// A folder as kubelet mounts a ConfigMap: what is to be seen is behind a link, which it moves.
struct Mounted {
    folder: tempfile::TempDir,
    versions: AtomicUsize,
}

impl Mounted {
    fn new(name: &str, text: &str) -> Self {
        let mounted = Self {
            folder: tempfile::tempdir().unwrap(),
            versions: AtomicUsize::new(0),
        };
        symlink(Path::new("..data").join(name), mounted.path(name)).unwrap();
        mounted.update(name, Some(text));
        mounted
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts another text in the place of what is there; without one, the file is gone.
    fn update(&self, name: &str, text: Option<&str>) {
        let version = self.versions.fetch_add(1, Ordering::Relaxed);
        let folder = format!("..{version}");
        std::fs::create_dir(self.path(&folder)).unwrap();
        if let Some(text) = text {
            std::fs::write(self.path(&folder).join(name), text).unwrap();
        }
        symlink(&folder, self.path("..data_tmp")).unwrap();
        std::fs::rename(self.path("..data_tmp"), self.path("..data")).unwrap();
    }

    /// An Envoy that finds its profiles here, on two workers.
    fn settings(&self) -> Settings {
        let path = self.path("profiles.yaml").to_str().unwrap().to_owned();
        Settings {
            concurrency: 2,
            environment: vec![("RUSTFORMATIONS_PROFILES".to_owned(), path)],
            ..Settings::default()
        }
    }
}

/// The policy that chooses a profile, as kgateway writes it: everything that is not said is left out.
fn choose(profile: &str, more: &[Value]) -> Value {
    let mut set = vec![json!({"name": "x-rustformations-profile", "value": profile})];
    set.extend_from_slice(more);
    json!({"request": {"set": set}})
}

fn version(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.header("x-version")
}

fn said(name: &str) -> [Value; 1] {
    [json!({"name": name, "value": "policy"})]
}

/// How many threads of Envoy watch files.
fn watchers(lab: &Lab) -> usize {
    let threads = format!("/proc/{}/task", lab.envoy().id());
    let threads = std::fs::read_dir(threads).unwrap();
    let names =
        threads.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("comm")).ok());
    names.filter(|name| name.trim() == "rf-watch").count()
}

fn expect_within_seconds(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

on_every_envoy! {
    fn a_policy_of_every_kgateway_chooses_a_profile_whose_name_goes_nowhere(envoy) {
        let mounted = Mounted::new("profiles.yaml", BEFORE);
        let policies = |name: &str| [
            ("/list", choose("chat", &said("x-own"))),
            ("/map", json!({"request": {"set": {"X-Rustformations-Profile": "chat", "x-own": "policy"}}})),
            // From 2.3 on the API server fills `parseAs` in.
            ("/body", json!({
                "request": {"set": [{"name": "x-rustformations-profile", "value": "chat"}, {"name": "x-own", "value": "policy"}],
                            "body": {"parseAs": "None"}},
                "response": {"body": {"parseAs": "None"}},
            })),
        ].map(|(path, policy)| (format!("{name}{path}"), policy));
        let newer = |route: Route| match PER_ROUTE_FILTER_NAME.is_in(envoy.version()) {
            true => route.filter_name(NEWER_FILTER_NAME).named_by_filter_name(),
            false => route.filter_name(NEWER_FILTER_NAME),
        };
        for (is_newer, name) in [(false, "/2.2"), (true, "/2.3")] {
            let mut config = EnvoyConfig::new();
            if is_newer {
                config = config.filter_name(NEWER_FILTER_NAME);
            }
            for (path, policy) in policies(name) {
                let route = Route::at(&path).transform(policy);
                config = config.route(if is_newer { newer(route) } else { route });
            }
            config = config.route(Route::at("/"));
            let lab = Lab::start_with(envoy, &config, mounted.settings());
            for (path, _) in policies(name) {
                let answer = lab.get(&path).header("x-team", "blue").send();
                assert_eq!((version(&answer), answer.header("x-team")), ("1".to_owned(), "blue".to_owned()), "{path}");
                let asked = lab.origin().last();
                assert_eq!((asked.header("x-version"), asked.header("x-own")), ("1".to_owned(), "policy".to_owned()), "{path}");
                assert!(!asked.headers.has("x-rustformations-profile"), "{path}");
                assert!(!answer.headers.has("x-rustformations-profile"), "{path}");
            }
            assert_eq!(version(&lab.get("/plain").send()), "");
        }
    }

    fn an_edited_profile_is_in_use_soon_and_no_request_fails_or_sees_both(envoy) {
        let mounted = Mounted::new("profiles.yaml", BEFORE);
        let config = EnvoyConfig::new()
            .route(Route::at("/embed").transform(choose("embed", &[])))
            .route(Route::at("/").transform(choose("chat", &said("x-own"))));
        let lab = Lab::start_with(envoy, &config, mounted.settings());
        lab.origin().answer_with("/load", |asked| Reply::new(200).header("x-asked", asked.header("x-version")));
        lab.origin().answer_with("/slow", |asked| Reply::new(200).header("x-asked", asked.header("x-version")));
        let (stop, served, wrong) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            // A request that takes its time: its exchange keeps what it began with, in both directions.
            let body = Body::chunked().piece("a").pause(Duration::from_secs(6)).piece("b");
            let slow = lab.post("/slow").stream(body);
            let slow = scope.spawn(|| slow.send());
            for _ in 0..4 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        let answer = lab.get("/load").send();
                        if answer.status != 200 || answer.header("x-version") != answer.header("x-asked") {
                            wrong.fetch_add(1, Ordering::Relaxed);
                        }
                        served.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            thread::sleep(Duration::from_millis(300));
            for number in ["2", "3"] {
                mounted.update("profiles.yaml", Some(&BEFORE.replace("'1'", &format!("'{number}'"))));
                expect_within_seconds("the new profile is not in use", || version(&lab.get("/load").send()) == number);
                assert!(number != "2" || !slow.is_finished(), "the slow request is over");
            }
            stop.store(true, Ordering::Relaxed);
            let slow = slow.join().unwrap();
            assert_eq!((slow.header("x-asked"), version(&slow)), ("1".into(), "1".into()));
        });
        assert!(served.load(Ordering::Relaxed) > 100, "only {served:?} requests");
        assert_eq!(wrong.into_inner(), 0, "of {served:?}");
        lab.get("/embed").send();
        assert_eq!(lab.origin().last().header("x-version"), "embed");
        assert_eq!(lab.stat("rustformations_reloads.file.profiles.result.taken"), 2);
        assert_eq!(lab.stat("rustformations_errors"), 0);
    }

    fn what_is_broken_or_gone_changes_nothing_is_logged_and_counted_and_can_be_mended(envoy) {
        let mounted = Mounted::new("profiles.yaml", BEFORE);
        let mut lab = Lab::start_with(
            envoy,
            &EnvoyConfig::new().routes_from_file().route(Route::at("/").transform(choose("chat", &[]))),
            mounted.settings(),
        );
        let file = mounted.path("profiles.yaml").display().to_string();
        let in_use = format!("{file}: the profiles before this change stay in use");
        let broken: [(Option<&str>, String); 4] = [
            (Some("profiles: {chat: ["), format!("error[RF1028] {file}: the file cannot be read as YAML")),
            (
                Some("profiles: {chat: {request: {set: [{name: x, value: '{{ heder(1) }}'}]}}}"),
                format!("error[RF1203] {file}: profiles.chat.request.set[0].value: unknown function \"heder\""),
            ),
            (
                Some("profiles: {chat: {}, embed: {ai: {maks: {}}}}"),
                format!("error[RF1101] {file}: profiles.embed.ai.maks: this field is not known"),
            ),
            (None, format!("{file} cannot be read: No such file")),
        ];
        let total = broken.len();
        for (number, (text, sentence)) in broken.into_iter().enumerate() {
            mounted.update("profiles.yaml", text);
            lab.expect_log(&sentence);
            assert_eq!(lab.logs().matches(&in_use).count(), number + 1);
            assert_eq!(version(&lab.get("/").send()), "1");
        }
        assert_eq!(lab.stat("rustformations_reloads.file.profiles.result.refused"), total as u64);
        assert_eq!(lab.stat("rustformations_reloads.file.profiles.result.taken"), 0);
        mounted.update("profiles.yaml", Some(&BEFORE.replace("'1'", "'2'")));
        expect_within_seconds("what was mended is not in use", || version(&lab.get("/").send()) == "2");
        // A profile that is gone stays with those who use it, and nobody else can choose it.
        mounted.update("profiles.yaml", Some("profiles: {embed: {}}"));
        lab.expect_log(&format!("{file}: the profile chat is gone; who uses it keeps it as it was"));
        assert_eq!(version(&lab.get("/").send()), "2");
        let known = lab.logs().len();
        assert!(!lab.replace_routes(&[Route::at("/").transform(choose("chat", &said("x-own")))]));
        let refusal = format!("error[RF1027] request.set[0].value: {file} has no profile \"chat\"\nhelp: the profiles are embed");
        assert!(lab.logs()[known..].contains(&refusal), "{}", lab.logs());
        assert_eq!(version(&lab.get("/").send()), "2");
        // With its last user the watcher ends, and begins anew with the next.
        assert_eq!(watchers(&lab), 1);
        assert!(lab.replace_routes(&[Route::at("/")]));
        assert_eq!(version(&lab.get("/").send()), "");
        expect_within_seconds("the watcher has not ended", || watchers(&lab) == 0);
        mounted.update("profiles.yaml", Some(BEFORE));
        assert!(lab.replace_routes(&[Route::at("/").transform(choose("chat", &[]))]));
        assert_eq!(version(&lab.get("/").send()), "1");
        mounted.update("profiles.yaml", Some(&BEFORE.replace("'1'", "'4'")));
        expect_within_seconds("nothing is watched", || version(&lab.get("/").send()) == "4");
    }

    fn an_envoy_that_watches_files_ends_as_asked_and_so_does_one_that_only_validates(envoy) {
        let mounted = Mounted::new("profiles.yaml", BEFORE);
        let route = |path: &str, profile: &str| Route::at(path).transform(choose(profile, &[]));
        let config = EnvoyConfig::new().route(route("/embed", "embed")).route(route("/", "chat"));
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
        let bootstrap = config.to_bootstrap(nowhere, mounted.folder.path());
        let settings = Settings {
            module_folder: Some(workspace::module_folder().unwrap()),
            ..mounted.settings()
        };
        let process = EnvoyProcess::start(envoy, &bootstrap, &settings).unwrap();
        mounted.update("profiles.yaml", Some(&BEFORE.replace("'1'", "'2'")));
        let (status, log) = process.quit().unwrap();
        assert!(status.success(), "{status}: {log}");
        let file = mounted.path("bootstrap.json");
        std::fs::write(&file, bootstrap.to_string()).unwrap();
        let (is_taken, log) = EnvoyProcess::validate(envoy, &file, &settings).unwrap();
        assert!(is_taken, "{log}");
        // What was watched already when something else was refused does not keep Envoy from ending.
        let refused = config.route(route("/never", "unknown"));
        let log = Lab::refuse_with(envoy, &refused, mounted.settings());
        assert!(log.contains("has no profile \"unknown\""), "{log}");
    }

    fn a_policy_whose_profile_cannot_be_is_refused(envoy) {
        let mounted = Mounted::new("profiles.yaml", BEFORE);
        let at = |policy: Value| EnvoyConfig::new().route(Route::at("/").transform(policy));
        let refuse = |policy: Value| Lab::refuse_with(envoy, &at(policy), mounted.settings());
        let log = refuse(choose("chaat", &[]));
        assert!(log.contains("has no profile \"chaat\""), "{log}");
        assert!(log.contains("help: did you mean \"chat\"? the profiles are chat, embed"), "{log}");
        let log = refuse(choose("{{ header('x-profile') }}", &[]));
        assert!(log.contains("error[RF1026] request.set[0].value: the name of a profile is no template"), "{log}");
        let log = Lab::refuse(envoy, &at(choose("chat", &[])));
        assert!(log.contains("error[RF1027] request.set[0].value: no profiles are configured"), "{log}");
        assert!(log.contains("RUSTFORMATIONS_PROFILES"), "{log}");
        mounted.update("profiles.yaml", Some("{"));
        let log = refuse(choose("chat", &[]));
        assert!(log.contains("there are no profiles, since"), "{log}");
        // Who chooses none does not care.
        let lab = Lab::start_with(envoy, &at(json!({"response": {"add": [{"name": "x-version", "value": "own"}]}})), mounted.settings());
        assert_eq!(version(&lab.get("/").send()), "own");
    }

    fn prices_change_while_requests_are_served(envoy) {
        let llm = MockLlm::start("127.0.0.1:0").unwrap_or_else(|error| panic!("{error:#}"));
        let mounted = Mounted::new("prices.json", r#"{"m-*": {"input": "1", "output": "1"}}"#);
        let file = mounted.path("prices.json").display().to_string();
        let address = llm.address();
        let config = EnvoyConfig::new()
            .cluster(json!({
                "name": "llm", "type": "STATIC", "connect_timeout": "5s",
                "load_assignment": {"cluster_name": "llm", "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {
                    "socket_address": {"address": address.ip().to_string(), "port_value": address.port()},
                }}}]}]},
            }))
            .connection_manager("access_log", json!([{
                "name": "envoy.access_loggers.stderr",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StderrAccessLog",
                    "log_format": {"text_format_source": {"inline_string":
                        "[%REQ(X-ID)%: %DYNAMIC_METADATA(rustformations.ai:cost_usd)% %DYNAMIC_METADATA(rustformations.ai:cost_status)%]\n"}},
                },
            }]))
            .route(Route::at("/").action("cluster", json!("llm")).transform(json!({
                "ai": {"cost": {"file": file, "prices": {"m-own": {"input": "5", "output": "5"}}}},
            })));
        let lab = Lab::start(envoy, &config);
        let ask = |id: &str, model: &str| {
            let body = json!({"model": model, "messages": [{"role": "user", "content": "Hello"}]});
            let request = lab.post("/provider/v1/chat/completions").json(&body);
            let answer = request.header("x-id", id).header("x-mock-tokens", "input:9,output:1").send();
            assert_eq!(answer.status, 200, "{}", answer.text());
        };
        ask("first", "m-1");
        lab.expect_log("[first: 0.00001 priced]");
        ask("own", "m-own");
        lab.expect_log("[own: 0.00005 priced]");
        // LiteLLM's shape, dollars for a token.
        mounted.update("prices.json", Some(r#"{"m-1": {"litellm_provider": "mock", "input_cost_per_token": 2e-06, "output_cost_per_token": 2e-06}}"#));
        lab.expect_log(&format!("{file}: 1 prices are in use from now on"));
        ask("second", "m-1");
        lab.expect_log("[second: 0.00002 priced]");
        ask("unknown", "m-2");
        lab.expect_log("[unknown: - unknown_model]");
        for (text, why) in [(Some(r#"{"m-1": {"input": 1}}"#), "m-1.input: a price must be"), (None, "No such file")] {
            mounted.update("prices.json", text);
            lab.expect_log(&format!("{file}: the prices before this change stay in use: {why}"));
        }
        ask("third", "m-1");
        lab.expect_log("[third: 0.00002 priced]");
        ask("own-again", "m-own");
        lab.expect_log("[own-again: 0.00005 priced]");
        assert_eq!(lab.stat("rustformations_reloads.file.prices.result.refused"), 2);
        assert_eq!(lab.stat("rustformations_reloads.file.prices.result.taken"), 1);
        let missing = json!({"ai": {"cost": {"file": "/nowhere/prices.json"}}});
        let log = Lab::refuse(envoy, &EnvoyConfig::new().route(Route::at("/").transform(missing)));
        assert!(log.contains("error[RF1120] ai.cost.file: /nowhere/prices.json: No such file"), "{log}");
    }
}
