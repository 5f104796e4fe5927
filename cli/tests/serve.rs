//! `serve`: the tool as its users start it, with real Envoys, the oldest and the newest.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

mod served;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustformations_tests::{
    Answer, Envoy, EnvoyConfig, Lab, Origin, Request, VERSIONS, Version, envoy, workspace,
};
use serde_json::{Value, json};
use served::{Served, tool};
use transformations::profiles::Profiles;

/// Sets a header of requests and one of responses.
const BOTH: &str = r#"{
    "request": {"set": [{"name": "x-asked", "value": "{{ request_header(':path') }}"}]},
    "response": {"set": [{"name": "x-served", "value": "yes"}]}}"#;

fn write(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn brought(version: Version) -> Envoy {
    envoy::bring(version).unwrap()
}

/// The arguments for a configuration, on a free port, with the module under test.
fn serve(envoy: &Envoy, config: &Path) -> Command {
    let mut command = serve_alone(envoy, config);
    command.args(["--port", "0"]);
    command
}

/// The same on the port that is the tool's own choice.
fn serve_alone(envoy: &Envoy, config: &Path) -> Command {
    let mut command = tool();
    command.env("ENVOY", envoy.binary());
    command.args(["serve", "-c"]).arg(config);
    command
        .arg("--module")
        .arg(workspace::module_folder().unwrap());
    command
}

/// A port that nobody is given by chance, for what must say itself where it listens.
fn own_port(envoy: &Envoy) -> SocketAddr {
    let first =
        20_000 + u16::try_from(std::process::id() % 10_000).unwrap() + envoy.version().minor;
    let mut free = (first..).filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    SocketAddr::from(([127, 0, 0, 1], free.next().unwrap()))
}

fn get(to: SocketAddr, path: &str) -> Answer {
    Request::new(to, "GET", path).send()
}

fn is_gone(pid: u32) -> bool {
    !Path::new(&format!("/proc/{pid}")).exists()
}

/// A test for the oldest and one for the newest.
macro_rules! on_both_ends {
    ($(fn $name:ident($envoy:ident) $body:block)+) => {$(
        mod $name {
            use super::*;

            fn behaviour($envoy: &Envoy) $body

            #[test]
            fn oldest() {
                behaviour(&brought(VERSIONS[0]));
            }

            #[test]
            fn newest() {
                behaviour(&brought(VERSIONS[VERSIONS.len() - 1]));
            }
        }
    )+};
}

on_both_ends! {
    fn without_an_upstream_what_arrived_comes_back(envoy) {
        let folder = tempfile::tempdir().unwrap();
        let config = write(&folder, "config.json", BOTH);
        let served = Served::start(&mut serve(envoy, &config));
        served.expect(&format!("Envoy {} serves", envoy.version()));
        let request = Request::new(served.address, "POST", "/a?b=1");
        let answer = request.header("x-two", "1").header("x-two", "2").body("hello").send();
        assert_eq!((answer.status, answer.header("x-served").as_str()), (200, "yes"));
        let arrived: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(arrived["method"], "POST");
        assert_eq!(arrived["path"], "/a?b=1");
        assert_eq!(arrived["headers"]["host"], "lab.test");
        assert_eq!(arrived["headers"]["x-asked"], "/a?b=1");
        assert_eq!(arrived["headers"]["x-two"], json!(["1", "2"]));
        assert_eq!(arrived["body"], "hello");
    }

    fn an_upstream_is_asked_under_its_own_name_and_may_be_down(envoy) {
        let folder = tempfile::tempdir().unwrap();
        let config = write(&folder, "config.json", BOTH);
        let origin = Origin::start().unwrap();
        let upstream = format!("http://localhost:{}", origin.address().port());
        let mut command = serve(envoy, &config);
        let served = Served::start(command.args(["--upstream", &upstream]));
        assert_eq!(get(served.address, "/there").text(), "ok");
        let received = origin.last();
        assert_eq!(received.header("x-asked"), "/there");
        assert_eq!(received.header("host"), upstream.trim_start_matches("http://"));

        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = serve(envoy, &config);
        let served = Served::start(command.args(["--upstream", &format!("http://{nobody}")]));
        assert_eq!(get(served.address, "/").status, 503);
        assert_eq!(get(served.address, "/").status, 503);
    }

    fn an_upstream_with_tls_is_checked_by_its_name(envoy) {
        let folder = tempfile::tempdir().unwrap();
        let config = write(&folder, "config.json", BOTH);
        for (name, status) in [("localhost", 200), ("other.test", 503)] {
            let certified = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
            let (certificate, key) = (certified.cert.pem(), certified.signing_key.serialize_pem());
            let lab = EnvoyConfig::new().tls(&certificate, &key, &certificate);
            let lab = Lab::start(envoy, &lab);
            let authorities = write(&folder, "authorities.pem", &certificate);
            let mut command = serve(envoy, &config);
            command.env("SSL_CERT_FILE", authorities);
            let upstream = format!("https://localhost:{}", lab.address().port());
            let served = Served::start(command.args(["--upstream", &upstream]));
            assert_eq!(get(served.address, "/").status, status, "{name}");
        }
    }

    fn a_signal_leaves_no_process_behind(envoy) {
        let folder = tempfile::tempdir().unwrap();
        let config = write(&folder, "config.json", BOTH);
        for signal in ["INT", "TERM", "HUP"] {
            let served = Served::start(&mut serve(envoy, &config));
            let address = served.address;
            let children = served.children();
            assert_eq!(children.len(), 1, "Envoy alone");
            let (code, text) = served.signal(signal);
            assert_eq!(code, Some(0), "{text}");
            assert!(text.ends_with("stopped\n"), "{text}");
            assert!(children.into_iter().all(is_gone));
            assert!(TcpListener::bind(address).is_ok());
        }
    }

    fn a_file_that_changes_takes_effect_unless_it_is_wrong(envoy) {
        let folder = tempfile::tempdir().unwrap();
        let set = |value: &str| {
            json!({"response": {"set": [{"name": "x-served", "value": value}]}}).to_string()
        };
        let config = write(&folder, "config.json", &set("one"));
        let served = Served::start(&mut serve(envoy, &config));
        let said = || get(served.address, "/").header("x-served");
        assert_eq!(said(), "one");
        write(&folder, "config.json", &set("{{ heder('x') }}"));
        served.expect("error[RF1203] response.set[0].value: unknown function \"heder\"");
        served.expect("the configuration before it stays");
        assert_eq!(said(), "one");
        write(&folder, "config.json", &set("two"));
        served.expect("it serves");
        assert_eq!(said(), "two");
    }

    fn a_bootstrap_runs_as_it_is(envoy) {
        let folder = tempfile::tempdir().unwrap();
        let free = own_port(envoy);
        let origin = Origin::start().unwrap();
        let lab = EnvoyConfig::new().filter_level(json!({"response": {"set": [{"name": "x-served", "value": "yes"}]}}));
        let mut bootstrap = lab.connection_manager("access_log", json!([{
            "name": "envoy.access_loggers.stdout",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
                "log_format": {"text_format_source": {"inline_string": "logged %REQ(:PATH)%\n"}},
            },
        }])).to_bootstrap(origin.address(), folder.path());
        bootstrap.as_object_mut().unwrap().remove("admin");
        let address = &mut bootstrap["static_resources"]["listeners"][0]["address"];
        address["socket_address"]["port_value"] = json!(free.port());
        let config = write(&folder, "envoy.json", &bootstrap.to_string());
        let served = Served::start(&mut serve_alone(envoy, &config));
        assert_eq!(served.address, free);
        assert_eq!(get(free, "/path").header("x-served"), "yes");
        served.expect("logged /path");

        bootstrap["static_resources"]["listners"] = json!([]);
        let config = write(&folder, "envoy.json", &bootstrap.to_string());
        served.expect("Envoy does not take it: ");
        served.expect("the configuration before it stays");
        assert_eq!(get(free, "/").header("x-served"), "yes");
        drop(served);

        let (code, text) = Served::refuse(&mut serve_alone(envoy, &config));
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("Envoy has ended") && text.contains("listners"), "{text}");
        assert!(text.lines().count() < 12, "a wall of log: {text}");

        let (code, text) = Served::refuse(&mut serve(envoy, &config));
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains("--port and --upstream are not for it"), "{text}");

        let _busy = TcpListener::bind(free).unwrap();
        let (code, text) = Served::refuse(&mut serve_alone(envoy, &config));
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains(&format!("{free}, where Envoy is to listen, cannot be used")), "{text}");
    }

    fn policies_and_profiles_are_taken(envoy) {
        let folder = tempfile::tempdir().unwrap();
        let config = write(&folder, "policy.yaml", "
apiVersion: gateway.kgateway.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: p}
spec:
  transformation:
    response:
      set: [{name: x-served, value: policy}]
");
        let served = Served::start(&mut serve(envoy, &config));
        assert_eq!(get(served.address, "/").header("x-served"), "policy");
        let profiles = "profiles:\n  one:\n    response:\n      set: [{name: x-served, value: profile}]\n";
        let profiles = write(&folder, "profiles.yaml", profiles);
        let served = Served::start(&mut serve(envoy, &profiles));
        assert_eq!(get(served.address, "/").header("x-served"), "profile");
        let config = write(&folder, "config.json", &Profiles::chooser("one"));
        let mut command = serve(envoy, &config);
        let served = Served::start(command.arg("--profiles").arg(profiles));
        assert_eq!(get(served.address, "/").header("x-served"), "profile");
    }

    fn what_fails_while_it_runs_is_told(envoy) {
        let folder = tempfile::tempdir().unwrap();
        let config = write(&folder, "config.json", r#"{"request": {"onError": "fail", "set": [{"name": "x", "value": "{{ 1 + [] }}"}]}}"#);
        let served = Served::start(&mut serve(envoy, &config));
        assert_eq!(get(served.address, "/").status, 500);
        served.expect_error("request.set[0].value: the template could not be rendered");
    }

    fn an_envoy_that_dies_ends_the_tool(envoy) {
        let folder = tempfile::tempdir().unwrap();
        let config = write(&folder, "config.json", BOTH);
        let served = Served::start(&mut serve(envoy, &config));
        for child in served.children() {
            assert!(Command::new("kill").args(["-KILL", &child.to_string()]).status().unwrap().success());
        }
        let (code, text) = served.wait();
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("Envoy has ended"), "{text}");
    }
}

