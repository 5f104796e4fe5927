//! What templates learn of a stream, its connection and its certificates, name by name.

use rustformations_tests::{Answer, EnvoyConfig, Lab, Received, Route, Version, on_every_envoy};
use rustls::version::{TLS12, TLS13};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use transformations::Attribute;

use crate::client::{HOST, Http2};
use crate::message::Message;
use crate::set;
use crate::tls::{CLIENT, Certificates, SERVER};

/// The name of the header that tells of an attribute.
fn header(name: &str) -> String {
    format!("x-{name}")
}

/// Tells of every attribute on both sides, when the body has come.
fn telling() -> Route {
    let rules = Attribute::ALL.iter().map(|attribute| {
        let name = attribute.name();
        set(&header(name), &format!("{{{{ attribute('{name}') }}}}"))
    });
    let half = json!({"set": Value::from_iter(rules), "body": {"value": "{{ body() }}"}});
    Route::at("/")
        .field("name", json!("lab-route"))
        .transform(json!({"request": half, "response": half}))
}

/// A request that has something to tell for each name.
fn ask(client: &mut Http2, lab: &Lab) -> (Received, Answer) {
    let message = Message::new()
        .header("referer", "https://from.test/")
        .header("user-agent", "lab")
        .piece("half ")
        .piece("whole");
    let answer = client.send("POST", "/path?q=1", message);
    (lab.origin().last(), answer)
}

