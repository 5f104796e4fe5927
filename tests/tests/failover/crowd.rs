//! Fifty streams at once, of which some end in the middle: by their clients, or by the provider.

use std::thread;

use rustformations_tests::two_providers::{assert_sane, echo, said};
use rustformations_tests::{TwoProviders, on_every_envoy};

use crate::mocks;

const STREAMS: usize = 50;
const WORDS: usize = 40;

/// What only this stream says.
fn text(stream: usize) -> String {
    (0..WORDS)
        .map(|word| format!("s{stream}w{word} "))
        .collect()
}

on_every_envoy! {
    fn streams_that_end_in_the_middle_leave_nothing_behind_and_nothing_in_others(envoy) {
        let (a, b) = mocks();
        let lab = TwoProviders::at(a.address(), b.address()).mocked().start(envoy);
        thread::scope(|scope| {
            for stream in 0..STREAMS {
                let lab = &lab;
                scope.spawn(move || {
                    let text = text(stream);
                    let request = echo(lab, &text, true).header("x-mock-pause", "3");
                    // Anthropic's events are written whole or in pieces that end anywhere.
                    let pieces = if stream % 2 == 0 { "events:1" } else { "bytes:37" };
                    let request = request.header("x-mock-pieces", pieces);
                    match stream % 5 {
                        0 | 1 => {
                            let mut exchange = request.begin().unwrap();
                            assert_eq!(exchange.status, 200);
                            for _ in 0..3 + stream % 7 {
                                exchange.next_piece().unwrap().unwrap();
                            }
                        }
                        2 => {
                            let answer = request.header("x-mock-cut-after", "9").send();
                            assert_eq!((answer.status, said(&answer)), (200, None), "{}", answer.text());
                            assert!(answer.cut && !answer.text().contains("[DONE]"), "{}", answer.text());
                            let others = (0..STREAMS).filter(|other| *other != stream);
                            for other in others {
                                assert!(!answer.text().contains(&format!("s{other}w")), "{}", answer.text());
                            }
                        }
                        _ => {
                            let answer = request.send();
                            assert_eq!(said(&answer), Some(text), "{}", answer.text());
                        }
                    }
                });
            }
        });
        assert_sane(&lab);
        assert_eq!(lab.stat("rustformations_provider_requests"), STREAMS as u64);
        assert_eq!(said(&echo(&lab, "still there", true).send()).as_deref(), Some("still there"));
    }
}
