//! What a template can call, and the documents that it meets: the table of the cost sweep.

use std::sync::Arc;

use serde_json::json;
use transformations::testing::{MemoryHost, Message};
use transformations::{CompileOptions, Direction, Program, functions};

/// Something that a template can do with `doc`.
pub(crate) struct Row {
    pub(crate) name: String,
    expression: String,
}

/// A document, to be made in any size.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    make: fn(usize) -> String,
}

/// A program and a message.
pub(crate) struct Prepared {
    program: Arc<Program>,
    host: MemoryHost,
}

/// What a sweep may spend beside what the message costs.
const BUDGET: usize = 64 << 10;

/// A value for each parameter that the signatures name. A list with two values gives two rows.
const PARAMETERS: &[(&str, &[&str])] = &[
    ("attribute", &["'a'"]),
    ("attribute=name", &["attribute='a'"]),
    ("blank", &["false"]),
    ("by", &["'key'"]),
    ("case_sensitive", &["false"]),
    ("characters", &["'x'"]),
    ("count", &["3"]),
    ("cuts", &["2"]),
    ("decimals", &["1"]),
    ("default", &["0"]),
    ("digits", &["1"]),
    ("document", &["doc"]),
    ("encoding", &["'base64'"]),
    ("end", &["doc", "3"]),
    ("even_if_false", &["true"]),
    ("fill", &["doc"]),
    ("filter", &["'upper'"]),
    ("first", &["true"]),
    ("format", &["'%Y'"]),
    ("indent", &["2"]),
    ("key", &["doc"]),
    ("length", &["2"]),
    ("list", &["doc", "[doc, doc]"]),
    ("map", &["doc", "{'a': doc}"]),
    ("name", &["'a'", "doc"]),
    ("name=value", &["a=doc"]),
    ("namespace", &["'n'"]),
    ("number", &["doc"]),
    ("other", &["doc", "'x'"]),
    ("patch", &["doc"]),
    ("path", &["doc"]),
    ("pattern", &["'a+b|(x)'"]),
    ("pointer", &["'/a/b'", "'/0'", "doc"]),
    ("replacement", &["'y'", "doc"]),
    ("reverse", &["true"]),
    ("separator", &["','", "doc"]),
    ("start", &["2"]),
    ("step", &["1"]),
    ("test", &["'odd'"]),
    ("text", &["doc"]),
    ("time", &["doc"]),
    ("token", &["doc"]),
    ("value", &["doc", "[doc]"]),
    ("width", &["2"]),
    ("with", &["'y'"]),
];

/// Operators and forms that have no table of their own.
const FORMS: &[&str] = &[
    "doc",
    "doc == 'x'",
    "doc == other",
    "doc != [1]",
    "doc < other",
    "doc in other",
    "'x' in doc",
    "doc ~ 'x'",
    "doc + doc",
    "doc * 2",
    "[doc, doc] == [doc, other]",
    "{'a': doc}",
    "{doc: 1}",
    "doc[i]",
    "doc[0]",
    "doc[-1]",
    "doc['a']",
    "doc[other]",
    "doc[1:3]",
    "doc[::-1]",
    "doc.a",
    "doc.k7",
    "doc.zz",
    "doc.a.a.a.a.a.a.a.a",
    "doc[0][0][0][0][0][0]",
    "doc and other",
    "fromxml(doc).a.a.a.a.a.b",
    "toxml({'elements': {'list': doc}})",
    "toxml(fromxml(doc))",
    "toform({'fields': doc})",
    "not doc",
    "doc if doc else other",
    "body()",
    "context()",
    "context().doc",
    "request.body",
    "request.json.doc",
    "request.headers",
    "request.headers['x-long']",
    "header('x-long')",
    "request_header('x-long')",
    "headers('x-long')",
    "headers('x-many')",
    "get_cookie('zz')",
    "get_cookie_i('ZZ')",
    "query_param('zz')",
    "set_query_param('zz', 'y')",
    "remove_query_param('zz')",
    "request.path",
    "request.query",
    "request.url_path",
    "extraction('of_header')",
    "extraction('of_body')",
    "{'%REQ(x-long)%': 1}",
];

