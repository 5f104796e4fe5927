//! Which client addresses an access list lets through: longest-prefix match over CIDR rules.
//!
//! Pure: knows addresses, not Envoy. Compiled once by [`super::config`], then shared and read by
//! every worker.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    Allow,
    Deny,
}

/// The outcome for one client address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict<'a> {
    Allow,
    /// Denied; the text says by what: a rule's name, `rule` for a nameless rule, `default`.
    Deny(&'a str),
}

/// A compiled access list. A lookup costs one hash per distinct prefix length in use.
#[derive(Debug)]
pub(crate) struct Rules {
    default_action: Action,
    v4: Prefixes,
    v6: Prefixes,
}

impl Rules {
    /// An access list without rules: the default action decides.
    pub(crate) fn new(default_action: Action) -> Self {
        Self {
            default_action,
            v4: Prefixes::default(),
            v6: Prefixes::default(),
        }
    }

    /// Adds a rule for one network. The last rule for the same network wins.
    pub(crate) fn add(&mut self, cidr: Cidr, action: Action, name: Option<&str>) {
        let rule = Rule {
            action,
            name: name.map(Box::from),
        };
        match cidr.bits {
            Bits::V4 => self.v4.insert(cidr.network, cidr.length, rule),
            Bits::V6 => self.v6.insert(cidr.network, cidr.length, rule),
        }
    }

    /// Decides for one client. IPv4-mapped IPv6 addresses are judged as IPv4.
    pub(crate) fn judge(&self, client: IpAddr) -> Verdict<'_> {
        let (bits, address) = to_bits(client);
        let rule = match bits {
            Bits::V4 => self.v4.longest_match(address),
            Bits::V6 => self.v6.longest_match(address),
        };
        match rule {
            Some(Rule {
                action: Action::Allow,
                ..
            }) => Verdict::Allow,
            Some(Rule {
                action: Action::Deny,
                name,
            }) => Verdict::Deny(name.as_deref().unwrap_or("rule")),
            None => match self.default_action {
                Action::Allow => Verdict::Allow,
                Action::Deny => Verdict::Deny("default"),
            },
        }
    }
}

#[derive(Debug)]
struct Rule {
    action: Action,
    name: Option<Box<str>>,
}

/// Networks by prefix length, longest first. Keys are network addresses aligned to the left of
/// 128 bits, so that IPv4 and IPv6 share the code.
#[derive(Debug, Default)]
struct Prefixes(BTreeMap<std::cmp::Reverse<u8>, HashMap<u128, Rule>>);

impl Prefixes {
    fn insert(&mut self, network: u128, length: u8, rule: Rule) {
        self.0
            .entry(std::cmp::Reverse(length))
            .or_default()
            .insert(network, rule);
    }

    fn longest_match(&self, address: u128) -> Option<&Rule> {
        self.0
            .iter()
            .find_map(|(length, rules)| rules.get(&(address & mask(length.0))))
    }
}

/// A network in CIDR notation; a bare address is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cidr {
    bits: Bits,
    network: u128,
    length: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bits {
    V4,
    V6,
}

/// Why a text is not a network, in words for the person who wrote it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum InvalidCidr {
    Address,
    Length { most: u8 },
    HostBits { network: String },
}

impl fmt::Display for InvalidCidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address => f.write_str(
                "not an IP address or CIDR range: write it like 10.0.0.0/8, 192.168.1.1 or \
                 2001:db8::/32",
            ),
            Self::Length { most } => {
                write!(f, "the prefix length must be a number from 0 to {most}")
            }
            Self::HostBits { network } => {
                write!(
                    f,
                    "the address has bits set behind the prefix: write {network} instead"
                )
            }
        }
    }
}

impl FromStr for Cidr {
    type Err = InvalidCidr;

    fn from_str(text: &str) -> Result<Self, InvalidCidr> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| InvalidCidr::Address)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let written = match length {
            None => most,
            Some(text) => match text.parse::<u8>() {
                Ok(length) if length <= most && text.bytes().all(|b| b.is_ascii_digit()) => length,
                _ => return Err(InvalidCidr::Length { most }),
            },
        };
        // A mapped network (::ffff:a.b.c.d/96 and longer) is an IPv4 network, because clients
        // with mapped addresses are judged as IPv4.
        let (bits, network, length) = match (to_bits(address), address.is_ipv6()) {
            ((Bits::V4, network), true) if written >= 96 => (Bits::V4, network, written - 96),
            ((Bits::V4, _), true) => (Bits::V6, v6_bits(address), written),
            ((bits, network), _) => (bits, network, written),
        };
        if network & !mask(length) != 0 {
            let network = to_address(bits, network & mask(length));
            return Err(InvalidCidr::HostBits {
                network: format!("{network}/{length}"),
            });
        }
        Ok(Self {
            bits,
            network,
            length,
        })
    }
}

/// Reads the client address from Envoy's `source.address` (`ip:port`, `[ip]:port`, or a bare
/// address). Anything else, such as a Unix socket path, is no address.
pub(crate) fn parse_source_address(text: &str) -> Option<IpAddr> {
    text.parse::<SocketAddr>()
        .map(|peer| peer.ip())
        .or_else(|_| text.parse::<IpAddr>())
        .ok()
}

fn mask(length: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)
}

