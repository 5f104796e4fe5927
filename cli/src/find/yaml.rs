//! YAML, within the bounds that files of profiles have.

use serde_json::Value;
use serde_saphyr::{Options, UserMessageFormatter};

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
