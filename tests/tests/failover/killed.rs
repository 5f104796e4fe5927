//! A provider dies while many clients are being served: whoever has heard nothing yet is served by the other
//! one, and whoever has is told that there will be no more.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rustformations_tests::mock_llm::MockLlm;
use rustformations_tests::two_providers::{assert_sane, echo, said};
use rustformations_tests::{Answer, Lab, TwoProviders, on_every_envoy};

use crate::mocks;

const CLIENTS: usize = 36;

/// How the mock sends an answer: slowly, so that A dies in the middle of many.
fn slowly(client: usize) -> [(&'static str, &'static str); 3] {
    match client % 3 {
        // Before anything was said, between two events, and in the middle of one.
        0 => [
            ("x-mock-head-pause", "40"),
            ("x-mock-pause", "1"),
            ("x-mock-pieces", "bytes:50"),
        ],
        1 => [
            ("x-mock-head-pause", "0"),
            ("x-mock-pause", "5"),
            ("x-mock-pieces", "events:1"),
        ],
        _ => [
            ("x-mock-head-pause", "0"),
            ("x-mock-pause", "5"),
            ("x-mock-pieces", "bytes:60"),
        ],
    }
}

fn ask(lab: &Lab, client: usize, turn: usize, stream: bool) -> (String, Answer) {
    let text = format!("client {client} in turn {turn} says what nobody else says");
    let request = slowly(client)
        .into_iter()
        .fold(echo(lab, &text, stream), |request, (name, value)| {
            request.header(name, value)
        });
    (text, request.send())
}

/// Has clients ask until A is dead and each of them has asked twice since; gives what they got.
fn under_load(lab: &Lab, mut a: Option<MockLlm>, stream: bool) -> Vec<(String, Answer)> {
    let is_dead = AtomicBool::new(false);
    let answers = Mutex::new(Vec::new());
    let served = AtomicUsize::new(0);
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (is_dead, answers, served) = (&is_dead, &answers, &served);
            scope.spawn(move || {
                let mut since = 0;
                for turn in 0.. {
                    if since == 2 {
                        break;
                    }
                    since += usize::from(is_dead.load(Ordering::Acquire));
                    let answer = ask(lab, client, turn, stream);
                    answers.lock().unwrap().push(answer);
                    served.fetch_add(1, Ordering::AcqRel);
                }
            });
        }
        // In the middle of it: all clients have been served by A, and are again.
        while served.load(Ordering::Acquire) < 2 * CLIENTS {
            thread::sleep(Duration::from_millis(2));
        }
        drop(a.take());
        is_dead.store(true, Ordering::Release);
    });
    answers.into_inner().unwrap()
}

on_every_envoy! {
    fn whoever_has_heard_nothing_is_answered_by_the_other_provider(envoy) {
        let (a, b) = mocks();
        let lab = TwoProviders::at(a.address(), b.address()).mocked().start(envoy);
        let answers = under_load(&lab, Some(a), false);
        for (text, answer) in &answers {
            assert_eq!(said(answer).as_ref(), Some(text), "{}", answer.text());
        }
        assert!(answers.len() >= 4 * CLIENTS && lab.stat("cluster.llm.upstream_rq_retry") > 0);
        b.next_asked(Duration::from_secs(5)).unwrap();
        assert_sane(&lab);
    }

    fn a_stream_that_had_begun_never_looks_complete(envoy) {
        let (a, b) = mocks();
        let lab = TwoProviders::at(a.address(), b.address()).mocked().start(envoy);
        let answers = under_load(&lab, Some(a), true);
        let mut broken = 0;
        for (text, answer) in &answers {
            // The status is the first that is said of an answer, and nobody gets another.
            assert_eq!(answer.status, 200, "{}", answer.text());
            match said(answer) {
                Some(said) => assert_eq!(&said, text),
                None => {
                    assert!(answer.cut || answer.text().contains("\"error\""), "{}", answer.text());
                    assert!(!answer.text().contains("[DONE]"), "{}", answer.text());
                    broken += 1;
                }
            }
        }
        // A third of the clients had certainly begun to hear A when it died, and no client is served worse later.
        assert!((1..=CLIENTS).contains(&broken), "{broken} of {}", answers.len());
        b.next_asked(Duration::from_secs(5)).unwrap();
        assert_sane(&lab);
    }
}
