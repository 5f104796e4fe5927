//! Markdown: the fences of JSON and YAML in it, as documents with their lines.
//!
//! Pages show pieces of configurations, too, and messages: what is no document that the module would be given is
//! passed over.

use super::{Found, document, yaml};

/// The configurations of a page.
pub(super) fn find(page: &str) -> Vec<Found> {
    let mut found = Vec::new();
    for (line, language, text) in fences(page) {
        let inside = match language {
            "json" => match serde_json::from_str(&text) {
                Ok(value) => document::find(&value, text.as_bytes()),
                Err(_) => Vec::new(),
            },
            _ => {
                let values = yaml::documents(&text).unwrap_or_default();
                let inside = values.iter().flat_map(|value| document::find(value, &[]));
                inside.collect()
            }
        };
        found.extend(inside.into_iter().map(|it| Found {
            line: Some(line),
            ..it
        }));
    }
    found
}

/// Fences of JSON and YAML: the line where their text begins, their language, their text without what indents
/// the fence.
fn fences(page: &str) -> Vec<(usize, &'static str, String)> {
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
            fences.push((number + 1, language, text));
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
        let text = |text: &str| text.to_owned();
        let expected = [
            (3, "json", text("{}\n")),
            (7, "yaml", text("a:\n  b: 1\n")),
            (13, "json", text("1\n")),
        ];
        assert_eq!(fences(page), expected);
    }
}