/// Names that are constants, or that say nothing of `doc`.
const CONSTANTS: &[(&str, &str)] = &[
    ("attribute", "attribute('source.address')"),
    ("cluster_metadata", "cluster_metadata('k')"),
    ("clusterMetadata", "clusterMetadata('k')"),
    ("dynamic_metadata", "dynamic_metadata('k')"),
    ("env", "env('HOME')"),
    ("extraction", "extraction('of_body')"),
    ("host_metadata", "host_metadata('k')"),
    ("metadata", "metadata('n', 'k')"),
    ("regex_replace", "regex_replace(doc, 'a+b|(x)', 'y')"),
];

pub(crate) const SHAPES: &[Shape] = &[
    shape("text", |size| format!("\"{}\"", "x".repeat(size))),
    shape("escapes", |size| {
        format!("\"{}\"", "\\u0041".repeat(size / 6))
    }),
    shape("words", |size| {
        format!("\"{}\"", "a, =&;%41\\n".repeat(size / 10))
    }),
    shape("json text", |size| {
        format!(
            "\"{}[]\"",
            "[[".repeat(30) + &"1,".repeat(size / 2) + "1" + &"]]".repeat(30)
        )
    }),
    shape("xml text", |size| {
        let (open, close) = ("<a x='1'>".repeat(50), "</a>".repeat(50));
        let wide = "<b>&amp;</b><c/>".repeat(size / 16);
        format!("\"{open}{wide}{close}\"")
    }),
    shape("digits", |size| "7".repeat(size)),
    shape("wide array", |size| format!("[{}0]", "0,".repeat(size / 2))),
    shape("wide object", |size| {
        object(size, |n| format!("\"k{n}\":{n},"))
    }),
    shape("escaped keys", |size| {
        object(size, |n| format!("\"\\u006b{n}\":{n},"))
    }),
    shape("long keys", |size| {
        let prefix = "p".repeat(size / 16);
        object(size, |n| format!("\"{prefix}{n}\":{n},"))
    }),
    shape("duplicates", |size| {
        object(size, |n| format!("\"k{}\":{n},", n % 10))
    }),
    shape("objects", |size| {
        format!("[{}{{}}]", "{\"a\":1,\"b\":\"x\"},".repeat(size / 16))
    }),
    shape("strings", |size| {
        format!("[{}\"\"]", "\"abcdefgh\",".repeat(size / 11))
    }),
    shape("long strings", |size| {
        format!(
            "[{}\"\"]",
            format!("\"{}\",", "\\n".repeat(size / 32)).repeat(16)
        )
    }),
    shape("deep", |size| {
        format!(
            "{}\"{}\"{}",
            "[".repeat(120),
            "x".repeat(size),
            "]".repeat(120)
        )
    }),
    shape("deep objects", |size| {
        let (open, close) = ("{\"a\":".repeat(100), "}".repeat(100));
        format!(
            "[{}0]",
            format!("{open}0{close},").repeat(size / (open.len() + close.len() + 2))
        )
    }),
    shape("too deep", |size| {
        "[".repeat(size / 2) + &"]".repeat(size / 2)
    }),
];

const fn shape(name: &'static str, make: fn(usize) -> String) -> Shape {
    Shape { name, make }
}

fn object(size: usize, member: impl Fn(usize) -> String) -> String {
    let mut text = String::from("{");
    for n in 0.. {
        text += &member(n);
        if text.len() >= size {
            break;
        }
    }
    text + "\"a\":{\"b\":1}}"
}

/// Every form, function, filter, test and variable.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = FORMS.iter().map(|form| row(form, form)).collect();
    for (_, family) in functions::FAMILIES {
        for function in *family {
            let constant = CONSTANTS.iter().find(|(name, _)| *name == function.name());
            match constant {
                Some((name, call)) => rows.push(row(name, call)),
                None => rows.extend(of_signature(function.signature())),
            }
            if let Some(usage) = function.filter() {
                rows.extend(of_signature(usage));
            }
        }
    }
    for builtin in functions::FILTERS.iter().chain(functions::TESTS) {
        // Some are documented with two ways to be called.
        for usage in builtin.signature.split(" or ") {
            rows.extend(of_signature(usage));
        }
    }
    rows.extend(
        (functions::VARIABLES.iter())
            .filter(|variable| variable.name.starts_with("request"))
            .map(|variable| row(variable.name, variable.name)),
    );
    rows
}

fn row(name: &str, expression: &str) -> Row {
    Row {
        name: name.to_owned(),
        expression: expression.to_owned(),
    }
}

