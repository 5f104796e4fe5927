//! Envoy bootstraps shaped as kgateway makes them: one listener, one connection manager, the
//! transformation filter in the chain but disabled, and routes that enable it with a configuration.
//!
//! Built by tests on their own thread; turned into JSON by [`crate::lab::Lab`] once the origin's port
//! is known. Nothing is checked here: what Envoy thinks of a configuration is what tests ask.

mod route;

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

pub use route::{Route, per_route};

/// The name of the filter's entry in the chain, as kgateway has it.
pub const CHAIN_ENTRY: &str = "dynamic_modules/simple_mutations";
/// The name of the filter inside the module, as kgateway 2.2 has it.
pub const FILTER_NAME: &str = "http_simple_mutations";
/// The name of the filter inside the module, as kgateway 2.3 and later have it.
pub const NEWER_FILTER_NAME: &str = "rustformation";

/// The extension of a cluster that says how it speaks HTTP.
const HTTP_OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

const MODULE_TYPE: &str =
    "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter";

/// The configuration given to a filter of the module.
#[derive(Clone, Debug)]
pub enum FilterConfig {
    /// No `filter_config` at all.
    Absent,
    /// A `StringValue` with this text: what kgateway sends.
    Text(String),
    /// Any other protobuf message, as JSON with its `@type`.
    Message(Value),
}

impl From<Value> for FilterConfig {
    fn from(document: Value) -> Self {
        Self::Text(document.to_string())
    }
}

impl From<&str> for FilterConfig {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl FilterConfig {
    fn put_into(&self, message: &mut Value) {
        let any = match self {
            Self::Absent => return,
            Self::Text(text) => {
                json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": text})
            }
            Self::Message(any) => any.clone(),
        };
        message["filter_config"] = any;
    }
}

/// A chain entry `entry` that runs filter `name` of the module.
pub fn module_filter(entry: &str, name: &str, config: &FilterConfig, disabled: bool) -> Value {
    let mut message = json!({
        "@type": MODULE_TYPE,
        "dynamic_module_config": {"name": "rust_module"},
        "filter_name": name,
    });
    config.put_into(&mut message);
    let mut entry = json!({"name": entry, "typed_config": message});
    if disabled {
        entry["disabled"] = json!(true);
    }
    entry
}

/// A bootstrap under construction.
#[derive(Clone, Debug)]
pub struct EnvoyConfig {
    routes: Vec<Route>,
    module: Option<(String, FilterConfig, bool)>,
    before: Vec<Value>,
    after: Vec<Value>,
    clusters: Vec<Value>,
    connection_manager: Vec<(String, Value)>,
    virtual_host: Vec<(String, Value)>,
    origin_cluster: Vec<(String, Value)>,
    buffer_limit: Option<u32>,
    routes_from_file: bool,
    http2_origin: Option<SocketAddr>,
    upstream_filter: Option<(String, FilterConfig)>,
    tls: Option<Value>,
}

impl Default for EnvoyConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl EnvoyConfig {
    /// As kgateway: the filter is there with configuration `{}`, disabled until a route enables it.
    /// Without routes everything goes to the origin.
    pub fn new() -> Self {
        Self {
            routes: Vec::new(),
            module: Some((FILTER_NAME.to_owned(), "{}".into(), true)),
            before: Vec::new(),
            after: Vec::new(),
            clusters: Vec::new(),
            connection_manager: Vec::new(),
            virtual_host: Vec::new(),
            origin_cluster: Vec::new(),
            buffer_limit: None,
            routes_from_file: false,
            http2_origin: None,
            upstream_filter: None,
            tls: None,
        }
    }

    /// No filter of the module at all.
    #[must_use]
    pub fn without_module(mut self) -> Self {
        self.module = None;
        self
    }

    /// Enables the filter for the whole listener with this configuration.
    #[must_use]
    pub fn filter_level(mut self, config: impl Into<FilterConfig>) -> Self {
        if let Some((_, filter_config, disabled)) = &mut self.module {
            *filter_config = config.into();
            *disabled = false;
        }
        self
    }

