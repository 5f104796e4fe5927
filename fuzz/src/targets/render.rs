//! Compiles any configuration and renders any message in memory.
//!
//! Nothing panics or runs away, diagnostics can be printed, however the bodies came in chunks the
//! result is the same, and no header ends up with a control character.

use std::sync::Arc;

use transformations::testing::{MemoryHost, Message};
use transformations::{Capabilities, CompileOptions, Direction, Failure, Program};

use super::{Choices, Outcome};
use crate::scene::{self, Scene};

pub(super) fn run(input: &[u8]) -> Outcome {
    let scene = Scene::read(input);
    let mut choices = Choices::of(input);
    let capabilities = if choices.flip() {
        Capabilities::all()
    } else {
        Capabilities::none()
    };
    let options = CompileOptions {
        capabilities,
        ..CompileOptions::default()
    };
    let program = match Program::compile(scene.config, &options) {
        Ok(program) => Arc::new(program),
        Err(found) => {
            assert!(!found.to_string().is_empty());
            return Outcome::of(found.iter().map(|it| it.code()).collect::<Vec<_>>());
        }
    };
    let warnings: Vec<_> = program.warnings().iter().map(|it| it.code()).collect();
    let whole = transform(&program, &scene, &mut |body| vec![body.to_vec()]);
    if !is_random(&scene) {
        let chunked = transform(&program, &scene, &mut |body| {
            choices
                .chunks(body)
                .into_iter()
                .map(<[u8]>::to_vec)
                .collect()
        });
        assert_eq!(whole, chunked, "chunks change the result");
    }
    for (name, value) in whole.request.0.iter().chain(&whole.response.0) {
        let clean = |byte: &u8| *byte == b'\t' || (*byte >= 0x20 && *byte != 0x7F);
        assert!(
            value.iter().all(clean),
            "a control character in {}",
            String::from_utf8_lossy(name)
        );
    }
    let errors: Vec<_> = whole
        .errors
        .iter()
        .map(|failure| (failure.error().status(), failure.error().details()))
        .collect();
    Outcome::of((
        warnings,
        errors,
        program.needs().request.buffers(),
        program.needs().response.buffers(),
    ))
}

/// Whether results may differ from one time to the next.
pub(super) fn is_random(scene: &Scene<'_>) -> bool {
    let named = |config: &[u8]| {
        let config = String::from_utf8_lossy(config);
        // A `\u` escape can spell any name.
        ["random", "uuid", "\\u"]
            .iter()
            .any(|word| config.contains(word))
    };
    named(scene.config) || named(scene.route)
}

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// What came out.
#[derive(Debug, PartialEq)]
struct Rendered {
    request: (Fields, Vec<u8>),
    response: (Fields, Vec<u8>),
    metadata: String,
    errors: Vec<Failure>,
}

fn transform(
    program: &Arc<Program>,
    scene: &Scene<'_>,
    cut: &mut dyn FnMut(&[u8]) -> Vec<Vec<u8>>,
) -> Rendered {
    let mut message = |it: &scene::Message<'_>| Message {
        headers: it
            .headers
            .iter()
            .map(|(k, v)| (k.as_bytes().to_vec(), v.as_bytes().to_vec()))
            .collect(),
        // No body is no piece of one: the headers end the message.
        body: match it.body {
            [] => Vec::new(),
            body => cut(body),
        },
    };
    let mut host = MemoryHost {
        request: message(&scene.request),
        response: message(&scene.response),
        seconds: 1_700_000_000,
        ..MemoryHost::default()
    };
    let mut exchange = program.open();
    let mut errors = Vec::new();
    for direction in [Direction::Request, Direction::Response] {
        match host.send(&mut exchange, direction) {
            Ok(applied) => errors.extend(applied.failures),
            Err(error) => errors.push(error),
        }
    }
    Rendered {
        request: (host.request.headers.clone(), host.request.body_bytes()),
        response: (host.response.headers.clone(), host.response.body_bytes()),
        metadata: format!("{:?}", host.metadata),
        errors,
    }
}