enum Expected {
    Is(String),
    /// Whatever else it is, it is not 0.
    Counts,
    BeginsWith(&'static str),
}

fn is(text: impl ToString) -> Expected {
    Expected::Is(text.to_string())
}

/// What a response is told of a client with a certificate, by an Envoy that tells it.
fn expected(name: &str, client: &Http2, lab: &Lab, digest: &str) -> Expected {
    match name {
        "request.path" => is("/path?q=1"),
        "request.url_path" => is("/path"),
        "request.query" => is("q=1"),
        "request.host" | "connection.requested_server_name" => is(HOST),
        "request.scheme" => is("https"),
        "request.method" => is("POST"),
        "request.referer" => is("https://from.test/"),
        "request.useragent" => is("lab"),
        "request.id" => is(lab.origin().last().header("x-request-id")),
        "request.protocol" => is("HTTP/2"),
        "request.size" => is(10),
        "request.total_size" | "connection.id" => Expected::Counts,
        "source.address" => is(client.local),
        "source.port" => is(client.local.port()),
        "destination.address" => is(lab.address()),
        "destination.port" => is(lab.address().port()),
        "connection.mtls" => is(true),
        "connection.tls_version" => is("TLSv1.3"),
        "connection.subject_local_certificate" => is(format!("CN={}", SERVER[0])),
        "connection.subject_peer_certificate" => is(format!("CN={}", CLIENT[0])),
        "connection.dns_san_local_certificate" => is(SERVER[1]),
        "connection.dns_san_peer_certificate" => is(CLIENT[1]),
        "connection.uri_san_local_certificate" => is(SERVER[2]),
        "connection.uri_san_peer_certificate" => is(CLIENT[2]),
        "connection.sha256_peer_certificate_digest" => is(digest),
        "upstream.address" => is(lab.origin().address()),
        "upstream.port" => is(lab.origin().address().port()),
        "upstream.local_address" => Expected::BeginsWith("127.0.0.1:"),
        "upstream.request_attempt_count" => is(1),
        "xds.cluster_name" => is("origin"),
        "xds.route_name" => is("lab-route"),
        "xds.virtual_host_name" => is("lab"),
        "xds.filter_chain_name" => is("lab-chain"),
        _ => panic!("nothing is expected of {name}"),
    }
}

fn assert_told(name: &str, value: &str, expected: &Expected) {
    match expected {
        Expected::Is(text) => assert_eq!(value, text, "{name}"),
        Expected::Counts => assert!(
            value.parse::<u64>().is_ok_and(|it| it > 0),
            "{name}: {value}"
        ),
        Expected::BeginsWith(text) => assert!(value.starts_with(text), "{name}: {value}"),
    }
}

fn tells(attribute: Attribute, version: Version) -> bool {
    let (major, minor) = attribute.since();
    version.at_least(major, minor)
}

on_every_envoy! {
    fn both_sides_are_told_every_attribute_from_the_documented_envoy_on(envoy) {
        let certificates = Certificates::make().unwrap();
        let lab = Lab::start(envoy, &certificates.put_into(EnvoyConfig::new().route(telling())));
        let mut client = Http2::open_tls(lab.address(), certificates.known(&TLS13).unwrap()).unwrap();
        let (received, answer) = ask(&mut client, &lab);
        let digest: String = Sha256::digest(certificates.client_der()).iter().map(|byte| format!("{byte:02x}")).collect();
        for attribute in Attribute::ALL {
            let name = attribute.name();
            let (request, response) = (received.header(&header(name)), answer.header(&header(name)));
            if !tells(attribute, lab.version()) {
                assert_eq!((request.as_str(), response.as_str()), ("", ""), "{name}");
                continue;
            }
            let expected = expected(name, &client, &lab, &digest);
            assert_told(name, &response, &expected);
            match name {
                "upstream.request_attempt_count" => assert_eq!(request, "0"),
                _ if name.starts_with("upstream.") => assert_eq!(request, "", "{name}"),
                _ => assert_told(name, &request, &expected),
            }
        }
    }

    fn a_client_without_a_certificate_and_one_without_tls_are_told_apart(envoy) {
        let certificates = Certificates::make().unwrap();
        let secure = Lab::start(envoy, &certificates.put_into(EnvoyConfig::new().route(telling())));
        let open = Lab::start(envoy, &EnvoyConfig::new().route(telling()));
        let mut anonymous = Http2::open_tls(secure.address(), certificates.anonymous(&TLS12).unwrap()).unwrap();
        let mut plain = Http2::open(open.address()).unwrap();
        let anonymous = ask(&mut anonymous, &secure);
        let plain = ask(&mut plain, &open);
        for attribute in Attribute::ALL {
            let name = attribute.name();
            let (with_tls, without) = match name {
                "connection.mtls" if tells(attribute, open.version()) => ("false", ""),
                "connection.tls_version" => ("TLSv1.2", ""),
                "connection.requested_server_name" if tells(attribute, open.version()) => (HOST, ""),
                "connection.id" => continue,
                _ if name.contains("_local_certificate") => continue,
                _ if name.starts_with("connection.") => ("", ""),
                "request.scheme" => ("https", "http"),
                _ => continue,
            };
            let name = header(name);
            assert_eq!((anonymous.0.header(&name), anonymous.1.header(&name)), (with_tls.to_owned(), with_tls.to_owned()), "{name}");
            assert_eq!((plain.0.header(&name), plain.1.header(&name)), (without.to_owned(), without.to_owned()), "{name}");
        }
    }

    fn no_question_for_an_attribute_fills_the_log(envoy) {
        let certificates = Certificates::make().unwrap();
        let lab = Lab::start(envoy, &certificates.put_into(EnvoyConfig::new().route(telling())));
        let mut client = Http2::open_tls(lab.address(), certificates.anonymous(&TLS13).unwrap()).unwrap();
        ask(&mut client, &lab);
        assert!(!lab.logs().contains("[error]"), "{}", lab.logs());
    }

    fn what_this_envoy_does_not_tell_is_said_when_the_configuration_is_loaded(envoy) {
        let lab = Lab::start(envoy, &EnvoyConfig::new().route(telling()));
        for attribute in Attribute::ALL {
            let warning = format!("this Envoy does not tell \"{}\"", attribute.name());
            assert_eq!(lab.logs().contains(&warning), !tells(attribute, lab.version()), "{warning}");
        }
    }
}
