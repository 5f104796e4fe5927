//! Where requests go: a host, its port, and whether it speaks TLS.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::str::FromStr;

use axum::http::Uri;
use serde_json::{Value, json};

/// Bundles of certificate authorities, as distributions have them.
const AUTHORITIES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/ssl/cert.pem",
];

/// The variable that names another bundle, as for OpenSSL.
const AUTHORITIES_VARIABLE: &str = "SSL_CERT_FILE";

/// The host that a proxy is in front of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Upstream {
    host: String,
    port: u16,
    is_tls: bool,
    /// What its requests have as host; `None` leaves what the client says.
    authority: Option<String>,
}

impl FromStr for Upstream {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            format!("{why}; write a scheme, a host and a port, such as http://127.0.0.1:8080")
        };
        let uri: Uri = text.parse().map_err(|_| wrong("this is not a URL"))?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong("an upstream is http:// or https://")),
        };
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong("an upstream has no path; requests keep theirs"));
        }
        let authority = uri.authority().ok_or_else(|| wrong("there is no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("an upstream has no user"));
        }
        let host = uri.host().unwrap_or_default();
        let port = match authority.as_str().strip_prefix(host) {
            Some("") | None => Some(if is_tls { 443 } else { 80 }),
            Some(rest) => rest.trim_start_matches(':').parse().ok(),
        };
        let port = port.filter(|port| *port > 0);
        let port = port.ok_or_else(|| wrong("a port is a number up to 65535"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Ok(Upstream {
            host: host.to_owned(),
            port,
            is_tls,
            authority: Some(authority.to_string()),
        })
    }
}

impl Upstream {
    /// A server of this process.
    pub(super) fn own(address: SocketAddr) -> Upstream {
        Upstream {
            host: address.ip().to_string(),
            port: address.port(),
            is_tls: false,
            authority: None,
        }
    }

    /// What its requests have as host, if it is not what the client says.
    pub(super) fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// The cluster of it.
    ///
    /// # Errors
    /// If it speaks TLS and there are no certificate authorities to check it by.
    pub(super) fn cluster(&self, name: &str) -> Result<Value, String> {
        let is_address = self.host.parse::<IpAddr>().is_ok();
        let mut cluster = json!({
            "name": name,
            "type": if is_address { "STATIC" } else { "STRICT_DNS" },
            "dns_lookup_family": "V4_PREFERRED",
            "connect_timeout": "5s",
            "load_assignment": {
                "cluster_name": name,
                "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": {
                    "address": self.host, "port_value": self.port,
                }}}}]}],
            },
        });
        if self.is_tls {
            let kind = if is_address { "IP_ADDRESS" } else { "DNS" };
            let mut tls = json!({
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                "common_tls_context": {"validation_context": {
                    "trusted_ca": {"filename": authorities()?},
                    "match_typed_subject_alt_names": [
                        {"san_type": kind, "matcher": {"exact": self.host}},
                    ],
                }},
            });
            if !is_address {
                tls["sni"] = json!(self.host);
            }
            cluster["transport_socket"] =
                json!({"name": "envoy.transport_sockets.tls", "typed_config": tls});
        }
        Ok(cluster)
    }
}

fn authorities() -> Result<String, String> {
    if let Ok(named) = std::env::var(AUTHORITIES_VARIABLE) {
        return Ok(named);
    }
    let mut known = AUTHORITIES.into_iter();
    let found = known.find(|path| Path::new(path).is_file());
    found.map(str::to_owned).ok_or_else(|| {
        format!(
            "there are no certificate authorities on this machine to check an https upstream by; name a file of \
             them with {AUTHORITIES_VARIABLE}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::Upstream;

    #[test]
    fn an_upstream_is_a_scheme_a_host_and_a_port() {
        for (text, host, port, is_tls, authority) in [
            (
                "http://127.0.0.1:8080",
                "127.0.0.1",
                8080,
                false,
                "127.0.0.1:8080",
            ),
            (
                "https://api.example.com/",
                "api.example.com",
                443,
                true,
                "api.example.com",
            ),
            ("http://[::1]:81", "::1", 81, false, "[::1]:81"),
        ] {
            let expected = Upstream {
                host: host.to_owned(),
                port,
                is_tls,
                authority: Some(authority.to_owned()),
            };
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        for (text, why) in [
            ("127.0.0.1:8080", "http:// or https://"),
            ("ftp://h", "http:// or https://"),
            ("http://h/base", "has no path"),
            ("http://h?a=b", "has no path"),
            ("http://me@h", "has no user"),
            ("http://", "not a URL"),
            ("http://h:port", "a port is a number"),
            ("http://h:0", "a port is a number"),
            ("http://h:65536", "a port is a number"),
        ] {
            let error = text.parse::<Upstream>().unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
