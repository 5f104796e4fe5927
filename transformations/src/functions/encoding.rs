//! Base64, standard and URL-safe, both padded.

use std::borrow::Cow;

use base64::engine::GeneralPurpose;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, Engine};

use minijinja::Error;

use super::{Function, function};
use crate::template::budget;

pub(super) const FUNCTIONS: &[Function] = &[
    function!(
        "base64_encode",
        "base64_encode(text)",
        "The text in standard base64, padded.",
        ("{{ base64_encode(\"hi?>\") }}", "aGk/Pg=="),
        (1, 1),
        None,
        |environment, private, _| {
            environment.add_function(private, |text: Cow<'_, str>| {
                encode(&BASE64_STANDARD, &text)
            });
        },
    ),
    function!(
        "base64_decode",
        "base64_decode(text)",
        "The text that standard, padded base64 stands for; empty if it is invalid or not UTF-8.",
        ("{{ base64_decode(\"aGk/Pg==\") }}", "hi?>"),
        (1, 1),
        None,
        |environment, private, _| {
            environment.add_function(private, |text: Cow<'_, str>| {
                decode(&BASE64_STANDARD, &text)
            });
        },
    ),
    function!(
        "base64url_encode",
        "base64url_encode(text)",
        "The text in URL-safe base64, padded.",
        ("{{ base64url_encode(\"hi?>\") }}", "aGk_Pg=="),
        (1, 1),
        None,
        |environment, private, _| {
            environment.add_function(private, |text: Cow<'_, str>| {
                encode(&BASE64_URL_SAFE, &text)
            });
        },
    ),
    function!(
        "base64url_decode",
        "base64url_decode(text)",
        "The text that URL-safe, padded base64 stands for; empty if it is invalid or not UTF-8.",
        ("{{ base64url_decode(\"aGk_Pg==\") }}", "hi?>"),
        (1, 1),
        None,
        |environment, private, _| {
            environment.add_function(private, |text: Cow<'_, str>| {
                decode(&BASE64_URL_SAFE, &text)
            });
        },
    ),
];

fn encode(alphabet: &GeneralPurpose, text: &str) -> Result<String, Error> {
    budget::charge(text.len().saturating_add(text.len() / 3))?;
    Ok(alphabet.encode(text))
}

fn decode(alphabet: &GeneralPurpose, text: &str) -> Result<String, Error> {
    budget::charge(text.len())?;
    let bytes = alphabet.decode(text).unwrap_or_default();
    Ok(String::from_utf8(bytes).unwrap_or_default())
}
