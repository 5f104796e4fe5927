//! Any rules for the events of a stream, any stream: chunks never change what comes out, and a stream
//! that no rule touches is the same bytes.

use std::sync::Arc;

use transformations::testing::{MemoryHost, Message};
use transformations::{CompileOptions, Failure, Program};

use super::render::is_random;
use super::{Choices, Outcome};
use crate::scene::Scene;

pub(super) fn run(input: &[u8]) -> Outcome {
    let scene = Scene::read(input);
    let Ok(program) = Program::compile(scene.config, &CompileOptions::default()) else {
        return Outcome::of("refused");
    };
    let program = Arc::new(program);
    let Some(whole) = transform(&program, &scene, &[scene.response.body]) else {
        return Outcome::of("no stream");
    };
    if whole.changed == 0 && whole.failed == 0 && whole.stopped.is_none() {
        let kept = whole.bytes.starts_with(scene.response.body);
        assert!(kept, "events changed, but none was touched");
    }
    if !is_random(&scene) {
        let chunks = Choices::of(input).chunks(scene.response.body);
        let pieces = transform(&program, &scene, &chunks);
        if let (Some(_), Some(pieces)) = (&whole.stopped, &pieces) {
            // What was good in the chunk that stopped the stream is lost with it.
            assert_eq!(pieces.stopped, whole.stopped, "chunks change the result");
        } else {
            assert_eq!(pieces.as_ref(), Some(&whole), "chunks change the result");
        }
    }
    let stopped = whole.stopped.map(|failure| failure.error().details());
    Outcome::of((whole.changed.min(3), whole.failed.min(3), stopped))
}

#[derive(Debug, PartialEq)]
struct Transformed {
    bytes: Vec<u8>,
    changed: u32,
    failed: u32,
    stopped: Option<Failure>,
}

fn transform(program: &Arc<Program>, scene: &Scene<'_>, chunks: &[&[u8]]) -> Option<Transformed> {
    let headers: Vec<_> = scene
        .response
        .headers
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    let mut host = MemoryHost {
        response: Message::new(&headers, ""),
        ..MemoryHost::default()
    };
    // It goes if events are to be transformed.
    let length = (b"content-length".to_vec(), b"0".to_vec());
    host.response.headers.push(length);
    let mut exchange = program.open();
    let _ = exchange.on_request_headers(&mut host, true);
    let answer = exchange.on_response_headers(&mut host, false);
    // A status without content takes the body away, as a whole.
    let has_none = (host.response.values(":status").iter())
        .any(|status| matches!(&status[..], "204" | "205" | "304"));
    let is_read = host.response.values("content-length").is_empty();
    if answer.into_result().is_err() || !is_read || has_none {
        return None;
    }
    let mut out = Transformed {
        bytes: Vec::new(),
        changed: 0,
        failed: 0,
        stopped: None,
    };
    for chunk in chunks.iter().copied().map(Some).chain([None]) {
        let body = chunk.filter(|chunk| !chunk.is_empty());
        host.response.body = body.map(<[u8]>::to_vec).into_iter().collect();
        let answer = exchange.on_response_body(&mut host, chunk.is_none());
        match answer.into_result() {
            Ok(step) => {
                out.changed += step.events;
                out.failed += step.failures.len() as u32 + step.more_failures;
                out.bytes.extend(host.response.body_bytes());
            }
            Err(failure) => {
                out.stopped = Some(failure);
                // What happened in the chunk that ended the stream is not told.
                (out.changed, out.failed) = (0, 0);
                break;
            }
        }
    }
    Some(out)
}
