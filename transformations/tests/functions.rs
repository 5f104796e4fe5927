//! What kgateway's functions promise beyond their examples.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::sync::Arc;

use transformations::testing::MemoryHost;
use transformations::{CompileOptions, Direction, Program};

#[test]
fn random_values_differ_between_calls_and_agree_within_one() {
    let template = "{{ replace_with_random('a.a', 'a') }}|{{ replace_with_random('a.a', 'a') }}";
    let config = serde_json::json!({"request": {"body": {"value": template}}});
    let program = Program::compile(config.to_string().as_bytes(), &CompileOptions::default());
    let mut host = MemoryHost::default();
    let mut exchange = Arc::new(program.unwrap()).open();
    host.send(&mut exchange, Direction::Request).unwrap();
    let text = String::from_utf8(host.request.body_bytes()).unwrap();
    let (first, second) = text.split_once('|').unwrap();
    assert_ne!(first, second);
    let (left, right) = first.split_once('.').unwrap();
    assert_eq!(left, right);
    assert_eq!(left.len(), 22, "128 bits in unpadded base64");
}

#[test]
fn the_environment_is_read_only_where_allowed() {
    let path = std::env::var("PATH").unwrap();
    let render = |config: &str, host_list: Option<&[&str]>| {
        let env_allow = host_list.map(|names| names.iter().map(|n| (*n).to_owned()).collect());
        let options = CompileOptions {
            env_allow,
            ..CompileOptions::default()
        };
        let program = Program::compile(config.as_bytes(), &options).ok()?;
        let mut host = MemoryHost::default();
        host.send(&mut Arc::new(program).open(), Direction::Request)
            .ok()?;
        Some(String::from_utf8(host.request.body_bytes()).unwrap())
    };
    let constant = r#"{"request": {"body": {"value": "{{ env('PATH') }}"}}}"#;
    let computed = r#"{"request": {"body": {"value": "{{ env('PA' ~ 'TH') }}"}}}"#;
    for template in [constant, computed] {
        assert_eq!(render(template, None).as_deref(), Some(&*path));
        assert_eq!(render(template, Some(&["PATH"])).as_deref(), Some(&*path));
    }
    assert_eq!(render(constant, Some(&[])), None, "refused when loaded");
    assert_eq!(render(computed, Some(&[])).as_deref(), Some(""));
    let widened = r#"{"envAllow": ["PATH"], "request": {"body": {"value": "{{ env('PATH') }}"}}}"#;
    assert_eq!(
        render(widened, Some(&["HOME"])),
        None,
        "a configuration cannot widen the list"
    );
}

/// All programs of a process share one engine; what one configuration says must not reach another.
#[test]
fn programs_that_live_together_keep_their_own_settings() {
    let compile = |letter: &str, fuel: u64| {
        let config = serde_json::json!({
            "envAllow": if letter == "a" { vec!["PATH"] } else { vec!["HOME"] },
            "limits": {"fuel": fuel},
            "request": {
                "extractors": {"same": {"header": "x-source", "regex": format!("{letter}(.).*"), "subgroup": 1}},
                "body": {"value": format!(
                    "{{{{ extraction('same') }}}},{{{{ regex_replace('ab', '{letter}', '-') }}}},\
                     {{{{ (env('PA' ~ 'TH') | length) > 0 }}}}{{% for i in range(50) %}}{{% endfor %}}"
                )},
            },
        });
        Arc::new(
            Program::compile(config.to_string().as_bytes(), &CompileOptions::default()).unwrap(),
        )
    };
    let render = |program: &Arc<Program>| {
        let mut host = MemoryHost::default();
        let source = (b"x-source".to_vec(), b"a1".to_vec());
        host.request.headers.push(source);
        let mut stream = program.open();
        host.send(&mut stream, Direction::Request)
            .map(|_| String::from_utf8(host.request.body_bytes()).unwrap())
            .map_err(|failure| failure.error().kind().name())
    };
    let (first, second, tired) = (compile("a", 900), compile("b", 800), compile("a", 60));
    for _ in 0..2 {
        assert_eq!(render(&first).as_deref(), Ok("1,-b,true"));
        assert_eq!(render(&second).as_deref(), Ok(",a-,false"));
        assert_eq!(render(&tired), Err("out_of_fuel"));
    }
}
