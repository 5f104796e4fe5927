//! From what was found to the edits of a text.

use super::detect::Found;
use super::{Edit, escapes};

/// Puts `replacement` in the place of what was found.
pub(super) fn edit(found: Found, replacement: String) -> Edit {
    Edit {
        range: found.start..found.end,
        replacement,
    }
}

/// Moves edits of what `raw` stands for to where that is written.
pub(super) fn to_raw(raw: &str, edits: &mut [Edit]) {
    let mut places = escapes::Places::new(raw);
    for edit in edits {
        edit.range = places.raw(edit.range.start)..places.raw(edit.range.end);
    }
}
