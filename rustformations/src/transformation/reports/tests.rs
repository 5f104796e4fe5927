use std::sync::Arc;

use transformations::testing::{MemoryHost, Message};
use transformations::{CompileOptions, Direction};

use super::*;

/// A failure of a template that gets this body as JSON.
fn failure(template: &str, body: &str) -> Failure {
    let config = format!(r#"{{"request": {{"body": {{"value": "{template}"}}}}}}"#);
    let program = Program::compile(config.as_bytes(), &CompileOptions::default()).unwrap();
    let mut host = MemoryHost {
        request: Message::new(&[], body),
        ..MemoryHost::default()
    };
    let mut exchange = Arc::new(program).open();
    host.send(&mut exchange, Direction::Request).unwrap_err()
}

#[test]
fn each_failure_is_said_once_a_minute_with_how_many_there_were() {
    let reports = Reports::default();
    let start = Instant::now();
    let after = |seconds| start + Duration::from_secs(seconds);
    let error = failure("{{ 1 // 0 }}", "").error();
    assert_eq!(reports.due(error, 1, start), Some(0));
    assert_eq!(reports.due(error, 1, after(1)), None);
    assert_eq!(reports.due(error, 5, after(59)), None);
    assert_eq!(reports.due(error, 1, after(60)), Some(6));
    assert_eq!(reports.due(error, 1, after(61)), None);
    let other = failure("{{ model }}", "").error();
    assert_eq!(reports.due(other, 3, after(61)), Some(2));
}

#[test]
fn the_line_says_where_and_why() {
    let failure = failure("{{ fromjson(body()) }}", "{\"key\": secret}");
    let expected = "request.body.value: the template could not be rendered: fromjson: expected a \
                    value at line 1 column 9 (render_error on route \"chat\"; 7 more like this before)";
    assert_eq!(line("request.body.value", &failure, "chat", 7), expected);
    assert!(line("f", &failure, "", 0).ends_with("column 9 (render_error)"));
}
