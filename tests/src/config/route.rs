//! Routes of a test's configuration.
//!
//! Built by tests, turned into Envoy's JSON by [`super::EnvoyConfig`].

use serde_json::{Map, Value, json};

use super::{CHAIN_ENTRY, FILTER_NAME, FilterConfig};

const PER_ROUTE_TYPE: &str = "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilterPerRoute";

/// A route: what it matches, where it goes, and the module's configuration for it.
#[derive(Clone, Debug)]
pub struct Route {
    fields: Map<String, Value>,
    per_filter: Map<String, Value>,
    transform: Option<FilterConfig>,
    name: String,
    name_field: &'static str,
}

impl Route {
    /// Matches paths that begin with `prefix`; goes to the origin.
    pub fn at(prefix: &str) -> Self {
        let mut fields = Map::new();
        fields.insert("match".to_owned(), json!({"prefix": prefix}));
        fields.insert(
            "route".to_owned(),
            json!({"cluster": "origin", "timeout": "0s"}),
        );
        Self {
            fields,
            per_filter: Map::new(),
            transform: None,
            name: FILTER_NAME.to_owned(),
            name_field: "per_route_config_name",
        }
    }

    /// Enables the module's filter here with this configuration.
    #[must_use]
    pub fn transform(mut self, config: impl Into<FilterConfig>) -> Self {
        self.transform = Some(config.into());
        self
    }

    /// Uses another filter name inside the module.
    #[must_use]
    pub fn filter_name(mut self, name: &str) -> Self {
        self.name = name.to_owned();
        self
    }

    /// Says `filter_name` instead of `per_route_config_name`, as later control planes do
    /// ([`crate::differences::PER_ROUTE_FILTER_NAME`]).
    #[must_use]
    pub fn named_by_filter_name(mut self) -> Self {
        self.name_field = "filter_name";
        self
    }

    /// Replaces the whole path on its way to the origin, as kgateway's `ReplaceFullPath`.
    #[must_use]
    pub fn rewrite_path(self, path: &str) -> Self {
        self.action(
            "regex_rewrite",
            json!({"pattern": {"regex": "^/[^?]*"}, "substitution": path}),
        )
    }

    /// Sets any field of the route action (`prefix_rewrite`, `host_rewrite_literal`, `cluster`, ...).
    #[must_use]
    pub fn action(mut self, field: &str, value: Value) -> Self {
        self.fields["route"][field] = value;
        self
    }

    /// Sets any field of the route (`match`, `name`, `metadata`, ...).
    #[must_use]
    pub fn field(mut self, field: &str, value: Value) -> Self {
        self.fields.insert(field.to_owned(), value);
        self
    }

    /// Answers from Envoy itself instead of the origin.
    #[must_use]
    pub fn direct_response(mut self, status: u16, body: &str) -> Self {
        self.fields.remove("route");
        self.field(
            "direct_response",
            json!({"status": status, "body": {"inline_string": body}}),
        )
    }

    /// Configures another filter for this route.
    #[must_use]
    pub fn per_filter(mut self, entry: &str, config: Value) -> Self {
        self.per_filter.insert(entry.to_owned(), config);
        self
    }

    fn to_json(&self) -> Value {
        let mut route = self.fields.clone();
        let mut per_filter = self.per_filter.clone();
        if let Some(config) = &self.transform {
            let message = per_route(self.name_field, &self.name, config);
            per_filter.insert(CHAIN_ENTRY.to_owned(), message);
        }
        if !per_filter.is_empty() {
            route.insert(
                "typed_per_filter_config".to_owned(),
                Value::Object(per_filter),
            );
        }
        Value::Object(route)
    }
}

/// A per-route configuration of the module's filter `name`; `name_field` is `per_route_config_name` or
/// `filter_name`.
pub fn per_route(name_field: &str, name: &str, config: &FilterConfig) -> Value {
    let mut message = json!({
        "@type": PER_ROUTE_TYPE,
        "dynamic_module_config": {"name": "rust_module"},
        name_field: name,
    });
    config.put_into(&mut message);
    message
}

pub(super) fn to_route_config(routes: &[Route], virtual_host: &[(String, Value)]) -> Value {
    let everything = [Route::at("/")];
    let routes = if routes.is_empty() {
        &everything
    } else {
        routes
    };
    let routes: Vec<Value> = routes.iter().map(Route::to_json).collect();
    let mut host = json!({"name": "lab", "domains": ["*"], "routes": routes});
    for (field, value) in virtual_host {
        host[field.as_str()] = value.clone();
    }
    json!({"name": "lab", "virtual_hosts": [host]})
}
