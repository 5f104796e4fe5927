//! A whole exchange through the real filter on an Envoy in memory: any configuration of filter and
//! route, any request, any response.
//!
//! Whatever they are, the exchange comes to an end, and both sides can read what they get: bodies are
//! as long as `content-length` says, responses without content have none, a request keeps what its
//! method means for framing, statuses are final ones, and no header holds a control character.

use envoy_proxy_dynamic_modules_rust_sdk::EnvoyVersion;
use envoy_proxy_dynamic_modules_rust_sdk::testing::{
    DeliveredMessage, Exchange, FakeEnvoyConfig, FakeMessage,
};
use rust_module::{new_http_filter_config, new_http_filter_per_route_config};

use super::{Choices, Outcome};
use crate::scene::{Message, Scene};

const FILTER: &str = "rustformation";

pub(super) fn run(input: &[u8]) -> Outcome {
    let scene = Scene::read(input);
    let mut choices = Choices::of(input);
    let versions = [
        EnvoyVersion::V1_36,
        EnvoyVersion::V1_37,
        EnvoyVersion::V1_38,
        EnvoyVersion::V1_40,
    ];
    let version = versions[choices.below(versions.len())];
    let mut host = FakeEnvoyConfig::new(version);
    let Some(config) = new_http_filter_config(&mut host, FILTER, scene.config) else {
        return Outcome::of("refused");
    };
    let mut envoy = host.stream();
    if !scene.route.is_empty() {
        let Some(route) = new_http_filter_per_route_config(FILTER, scene.route) else {
            return Outcome::of("route refused");
        };
        envoy = envoy.with_route_config(route);
    }
    let mut exchange = Exchange::new(&*config, envoy);
    send_request(&mut exchange, &scene.request, &mut choices);
    let has_answer = exchange.downstream().has_headers() || exchange.reset().is_some();
    if !has_answer {
        assert!(
            exchange.upstream().is_complete(),
            "the request never went on"
        );
        check_request(&scene, exchange.upstream());
        send_response(&mut exchange, &scene.response, &mut choices);
    }
    let response = exchange.downstream();
    if exchange.reset().is_none() {
        assert!(
            response.is_complete() && exchange.is_over(),
            "the response never ended"
        );
        check_response(&scene, response);
    }
    Outcome::of((
        exchange
            .local_reply_details()
            .map(|details| details.split('{').next().map(str::to_owned)),
        exchange.reset().is_some(),
        response.status().map(|status| status / 100),
        response.trailers().is_some(),
        exchange.envoy().route_cache_clears(),
    ))
}

fn send_request(exchange: &mut Exchange<'_>, message: &Message<'_>, choices: &mut Choices) {
    let pieces = Pieces::of(message, choices);
    exchange.request_headers(&head(message), pieces.is_empty());
    for (chunk, last) in &pieces.chunks {
        exchange.request_body(chunk, *last);
    }
    if !pieces.trailers.is_empty() {
        exchange.request_trailers(&pieces.trailers);
    }
    exchange.run_scheduled();
}

fn send_response(exchange: &mut Exchange<'_>, message: &Message<'_>, choices: &mut Choices) {
    let pieces = Pieces::of(message, choices);
    exchange.response_headers(&head(message), pieces.is_empty());
    for (chunk, last) in &pieces.chunks {
        exchange.response_body(chunk, *last);
    }
    if !pieces.trailers.is_empty() {
        exchange.response_trailers(&pieces.trailers);
    }
    exchange.run_scheduled();
}

fn head(message: &Message<'_>) -> FakeMessage {
    let add = |fake: FakeMessage, (name, value): &(String, String)| fake.header(name, value);
    message.headers.iter().fold(FakeMessage::default(), add)
}

/// What comes after the headers.
struct Pieces<'m> {
    chunks: Vec<(&'m [u8], bool)>,
    trailers: Vec<(&'m str, &'m str)>,
}

impl<'m> Pieces<'m> {
    fn of(message: &'m Message<'_>, choices: &mut Choices) -> Pieces<'m> {
        let trailers: Vec<_> = message
            .trailers
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        let mut chunks: Vec<_> = Vec::new();
        if !message.body.is_empty() {
            chunks.extend(
                choices
                    .chunks(message.body)
                    .into_iter()
                    .map(|chunk| (chunk, false)),
            );
            // HTTP/1 ends a body with an empty chunk, HTTP/2 with its last one.
            if trailers.is_empty() && choices.flip() {
                chunks.push((b"", false));
            }
        }
        if let Some((_, last)) = chunks.last_mut() {
            *last = trailers.is_empty();
        }
        Pieces { chunks, trailers }
    }

    fn is_empty(&self) -> bool {
        self.chunks.is_empty() && self.trailers.is_empty()
    }
}

fn check_request(scene: &Scene<'_>, request: &DeliveredMessage) {
    check_headers(request);
    let method = request.header(":method").unwrap_or_default();
    let framing = |method: &str| ["HEAD", "CONNECT"].into_iter().find(|it| *it == method);
    let came = scene.request.value(":method").unwrap_or_default();
    assert_eq!(
        framing(&method),
        framing(came),
        "the method came as {came}, and means another framing"
    );
    check_length(request);
}

fn check_response(scene: &Scene<'_>, response: &DeliveredMessage) {
    check_headers(response);
    let status = response.status().unwrap_or_default();
    assert!((200..600).contains(&status), "no final status");
    let is_head = scene.request.value(":method") == Some("HEAD");
    if is_head || matches!(status, 204 | 205 | 304) {
        assert!(response.body().is_empty(), "content where there is none");
    } else {
        check_length(response);
    }
    if status == 204 {
        assert_eq!(
            response.header("content-length"),
            None,
            "a 204 has no length"
        );
    }
}

/// A declared length is the length.
fn check_length(message: &DeliveredMessage) {
    let declared = message.headers("content-length");
    assert!(declared.len() <= 1, "two lengths");
    if let Some(length) = declared.first() {
        assert_eq!(*length, message.body().len().to_string(), "content-length");
    }
}

fn check_headers(message: &DeliveredMessage) {
    let lines = message.header_map().into_iter().flat_map(|map| map.lines());
    for (name, value) in lines {
        let clean = |byte: &u8| *byte == b'\t' || (*byte >= 0x20 && *byte != 0x7F);
        assert!(
            value.iter().all(clean),
            "a control character in {}",
            String::from_utf8_lossy(name)
        );
    }
}
