//! Keeps the tables of `docs/configuration.md`, `docs/llm.md` and `docs/providers.md`, and the schemas beside them,
//! in step with the table of fields.
//!
//! With `UPDATE_DOCS=1` the tests rewrite them.

#![allow(clippy::unwrap_used, reason = "a test says no by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use llm::facts::{Fact, FactKind};
use transformations::config::Schema;
use transformations::config::fields::ai::publish::FROM;
use transformations::config::fields::shape::{Flag, Unit, View, Whole};
use transformations::config::fields::{AnyField, Object, Policy, access, provider, top};
use transformations::stats::{Metric, MetricKind};

const BEGIN: &str = "<!-- fields of ";
const END: &str = "<!-- end of fields -->";

#[test]
fn the_pages_have_the_tables_of_all_fields() {
    tables_of("configuration.md", 7);
    tables_of("llm.md", 7);
    tables_of("providers.md", 6);
    // The same page, so not by tests of their own.
    table_of_facts();
    table_of_statistics();
}

fn tables_of(page: &str, least: usize) {
    let objects = objects();
    let path = docs(page);
    let page = std::fs::read_to_string(&path).unwrap();
    let mut parts = page.split(BEGIN);
    let mut fresh = parts.next().unwrap().to_owned();
    let mut count = 0;
    for part in parts {
        let (names, rest) = part.split_once(" -->\n").unwrap();
        let (_, after) = rest
            .split_once(END)
            .unwrap_or_else(|| panic!("{names} has no end"));
        let named = names
            .split(" and ")
            .map(|name| objects.get(name).unwrap_or_else(|| panic!("{name}")));
        let table = table(&named.copied().collect::<Vec<_>>());
        write!(fresh, "{BEGIN}{names} -->\n{table}{END}{after}").unwrap();
        count += 1;
    }
    assert!(count >= least, "only {count} tables");
    keep(path, &page, &fresh);
}

#[test]
fn the_schemas_are_those_of_the_code() {
    for schema in Schema::ALL {
        let path = docs(&match schema {
            Schema::Configuration => "schema.json".to_owned(),
            other => format!("schema-{}.json", other.name()),
        });
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        let fresh = serde_json::to_string_pretty(&schema.to_json()).unwrap() + "\n";
        keep(path, &written, &fresh);
    }
}

fn table_of_facts() {
    let mut table = String::from("| fact | kind | meaning |\n|---|---|---|\n");
    for fact in Fact::ALL
        .iter()
        .filter(|fact| FROM.shape.all.iter().any(|(_, it)| it == *fact))
    {
        let kind = match fact.kind() {
            FactKind::Number => "number",
            FactKind::Text => "text",
        };
        writeln!(
            table,
            "| `{}` | {kind} | {} |",
            fact.name(),
            fact.describe()
        )
        .unwrap();
    }
    keep_table("facts", &table);
}

fn table_of_statistics() {
    let mut table =
        String::from("| metric | `type` | counts | in OpenTelemetry |\n|---|---|---|---|\n");
    for metric in Metric::ALL {
        let kind = match metric.kind() {
            MetricKind::Counter => "",
            MetricKind::Histogram => ", a histogram",
        };
        writeln!(
            table,
            "| `{}`{kind} | {} | {} | {} |",
            metric.name(),
            metric.by().unwrap_or_default(),
            metric.describe(),
            metric.stands_for().unwrap_or_default(),
        )
        .unwrap();
    }
    keep_table("statistics", &table);
}

/// Rewrites a table of the page about LLM traffic.
fn keep_table(name: &str, table: &str) {
    let path = docs("llm.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = (
        format!("<!-- {name} -->\n"),
        format!("<!-- end of {name} -->"),
    );
    let (before, rest) = page.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    let fresh = format!("{before}{begin}{table}{end}{after}");
    keep(path, &page, &fresh);
}