    /// Uses another filter of the module in the chain entry.
    #[must_use]
    pub fn filter_name(mut self, name: &str) -> Self {
        if let Some((filter_name, ..)) = &mut self.module {
            *filter_name = name.to_owned();
        }
        self
    }

    /// Adds a route; the first that matches wins.
    #[must_use]
    pub fn route(mut self, route: Route) -> Self {
        self.routes.push(route);
        self
    }

    /// Adds an HTTP filter before the module's (any, in Envoy's JSON).
    #[must_use]
    pub fn filter_before(mut self, filter: Value) -> Self {
        self.before.push(filter);
        self
    }

    /// Adds an HTTP filter between the module's and the router.
    #[must_use]
    pub fn filter_after(mut self, filter: Value) -> Self {
        self.after.push(filter);
        self
    }

    /// Adds a cluster beside `origin`.
    #[must_use]
    pub fn cluster(mut self, cluster: Value) -> Self {
        self.clusters.push(cluster);
        self
    }

    /// Sets any field of the connection manager.
    #[must_use]
    pub fn connection_manager(mut self, field: &str, value: Value) -> Self {
        self.connection_manager.push((field.to_owned(), value));
        self
    }

    /// Sets any field of the virtual host that holds the routes (`typed_per_filter_config`, ...).
    #[must_use]
    pub fn virtual_host(mut self, field: &str, value: Value) -> Self {
        self.virtual_host.push((field.to_owned(), value));
        self
    }

    /// Sets a field of cluster `origin`.
    #[must_use]
    pub fn origin_cluster(mut self, field: &str, value: Value) -> Self {
        self.origin_cluster.push((field.to_owned(), value));
        self
    }

    /// Lets clients upgrade to WebSocket.
    #[must_use]
    pub fn websocket(self) -> Self {
        self.connection_manager("upgrade_configs", json!([{"upgrade_type": "websocket"}]))
    }

    /// How many bytes Envoy buffers of a message, in both directions (Envoy's own default is 1 MiB).
    #[must_use]
    pub fn buffer_limit(mut self, bytes: u32) -> Self {
        self.buffer_limit = Some(bytes);
        self
    }

    /// Reads the routes from a file that [`crate::lab::Lab::replace_routes`] can replace, as a control
    /// plane would.
    #[must_use]
    pub fn routes_from_file(mut self) -> Self {
        self.routes_from_file = true;
        self
    }

    /// Sends what goes to `origin` to a server at `address` instead, over HTTP/2 without TLS. Clients
    /// need nothing of the kind: Envoy sees from their first bytes which HTTP they speak.
    #[must_use]
    pub fn http2_origin(mut self, address: SocketAddr) -> Self {
        self.http2_origin = Some(address);
        self
    }

    /// Runs the transformation filter in the chain of cluster `origin` too, with this configuration.
    #[must_use]
    pub fn upstream_filter(self, config: impl Into<FilterConfig>) -> Self {
        self.upstream_filter_named(NEWER_FILTER_NAME, config)
    }

    /// Runs this filter of the module in the chain of cluster `origin` too.
    #[must_use]
    pub fn upstream_filter_named(mut self, name: &str, config: impl Into<FilterConfig>) -> Self {
        self.upstream_filter = Some((name.to_owned(), config.into()));
        self
    }

    /// Speaks TLS with clients, HTTP/2 with those that offer it, and looks at the server name they ask
    /// for. All three are PEM: the server's certificate, its key, and the authority whose certificates
    /// clients may show if they want to.
    #[must_use]
    pub fn tls(mut self, certificate: &str, key: &str, authority: &str) -> Self {
        self.tls = Some(json!({
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                "require_client_certificate": false,
                "common_tls_context": {
                    "alpn_protocols": ["h2", "http/1.1"],
                    "tls_certificates": [{
                        "certificate_chain": {"inline_string": certificate},
                        "private_key": {"inline_string": key},
                    }],
                    "validation_context": {"trusted_ca": {"inline_string": authority}},
                },
            },
        }));
        self
    }

    /// Whether the bootstrap names the module.
    pub fn uses_module(&self) -> bool {
        self.module.is_some() || self.upstream_filter.is_some()
    }

