//! What event streams of a model cost: an Envoy without filters and ours in turns, with the same stream from
//! the same origin.
//!
//! CPU time is divided by the events that came through, and no filter's is taken off. How many events Envoy
//! reads at once decides what it costs by itself, so rows say it: ten to a write, or one each 5 ms. Load is
//! made here, not by wrk, which would leave the streams that it breaks off out of its count.

mod first;
mod load;
mod open;
mod said;

use std::time::Duration;

use anyhow::Result;
use rustformations_tests::{Envoy, EnvoyConfig, EnvoyProcess, Route, Settings};
use serde_json::{Value, json};

use crate::cpu;
use crate::speaker::Speech;
use said::EVENTS;

/// How a row is measured.
#[derive(Clone, Copy)]
enum Measure {
    /// CPU time for an event, `together` to a write and `pause` between writes.
    Events { together: usize, pause: Duration },
    /// Time to the first event, with the others `together`.
    First { together: usize },
    /// Memory of a stream that waits.
    Open,
}

/// A row about streams.
pub(crate) struct Stream {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    measure: Measure,
    /// The events of the stream.
    said: fn() -> Vec<String>,
    contenders: fn() -> Vec<Contender>,
}

/// Who takes part; the first is always no filter.
struct Contender {
    name: &'static str,
    work: Work,
    /// Whether a client that reads this has what it should: a filter that does nothing is cheap.
    is_right: fn(&str) -> bool,
}

/// What an Envoy does.
enum Work {
    Nothing,
    /// Our filter on the route.
    Transform(Value),
    /// `llm-provider` in the chain of the cluster.
    Provider(Value),
}

/// How much load.
pub(crate) struct Amount {
    pub(crate) rounds: usize,
    pub(crate) seconds: u32,
    pub(crate) connections: u32,
}

/// All rows.
pub(crate) fn all() -> Vec<Stream> {
    const TEN: Measure = Measure::Events {
        together: 10,
        pause: Duration::from_millis(1),
    };
    const PACED: Measure = Measure::Events {
        together: 1,
        pause: Duration::from_millis(5),
    };
    vec![
        Stream {
            name: "ai-stream",
            what: "a streamed chat of 200 events, ten to a write: usage is asked for, read and hidden",
            measure: TEN,
            said: said::events,
            contenders: metering,
        },
        Stream {
            name: "ai-mask",
            what: "the same stream, masked and restored by all detectors, ten events to a write",
            measure: TEN,
            said: said::events,
            contenders: masking,
        },
        Stream {
            name: "provider-stream",
            what: "a chat streamed by Anthropic in 200 events, ten to a write, for a client of OpenAI's",
            measure: TEN,
            said: said::messages,
            contenders: translating,
        },
        Stream {
            name: "ai-stream-paced",
            what: "the streams of both with an event each 5 ms",
            measure: PACED,
            said: said::events,
            contenders: all_stages,
        },
        Stream {
            name: "ai-first",
            what: "the first event of a stream with an event each 5 ms, over one connection",
            measure: Measure::First { together: 1 },
            said: said::events,
            contenders: all_stages,
        },
        Stream {
            name: "ai-first-of-all",
            what: "the first event of a stream whose 200 events come in one write, over one connection",
            measure: Measure::First {
                together: usize::MAX,
            },
            said: said::events,
            contenders: all_stages,
        },
        Stream {
            name: "ai-open",
            what: "streams that are open while the model is silent, and whose last words wait to be restored",
            measure: Measure::Open,
            said: said::events,
            contenders: all_stages,
        },
    ]
}

fn metering() -> Vec<Contender> {
    vec![no_filter(), metered()]
}

/// Placeholders are restored in both; own findings of the answer are looked for in the second.
fn masking() -> Vec<Contender> {
    vec![no_filter(), masked("restore"), masked("both")]
}

