//! How a held body was cut into chunks never changes what becomes of it.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::sync::Arc;

use transformations::testing::{MemoryHost, Message};
use transformations::{CompileOptions, Direction, Program};

const BODY: &str = r#"{"model":"é日本","m":["\u00e9", 1.50, "😀"],"k":null}"#;

/// The body, one header, and what went wrong, after a request that came in these chunks.
fn transform(
    program: &Arc<Program>,
    chunks: &[&[u8]],
) -> (Vec<u8>, Vec<String>, Option<&'static str>) {
    let mut request = Message::new(&[], "");
    request.body = chunks.iter().map(|chunk| chunk.to_vec()).collect();
    let mut host = MemoryHost {
        request,
        ..MemoryHost::default()
    };
    let mut exchange = program.open();
    let error = host.send(&mut exchange, Direction::Request).err();
    (
        host.request.body_bytes(),
        host.request.values("x"),
        error.map(|failure| failure.error().details()),
    )
}

#[test]
fn any_two_cuts_give_the_same_result() {
    for config in [
        r#"{"request":{"set":[{"name":"x","value":"{{ body() }}"}],"body":{"value":"<{{ body() }}>"}}}"#,
        r#"{"request":{"body":{"parseAs":"AsJson","value":"{{ model }}{% for i in m %}{{ i }}{% endfor %}"}}}"#,
        r#"{"request":{"body":{"patch":[{"op":"add","path":"/m/0","value":"{{ model }}"},{"op":"remove","path":"/k"}]}}}"#,
        r#"{"request":{"extractors":{"e":{"body":{},"regex":".*(é).*","subgroup":1}},
            "set":[{"name":"x","value":"{{ extraction('e') }}"}]}}"#,
    ] {
        let program = Program::compile(config.as_bytes(), &CompileOptions::default());
        let program = Arc::new(program.map_err(|problems| problems.to_string()).unwrap());
        let body = BODY.as_bytes();
        let whole = transform(&program, &[body]);
        assert_eq!(whole.2, None, "{config}");
        for first in 0..=body.len() {
            for second in first..=body.len() {
                let chunks = [&body[..first], &body[first..second], &body[second..]];
                assert_eq!(
                    transform(&program, &chunks),
                    whole,
                    "{first} {second} {config}"
                );
            }
        }
    }
}
