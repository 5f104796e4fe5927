//! Loading: which hosts are accepted, what they are told, and how the others are refused.

use std::process::Command;

use crate::host::{Host, LINES, finish, module};

const V1_36: &str = "version 7ee559f16f35086fa7dc9ed380e2efc6b4d89031a001fb504aa71eccd25882f7";
const V1_37: &str = "version 4dae397a7c9ff0238d318d57ea656ce8b3fbff595787dcd7ee2ff5b79c9fe10f";

#[test]
fn the_module_needs_no_symbol_of_envoy() {
    let mut nm = Command::new("nm");
    nm.args(["-D", "--undefined-only"]).arg(module());
    let symbols = finish(nm);
    assert_eq!(symbols.code, Some(0), "{symbols}");
    assert!(
        symbols.lines.len() > 10,
        "nm lists what the module needs: {symbols}"
    );
    assert!(
        !symbols.lines.iter().any(|symbol| symbol.contains("envoy")),
        "{symbols}"
    );
}

#[test]
fn every_host_hears_the_version_it_wants_and_finds_its_hooks() {
    for (line, version) in LINES.into_iter().zip([
        V1_36,
        V1_37,
        "version v0.1.0",
        "version v0.1.0",
        "version v0.2.0",
    ]) {
        let run = Host::of(line).run(&[]);
        run.expect_end();
        assert_eq!(run.lines, [version], "host {line}");
    }
}

#[test]
fn the_environment_can_force_the_version() {
    let run = Host::of(136).run_with(&[], |command| {
        command.env("ENVOY_DYNAMIC_MODULES_ABI_VERSION", "some-patch-release");
    });
    run.expect_end();
    assert!(run.has("version some-patch-release"), "{run}");
}

#[test]
fn a_program_that_is_not_envoy_is_refused_with_the_list_of_envoys() {
    let run = Host::of(0).run(&[]);
    assert_eq!(run.code, Some(3), "{run}");
    for version in ["1.36.3", "1.37", "1.38", "1.39", "1.40"] {
        assert!(run.stderr.contains(version), "{run}");
    }
}

#[test]
fn a_forced_version_does_not_make_an_envoy_of_what_is_none() {
    let run = Host::of(0).run_with(&[], |command| {
        command.env("ENVOY_DYNAMIC_MODULES_ABI_VERSION", "v0.2.0");
    });
    assert_eq!(run.code, Some(3), "{run}");
}

#[test]
fn the_first_patch_releases_of_136_are_refused() {
    let run = Host::of(136)
        .hiding("http_get_received_request_body_vector")
        .run(&[]);
    assert_eq!(run.code, Some(3), "{run}");
    assert!(
        format!("{run}").contains("1.36.3"),
        "the refusal names what is supported: {run}"
    );
}

#[test]
fn a_host_without_a_core_callback_is_refused_by_the_name_of_that_callback() {
    for (line, callback) in [
        (136, "http_set_request_header"),
        (136, "http_filter_increase_gauge_vec"),
        (137, "http_append_body"),
        (139, "http_set_header"),
        (140, "http_send_response"),
    ] {
        let run = Host::of(line).hiding(callback).run(&[]);
        assert_eq!(run.code, Some(3), "{run}");
        let symbol = format!("envoy_dynamic_module_callback_{callback}");
        assert!(format!("{run}").contains(&symbol), "{run}");
    }
}

#[test]
fn a_host_without_a_later_callback_loses_that_and_nothing_else() {
    let host = Host::of(140)
        .hiding("http_get_active_span")
        .hiding("http_filter_get_worker_index");
    let run = host.run(&[
        "config:request_headers=survey_138",
        "new",
        "request_headers",
    ]);
    run.expect_end();
    assert!(run.has("log 2 not traced"), "{run}");
    assert!(run.has("log 2 worker 0"), "{run}");
    assert!(run.has(r#"log 2 cluster Some("the-cluster")"#), "{run}");
}

#[test]
fn an_init_function_that_refuses_or_panics_refuses_the_module() {
    for mood in ["false", "panic"] {
        for line in LINES {
            let run = Host::of(line).run_with(&[], |command| {
                command.env("BOUNDARY_PROBE_INIT", mood);
            });
            assert_eq!(run.code, Some(3), "{mood} on {line}: {run}");
        }
    }
}

#[test]
fn a_config_that_is_refused_is_a_null_and_the_module_stays_loaded() {
    for line in LINES {
        let run = Host::of(line).run(&[
            "config:config=refuse",
            "route:refuse",
            "config:",
            "new",
            "request_headers",
            "destroy",
            "config_destroy",
        ]);
        run.expect_end().expect_in_order(&[
            "config_new -> NULL",
            "per_route_config_new -> NULL",
            "config_new -> config",
            "http_filter_request_headers -> 0",
            "config_destroy done",
        ]);
    }
}
