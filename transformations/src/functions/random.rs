//! `replace_with_random`.

use std::borrow::Cow;

use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine};
use minijinja::Error;

use super::{Function, function, strings};

pub(super) const FUNCTIONS: &[Function] = &[function!(
    "replace_with_random",
    "replace_with_random(text, pattern)",
    "The text with every occurrence of the pattern replaced by one fresh 128-bit value in unpadded base64.",
    ("{{ replace_with_random(\"id-?\", \"?\")|length }}", "25"),
    (2, 2),
    None,
    |environment, private| environment.add_function(private, replace_with_random),
)];

fn replace_with_random(text: Cow<'_, str>, pattern: Cow<'_, str>) -> Result<String, Error> {
    let value = BASE64_STANDARD_NO_PAD.encode(rand::random::<[u8; 16]>());
    strings::replace(text, pattern, value.into())
}
