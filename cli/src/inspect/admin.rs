//! Envoy's admin interface: where it is, and what it answers.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use ureq::Agent;

/// How long an answer may take as a whole.
const PATIENCE: Duration = Duration::from_secs(30);
/// A dump of a proxy with thousands of routes is long.
const LONGEST_ANSWER: u64 = 64 << 20;

/// Where an Envoy is asked.
#[derive(Clone, Debug)]
pub(super) struct Admin {
    base: String,
}

/// The Envoy that answers.
#[derive(Debug)]
pub(super) struct Server {
    /// Such as `1.40.0`.
    pub(super) version: String,
    /// Such as `LIVE`.
    pub(super) state: String,
    pub(super) uptime: String,
}

impl Admin {
    /// What stands on the command line.
    ///
    /// # Errors
    /// What would be right.
    pub(super) fn parse(text: &str) -> Result<Admin, String> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let rest = rest.trim_end_matches('/');
        if scheme != "http" || rest.is_empty() || rest.contains(['/', '?', '#', '@']) {
            return Err("expected http://HOST:PORT, such as http://127.0.0.1:9901; the admin interface of Envoy has no TLS and no path".to_owned());
        }
        let host = match rest.strip_prefix(':') {
            Some(port) => format!("127.0.0.1:{port}"),
            None => rest.to_owned(),
        };
        if !has_port(&host) {
            return Err(format!(
                "no port is named; Envoy's admin interface usually listens on 9901: {host}:9901"
            ));
        }
        Ok(Admin {
            base: format!("http://{host}"),
        })
    }

    /// The body of an answer.
    ///
    /// # Errors
    /// If there is none, or it is not a 200.
    pub(super) fn get(&self, path: &str) -> Result<String> {
        let config = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0)
            // What the environment says is for other hosts.
            .proxy(None)
            .build();
        let asked = Agent::new_with_config(config).get(format!("{}{path}", self.base));
        let mut answer = asked.call().map_err(|error| self.told(path, error))?;
        if answer.status() != 200 {
            bail!(
                "{}{path} answers with {}: this is not the admin interface of an Envoy",
                self.base,
                answer.status().as_u16()
            );
        }
        let body = answer.body_mut().with_config().limit(LONGEST_ANSWER);
        body.lossy_utf8(true)
            .read_to_string()
            .map_err(|error| self.told(path, error))
    }

    /// What went wrong, and with what.
    fn told(&self, path: &str, error: ureq::Error) -> anyhow::Error {
        let asked = format!("{}{path}", self.base);
        match error {
            ureq::Error::Timeout(_) => anyhow!(
                "{asked} has not answered as a whole within {} s",
                PATIENCE.as_secs()
            ),
            ureq::Error::BodyExceedsLimit(_) => anyhow!(
                "{asked} answers with more than the {} MiB that are read",
                LONGEST_ANSWER >> 20
            ),
            error => anyhow::Error::new(error).context(format!(
                "{asked} does not answer; Envoy's admin interface usually listens on 9901"
            )),
        }
    }

    /// The Envoy that answers.
    ///
    /// # Errors
    /// If nobody does, or it is no Envoy.
    pub(super) fn server(&self) -> Result<Server> {
        let text = self.get("/server_info")?;
        let found = serde_json::from_str(&text).ok().and_then(|it| server(&it));
        found.with_context(|| {
            let base = &self.base;
            format!("{base}/server_info answers something else than Envoy's: this is not its admin interface")
        })
    }
}

fn has_port(host: &str) -> bool {
    let port = host.rsplit_once(':').filter(|(host, _)| {
        let is_bracketed = host.starts_with('[') && host.ends_with(']');
        is_bracketed || !host.contains(':')
    });
    port.is_some_and(|(_, port)| port.parse::<u16>().is_ok())
}

/// `version` is the revision, the release, the state of the sources, the build and the TLS library.
fn server(info: &Value) -> Option<Server> {
    let text = |name: &str| info.get(name).and_then(Value::as_str);
    let version = text("version")?;
    let release = version.split('/').nth(1)?;
    Some(Server {
        version: release.to_owned(),
        state: text("state").unwrap_or_default().to_owned(),
        uptime: text("uptime_current_epoch").unwrap_or_default().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::Admin;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for (text, base) in [
            (":9901", "http://127.0.0.1:9901"),
            ("localhost:19000", "http://localhost:19000"),
            ("http://[::1]:9901/", "http://[::1]:9901"),
        ] {
            assert_eq!(Admin::parse(text).unwrap().base, base);
        }
        for text in [
            "",
            "https://a:1",
            "http://a:1/stats",
            "http://u:p@a:1",
            "localhost",
            "[::1]",
            "http://a:no",
        ] {
            assert!(Admin::parse(text).is_err(), "{text}");
        }
    }
}
