//! Digests, keyed digests and fresh identifiers: `sha256`, `hmac_sha256` and their kin, `uuid`.
//!
//! Called on worker threads while a template renders; a constant encoding is checked on the main
//! thread. Every text has a digest, and a key may have any length: refused are only encodings that
//! do not exist.

use std::borrow::Cow;
use std::fmt::Write;

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use minijinja::Error;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::{Function, function};
use crate::value::{Fault, budget};

pub(super) const FUNCTIONS: &[Function] = &[
    function!(
        "sha256",
        "sha256(text, encoding?)",
        "The SHA-256 digest of a text, in hexadecimal, or as \"base64\" or \"base64url\" (without padding, as tokens have it).",
        (
            "{{ sha256(\"abc\") }}",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (1, 2),
        Encoding(1),
        |environment, name| environment.add_function(name, digest::<Sha256>),
        filter "text | sha256(encoding?)",
        |environment, name| environment.add_filter(name, digest::<Sha256>),
    ),
    function!(
        "sha512",
        "sha512(text, encoding?)",
        "As sha256, the SHA-512 digest.",
        (
            "{{ sha512(\"abc\", \"base64\") }}",
            "3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==",
        ),
        (1, 2),
        Encoding(1),
        |environment, name| environment.add_function(name, digest::<Sha512>),
        filter "text | sha512(encoding?)",
        |environment, name| environment.add_filter(name, digest::<Sha512>),
    ),
    function!(
        "sha1",
        "sha1(text, encoding?)",
        "As sha256, the SHA-1 digest. It is broken: only for what an older partner asks for.",
        (
            "{{ sha1(\"abc\") }}",
            "a9993e364706816aba3e25717850c26c9cd0d89d"
        ),
        (1, 2),
        Encoding(1),
        |environment, name| environment.add_function(name, digest::<Sha1>),
        filter "text | sha1(encoding?)",
        |environment, name| environment.add_filter(name, digest::<Sha1>),
    ),
    function!(
        "hmac_sha256",
        "hmac_sha256(key, text, encoding?)",
        "The HMAC-SHA-256 of a text under a key, encoded as by sha256. The function takes the key first, the filter the text.",
        (
            "{{ hmac_sha256(\"Jefe\", \"what do ya want for nothing?\") }}",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (2, 3),
        Encoding(2),
        |environment, name| environment.add_function(name, authenticate::<Sha256>),
        filter "text | hmac_sha256(key, encoding?)",
        |environment, name| environment.add_filter(name, authenticated::<Sha256>),
    ),
    function!(
        "hmac_sha512",
        "hmac_sha512(key, text, encoding?)",
        "As hmac_sha256, the HMAC-SHA-512.",
        (
            "{{ hmac_sha512(\"Jefe\", \"what do ya want for nothing?\", \"base64url\") }}",
            "Fkt6e_z4GeLjlfvnO1bgo4e9ZCIugx_WECcM1-olBVSXWL91wFqZSm0DT2X48Ob9yuqxo01Ka0tjbgcKOLznNw",
        ),
        (2, 3),
        Encoding(2),
        |environment, name| environment.add_function(name, authenticate::<Sha512>),
        filter "text | hmac_sha512(key, encoding?)",
        |environment, name| environment.add_filter(name, authenticated::<Sha512>),
    ),
    function!(
        "hmac_sha1",
        "hmac_sha1(key, text, encoding?)",
        "As hmac_sha256, the HMAC-SHA-1, which older webhooks are signed with.",
        (
            "{{ hmac_sha1(\"Jefe\", \"what do ya want for nothing?\") }}",
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
        ),
        (2, 3),
        Encoding(2),
        |environment, name| environment.add_function(name, authenticate::<Sha1>),
        filter "text | hmac_sha1(key, encoding?)",
        |environment, name| environment.add_filter(name, authenticated::<Sha1>),
    ),
    function!(
        "uuid",
        "uuid()",
        "A fresh random UUID (version 4), another one with each call.",
        ("{{ uuid()|length }}", "36"),
        (0, 0),
        None,
        |environment, name| environment.add_function(name, || uuid(rand::random())),
    ),
];

/// How the bytes of a digest are written as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    /// Two digits for each byte, in lower case.
    Hex,
    /// Standard base64, padded.
    Base64,
    /// URL-safe base64 without padding, as JSON Web Signatures and PKCE have it.
    Base64Url,
}

impl Encoding {
    fn of(name: Option<&str>) -> Result<Encoding, Fault> {
        match name {
            None | Some("hex") => Ok(Encoding::Hex),
            Some("base64") => Ok(Encoding::Base64),
            Some("base64url") => Ok(Encoding::Base64Url),
            Some(_) => Err(Fault::DigestEncoding),
        }
    }

    fn encode(self, bytes: &[u8]) -> String {
        match self {
            Encoding::Hex => to_hex(bytes),
            Encoding::Base64 => BASE64_STANDARD.encode(bytes),
            Encoding::Base64Url => BASE64_URL_SAFE_NO_PAD.encode(bytes),
        }
    }
}

/// Checks the name of an encoding without a digest.
///
/// # Errors
///
/// There is no such encoding.
pub(crate) fn check_encoding(name: &str) -> Result<(), Fault> {
    Encoding::of(Some(name)).map(drop)
}

fn digest<D: Digest>(text: Cow<'_, str>, encoding: Option<Cow<'_, str>>) -> Result<String, Error> {
    let encoding = Encoding::of(encoding.as_deref())?;
    budget::charge_reading(text.len())?;
    Ok(encoding.encode(&D::digest(&*text)))
}

fn authenticate<D: EagerHash>(
    key: Cow<'_, str>,
    text: Cow<'_, str>,
    encoding: Option<Cow<'_, str>>,
) -> Result<String, Error> {
    let encoding = Encoding::of(encoding.as_deref())?;
    budget::charge_reading(key.len() + text.len())?;
    Ok(match Hmac::<D>::new_from_slice(key.as_bytes()) {
        Ok(mac) => encoding.encode(&mac.chain_update(&*text).finalize().into_bytes()),
        // HMAC takes keys of any length, so this does not happen; no digest authenticates nothing.
        Err(_) => String::new(),
    })
}

/// The filter, which is applied to the text.
fn authenticated<D: EagerHash>(
    text: Cow<'_, str>,
    key: Cow<'_, str>,
    encoding: Option<Cow<'_, str>>,
) -> Result<String, Error> {
    authenticate::<D>(key, text, encoding)
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

    fn digest_of<D: Digest>(text: &str) -> String {
        budget::open(1 << 20);
        digest::<D>(text.into(), None).unwrap()
    }

    fn code_of<D: EagerHash>(key: &str, text: &str) -> String {
        budget::open(1 << 20);
        authenticate::<D>(key.into(), text.into(), None).unwrap()
    }

    #[test]
    fn digests_are_those_of_fips_180() {
        assert_eq!(
            digest_of::<Sha256>(""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            digest_of::<Sha256>("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            digest_of::<Sha512>("abc"),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        );
        assert_eq!(
            digest_of::<Sha1>("abc"),
            "a9993e364706816aba3e25717850c26c9cd0d89d"
        );
    }

    #[test]
    fn authentication_codes_are_those_of_rfc_2202_and_4231() {
        let (key, text) = ("\u{b}".repeat(20), "Hi There");
        assert_eq!(
            code_of::<Sha1>(&key, text),
            "b617318655057264e28bc0b6fb378c8ef146be00"
        );
        assert_eq!(
            code_of::<Sha256>(&key, text),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        assert_eq!(
            code_of::<Sha512>(&key, text),
            "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde\
             daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"
        );
    }

    #[test]
    fn a_key_longer_than_a_block_or_empty_is_fine() {
        let long = "k".repeat(200);
        assert_eq!(code_of::<Sha256>(&long, "x").len(), 64);
        assert_eq!(
            code_of::<Sha256>("", ""),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
        );
    }

    #[test]
    fn encodings_have_the_names_and_the_padding_that_are_documented() {
        let bytes = [0xFB, 0xFF, 0x00, 0x0F];
        for (name, text) in [
            (None, "fbff000f"),
            (Some("hex"), "fbff000f"),
            (Some("base64"), "+/8ADw=="),
            (Some("base64url"), "-_8ADw"),
        ] {
            let encoding = Encoding::of(name).unwrap();
            assert_eq!(encoding.encode(&bytes), text, "{name:?}");
        }
        for name in ["", "Base64", "base32"] {
            assert_eq!(check_encoding(name), Err(Fault::DigestEncoding), "{name}");
        }
    }

    #[test]
    fn a_uuid_says_that_it_is_random() {
        assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid([0xFF; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        let counting = std::array::from_fn(|at| at as u8);
        assert_eq!(uuid(counting), "00010203-0405-4607-8809-0a0b0c0d0e0f");
    }
}
