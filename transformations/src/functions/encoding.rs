//! Base64, standard and URL-safe. Encoding pads; decoding takes text with or without padding, since
//! tokens have none.

use std::borrow::Cow;

use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::Engine;

use minijinja::Error;

use super::{Function, function};
use crate::value::budget;

const EITHER_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, EITHER_PADDING);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, EITHER_PADDING);

pub(super) const FUNCTIONS: &[Function] = &[
    function!(
        "base64_encode",
        "base64_encode(text)",
        "The text in standard base64, padded.",
        ("{{ base64_encode(\"hi?>\") }}", "aGk/Pg=="),
        (1, 1),
        None,
        |environment, private| {
            environment.add_function(private, |text: Cow<'_, str>| encode(&STANDARD, &text));
        },
    ),
    function!(
        "base64_decode",
        "base64_decode(text)",
        "The text that standard base64 stands for, padded or not; empty if it is invalid or not UTF-8.",
        ("{{ base64_decode(\"aGk/Pg==\") }}", "hi?>"),
        (1, 1),
        None,
        |environment, private| {
            environment.add_function(private, |text: Cow<'_, str>| decode(&STANDARD, &text));
        },
    ),
    function!(
        "base64url_encode",
        "base64url_encode(text)",
        "The text in URL-safe base64, padded.",
        ("{{ base64url_encode(\"hi?>\") }}", "aGk_Pg=="),
        (1, 1),
        None,
        |environment, private| {
            environment.add_function(private, |text: Cow<'_, str>| encode(&URL_SAFE, &text));
        },
    ),
    function!(
        "base64url_decode",
        "base64url_decode(text)",
        "The text that URL-safe base64 stands for, padded or not; empty if it is invalid or not UTF-8.",
        ("{{ base64url_decode(\"aGk_Pg\") }}", "hi?>"),
        (1, 1),
        None,
        |environment, private| {
            environment.add_function(private, |text: Cow<'_, str>| decode(&URL_SAFE, &text));
        },
    ),
];

fn encode(alphabet: &GeneralPurpose, text: &str) -> Result<String, Error> {
    budget::charge(text.len().saturating_add(text.len() / 3))?;
    Ok(alphabet.encode(text))
}

fn decode(alphabet: &GeneralPurpose, text: &str) -> Result<String, Error> {
    budget::charge(text.len())?;
    Ok(to_text(alphabet, text).unwrap_or_default())
}

fn to_text(alphabet: &GeneralPurpose, text: &str) -> Option<String> {
    String::from_utf8(alphabet.decode(text).ok()?).ok()
}

/// The text that URL-safe base64 stands for, unless it is invalid or not UTF-8.
pub(super) fn decode_url_safe(text: &str) -> Option<String> {
    to_text(&URL_SAFE, text)
}
