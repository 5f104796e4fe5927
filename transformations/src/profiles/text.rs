//! From the bytes of a file of profiles to a JSON value.
//!
//! YAML is read as of version 1.2 (`yes` and `off` are texts), within bounds on its size, its depth and what
//! its aliases stand for, so that no file makes a proxy run out of memory. A key that stands there twice is an
//! error in both languages that tell.

use serde_json::Value;
use serde_saphyr::{Options, UserMessageFormatter};

/// How deep it may nest: what the reader of JSON allows.
const DEEPEST: usize = 128;
/// How many values there may be, those that aliases stand for included.
const MOST_NODES: usize = 100_000;

/// Reads JSON if the name of the file ends with `.json`, else YAML.
///
/// # Errors
/// What is wrong and where, without a piece of the text: it may hold secrets.
pub(super) fn to_value(file: &str, text: &[u8]) -> Result<Value, String> {
    let text = match str::from_utf8(text) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let at = error.valid_up_to();
            return Err(format!("the file is not UTF-8 text (byte {at})"));
        }
    };
    if file.to_ascii_lowercase().ends_with(".json") {
        return serde_json::from_str(text)
            .map_err(|error| format!("the file is not JSON: {error}"));
    }
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
        let error = error.render_with_formatter(&UserMessageFormatter);
        // Told in the words of its own types, and of each alias on the way.
        if error.contains("breached") {
            return format!(
                "the file holds more than {MOST_NODES} values, with what its aliases stand for, or they \
                 nest deeper than {DEEPEST}"
            );
        }
        format!("the file cannot be read as YAML: {error}")
    })
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEEPEST,
            max_nodes: MOST_NODES,
        },
        strict_booleans: true,
        with_snippet: false,
    }
}
