//! Envoy in front of strict providers: a cluster with the filter for each, and a route to it.

use serde_json::{Value, json};

use super::StrictProvider;
use super::account::{ACCESS_KEY, API_VERSION, AWS_REGION, PROJECT, Provider, REGION};
use crate::config::{EnvoyConfig, Route, module_filter};

/// What signs requests to Bedrock in the place of a key: Envoy's own filter, with a key that stands
/// in its configuration.
const SIGNER: &str = "envoy.filters.http.aws_request_signing";

/// An Envoy that has every one of `providers` below its name: `/anthropic/v1/chat/completions`.
/// `more` are members of the filter's configuration, over what is usual.
pub fn all_behind_envoy(providers: &[StrictProvider], more: &Value) -> EnvoyConfig {
    providers
        .iter()
        .fold(EnvoyConfig::new(), |config, provider| {
            let cluster = provider.cluster(provider.provider().name(), more, &[]);
            config.cluster(cluster).route(provider.route())
        })
}

impl StrictProvider {
    /// The configuration of the filter `llm-provider`; the client's model `thinker` is one that thinks.
    pub fn filter(&self, more: &Value) -> Value {
        let provider = self.provider();
        let key = json!({"file": self.folder.path().join("key")});
        let mut filter = json!({
            "provider": provider.name(),
            "model": provider.model(),
            "models": {"thinker": provider.thinker(), "adaptive": provider.models()[2]},
            "auth": {"apiKey": key},
        });
        match provider {
            Provider::AzureOpenai => {
                filter["authority"] = json!(provider.host());
                filter["apiVersion"] = json!(API_VERSION);
            }
            Provider::VertexGemini | Provider::VertexAnthropic => {
                filter["auth"] = json!({"gcp": {"tokenFile": key["file"]}});
                filter["region"] = json!(REGION);
                filter["project"] = json!(PROJECT);
            }
            Provider::Bedrock | Provider::BedrockAnthropic => filter["region"] = json!(AWS_REGION),
            _ => {}
        }
        for (name, value) in more.as_object().into_iter().flatten() {
            filter[name] = value.clone();
        }
        filter
    }

    /// A cluster of this name with the filter, and behind it others, such as a signer.
    pub fn cluster(&self, name: &str, more: &Value, behind: &[Value]) -> Value {
        let filter = self.filter(more).into();
        let mut filters = vec![module_filter("llm", "llm-provider", &filter, false)];
        filters.extend_from_slice(behind);
        filters.push(json!({"name": "codec", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec",
        }}));
        json!({
            "name": name, "type": "STATIC", "connect_timeout": "5s",
            "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {
                "address": {"socket_address": {
                    "address": "127.0.0.1", "port_value": self.address().port(),
                }},
            }}]}]},
            "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http_protocol_options": {}},
                "http_filters": filters,
            }},
        })
    }

    /// The route below the provider's name, to the cluster of that name.
    pub fn route(&self) -> Route {
        let name = self.provider().name();
        Route::at(&format!("/{name}/"))
            .action("cluster", json!(name))
            .action("prefix_rewrite", json!("/"))
    }

    /// Envoy's filter that signs with `secret_key`.
    pub fn signer(secret_key: &str) -> Value {
        json!({"name": SIGNER, "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.aws_request_signing.v3.AwsRequestSigning",
            "service_name": "bedrock",
            "region": AWS_REGION,
            "credential_provider": {
                "custom_credential_provider_chain": true,
                "inline_credential": {"access_key_id": ACCESS_KEY, "secret_access_key": secret_key},
            },
        }})
    }
}
