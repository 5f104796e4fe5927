//! Markdown: the fences of JSON and YAML in it, as documents with their lines.
//!
//! Pages show pieces of configurations, too, and messages: what is no document that the module would be given is
//! passed over.

use super::locate::Around;
use super::{Found, document, yaml};

/// The configurations of a page.
pub(super) fn find(page: &str) -> Vec<Found> {
    let mut found = Vec::new();
    for fence in fences(page) {
        let text = fence.text;
        let inside = match fence.language {
            "json" => match serde_json::from_str(&text) {
                Ok(value) => document::find(&value, text.as_bytes()),
                Err(_) => Vec::new(),
            },
            _ => {
                let values = yaml::documents(&text).unwrap_or_default();
                document::find_all(&values, &[])
            }
        };
        let around = Around::Lines {
            first: fence.first,
            count: text.lines().count(),
            indent: fence.indent,
        };
        let inside = inside.into_iter();
        found.extend(inside.map(|it| it.moved(|spot| spot.within(around.clone()))));
    }
    found
}

/// A fence of JSON or YAML.
#[derive(Debug, PartialEq, Eq)]
struct Fence {
    /// The line where its text begins.
    first: usize,
    indent: usize,
    language: &'static str,
    /// Its text without what indents the fence.
    text: String,
}

fn fences(page: &str) -> Vec<Fence> {
    let mut fences = Vec::new();
    let mut lines = page.lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        let inner = line.trim_start();
        let indent = line.len() - inner.len();
        let Some(info) = inner.strip_prefix("```") else {
            continue;
        };
        let language = match info.trim() {
            "json" => Some("json"),
            "yaml" | "yml" => Some("yaml"),
            _ => None,
        };
        let mut text = String::new();
        for (line, _) in lines.by_ref() {
            if line.trim_start().starts_with("```") {
                break;
            }
            let blank = line.len() - line.trim_start().len();
            text.push_str(line.get(indent.min(blank)..).unwrap_or_default());
            text.push('\n');
        }
        if let Some(language) = language {
            fences.push(Fence {
                first: number + 1,
                indent,
                language,
                text,
            });
        }
    }
    fences
}

#[cfg(test)]
mod tests {
    use super::fences;

    #[test]
    fn fences_are_told_apart_with_their_lines() {
        let page =
            "# a\n```json\n{}\n```\n- b\n  ```yaml\n  a:\n    b: 1\n  ```\n```sh\n```\n```json\n1";
        let expected = [
            (3, 0, "json", "{}\n"),
            (7, 2, "yaml", "a:\n  b: 1\n"),
            (13, 0, "json", "1\n"),
        ];
        let found = fences(page);
        let found = found.iter();
        let found: Vec<_> = found
            .map(|it| (it.first, it.indent, it.language, it.text.as_str()))
            .collect();
        assert_eq!(found, expected);
    }
}