/// Rewrites a file that is not what it should be, or says so.
fn keep(path: PathBuf, written: &str, fresh: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, fresh).unwrap();
    } else {
        let name = path.file_name().unwrap().display();
        assert!(
            written == fresh,
            "docs/{name} is stale: run make reference, then read the difference"
        );
    }
}

fn docs(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "docs", name]
        .iter()
        .collect()
}

/// Every object of a configuration of each filter, by its name.
fn objects() -> BTreeMap<&'static str, &'static Object> {
    let mut found = BTreeMap::new();
    for object in [
        &top::CONFIGURATION,
        &access::ACCESS_LIST,
        &provider::ONE,
        &provider::SEVERAL,
    ] {
        visit(&View::Object(object), &mut found);
    }
    found
}

fn visit(view: &View, found: &mut BTreeMap<&'static str, &'static Object>) {
    match view {
        View::Object(object) | View::OneOf(object) => {
            if found.insert(object.name, *object).is_none() {
                object
                    .fields()
                    .for_each(|field| visit(&field.shape.view(), found));
            }
        }
        View::List(list) => visit(&list.of.view(), found),
        View::Names(names) => visit(&names.of.view(), found),
        View::Forms(forms) => forms
            .all
            .iter()
            .for_each(|form| visit(&form.shape.view(), found)),
        View::Text(_)
        | View::Whole(_)
        | View::Number
        | View::Flag(_)
        | View::Words(..)
        | View::Json => {}
    }
}

/// The fields of some objects, those that they share once.
fn table(objects: &[&Object]) -> String {
    let mut fields: Vec<&AnyField> = Vec::new();
    for field in objects.iter().flat_map(|object| object.fields()) {
        if !fields.iter().any(|known| known.name == field.name) {
            fields.push(field);
        }
    }
    let has_defaults = fields.iter().any(|field| !default(field).is_empty());
    let has_policies = fields.iter().any(|field| field.policy != Policy::AsHolder);
    let columns = [("default", has_defaults), ("policy", has_policies)];
    let shown = columns.iter().filter(|(_, is_shown)| *is_shown);
    let (names, rules): (String, String) = shown
        .map(|(name, _)| (format!(" {name} |"), "---|"))
        .unzip();
    let mut table = format!("| field |{names} meaning |\n|---|{rules}---|\n");
    for field in fields {
        write!(table, "| `{}` |", field.name).unwrap();
        if has_defaults {
            write!(table, "{} |", spaced(&default(field))).unwrap();
        }
        if has_policies {
            write!(table, "{} |", spaced(&field.policy.to_string())).unwrap();
        }
        writeln!(table, " {} |", meaning(field)).unwrap();
    }
    table
}

fn spaced(cell: &str) -> String {
    if cell.is_empty() {
        String::new()
    } else {
        format!(" {cell}")
    }
}

fn default(field: &AnyField) -> String {
    match field.shape.view() {
        _ if field.is_needed => "needed".to_owned(),
        View::Whole(Whole {
            default: Some(default),
            unit,
            ..
        }) => number(default, unit),
        View::Words(_, Some(default)) => format!("`{default}`"),
        View::Flag(Flag {
            default: Some(default),
        }) => format!("`{default}`"),
        _ => field.absent.to_owned(),
    }
}

fn meaning(field: &AnyField) -> String {
    let mut text = field.text.to_owned();
    if let View::Whole(Whole { most, unit, .. }) = field.shape.view()
        && most < u64::MAX
    {
        write!(text, " (at most {})", number(most, unit)).unwrap();
    }
    if let Some((major, minor)) = field.envoy {
        write!(text, ". Needs Envoy {major}.{minor}").unwrap();
    }
    text
}

fn number(number: u64, unit: Unit) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit_of = |(size, _): &&(u64, &str)| {
        unit == Unit::Bytes && number > 0 && number.is_multiple_of(*size)
    };
    if let Some((size, name)) = units.iter().find(unit_of) {
        return format!("{} {name}", number / size);
    }
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
