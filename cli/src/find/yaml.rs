//! YAML, within the bounds that files of profiles have.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_saphyr::{Options, Spanned, UserMessageFormatter};

/// All documents of a text.
///
/// # Errors
/// What is wrong, and where, without a piece of the text.
pub(crate) fn documents(text: &str) -> Result<Vec<Value>, String> {
    serde_saphyr::from_multiple_with_options(text, options()).map_err(|error| {
        let error = error.render_with_formatter(&UserMessageFormatter);
        format!("the file cannot be read as YAML: {error}")
    })
}

/// All documents of a text, with where they stand.
///
/// # Errors
/// The byte at which something is wrong.
pub(super) fn spanned<T: DeserializeOwned>(text: &str) -> Result<Vec<Spanned<T>>, usize> {
    let read = serde_saphyr::from_multiple_with_options(text, options());
    read.map_err(|error| {
        let place = error.location();
        place.map_or(0, |it| offset(text, it.line(), it.column()))
    })
}

/// The byte at a line and a column.
pub(super) fn offset(text: &str, line: u64, column: u64) -> usize {
    let small = |it: u64| usize::try_from(it.saturating_sub(1)).unwrap_or(usize::MAX);
    let lines = text.split_inclusive('\n');
    let before: usize = lines.take(small(line)).map(str::len).sum();
    let rest = text.get(before..).unwrap_or_default();
    let column = rest.char_indices().nth(small(column));
    before + column.map_or(rest.len(), |(at, _)| at)
}

fn options() -> Options {
    serde_saphyr::options! {
        // Larger than profiles may be: a dump of a proxy with thousands of routes is one document.
        budget: serde_saphyr::budget! {
            max_depth: 128,
            max_nodes: 10_000_000,
        },
        strict_booleans: true,
        with_snippet: false,
    }
}
