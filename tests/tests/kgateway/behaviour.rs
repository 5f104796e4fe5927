//! Requests through all routes of a table at once.

use rustformations_tests::config::{NEWER_FILTER_NAME, per_route};
use rustformations_tests::lab::with_envoy;
use rustformations_tests::{Envoy, EnvoyConfig, Lab, Request, Route, Settings, Version};
use serde_json::{Value, json};

use super::backend::{self, WEBSOCKET_PATH};
use super::{entries, expected, is_otherwise, tables, text};

const BUFFER: &str = "envoy.filters.http.buffer";

/// The environment of a proxy that kgateway runs.
const ENVIRONMENT: [(&str, &str); 2] = [
    ("POD_NAME", "gw-7b9fd5c4c-x2v4q"),
    ("POD_NAMESPACE", "default"),
];

#[test]
fn requests_end_as_promised_1_36_4() {
    with_envoy(Version::new(1, 36, 4), every_request_ends_as_promised);
}

#[test]
fn requests_end_as_promised_1_40_0() {
    with_envoy(Version::new(1, 40, 0), every_request_ends_as_promised);
}

fn every_request_ends_as_promised(envoy: &Envoy) {
    let mut failures = Vec::new();
    for table in tables() {
        let environment = ENVIRONMENT.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = Settings {
            environment: environment.to_vec(),
            ..Settings::default()
        };
        let lab = Lab::start_with(envoy, &gateway(&table), settings);
        backend::script(&lab, &table);
        let cases = entries(&table, "e2e_tests")
            .iter()
            .map(|case| (case, to_request(case, &lab)));
        let units = entries(&table, "unit").iter().enumerate();
        let units = units.map(|(number, case)| (case, unit_request(case, number, &lab)));
        for (case, request) in cases.chain(units) {
            let name = text(case, "name");
            if is_otherwise(name) {
                continue;
            }
            lab.origin().forget();
            let problems = match case["websocket"].as_str() {
                Some(message) => echo(request, message),
                None => {
                    let answer = request.send();
                    let received = lab.origin().received();
                    expected::differences(&case["expect"], &lab, &answer, received.last())
                }
            };
            if !problems.is_empty() {
                failures.push(format!("{name}: {}", problems.join("; ")));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// All routes of a table behind one listener, with the configuration that the gateway itself has.
fn gateway(table: &Value) -> EnvoyConfig {
    let routes = entries(table, "e2e_routes").iter().map(to_route);
    let units = entries(table, "unit").iter().enumerate();
    let units = units.filter(|(_, case)| !is_otherwise(text(case, "name")));
    let units = units.map(|(number, case)| {
        Route::at("/")
            .field("match", json!({"path": format!("/unit-{number}")}))
            .filter_name(NEWER_FILTER_NAME)
            .transform(text(case, "config"))
    });
    let mut config = EnvoyConfig::new()
        .filter_name(NEWER_FILTER_NAME)
        .websocket()
        .filter_before(json!({
            "name": BUFFER,
            "disabled": true,
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer",
                "max_request_bytes": 1 << 20,
            },
        }))
        .buffer_limit(4 << 20)
        .connection_manager("access_log", access_log(table));
    if let Some(of_gateway) = table["e2e_gateway_config"].as_str() {
        let transform = per_route(
            "per_route_config_name",
            NEWER_FILTER_NAME,
            &of_gateway.into(),
        );
        let entry = rustformations_tests::config::CHAIN_ENTRY;
        config = config.virtual_host("typed_per_filter_config", json!({entry: transform}));
    }
    units.chain(routes).fold(config, EnvoyConfig::route)
}

fn to_route(case: &Value) -> Route {
    let mut matching = case["match"].clone();
    let mut headers = entries(&matching, "headers").to_vec();
    headers.push(json!({"name": ":authority", "string_match": {"exact": case["host"]}}));
    matching["headers"] = Value::from(headers);
    let mut route = Route::at("/")
        .field("match", matching)
        .filter_name(NEWER_FILTER_NAME);
    if let Some(config) = case["config"].as_str() {
        route = route.transform(config);
    }
    if let Some(most) = case["buffer_max"].as_u64() {
        route = route.per_filter(
            BUFFER,
            json!({
                "@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.BufferPerRoute",
                "buffer": {"max_request_bytes": most},
            }),
        );
    }
    route
}

/// A log of all dynamic metadata that some configuration of the table writes.
fn access_log(table: &Value) -> Value {
    let cases = entries(table, "e2e_routes")
        .iter()
        .chain(entries(table, "unit"));
    let mut format = String::new();
    for case in cases {
        let config: Value = serde_json::from_str(text(case, "config")).unwrap_or_default();
        for direction in ["request", "response"] {
            for rule in entries(&config[direction], "dynamicMetadata") {
                let (namespace, key) = (text(rule, "namespace"), text(rule, "key"));
                format.push_str(&format!("{key}=%DYNAMIC_METADATA({namespace}:{key})% "));
            }
        }
    }
    json!([{
        "name": "envoy.access_loggers.stderr",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StderrAccessLog",
            "log_format": {"text_format_source": {"inline_string": format + "\n"}},
        },
    }])
}

fn to_request(case: &Value, lab: &Lab) -> Request {
    let request = match case["upgrade"].as_str() {
        Some(upgrade) => lab
            .get(WEBSOCKET_PATH)
            .header("connection", "Upgrade")
            .header("upgrade", upgrade),
        None => lab.request(text(case, "method"), text(case, "path")),
    };
    with_message(request.header("host", text(case, "host")), case)
}

fn unit_request(case: &Value, number: usize, lab: &Lab) -> Request {
    let method = if case["body"].is_null() {
        "GET"
    } else {
        "POST"
    };
    with_message(lab.request(method, &format!("/unit-{number}")), case)
}

fn with_message(mut request: Request, case: &Value) -> Request {
    for header in entries(case, "headers") {
        let (name, value) = (header[0].as_str(), header[1].as_str());
        request = request.header(name.unwrap_or_default(), value.unwrap_or_default());
    }
    match case["body"].as_str() {
        Some(body) => request.body(body),
        None => request,
    }
}

fn echo(request: Request, message: &str) -> Vec<String> {
    let exchange = match request.begin() {
        Ok(exchange) if exchange.status == 101 => exchange,
        Ok(exchange) => return vec![format!("status {}", exchange.status)],
        Err(error) => return vec![error.to_string()],
    };
    match exchange.into_tunnel().echo(message.as_bytes()) {
        Ok(back) if back == message.as_bytes() => Vec::new(),
        other => vec![format!("{other:?} came back")],
    }
}
