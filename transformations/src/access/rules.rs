//! Which client addresses an access list lets through: longest-prefix match over CIDR rules.
//!
//! Compiled once, then shared and read by every worker.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use crate::config::access::Action;
use crate::network::{Bits, Network, mask, to_bits};

/// The outcome for one client address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// It goes on.
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
    pub(crate) fn add(&mut self, network: Network, action: Action, name: Option<&str>) {
        let rule = Rule {
            action,
            name: name.map(Box::from),
        };
        match network.bits {
            Bits::V4 => self.v4.insert(network.address, network.length, rule),
            Bits::V6 => self.v6.insert(network.address, network.length, rule),
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
struct Prefixes(BTreeMap<Reverse<u8>, HashMap<u128, Rule>>);

impl Prefixes {
    fn insert(&mut self, network: u128, length: u8, rule: Rule) {
        self.0
            .entry(Reverse(length))
            .or_default()
            .insert(network, rule);
    }

    fn longest_match(&self, address: u128) -> Option<&Rule> {
        self.0
            .iter()
            .find_map(|(length, rules)| rules.get(&(address & mask(length.0))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> Network {
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
}
