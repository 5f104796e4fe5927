//! `jwt_payload`: what a JSON Web Token claims.
//!
//! Called on worker threads while a template renders. Nothing is verified here: that is what Envoy's
//! own filter is for, and a route that trusts claims needs it in front. A text that is no token has no
//! claims, and that is no error, since any client can send one.

use std::borrow::Cow;

use minijinja::{Error, Value};

use super::encoding::decode_url_safe;
use super::{Function, function};
use crate::value::budget;
use crate::value::to_value;
use formats::json::{Document, Kind};

pub(super) const FUNCTIONS: &[Function] = &[function!(
    "jwt_payload",
    "jwt_payload(token)",
    "The claims of a JSON Web Token, with or without \"Bearer \" before it, not verified; empty if it is no token.",
    (
        "{{ jwt_payload(\"Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4iLCJyb2xlcyI6WyJvcHMiXX0.c2ln\").sub }}",
        "ann"
    ),
    (1, 1),
    None,
    |environment, name| environment.add_function(name, jwt_payload),
    filter "token | jwt_payload",
    |environment, name| environment.add_filter(name, jwt_payload),
)];

fn jwt_payload(token: Cow<'_, str>) -> Result<Value, Error> {
    // Decoded, copied and parsed, as `fromjson` does it.
    budget::charge(token.len().saturating_mul(8))?;
    budget::charge_container()?;
    Ok(claims(&token)
        .map(|document| to_value(document.root()))
        .unwrap_or_default())
}

/// The middle one of a token's three parts, if that is a JSON object.
fn claims(token: &str) -> Option<Document> {
    let parts: Vec<&str> = without_scheme(token.trim()).split('.').take(4).collect();
    let [_, payload, _] = parts.as_slice() else {
        return None;
    };
    let document = Document::parse(decode_url_safe(payload)?).ok()?;
    (document.root().kind() == Kind::Object).then_some(document)
}

/// The token without the name of its authentication scheme, whose case does not matter.
fn without_scheme(token: &str) -> &str {
    match token.split_once(' ') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => rest.trim_start(),
        _ => token,
    }
}