fn to_bits(address: IpAddr) -> (Bits, u128) {
    match address.to_canonical() {
        IpAddr::V4(v4) => (Bits::V4, u128::from(v4.to_bits()) << 96),
        IpAddr::V6(v6) => (Bits::V6, v6.to_bits()),
    }
}

fn v6_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn to_address(bits: Bits, network: u128) -> IpAddr {
    match bits {
        // The upper 32 bits hold the IPv4 address; the shift leaves nothing above them.
        Bits::V4 => IpAddr::V4(Ipv4Addr::from_bits((network >> 96) as u32)),
        Bits::V6 => IpAddr::V6(network.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> Cidr {
        text.parse().unwrap()
    }

    fn judge<'a>(rules: &'a Rules, client: &str) -> Verdict<'a> {
        rules.judge(client.parse().unwrap())
    }

    fn hole_punched() -> Rules {
        let mut rules = Rules::new(Action::Allow);
        rules.add(cidr("10.0.0.0/8"), Action::Deny, Some("internal"));
        rules.add(cidr("10.1.0.0/16"), Action::Allow, Some("trusted"));
        rules.add(cidr("10.1.2.3"), Action::Deny, Some("rogue"));
        rules
    }

    #[test]
    fn the_longest_prefix_decides_whatever_the_order() {
        let rules = hole_punched();
        assert_eq!(judge(&rules, "10.1.2.3"), Verdict::Deny("rogue"));
        assert_eq!(judge(&rules, "10.1.2.4"), Verdict::Allow);
        assert_eq!(judge(&rules, "10.2.0.1"), Verdict::Deny("internal"));
        assert_eq!(judge(&rules, "8.8.8.8"), Verdict::Allow);
    }

    #[test]
    fn no_rule_means_the_default_action() {
        let rules = Rules::new(Action::Deny);
        assert_eq!(judge(&rules, "8.8.8.8"), Verdict::Deny("default"));
        assert_eq!(judge(&rules, "2001:db8::1"), Verdict::Deny("default"));
    }

    #[test]
    fn a_nameless_rule_reports_itself_as_rule() {
        let mut rules = Rules::new(Action::Allow);
        rules.add(cidr("192.168.0.0/16"), Action::Deny, None);
        assert_eq!(judge(&rules, "192.168.1.1"), Verdict::Deny("rule"));
    }

    #[test]
    fn the_last_rule_for_a_network_wins() {
        let mut rules = Rules::new(Action::Allow);
        rules.add(cidr("10.0.0.0/8"), Action::Deny, Some("first"));
        rules.add(cidr("10.0.0.0/8"), Action::Allow, Some("second"));
        assert_eq!(judge(&rules, "10.0.0.1"), Verdict::Allow);
    }

    #[test]
    fn a_zero_length_prefix_matches_everything_of_its_family() {
        let mut rules = Rules::new(Action::Allow);
        rules.add(cidr("0.0.0.0/0"), Action::Deny, Some("v4"));
        assert_eq!(judge(&rules, "1.2.3.4"), Verdict::Deny("v4"));
        assert_eq!(judge(&rules, "2001:db8::1"), Verdict::Allow);
    }

    #[test]
    fn mapped_addresses_are_judged_as_ipv4() {
        let rules = hole_punched();
        assert_eq!(judge(&rules, "::ffff:10.2.0.1"), Verdict::Deny("internal"));
        assert_eq!(cidr("::ffff:10.0.0.0/104"), cidr("10.0.0.0/8"));
    }

    #[test]
    fn ipv6_networks_match_by_prefix() {
        let mut rules = Rules::new(Action::Deny);
        rules.add(cidr("2001:db8::/32"), Action::Allow, None);
        assert_eq!(judge(&rules, "2001:db8:1::1"), Verdict::Allow);
        assert_eq!(judge(&rules, "2001:db9::1"), Verdict::Deny("default"));
    }

    #[test]
    fn texts_that_are_no_networks_are_refused_with_what_would_be_right() {
        assert_eq!("localhost".parse::<Cidr>(), Err(InvalidCidr::Address));
        assert_eq!("".parse::<Cidr>(), Err(InvalidCidr::Address));
        assert_eq!(
            "10.0.0.0/33".parse::<Cidr>(),
            Err(InvalidCidr::Length { most: 32 })
        );
        assert_eq!(
            "10.0.0.0/+8".parse::<Cidr>(),
            Err(InvalidCidr::Length { most: 32 })
        );
        assert_eq!(
            "2001:db8::/129".parse::<Cidr>(),
            Err(InvalidCidr::Length { most: 128 })
        );
        assert_eq!(
            "172.18.0.0/12".parse::<Cidr>().unwrap_err().to_string(),
            "the address has bits set behind the prefix: write 172.16.0.0/12 instead"
        );
    }

    #[test]
    fn source_addresses_come_with_and_without_port() {
        let ip: IpAddr = "10.0.0.1".parse().unwrap();
        assert_eq!(parse_source_address("10.0.0.1:1234"), Some(ip));
        assert_eq!(parse_source_address("10.0.0.1"), Some(ip));
        assert_eq!(
            parse_source_address("[2001:db8::1]:80"),
            Some("2001:db8::1".parse().unwrap())
        );
        assert_eq!(parse_source_address("/tmp/socket"), None);
        assert_eq!(parse_source_address(""), None);
    }
}
