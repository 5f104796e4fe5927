//! One request to Envoy's admin interface and its answer.
//!
//! Called by [`super::EnvoyProcess`] on the thread that asks; each call is one short connection.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};

use crate::client::Request;

/// The body of `method path`; anything but 200 is an error.
pub(super) fn ask(admin: SocketAddr, method: &str, path: &str) -> Result<String> {
    let answer = Request::new(admin, method, path)
        .try_send()
        .with_context(|| format!("Envoy's admin interface does not answer {path}"))?;
    if answer.status != 200 {
        bail!(
            "Envoy's admin interface answered {} to {path}",
            answer.status
        );
    }
    Ok(answer.text())
}
