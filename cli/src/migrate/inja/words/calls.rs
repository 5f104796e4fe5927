//! Calls of Inja's functions, which are filters, tests or operators here, and of the engines' own.

use super::Rewriter;

/// Functions that are the filters of the same name.
const FILTERS: [&str; 13] = [
    "upper",
    "lower",
    "capitalize",
    "length",
    "first",
    "last",
    "sort",
    "join",
    "int",
    "float",
    "default",
    "min",
    "max",
];

/// Functions that are tests: `isString(x)` is `x is string`.
const TESTS: [(&str, &str); 9] = [
    ("isString", "string"),
    ("isNumber", "number"),
    ("isInteger", "integer"),
    ("isFloat", "float"),
    ("isArray", "sequence"),
    ("isObject", "mapping"),
    ("isBoolean", "boolean"),
    ("even", "even"),
    ("odd", "odd"),
];

/// Functions that nothing here takes the place of, and what to do.
const LOST: [(&str, &str); 3] = [
    (
        "data_source",
        "env(name) reads what the container was given, if envAllow names it",
    ),
    (
        "secret",
        "env(name) reads what the container was given, if envAllow names it",
    ),
    ("super", "write the text in its place"),
];

/// A call in the language of this module.
pub(super) fn moved(name: &str, arguments: &[String], rewriter: &mut Rewriter) -> String {
    if let Some((_, help)) = LOST.iter().find(|(lost, _)| *lost == name) {
        rewriter.lose(format!("the function {name:?} is not there"), help);
    }
    if let Some((_, test)) = TESTS.iter().find(|(function, _)| *function == name)
        && let [value] = arguments
    {
        return format!("({} is {test})", grouped(value));
    }
    match (name, arguments) {
        ("round", [value, digits]) if digits == "0" => {
            format!("({} | round | int)", grouped(value))
        }
        ("round", [value, digits]) => format!("({} | round({digits}))", grouped(value)),
        ("divisibleBy", [value, other]) => {
            format!("({} is divisibleby({other}))", grouped(value))
        }
        ("exists", [path]) => match unquoted(path) {
            Some(path) => format!("({} is defined)", rewriter.name(path)),
            None => lose_path(name, arguments, rewriter),
        },
        ("existsIn", [object, key]) => format!("({key} in {})", grouped(object)),
        ("at", [list, place]) => format!("{}[{place}]", grouped(list)),
        ("replace", [text, pattern, with]) => {
            format!("({} | replace({pattern}, {with}))", grouped(text))
        }
        ("context", []) => {
            rewriter.reads_json = true;
            "context()".to_owned()
        }
        ("clusterMetadata", arguments) => format!("cluster_metadata({})", arguments.join(", ")),
        ("substring", [text, start, end]) if rewriter.ends => {
            format!("substring({text}, {start}, {})", length(start, end))
        }
        (filter, [value, rest @ ..]) if FILTERS.contains(&filter) => match rest {
            [] => format!("({} | {filter})", grouped(value)),
            rest => format!("({} | {filter}({}))", grouped(value), rest.join(", ")),
        },
        _ => format!("{name}({})", arguments.join(", ")),
    }
}

/// How long a piece is of which start and end are known.
fn length(start: &str, end: &str) -> String {
    match (start.parse::<u64>(), end.parse::<u64>()) {
        (Ok(start), Ok(end)) => end.saturating_sub(start).to_string(),
        _ => format!("{} - {}", grouped(end), grouped(start)),
    }
}

fn lose_path(name: &str, arguments: &[String], rewriter: &mut Rewriter) -> String {
    rewriter.lose(
        format!("{name} of a computed name is not moved"),
        "write: value is defined",
    );
    format!("{name}({})", arguments.join(", "))
}

/// The contents of a string without escapes.
fn unquoted(text: &str) -> Option<&str> {
    let inner = text
        .strip_prefix('"')
        .and_then(|it| it.strip_suffix('"'))
        .or_else(|| text.strip_prefix('\'')?.strip_suffix('\''))?;
    (!inner.contains(['"', '\'', '\\'])).then_some(inner)
}

/// An expression in parentheses, unless it stands for itself.
pub(super) fn grouped(text: &str) -> String {
    let is_whole = |open: char, close: char| {
        let inner = text
            .strip_prefix(open)
            .and_then(|it| it.strip_suffix(close));
        inner.is_some_and(|it| !it.contains([open, close]))
    };
    let is_name = text
        .chars()
        .all(|it| it.is_alphanumeric() || matches!(it, '_' | '.'));
    match is_name || is_whole('"', '"') || is_whole('\'', '\'') || is_whole('(', ')') {
        true => text.to_owned(),
        false => format!("({text})"),
    }
}
