//! Bootstraps with the parts that kgateway's have, on ports that are free.
//!
//! Built by the tests of the entrypoint. The control plane is either nowhere (ADS, as in a cluster that
//! has just started) or a pair of files with the same resources.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

use k8s_check::tree::Line;
use serde_json::{Value, json};

/// The ports of one proxy; kgateway's are 19000, 8082 and the listener's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    /// Envoy's admin interface.
    pub(crate) admin: SocketAddr,
    /// Where probes ask.
    pub(crate) readiness: SocketAddr,
    /// Where clients come in.
    pub(crate) listener: SocketAddr,
}

impl Ports {
    /// Three ports that were free a moment ago.
    pub(crate) fn free() -> Self {
        let sockets = [0; 3].map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap());
        let [admin, readiness, listener] = sockets
            .each_ref()
            .map(|socket| socket.local_addr().unwrap());
        Self {
            admin,
            readiness,
            listener,
        }
    }
}

fn address(at: SocketAddr) -> Value {
    json!({"socket_address": {"address": at.ip().to_string(), "port_value": at.port()}})
}

fn endpoints(cluster: &str, at: Value) -> Value {
    json!({"cluster_name": cluster, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": at}}]}]})
}

/// A listener with one connection manager.
pub(crate) fn http_listener(name: &str, at: SocketAddr, routes: Value, filters: &[Value]) -> Value {
    let mut filters = filters.to_vec();
    filters.push(json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
    }));
    json!({
        "name": name,
        "address": address(at),
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                "stat_prefix": name,
                "route_config": {
                    "name": name,
                    "virtual_hosts": [{"name": name, "domains": ["*"], "routes": routes}],
                },
                "http_filters": filters,
            },
        }]}],
    })
}

/// A cluster of one address.
pub(crate) fn cluster(name: &str, at: SocketAddr) -> Value {
    json!({
        "name": name, "type": "STATIC", "connect_timeout": "5s",
        "load_assignment": endpoints(name, address(at)),
    })
}

/// The way to the control plane: a token read from a file is put into every request. Up to 2.3 a second
/// filter makes it a bearer token.
fn xds_cluster(line: Line, folder: &Path) -> Value {
    let mut filters = vec![json!({
        "name": "envoy.filters.http.credential_injector",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.credential_injector.v3.CredentialInjector",
            "overwrite": true,
            "credential": {
                "name": "envoy.http.injected_credentials.generic",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.http.injected_credentials.generic.v3.Generic",
                    "credential": {
                        "name": "xds-jwt-token",
                        "sds_config": {
                            "resource_api_version": "V3",
                            "path_config_source": {"path": folder.join("xds_service_account_token.json")},
                        },
                    },
                },
            },
        },
    })];
    if line != Line::V2_4 {
        filters.push(json!({
            "name": "envoy.filters.http.header_mutation",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
                "mutations": {"request_mutations": [{"append": {
                    "append_action": "OVERWRITE_IF_EXISTS",
                    "header": {"key": "Authorization", "value": "Bearer %REQ(Authorization)%"},
                }}]},
            },
        }));
    }
    filters.push(json!({
        "name": "envoy.filters.http.upstream_codec",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec",
        },
    }));
    // Port 9 of this machine: nobody is there, as before the controller is up.
    let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
    json!({
        "name": "xds_cluster",
        "connect_timeout": "5s",
        "cluster_type": {
            "name": "envoy.cluster.strict_dns",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster",
                "respect_dns_ttl": true,
            },
        },
        "load_assignment": endpoints("xds_cluster", address(nowhere)),
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {}},
                "http_filters": filters,
            },
        },
    })
}

/// What kgateway of `line` mounts as envoy.yaml, with the other files of that folder written to
/// `folder`. `resources` are the files of a control plane on disk; without them it is ADS.
pub(crate) fn managed(
    line: Line,
    folder: &Path,
    ports: Ports,
    resources: Option<(Value, Value)>,
) -> Value {
    let token = json!({"resources": [{
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
        "name": "xds-jwt-token",
        "generic_secret": {"secret": {"inline_string": "token"}},
    }]});
    std::fs::write(
        folder.join("xds_service_account_token.json"),
        token.to_string(),
    )
    .unwrap();
    let (lds, cds) = match resources {
        Some((listener, cluster)) => {
            let from_file = |name: &str, kind: &str, mut resource: Value| {
                resource["@type"] = json!(format!("type.googleapis.com/envoy.config.{kind}"));
                let file = folder.join(name);
                let text = json!({"version_info": "1", "resources": [resource]}).to_string();
                std::fs::write(&file, text).unwrap();
                json!({"resource_api_version": "V3", "path_config_source": {"path": file}})
            };
            (
                from_file("lds.json", "listener.v3.Listener", listener),
                from_file("cds.json", "cluster.v3.Cluster", cluster),
            )
        }
        None => {
            let mut source = json!({"resource_api_version": "V3", "ads": {}});
            if line != Line::V2_2 {
                source["initial_fetch_timeout"] = json!("0s");
            }
            (source.clone(), source)
        }
    };
    let ready = json!([{"match": {"path": "/ready"}, "route": {"cluster": "admin_port_cluster"}}]);
    let health_check = json!({
        "name": "envoy.filters.http.health_check",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.health_check.v3.HealthCheck",
            "pass_through_mode": false,
            "headers": [{"name": ":path", "string_match": {"exact": "/envoy-hc"}}],
        },
    });
    json!({
        "admin": {"address": address(ports.admin)},
        "layered_runtime": {"layers": [
            {"name": "static_layer", "static_layer": {"envoy.restart_features.use_eds_cache_for_ads": true}},
            {"name": "admin_layer", "admin_layer": {}},
        ]},
        "node": {
            "cluster": "ai-gateway.kgateway-system",
            "metadata": {"role": "kgateway-kube-gateway-api~kgateway-system~ai-gateway"},
        },
        "static_resources": {
            "listeners": [http_listener("readiness_listener", ports.readiness, ready, &[health_check])],
            "clusters": [xds_cluster(line, folder), cluster("admin_port_cluster", ports.admin)],
        },
        "dynamic_resources": {
            "ads_config": {
                "api_type": "GRPC",
                "transport_api_version": "V3",
                "rate_limit_settings": {},
                "grpc_services": [{"envoy_grpc": {"cluster_name": "xds_cluster"}}],
            },
            "cds_config": cds,
            "lds_config": lds,
        },
    })
}
