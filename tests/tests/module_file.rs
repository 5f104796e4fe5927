//! The file that ships: what it asks of the program that loads it, and what it offers to Envoy.

use std::process::Command;

use rustformations_tests::workspace::{self, MODULE_FILE};

/// The dynamic symbols of the module, by `nm`'s word for which of them.
fn symbols(which: &str) -> Vec<String> {
    let folder = workspace::module_folder().unwrap_or_else(|error| panic!("{error:#}"));
    let output = Command::new("nm")
        .args(["-D", which])
        .arg(folder.join(MODULE_FILE))
        .output()
        .unwrap_or_else(|error| panic!("nm (binutils) cannot be run: {error}"));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| Some(line.split_whitespace().last()?.to_owned()))
        .collect()
}

#[test]
fn it_needs_no_symbol_of_envoy() {
    let needed = symbols("--undefined-only");
    assert!(needed.len() > 10, "nm lists what it needs: {needed:?}");
    let of_envoy: Vec<&String> = needed.iter().filter(|s| s.contains("envoy")).collect();
    assert!(of_envoy.is_empty(), "{of_envoy:?}");
}

#[test]
fn it_says_which_one_it_is_to_who_looks_into_it() {
    let folder = workspace::module_folder().unwrap_or_else(|error| panic!("{error:#}"));
    let file = std::fs::read(folder.join(MODULE_FILE)).unwrap();
    let name = format!("rustformations {} (revision ", env!("CARGO_PKG_VERSION"));
    let mut places = file.windows(name.len());
    assert!(places.any(|found| found == name.as_bytes()), "no {name:?}");
}

#[test]
fn it_exports_every_hook_that_some_envoy_demands_and_nothing_else() {
    let offered = symbols("--defined-only");
    let hooks = [
        "program_init",
        "http_filter_config_new",
        "http_filter_config_destroy",
        "http_filter_per_route_config_new",
        "http_filter_per_route_config_destroy",
        "http_filter_new",
        "http_filter_destroy",
        "http_filter_request_headers",
        "http_filter_request_body",
        "http_filter_request_trailers",
        "http_filter_response_headers",
        "http_filter_response_body",
        "http_filter_response_trailers",
        "http_filter_stream_complete",
        "http_filter_scheduled",
        "http_filter_http_callout_done",
        "http_filter_http_stream_headers",
        "http_filter_http_stream_data",
        "http_filter_http_stream_trailers",
        "http_filter_http_stream_complete",
        "http_filter_http_stream_reset",
        "http_filter_downstream_above_write_buffer_high_watermark",
        "http_filter_downstream_below_write_buffer_low_watermark",
    ];
    for hook in hooks {
        let name = format!("envoy_dynamic_module_on_{hook}");
        assert!(offered.contains(&name), "{name} is missing: {offered:?}");
    }
    let foreign: Vec<&String> = offered
        .iter()
        .filter(|name| !name.starts_with("envoy_dynamic_module_on_"))
        .collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}
