//! Amazon's signatures, version 4, as who is asked checks them.
//!
//! Written from Amazon's description and nothing else: what signs here is Envoy. Called for each
//! signed request. Refuses signatures of other keys, regions, services, days, headers and bodies.

use axum::http::{HeaderMap, Uri};
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What stands for itself in a canonical path. A percent sign does not, so that what is encoded in
/// the request is encoded once more here.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Who signs, and for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signing {
    pub(super) access_key: &'static str,
    pub(super) secret_key: &'static str,
    pub(super) region: &'static str,
    pub(super) service: &'static str,
}

/// Checks a request; the error says what does not fit.
pub(super) fn verify(
    signing: &Signing,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), String> {
    let text = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.ok_or_else(|| format!("there is no {name}"))
    };
    let authorization = text("authorization")?;
    let rest = authorization.strip_prefix(ALGORITHM);
    let rest = rest.ok_or("the algorithm is not AWS4-HMAC-SHA256")?;
    let part = |name: &str| {
        let mut parts = rest.split(',').map(str::trim);
        let found = parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        found.ok_or_else(|| format!("authorization has no {name}"))
    };
    let (credential, signed) = (part("Credential")?, part("SignedHeaders")?);
    let time = text("x-amz-date")?;
    let day = time.split('T').next().unwrap_or_default();
    let scope = format!("{day}/{}/{}/aws4_request", signing.region, signing.service);
    if credential != format!("{}/{scope}", signing.access_key) {
        return Err(format!("the credential is {credential}"));
    }
    let mut lines = String::new();
    for name in signed.split(';') {
        let values = headers.get_all(name).iter();
        let values: Vec<_> = values.map(|value| trimmed(value.as_bytes())).collect();
        if values.is_empty() {
            return Err(format!("the signed header {name} is not there"));
        }
        lines += &format!("{name}:{}\n", values.join(","));
    }
    for needed in ["host", "x-amz-date"] {
        if !signed.split(';').any(|name| name == needed) {
            return Err(format!("{needed} is not signed"));
        }
    }
    let digest = hex(&Sha256::digest(body));
    if let Ok(told) = text("x-amz-content-sha256")
        && told != digest
    {
        return Err("x-amz-content-sha256 is not the digest of the body".to_owned());
    }
    let mut segments = uri.path().split('/');
    let path: Vec<String> = segments
        .by_ref()
        .map(|segment| utf8_percent_encode(segment, SEGMENT).to_string())
        .collect();
    let canonical = format!(
        "POST\n{}\n{}\n{lines}\n{signed}\n{digest}",
        path.join("/"),
        uri.query().unwrap_or_default()
    );
    let digest = hex(&Sha256::digest(canonical.as_bytes()));
    let to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{digest}");
    let first = format!("AWS4{}", signing.secret_key);
    let key = [day, signing.region, signing.service, "aws4_request"]
        .iter()
        .fold(first.into_bytes(), |key, part| keyed(&key, part));
    match part("Signature")? == hex(&keyed(&key, &to_sign)) {
        true => Ok(()),
        false => Err("the signature is of another request".to_owned()),
    }
}

fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    // Keys of any length are taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A value without white space around it, and with one blank for many inside.
fn trimmed(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNING: Signing = Signing {
        access_key: "AKIDEXAMPLE",
        secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        region: "us-east-1",
        service: "service",
    };
    /// The signature of `post-vanilla`, a case of the suite that Amazon publishes.
    const VANILLA: &str = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b";

    fn check(path: &str, signature: &str, date: &str, body: &[u8]) -> Result<(), String> {
        let mut headers = HeaderMap::new();
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature={signature}"
        );
        headers.insert("authorization", authorization.parse().unwrap());
        headers.insert("host", "example.amazonaws.com".parse().unwrap());
        headers.insert("x-amz-date", date.parse().unwrap());
        verify(&SIGNING, &path.parse().unwrap(), &headers, body)
    }

    #[test]
    fn a_signature_that_amazon_publishes_is_right() {
        assert_eq!(check("/", VANILLA, "20150830T123600Z", b""), Ok(()));
    }

    #[test]
    fn a_signature_of_anything_else_is_wrong() {
        let other = Err("the signature is of another request".to_owned());
        assert_eq!(check("/", VANILLA, "20150830T123600Z", b"{}"), other);
        assert_eq!(check("/x", VANILLA, "20150830T123600Z", b""), other);
        assert_eq!(check("/", VANILLA, "20150830T123601Z", b""), other);
        assert_eq!(check("/", "00", "20150830T123600Z", b""), other);
        let error = check("/", VANILLA, "20150831T123600Z", b"").unwrap_err();
        assert!(error.starts_with("the credential is"), "{error}");
    }
}