    /// Whether routes are read from a file.
    pub(crate) fn reads_routes(&self) -> bool {
        self.routes_from_file
    }

    /// The bootstrap as JSON, with cluster `origin` at `origin` and, if routes come from a file, that
    /// file in `folder`.
    pub fn to_bootstrap(&self, origin: SocketAddr, folder: &Path) -> Value {
        let mut filters = self.before.clone();
        if let Some((name, config, disabled)) = &self.module {
            filters.push(module_filter(CHAIN_ENTRY, name, config, *disabled));
        }
        filters.extend(self.after.iter().cloned());
        filters.push(json!({
            "name": "envoy.filters.http.router",
            "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
        }));
        let mut manager = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "lab",
            // Envoy drops HTTP/1.1 trailers unless told otherwise, and tests are about what filters do.
            "http_protocol_options": {"enable_trailers": true},
            "http_filters": filters,
        });
        if self.routes_from_file {
            manager["rds"] = json!({
                "route_config_name": "lab",
                "config_source": {
                    "resource_api_version": "V3",
                    "path_config_source": {"path": folder.join("routes.json")},
                },
            });
        } else {
            manager["route_config"] = route::to_route_config(&self.routes, &self.virtual_host);
        }
        for (field, value) in &self.connection_manager {
            manager[field.as_str()] = value.clone();
        }
        let mut listener = json!({
            "name": "lab",
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
            "filter_chains": [{"name": "lab-chain", "filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": manager,
            }]}],
        });
        if let Some(transport_socket) = &self.tls {
            listener["filter_chains"][0]["transport_socket"] = transport_socket.clone();
            listener["listener_filters"] = json!([{
                "name": "envoy.filters.listener.tls_inspector",
                "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"},
            }]);
        }
        let mut clusters = vec![match self.http2_origin {
            // Trailers need no permission there.
            Some(origin) => origin_cluster(origin, &json!({"http2_protocol_options": {}})),
            None => origin_cluster(
                origin,
                &json!({"http_protocol_options": {"enable_trailers": true}}),
            ),
        }];
        if let Some((name, config)) = &self.upstream_filter {
            add_upstream_filter(&mut clusters[0], name, config);
        }
        for (field, value) in &self.origin_cluster {
            clusters[0][field.as_str()] = value.clone();
        }
        clusters.extend(self.clusters.iter().cloned());
        if let Some(limit) = self.buffer_limit {
            listener["per_connection_buffer_limit_bytes"] = json!(limit);
            clusters[0]["per_connection_buffer_limit_bytes"] = json!(limit);
        }
        json!({
            "node": {"id": "lab", "cluster": "lab"},
            "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
            "static_resources": {"listeners": [listener], "clusters": clusters},
        })
    }

    /// The routes as the file of a control plane holds them.
    pub fn to_routes_file(&self, version: u64) -> Value {
        self.with_routes(&self.routes, version)
    }

    /// The same with other routes.
    pub(crate) fn with_routes(&self, routes: &[Route], version: u64) -> Value {
        let mut resource = route::to_route_config(routes, &self.virtual_host);
        resource["@type"] = json!("type.googleapis.com/envoy.config.route.v3.RouteConfiguration");
        json!({"version_info": version.to_string(), "resources": [resource]})
    }
}

/// Gives a cluster a chain: a filter of the module, and what writes requests to the host.
fn add_upstream_filter(cluster: &mut Value, name: &str, config: &FilterConfig) {
    let options = &mut cluster["typed_extension_protocol_options"][HTTP_OPTIONS];
    options["http_filters"] = json!([
        // Under a name of its own: routes configure entries of both chains by their names.
        module_filter("provider", name, config, false),
        {"name": "codec", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec",
        }},
    ]);
}

fn origin_cluster(origin: SocketAddr, protocol: &Value) -> Value {
    json!({
        "name": "origin",
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {
            "cluster_name": "origin",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": {
                "address": origin.ip().to_string(), "port_value": origin.port(),
            }}}}]}],
        },
        "typed_extension_protocol_options": {
            HTTP_OPTIONS: {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": protocol,
            },
        },
    })
}