fn all_stages() -> Vec<Contender> {
    vec![no_filter(), metered(), masked("restore"), masked("both")]
}

fn no_filter() -> Contender {
    Contender {
        name: "no filter",
        work: Work::Nothing,
        is_right: |read| is_done(read) && read.contains("[EMAIL") && read.contains("\"usage\":"),
    }
}

/// Whether a chat of OpenAI's came to its end.
fn is_done(read: &str) -> bool {
    read.ends_with("data: [DONE]\n\n")
}

/// A client of OpenAI's in front of Anthropic.
fn translating() -> Vec<Contender> {
    vec![
        Contender {
            name: "no filter",
            work: Work::Nothing,
            is_right: |read| read.contains("event: message_stop"),
        },
        Contender {
            name: "llm-provider",
            work: Work::Provider(json!({"provider": "anthropic", "model": "claude-sonnet-4-5"})),
            is_right: |read| {
                let said = read.matches("\"content\":\" a few words\"").count();
                is_done(read) && said == EVENTS - said::AROUND
            },
        },
    ]
}

fn metered() -> Contender {
    Contender {
        name: "metered",
        work: Work::Transform(json!({"ai": {"usage": {}}})),
        is_right: |read| is_done(read) && read.contains("[EMAIL") && !read.contains("\"usage\":"),
    }
}

fn masked(response: &'static str) -> Contender {
    const KINDS: [&str; 9] = [
        "email",
        "phone",
        "credit-card",
        "ssn",
        "iban",
        "ip",
        "api-key",
        "jwt",
        "private-key",
    ];
    let detectors: Value = KINDS.iter().map(|kind| (*kind, "mask")).collect();
    Contender {
        name: match response {
            "both" => "masked, both",
            _ => "masked, restored",
        },
        work: Work::Transform(
            json!({"ai": {"mask": {"detectors": detectors, "response": response}}}),
        ),
        is_right: |read| {
            is_done(read) && read.contains("jo@example.com") && !read.contains("[EMAIL")
        },
    }
}

/// Measures one row and prints it.
///
/// # Errors
/// When an Envoy does not start, or a stream does not come as it should.
pub(crate) fn run(
    stream: &Stream,
    amount: &Amount,
    envoy: &Envoy,
    settings: &Settings,
) -> Result<()> {
    let contenders = (stream.contenders)();
    let events = (stream.said)();
    println!("\n{}: {}", stream.name, stream.what);
    match stream.measure {
        Measure::Events { together, pause } => {
            let speech = Speech::of(&events, together, pause);
            load::measure(&contenders, speech, amount, envoy, settings)
        }
        Measure::First { together } => first::measure(
            &contenders,
            (events, together),
            amount.rounds,
            envoy,
            settings,
        ),
        Measure::Open => open::measure(&contenders, envoy, settings),
    }
}

/// An Envoy for `contender` in front of `speaker`, on a core of its own.
fn start(
    contender: &Contender,
    speaker: std::net::SocketAddr,
    envoy: &Envoy,
    settings: &Settings,
) -> Result<EnvoyProcess> {
    // Envoy has 1,024 connections to a cluster unless told otherwise.
    let many = 1_000_000;
    let thresholds =
        json!({"max_connections": many, "max_pending_requests": many, "max_requests": many});
    let config =
        EnvoyConfig::new().origin_cluster("circuit_breakers", json!({"thresholds": [thresholds]}));
    let config = match &contender.work {
        Work::Nothing => config.without_module(),
        Work::Transform(transform) => config.route(Route::at("/").transform(transform.clone())),
        Work::Provider(provider) => {
            let config = config.without_module();
            config.upstream_filter_named("llm-provider", provider.clone())
        }
    };
    let bootstrap = config.to_bootstrap(speaker, &std::env::temp_dir());
    let process = EnvoyProcess::start(envoy, &bootstrap, settings)?;
    cpu::move_to_first_core(process.id());
    Ok(process)
}
