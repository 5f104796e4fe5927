//! Two providers behind one Envoy, which clients of OpenAI's know nothing of: A is Anthropic, B OpenAI.
//!
//! Built by tests on their own thread. Who A and B are, real enough or scripted, is the test's business.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Answer, Request};
use crate::config::{EnvoyConfig, Route, module_filter};
use crate::envoy::{Envoy, Settings};
use crate::lab::Lab;

/// Where clients ask.
pub const CHAT: &str = "/v1/chat/completions";
/// Where A is asked.
pub const MESSAGES: &str = "/v1/messages";
/// What the paths of a mock begin with.
pub const MOCK: &str = "/provider/v1";
/// The key of A.
pub const KEY: &str = "k-of-a";

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the two are, and how Envoy goes from one to the other.
#[derive(Clone, Debug)]
pub struct TwoProviders {
    a: SocketAddr,
    b: SocketAddr,
    prefix: &'static str,
    is_http2: bool,
    /// Fields of the route's action.
    action: Vec<(&'static str, Value)>,
    limit: Option<u32>,
}

impl TwoProviders {
    /// A and B.
    pub fn at(a: SocketAddr, b: SocketAddr) -> Self {
        Self {
            a,
            b,
            prefix: "/v1",
            is_http2: false,
            action: Vec::new(),
            limit: None,
        }
    }

    /// Both are mocks.
    #[must_use]
    pub fn mocked(mut self) -> Self {
        self.prefix = MOCK;
        self
    }

    /// Both are asked over HTTP/2.
    #[must_use]
    pub fn over_http2(mut self) -> Self {
        self.is_http2 = true;
        self
    }

    /// Sets a field of the route's action.
    #[must_use]
    pub fn action(mut self, field: &'static str, value: Value) -> Self {
        self.action.push((field, value));
        self
    }

    /// How many bytes the listener holds of a message.
    #[must_use]
    pub fn buffer_limit(mut self, bytes: u32) -> Self {
        self.limit = Some(bytes);
        self
    }

    fn cluster(&self, name: &str, endpoints: &Value, config: &Value) -> Value {
        let protocol = match self.is_http2 {
            true => json!({"http2_protocol_options": {}}),
            false => json!({"http_protocol_options": {"enable_trailers": true}}),
        };
        json!({
            "name": name, "type": "STATIC", "connect_timeout": "1s",
            "load_assignment": {"cluster_name": name, "endpoints": endpoints},
            // Envoy tries three requests of a cluster again at a time, unless told otherwise.
            "circuit_breakers": {"thresholds": [{"max_retries": 1000}]},
            "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": protocol,
                "http_filters": [
                    module_filter("llm", "llm-provider", &config.clone().into(), false),
                    {"name": "codec", "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec",
                    }},
                ],
            }},
        })
    }

    /// One cluster: A, and B for when A cannot.
    ///
    /// # Panics
    /// As [`Lab::start`].
    pub fn start(&self, envoy: &Envoy) -> Lab {
        let at = |priority: u32, host| json!({"priority": priority, "lb_endpoints": [host]});
        let endpoints = [at(0, endpoint(self.a, "a")), at(1, endpoint(self.b, "b"))];
        let cluster = self.cluster("llm", &json!(endpoints), &self.providers());
        self.route(envoy, vec![cluster], ("cluster", json!("llm")))
    }

    /// A cluster for each of them, and half of the requests for each cluster.
    ///
    /// # Panics
    /// As [`Lab::start`].
    pub fn start_halves(&self, envoy: &Envoy) -> Lab {
        let one = |name: &str, at| {
            let endpoints = json!([{"lb_endpoints": [endpoint(at, name)]}]);
            self.cluster(name, &endpoints, &self.providers()["providers"][name])
        };
        let halves = json!({"clusters": [{"name": "a", "weight": 1}, {"name": "b", "weight": 1}]});
        let clusters = vec![one("a", self.a), one("b", self.b)];
        self.route(envoy, clusters, ("weighted_clusters", halves))
    }

    fn route(&self, envoy: &Envoy, clusters: Vec<Value>, (to, target): (&str, Value)) -> Lab {
        let action = json!({to: target, "timeout": "0s", "retry_policy": retries()});
        let route = Route::at("/").field("route", action);
        let fields = self.action.iter();
        let route = fields.fold(route, |route, (field, value)| {
            route.action(field, value.clone())
        });
        let config = EnvoyConfig::new().route(route);
        let config = clusters.into_iter().fold(config, EnvoyConfig::cluster);
        let config = match self.limit {
            Some(limit) => config.buffer_limit(limit),
            None => config,
        };
        let settings = Settings {
            concurrency: 2,
            environment: vec![("KEY_OF_A".to_owned(), KEY.to_owned())],
            ..Settings::default()
        };
        Lab::start_with(envoy, &config, settings)
    }

    fn providers(&self) -> Value {
        json!({"providers": {
            "a": {"provider": "anthropic", "model": "claude-sonnet-4-5", "pathPrefix": self.prefix,
                  "auth": {"apiKey": {"env": "KEY_OF_A"}}},
            "b": {"provider": "openai", "authority": "b.test", "pathPrefix": self.prefix},
        }})
    }
}

