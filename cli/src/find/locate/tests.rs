use super::*;

/// The character that is found, and those behind it.
fn found<'t>(spot: &Spot, text: &'t str, field: &str) -> &'t str {
    let Position { line, column } = spot.locate(&Text::new(text), field, false).unwrap();
    let line = text.lines().nth(line - 1).unwrap();
    let start = line.char_indices().nth(column - 1).unwrap().0;
    &line[start..]
}

fn path(names: &[&str]) -> Path {
    let root = Path::default();
    names.iter().fold(root, |path, name| match name.parse() {
        Ok(number) => path.number(number),
        Err(_) => path.name(name),
    })
}

#[test]
fn fields_are_found_in_json_and_in_yaml() {
    let json = "{\"request\": {\n  \"set\": [{\"name\": \"x\", \"value\": \"v\"}]}}";
    let spot = Spot::default();
    assert_eq!(found(&spot, json, "request.set[0].value"), "\"v\"}]}}");
    assert_eq!(
        found(&spot, json, "request.set"),
        "\"set\": [{\"name\": \"x\", \"value\": \"v\"}]}}"
    );
    let yaml = "# a\nrequest:\n  set:\n  - name: x\n    value: v # b\n";
    assert_eq!(found(&spot, yaml, "request.set[0].value"), "v # b");
    assert_eq!(found(&spot, yaml, "request.set"), "set:");
    // As far as there is something.
    assert_eq!(found(&spot, yaml, "request.set[0].when"), "name: x");
    assert_eq!(found(&spot, yaml, "response"), "request:");
}

#[test]
fn names_with_dots_are_found() {
    let json = r#"{"prices": {"gpt-4": {"input": 1}, "gpt-4.1": {"input": 2}}}"#;
    let spot = Spot::default();
    assert_eq!(found(&spot, json, "prices.gpt-4.1.input"), "2}}}");
}

#[test]
fn strings_are_looked_into_however_they_are_spelled() {
    for (yaml, expected) in [
        (
            "a:\n  b: |\n    {\n      \"x\": \"é\",\n      \"y\": 1}\n",
            "1}",
        ),
        (
            "a:\n  b: >-\n    {\"x\": \"é\",\n    \"y\":\n    1}\n",
            "1}",
        ),
        ("a: {b: '{\"x\": \"it''s\", \"y\": 1}'}\n", "1}'}"),
        (
            r#"a: {b: "{\"x\": \"\u00e9\ud83d\ude00\t\\n\", \"y\": 1}"}"#,
            "1}\"}",
        ),
        (
            "a:\n  b: \"{\\\"x\\\":\n      2, \\\n      \\\"y\\\": 1}\"\n",
            "1}\"",
        ),
        (
            r#"{"a": {"b": "{\"x\": \"\u00e9\ud83d\ude00\t\\n\", \"y\": 1}"}}"#,
            "1}\"}}",
        ),
    ] {
        let spot = Spot::inside(path(&["a", "b"]));
        assert_eq!(found(&spot, yaml, "y"), expected, "{yaml}");
    }
}

#[test]
fn documents_in_strings_of_documents_and_in_fences_are_looked_into() {
    let page = "# A page\n\n- ```yaml\n  kind: A\n  ---\n  data:\n    f: |\n      c: '{\"y\": 1}'\n  ```\n";
    let spot = Spot::inside(path(&["c"]));
    let around = Around::String {
        document: 0,
        path: path(&["data", "f"]),
    };
    let spot = spot.within(around).in_document(1);
    let spot = spot.within(Around::Lines {
        first: 4,
        count: 5,
        indent: 2,
    });
    assert_eq!(found(&spot, page, "y"), "1}'");
}

#[test]
fn what_is_no_json_any_more_is_found_in_the_string_that_holds_it() {
    let yaml = "a:\n- |\n  {\"x\": [],}\n";
    let spot = Spot::inside(path(&["a", "0"]));
    let position = spot.locate(&Text::new(yaml), "", true).unwrap();
    assert_eq!((position.line, position.column), (3, 12));
}
