//! Everything the other tests do, once more under AddressSanitizer and under valgrind.
//!
//! AddressSanitizer watches the host's own memory (a callback on a freed stream, a view read after
//! its end) and every `free`; valgrind watches the module's reads and writes, too. Both look for
//! leaks: a filter, a config or a scheduler that nobody dropped.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::host::{Host, LINES, finish, module};
use crate::panics::{EVERYTHING, STREAM_HOOKS};

/// All scenarios, one after the other in one process.
fn commands(line: u32) -> Vec<String> {
    let mut all = Vec::new();
    let mut scenario = |manners: &[&str], plan: &str, stream: &[&str]| {
        all.push("polite".to_owned());
        all.extend([format!("config:{plan}"), "route:r".to_owned()]);
        all.extend(
            manners
                .iter()
                .chain(stream)
                .map(|command| (*command).to_owned()),
        );
    };
    let busy = "request_headers=survey+survey_138+survey_139+callout+stream request_body=survey_body+buffer";
    for manners in [
        &[][..],
        &["null_views"],
        &["odd_enums"],
        &["callout_inline"],
    ] {
        scenario(manners, busy, EVERYTHING);
    }
    for hook in STREAM_HOOKS
        .iter()
        .chain(&["config_scheduled", "config_drop", "drop"])
    {
        scenario(&[], &format!("{hook}=panic"), EVERYTHING);
    }
    let ends = ["config_destroy", "route_destroy"];
    let inline = [
        "new",
        "request_headers",
        "response_headers",
        "stream_complete",
        "destroy",
    ];
    for action in [
        "reply",
        "stream_reply",
        "reset",
        "recreate",
        "panic",
        "continue_encoding",
    ] {
        // Hooks after the end would be the host's mistake: where the action ends it, stop there.
        let survives = match action {
            "continue_encoding" => true,
            "recreate" => line < 138,
            _ => false,
        };
        let stream = if survives { &inline[..] } else { &inline[..3] };
        let plan = format!("response_headers={action}+read");
        scenario(&["destroy_inline"], &plan, &[stream, &ends].concat());
    }
    let whole = [
        "new",
        "request_headers",
        "scheduled:1",
        "stream_complete",
        "destroy",
    ];
    let plan = "request_headers=buffer scheduled=continue_decoding";
    scenario(&["reenter"], plan, &[&whole[..], &ends].concat());
    let workers = ["workers:2", "config_destroy", "route_destroy"];
    scenario(&[], busy, &workers);
    let plan = "request_headers=stream_reply+stop";
    scenario(&["reenter"], plan, &[&whole[..], &ends].concat());
    all
}

/// Said past the test harness, which hides what passing tests print.
fn skip_loudly(why: &str) {
    let _ = writeln!(std::io::stderr(), "\nSKIPPED: {why}\n");
}

#[test]
fn nothing_is_used_after_free_or_leaked_under_address_sanitizer() {
    for line in LINES {
        let host = Host::of(line).sanitized();
        if host.build().is_none() {
            return skip_loudly("this cc has no AddressSanitizer; the boundary was not checked");
        }
        let commands = commands(line);
        let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
        let run = host.run_with(&commands, |command| {
            command.env(
                "ASAN_OPTIONS",
                "detect_leaks=1:abort_on_error=0:exitcode=99",
            );
        });
        assert_eq!(run.code, Some(0), "host {line}: {}", run.stderr);
    }
}

#[test]
fn nothing_is_read_wrongly_or_leaked_under_valgrind() {
    let found = Command::new("valgrind")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if !found.is_ok_and(|status| status.success()) {
        return skip_loudly("valgrind is not installed; the boundary was not checked with it");
    }
    for line in [136, 138, 140] {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--quiet", "--error-exitcode=99", "--leak-check=full"]);
        valgrind.args([
            "--errors-for-leak-kinds=definite",
            "--show-leak-kinds=definite",
        ]);
        valgrind.arg(Host::of(line).build().expect("cc builds the host"));
        valgrind.arg(module()).args(commands(line));
        let run = finish(valgrind);
        assert_eq!(run.code, Some(0), "host {line}: {}", run.stderr);
    }
}