/// The rows of a signature such as `substring(text, start, length?)`, `list | join(separator?)` or
/// `value is eq(other)`: one for each value of each parameter, the others at their first.
fn of_signature(signature: &str) -> Vec<Row> {
    let (before, call) = match signature
        .split_once(" | ")
        .or_else(|| signature.split_once(" is "))
    {
        Some((subject, call)) => (Some(subject), call),
        None => (None, signature),
    };
    let (name, parameters) = call.split_once('(').unwrap_or((call, ")"));
    let parameters = parameters.trim_end_matches(')').split(", ");
    let parameters = before
        .into_iter()
        .chain(parameters)
        .filter(|p| !p.is_empty() && *p != "...");
    let choices: Vec<&[&str]> = parameters
        .map(|parameter| values(parameter, signature))
        .collect();
    let first: Vec<&str> = choices.iter().map(|values| values[0]).collect();
    let mut calls = vec![first.clone()];
    for (place, values) in choices.iter().enumerate() {
        for value in &values[1..] {
            let mut other = first.clone();
            other[place] = value;
            calls.push(other);
        }
    }
    let spell = |arguments: Vec<&str>| match before {
        None => format!("{name}({})", arguments.join(", ")),
        Some(_) => {
            let (subject, rest) = arguments.split_first().unwrap();
            let word = if signature.contains(" is ") {
                "is"
            } else {
                "|"
            };
            let rest = if rest.is_empty() {
                String::new()
            } else {
                format!("({})", rest.join(", "))
            };
            format!("{subject} {word} {name}{rest}")
        }
    };
    calls
        .into_iter()
        .map(spell)
        .map(|call| row(&call, &call))
        .collect()
}

fn values(parameter: &str, signature: &str) -> &'static [&'static str] {
    if let Some(constant) = parameter.strip_prefix('"') {
        let operators = ["==", "!=", "<=", ">=", "<", ">"];
        let found = operators
            .iter()
            .position(|operator| constant == format!("{operator}\""));
        return [
            &["'=='"],
            &["'!='"],
            &["'<='"],
            &["'>='"],
            &["'<'"],
            &["'>'"],
        ][found.unwrap()];
    }
    let name = parameter.trim_end_matches('?');
    let known = PARAMETERS.iter().find(|(known, _)| *known == name);
    match known {
        Some((_, values)) => values,
        None => panic!("the sweep has no value for the parameter {name} of {signature}"),
    }
}

impl Row {
    /// The row in a loop over as many rounds as there are bytes, or fewer.
    pub(crate) fn prepare(&self, shape: &Shape, size: usize) -> Prepared {
        let document = (shape.make)(size);
        let rounds = "0,".repeat(size / 8) + "0";
        let body = format!("{{\"other\":{document},\"rounds\":[{rounds}],\"doc\":{document}}}");
        let template = format!(
            "{{% for i in rounds %}}{{% if ({}) is none %}}x{{% endif %}}{{% endfor %}}",
            self.expression
        );
        let extractor = |source: serde_json::Value| {
            let mut rule = json!({"regex": "(.*)x(.*)y", "subgroup": 1});
            rule.as_object_mut()
                .unwrap()
                .extend(source.as_object().unwrap().clone());
            rule
        };
        let config = json!({
            "limits": {"outputBytes": BUDGET},
            "request": {
                "set": [{"name": "x-out", "value": template}],
                "body": {"parseAs": "AsJson"},
                "extractors": {
                    "of_header": extractor(json!({"header": "x-long"})),
                    "of_body": extractor(json!({"body": {}})),
                },
            },
        });
        let program = Program::compile(config.to_string().as_bytes(), &CompileOptions::default());
        let program = program.unwrap_or_else(|problems| panic!("{}: {problems}", self.name));
        let long = "a=b; ".repeat(size / 5);
        let path = format!("/p?{}", "a=b&".repeat(size / 4));
        let mut headers = vec![(":path", &*path), ("cookie", &*long), ("x-long", &*long)];
        headers.extend(std::iter::repeat_n(("x-many", "a"), size / 64));
        let host = MemoryHost {
            request: Message::new(&headers, &*body),
            ..MemoryHost::default()
        };
        Prepared {
            program: Arc::new(program),
            host,
        }
    }
}

impl Prepared {
    /// What becomes of it does not matter, only what it takes.
    pub(crate) fn render(mut self) {
        let mut exchange = self.program.open();
        let _ = self.host.send(&mut exchange, Direction::Request);
    }
}