#[test]
fn a_wrong_configuration_is_refused_as_by_validate() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"{"request": {"set": [{"name": "x", "value": "{{ heder('x') }}"}]}}"#;
    let config = write(&folder, "config.json", text);
    let (code, text) = Served::refuse(&mut serve(&brought(VERSIONS[0]), &config));
    let validate = tool().arg("validate").arg(&config).output().unwrap();
    assert_eq!((code, text.as_bytes()), (Some(1), &validate.stdout[..]));
    // It is checked for the Envoy that it is to run in.
    let text = r#"{"request": {"dynamicMetadata": [{"namespace": "a", "key": "b", "value": {"jsonValue": "{}"}}]}}"#;
    let config = write(&folder, "config.json", text);
    let (code, text) = Served::refuse(&mut serve(&brought(VERSIONS[0]), &config));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("RF1010"), "{text}");
}

#[test]
fn a_busy_port_is_named_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let config = write(&folder, "config.json", BOTH);
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = busy.local_addr().unwrap().port().to_string();
    let mut command = serve_alone(&brought(VERSIONS[0]), &config);
    let (code, text) = Served::refuse(command.args(["--port", &port]));
    assert_eq!(code, Some(2), "{text}");
    assert!(
        text.contains(&format!("port {port} cannot be used")),
        "{text}"
    );
    assert!(text.contains("--port"), "{text}");

    let served = Served::start(&mut serve(&brought(VERSIONS[0]), &config));
    let port = served.address.port().to_string();
    let mut command = serve_alone(&brought(VERSIONS[0]), &config);
    let (code, text) = Served::refuse(command.args(["--port", &port]));
    assert_eq!(code, Some(2), "{text}");
    assert_eq!(get(served.address, "/").status, 200);
}

