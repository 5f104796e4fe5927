//! What Envoy is started with: a bootstrap of the user's, or one around a configuration.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::upstream::Upstream;
use crate::find::yaml;

/// The name under which Envoy loads the module.
const MODULE: &str = "rust_module";

/// The name of the filter's entry in the chain, as kgateway has it.
const ENTRY: &str = "dynamic_modules/simple_mutations";

/// A listener on `address`, the filter with its configuration on the route for everything, and `upstream` behind it.
///
/// # Errors
/// If there is no way to the upstream.
pub(super) fn around(
    configuration: &str,
    address: SocketAddr,
    upstream: &Upstream,
) -> Result<Value, String> {
    let string = |text: &str| json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": text});
    let filter = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter",
        "dynamic_module_config": {"name": MODULE},
        "filter_name": "rustformation",
        "filter_config": string("{}"),
    });
    let on_route = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilterPerRoute",
        "dynamic_module_config": {"name": MODULE},
        "per_route_config_name": "rustformation",
        "filter_config": string(configuration),
    });
    let mut route = json!({"cluster": "upstream", "timeout": "0s"});
    if let Some(authority) = upstream.authority() {
        route["host_rewrite_literal"] = json!(authority);
    }
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "serve",
        "http_protocol_options": {"enable_trailers": true},
        "http_filters": [
            {"name": ENTRY, "disabled": true, "typed_config": filter},
            {"name": "envoy.filters.http.router", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
            }},
        ],
        "route_config": {"name": "serve", "virtual_hosts": [{
            "name": "serve",
            "domains": ["*"],
            "routes": [{
                "match": {"prefix": "/"},
                "route": route,
                "typed_per_filter_config": {ENTRY: on_route},
            }],
        }]},
    });
    Ok(json!({
        "admin": admin(),
        "static_resources": {
            "listeners": [{
                "name": "serve",
                "address": {"socket_address": {
                    "address": address.ip().to_string(), "port_value": address.port(),
                }},
                "filter_chains": [{"filters": [{
                    "name": "envoy.filters.network.http_connection_manager",
                    "typed_config": manager,
                }]}],
            }],
            "clusters": [upstream.cluster("upstream")?],
        },
    }))
}

/// An admin interface on a free port.
pub(super) fn admin() -> Value {
    json!({"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}})
}

/// A bootstrap of the user's.
#[derive(Debug, PartialEq)]
pub(super) struct Bootstrap {
    /// It has an admin interface.
    pub(super) has_admin: bool,
    /// Where it listens, as far as it says so itself.
    pub(super) listeners: Vec<SocketAddr>,
}

/// The bootstrap that a text is, if it is one: JSON or YAML with Envoy's outermost fields.
pub(super) fn read(text: &[u8]) -> Option<Bootstrap> {
    let text = str::from_utf8(text).ok()?;
    let document = yaml::documents(text).ok()?.into_iter().next()?;
    let either = |one: &str, other: &str| document.get(one).or_else(|| document.get(other));
    let is_bootstrap = [
        "static_resources",
        "staticResources",
        "dynamic_resources",
        "dynamicResources",
    ];
    if !is_bootstrap
        .iter()
        .any(|field| document.get(field).is_some())
    {
        return None;
    }
    let resources = either("static_resources", "staticResources");
    let listeners = resources.and_then(|it| it.get("listeners")?.as_array());
    Some(Bootstrap {
        has_admin: document.get("admin").is_some(),
        listeners: listeners
            .into_iter()
            .flatten()
            .filter_map(address)
            .collect(),
    })
}

fn address(listener: &Value) -> Option<SocketAddr> {
    let address = listener.get("address")?;
    let socket = address
        .get("socket_address")
        .or_else(|| address.get("socketAddress"))?;
    let port = socket
        .get("port_value")
        .or_else(|| socket.get("portValue"))?;
    let port = u16::try_from(port.as_u64()?).ok()?;
    Some(SocketAddr::new(
        socket.get("address")?.as_str()?.parse().ok()?,
        port,
    ))
}

#[cfg(test)]
mod tests {
    use super::{Bootstrap, read};

    #[test]
    fn a_bootstrap_is_known_by_its_fields_and_says_where_it_listens() {
        let ours = std::fs::read("../envoy.yaml").unwrap();
        let expected = Bootstrap {
            has_admin: true,
            listeners: vec!["0.0.0.0:8082".parse().unwrap()],
        };
        assert_eq!(read(&ours), Some(expected));
        let json = br#"{"staticResources": {"listeners": [
            {"address": {"socketAddress": {"address": "::1", "portValue": 1}}}, {"name": "x"}]}}"#;
        let expected = Bootstrap {
            has_admin: false,
            listeners: vec!["[::1]:1".parse().unwrap()],
        };
        assert_eq!(read(json), Some(expected));
        assert_eq!(read(b"{\"request\": {}}"), None);
        assert_eq!(read(b"- a"), None);
        assert_eq!(read(b"\xff"), None);
    }
}
