//! What a configuration costs when it is loaded: one route among thousands, which all differ.
//!
//! The first program of a process makes the engine's environment; that is not counted.

use divan::Bencher;
use transformations::{CompileOptions, Program};

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    let _ = compile(r#"{"request": {"body": {"value": "{{ 1 + 1 }}"}}}"#);
    divan::main();
}

fn compile(config: &str) -> Option<Program> {
    Program::compile(config.as_bytes(), &CompileOptions::default()).ok()
}

fn run(bencher: Bencher<'_, '_>, config: impl Fn(u32) -> String) {
    let mut number = 0;
    assert!(compile(&config(number)).is_some(), "it is valid");
    bencher
        .with_inputs(|| {
            number += 1;
            config(number)
        })
        .bench_local_values(|text| compile(&text));
}

#[divan::bench]
fn nothing(bencher: Bencher<'_, '_>) {
    run(bencher, |_| "{}".to_owned());
}

#[divan::bench]
fn a_constant_header(bencher: Bencher<'_, '_>) {
    run(bencher, |number| {
        format!(r#"{{"request": {{"set": [{{"name": "x-route", "value": "route-{number}"}}]}}}}"#)
    });
}

#[divan::bench]
fn four_templates_and_a_parsed_body(bencher: Bencher<'_, '_>) {
    run(bencher, |number| {
        format!(
            r#"{{"request": {{"body": {{"parseAs": "AsJson"}}, "set": [
                {{"name": "x-model", "value": "{{{{ model }}}}"}},
                {{"name": "x-team", "value": "{{{{ header('x-team') | default('team-{number}', true) }}}}"}}]}},
            "response": {{"set": [
                {{"name": "x-asked", "value": "{{{{ request_header(':method') }}}}"}},
                {{"name": "x-kind", "value": "{{% if header(':status') == '200' %}}a{{% else %}}b{{% endif %}}"}}]}}}}"#
        )
    });
}

#[divan::bench]
fn a_body_template(bencher: Bencher<'_, '_>) {
    run(bencher, |number| {
        format!(
            r#"{{"request": {{"body": {{"parseAs": "AsJson", "value":
            "{{\"model\": {{{{ model|tojson }}}}, \"messages\": [{{\"role\": \"system\", \"content\": \"{number}\"}}{{% for m in messages %}}, {{{{ m|tojson }}}}{{% endfor %}}]}}"}}}}}}"#
        )
    });
}