#[test]
fn the_module_is_found_where_packages_have_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = write(&folder, "config.json", BOTH);
    let envoy = brought(VERSIONS[0]);
    let bin = folder.path().join("bin");
    let lib = folder.path().join("lib/rustformations");
    std::fs::create_dir_all(&bin).unwrap();
    let installed = bin.join("rustformations");
    std::fs::copy(env!("CARGO_BIN_EXE_rustformations"), &installed).unwrap();
    let serve = || {
        let mut command = Command::new(&installed);
        command
            .current_dir(folder.path())
            .env("ENVOY", envoy.binary());
        command.args(["serve", "--port", "0", "-c"]).arg(&config);
        command
    };
    let (code, text) = Served::refuse(&mut serve());
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("there is no librust_module.so at"), "{text}");
    assert!(text.contains("--module"), "{text}");
    std::fs::create_dir_all(&lib).unwrap();
    let module = workspace::module_folder()
        .unwrap()
        .join("librust_module.so");
    std::os::unix::fs::symlink(module, lib.join("librust_module.so")).unwrap();
    let served = Served::start(&mut serve());
    assert_eq!(get(served.address, "/").header("x-served"), "yes");
}

#[test]
fn a_release_is_taken_from_the_users_cache() {
    let folder = tempfile::tempdir().unwrap();
    let config = write(&folder, "config.json", BOTH);
    let newest = VERSIONS[VERSIONS.len() - 1];
    let kept = folder
        .path()
        .join("rustformations/envoy")
        .join(newest.to_string());
    std::fs::create_dir_all(&kept).unwrap();
    std::os::unix::fs::symlink(brought(newest).binary(), kept.join("envoy")).unwrap();
    // An Envoy of another release does not stand in for the one that is asked for.
    let mut command = serve(&brought(VERSIONS[0]), &config);
    command.current_dir(folder.path());
    command
        .env_remove("ENVOY_CACHE")
        .env("XDG_CACHE_HOME", folder.path());
    command.args(["--envoy", &format!("{}.{}", newest.major, newest.minor)]);
    let served = Served::start(&mut command);
    served.expect(&format!("Envoy {newest} serves"));
}
