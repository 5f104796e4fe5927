//! Digests and fresh identifiers: `sha256`, `hmac_sha256`, `uuid`.
//!
//! Called on worker threads while a template renders. Nothing is refused: every text has a digest,
//! and a key may have any length.

use std::borrow::Cow;
use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use minijinja::Error;
use sha2::{Digest, Sha256};

use super::{Function, function};
use crate::template::budget;

pub(super) const FUNCTIONS: &[Function] = &[
    function!(
        "sha256",
        "sha256(text)",
        "The SHA-256 digest of a text, in hexadecimal.",
        (
            "{{ sha256(\"abc\") }}",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (1, 1),
        None,
        |environment, name, _| environment.add_function(name, digest),
        filter "text | sha256",
        |environment, name, _| environment.add_filter(name, digest),
    ),
    function!(
        "hmac_sha256",
        "hmac_sha256(key, text)",
        "The HMAC-SHA-256 of a text under a key, in hexadecimal. The function takes the key first, the filter the text.",
        (
            "{{ hmac_sha256(\"Jefe\", \"what do ya want for nothing?\") }}",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (2, 2),
        None,
        |environment, name, _| environment.add_function(name, authenticate),
        filter "text | hmac_sha256(key)",
        |environment, name, _| {
            environment.add_filter(name, |text: Cow<'_, str>, key: Cow<'_, str>| {
                authenticate(key, text)
            });
        },
    ),
    function!(
        "uuid",
        "uuid()",
        "A fresh random UUID (version 4), another one with each call.",
        ("{{ uuid()|length }}", "36"),
        (0, 0),
        None,
        |environment, name, _| environment.add_function(name, || uuid(rand::random())),
    ),
];

fn digest(text: Cow<'_, str>) -> Result<String, Error> {
    budget::charge_reading(text.len())?;
    Ok(sha256(&text))
}

fn authenticate(key: Cow<'_, str>, text: Cow<'_, str>) -> Result<String, Error> {
    budget::charge_reading(key.len() + text.len())?;
    Ok(hmac_sha256(&key, &text))
}

/// The SHA-256 digest of `text`: 64 hexadecimal digits in lower case.
pub(crate) fn sha256(text: &str) -> String {
    to_hex(&Sha256::digest(text))
}

/// The HMAC-SHA-256 of `text` under `key`: 64 hexadecimal digits in lower case.
pub(crate) fn hmac_sha256(key: &str, text: &str) -> String {
    match Hmac::<Sha256>::new_from_slice(key.as_bytes()) {
        Ok(mac) => to_hex(&mac.chain_update(text).finalize().into_bytes()),
        // HMAC takes keys of any length, so this does not happen; no digest authenticates nothing.
        Err(_) => String::new(),
    }
}

/// The random (version 4) UUID that holds these bytes: 36 characters in lower case.
pub(crate) fn uuid(random: [u8; 16]) -> String {
    const VERSION: u128 = 0xF << 76;
    const VARIANT: u128 = 0b11 << 62;
    let bits = u128::from_be_bytes(random) & !VERSION & !VARIANT | 4 << 76 | 0b10 << 62;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        bits >> 96,
        bits >> 80 & 0xFFFF,
        bits >> 64 & 0xFFFF,
        bits >> 48 & 0xFFFF,
        bits & 0xFFFF_FFFF_FFFF,
    )
}

fn to_hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_fips_180() {
        assert_eq!(
            sha256(""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            sha256("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn authentication_codes_are_those_of_rfc_4231() {
        for (key, text, code) in [
            (
                "\u{b}".repeat(20),
                "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                "Jefe".to_owned(),
                "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
        ] {
            assert_eq!(hmac_sha256(&key, text), code);
        }
    }

    #[test]
    fn a_key_longer_than_a_block_or_empty_is_fine() {
        let long = "k".repeat(200);
        assert_eq!(hmac_sha256(&long, "x").len(), 64);
        assert_eq!(
            hmac_sha256("", ""),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
        );
    }

    #[test]
    fn a_uuid_says_that_it_is_random() {
        assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid([0xFF; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        let counting = std::array::from_fn(|at| at as u8);
        assert_eq!(uuid(counting), "00010203-0405-4607-8809-0a0b0c0d0e0f");
    }
}
