//! The filter `http-acl` against a plain reading of its rules: any access list, any clients.
//!
//! The first section is the access list, every line of the second an address as Envoy tells it.

use std::net::{IpAddr, SocketAddr};

use envoy_proxy_dynamic_modules_rust_sdk::EnvoyVersion;
use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_attribute_id as Attribute;
use envoy_proxy_dynamic_modules_rust_sdk::testing::{Exchange, FakeEnvoyConfig, FakeMessage};
use rust_module::new_http_filter_config;
use serde_json::Value;

use super::Outcome;
use crate::scene::sections;

pub(super) fn run(input: &[u8]) -> Outcome {
    let mut sections = sections(input);
    let mut next = || sections.next().unwrap_or_default();
    let (config, clients) = (next(), next());
    let mut host = FakeEnvoyConfig::new(EnvoyVersion::V1_40);
    let Some(filter) = new_http_filter_config(&mut host, "http-acl", config) else {
        return Outcome::of("refused");
    };
    let Ok(list) = serde_json::from_slice::<Value>(config) else {
        panic!("an access list that is not JSON");
    };
    let mut verdicts = Vec::new();
    for client in clients.split(|byte| *byte == b'\n').take(16) {
        let envoy = host
            .stream()
            .with_attribute_string(Attribute::SourceAddress, client);
        let mut exchange = Exchange::new(&*filter, envoy);
        exchange.request(&FakeMessage::request("GET", "/"));
        let passed = exchange.upstream().has_headers();
        let address = std::str::from_utf8(client).ok().and_then(address);
        let expected = address.is_some_and(|address| allows(&list, address));
        assert_eq!(passed, expected, "{address:?}");
        assert!(
            passed || exchange.downstream().is_complete(),
            "neither let in nor told"
        );
        verdicts.push(passed);
    }
    Outcome::of((verdicts, list["rules"].as_array().map(Vec::len)))
}

fn address(text: &str) -> Option<IpAddr> {
    text.parse::<SocketAddr>()
        .map(|it| it.ip())
        .or_else(|_| text.parse())
        .ok()
}

/// Every rule is asked; the longest prefix decides, and of equals the last.
fn allows(list: &Value, client: IpAddr) -> bool {
    let mut best: Option<(u32, &Value)> = None;
    for rule in list["rules"].as_array().into_iter().flatten() {
        let networks = rule["cidrs"]
            .as_array()
            .into_iter()
            .flatten()
            .chain(rule.get("cidr"));
        for network in networks.filter_map(Value::as_str) {
            let Some(length) = matching(network, client) else {
                continue;
            };
            if best.is_none_or(|(longest, _)| length >= longest) {
                best = Some((length, &rule["action"]));
            }
        }
    }
    best.map_or(&list["defaultAction"], |(_, action)| action) == "allow"
}

/// The length of a network's prefix, if the client is in it. IPv4 counts in IPv6, as `::ffff:0:0/96`.
fn matching(network: &str, client: IpAddr) -> Option<u32> {
    let (address, length) = network.split_once('/').unwrap_or((network, ""));
    let address: IpAddr = address.parse().ok()?;
    let bits = |it: IpAddr| match it {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    };
    let ahead = if address.is_ipv4() { 96 } else { 0 };
    let length = if length.is_empty() {
        128
    } else {
        ahead + length.parse::<u32>().ok()?
    };
    // A network wider than all of IPv4 is one of IPv6, to which IPv4 clients do not belong.
    let family = |it: IpAddr| it.to_canonical().is_ipv4();
    if family(client) != (length >= 96 && family(address)) {
        return None;
    }
    let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
    (bits(address) & mask == bits(client) & mask).then_some(length)
}
