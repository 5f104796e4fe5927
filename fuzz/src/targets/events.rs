//! Any rules for the events of a stream, any stream: chunks never change what comes out, and a stream
//! that no rule touches is the same bytes.

use std::sync::Arc;

use transformations::testing::{MemoryHost, Message};
use transformations::{CompileOptions, Failure, OpenedEvents, Program, Streamed};

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
        assert_eq!(
            transform(&program, &scene, &chunks).as_ref(),
            Some(&whole),
            "chunks change the result"
        );
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
    let host = MemoryHost {
        response: Message::new(&headers, ""),
        ..MemoryHost::default()
    };
    let mut stream = program.open();
    stream.on_request_headers(&host);
    let Ok(OpenedEvents::Stream(mut events)) = stream.open_events(&host) else {
        return None;
    };
    let mut out = Transformed {
        bytes: Vec::new(),
        changed: 0,
        failed: 0,
        stopped: None,
    };
    let mut bytes = Vec::new();
    let mut add = |step: Result<Streamed, Failure>| match step {
        Ok(step) => {
            out.changed += step.changed;
            out.failed += step.failed;
        }
        Err(error) => out.stopped = Some(error),
    };
    for chunk in chunks {
        add(events.push(chunk, &mut bytes));
    }
    add(events.finish(&mut bytes));
    out.bytes = bytes;
    if out.stopped.is_some() {
        // What happened in the chunk that ended the stream is not told.
        (out.changed, out.failed) = (0, 0);
    }
    Some(out)
}