/// A host that says which provider it is.
fn endpoint(at: SocketAddr, provider: &str) -> Value {
    let address = json!({"address": at.ip().to_string(), "port_value": at.port()});
    json!({
        "endpoint": {"address": {"socket_address": address}},
        "metadata": {"filter_metadata": {"rustformations.llm": {"provider": provider}}},
    })
}

/// The retries of the route, from one provider to the other and back.
pub fn retries() -> Value {
    json!({
        "retry_on": "5xx,retriable-status-codes", "retriable_status_codes": [429], "num_retries": 3,
        "retry_back_off": {"base_interval": "0.001s"},
        "retry_priority": {"name": "envoy.retry_priorities.previous_priorities", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
            "update_frequency": 1,
        }},
    })
}

/// What a client says that wants to hear `text` again.
pub fn says(text: &str, stream: bool) -> Value {
    let messages = json!([{"role": "user", "content": text}]);
    json!({"model": "gpt-4o", "stream": stream, "messages": messages})
}

/// Asks a mock, which is to say `text` again.
pub fn echo(lab: &Lab, text: &str, stream: bool) -> Request {
    let request = lab.post(CHAT).header("x-mock-say", "$PROMPT");
    request.json(&says(text, stream))
}

/// What an answer says; none of one that did not come whole. A stream is whole with `[DONE]`.
pub fn said(answer: &Answer) -> Option<String> {
    if answer.status != 200 || answer.cut {
        return None;
    }
    let text = answer.text();
    let content = |document: &str, pointer: &str| {
        let document: Value = serde_json::from_str(document).ok()?;
        document.pointer(pointer)?.as_str().map(str::to_owned)
    };
    if answer.header("content-type") != "text/event-stream" {
        return content(&text, "/choices/0/message/content");
    }
    text.ends_with("data: [DONE]\n\n").then(|| {
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        data.filter_map(|data| content(data, "/choices/0/delta/content"))
            .collect()
    })
}

/// Asserts that Envoy serves, that nothing panicked and that no stream is left over, on either side.
///
/// # Panics
/// When that is not so.
pub fn assert_sane(lab: &Lab) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let stats = lab.stats();
        let active: u64 = [
            "downstream_rq_active",
            "upstream_rq_active",
            "upstream_rq_pending_active",
        ]
        .iter()
        .flat_map(|gauge| stats.iter().filter(move |(name, _)| name.ends_with(gauge)))
        // The admin interface's own.
        .filter(|(name, _)| !name.starts_with("http.admin."))
        .map(|(_, value)| value)
        .sum();
        if active == 0 {
            break;
        }
        assert!(Instant::now() < deadline, "{active} streams are left over");
        thread::sleep(Duration::from_millis(20));
    }
    assert!(!lab.logs().contains("panic"), "{}", lab.logs());
}
