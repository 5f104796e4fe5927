//! What the filter `http-acl` does: lets clients in by their address.
//!
//! [`AccessPolicy::compile`] reads a configuration on the main thread; the policy is shared by all workers. Nothing
//! of Envoy is known here. It fails closed: who has no address that can be read is to be turned away by whoever asks.

use std::net::IpAddr;

use crate::config::access::{AccessRules, Denial};
use crate::diagnostics::Diagnostics;

mod rules;

use rules::Rules;
pub use rules::Verdict;

/// The policy of an access list: valid, and never changed.
#[derive(Debug)]
pub struct AccessPolicy {
    rules: Rules,
    denial: Denial,
}

impl AccessPolicy {
    /// Compiles the JSON text of an access list.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn compile(text: &[u8]) -> Result<AccessPolicy, Diagnostics> {
        let written = AccessRules::parse(text).map_err(Diagnostics::new)?;
        let mut rules = Rules::new(written.default_action);
        for rule in &written.rules {
            for network in &rule.networks {
                rules.add(*network, rule.action, rule.name.as_deref());
            }
        }
        Ok(AccessPolicy {
            rules,
            denial: written.denial,
        })
    }

    /// Decides for one client.
    pub fn judge(&self, client: IpAddr) -> Verdict<'_> {
        self.rules.judge(client)
    }

    /// What those get who are turned away.
    pub fn denial(&self) -> &Denial {
        &self.denial
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(config: &str) -> AccessPolicy {
        let policy = AccessPolicy::compile(config.as_bytes());
        policy.unwrap_or_else(|problems| panic!("{config}\n{problems}"))
    }

    fn problems(config: &str) -> Vec<String> {
        let problems = AccessPolicy::compile(config.as_bytes()).unwrap_err();
        problems
            .iter()
            .map(|it| format!("{} {}", it.code(), it.path()))
            .collect()
    }

    #[test]
    fn the_listener_default_of_kgateway_allows_everyone() {
        let policy = policy(r#"{"defaultAction":"allow","rules":null,"denyResponse":null}"#);
        assert_eq!(policy.judge("8.8.8.8".parse().unwrap()), Verdict::Allow);
        assert_eq!(policy.denial().status, 403);
    }

    #[test]
    fn both_spellings_of_a_rule_and_of_the_header_are_understood() {
        for config in [
            r#"{"defaultAction":"allow","rules":[{"name":"a\tb","cidrs":["10.0.0.0/8"],"action":"deny"}],
               "denyResponse":{"blockedByHeaderName":"X-By"}}"#,
            r#"{"defaultAction":"allow","rules":[{"name":"a\tb","cidr":"10.0.0.0/8","action":"deny"}],
               "denyResponse":{"addBlockedByHeader":"X-By"}}"#,
        ] {
            let policy = policy(config);
            let verdict = policy.judge("10.1.1.1".parse().unwrap());
            assert_eq!(verdict, Verdict::Deny("a\tb"));
            assert_eq!(policy.denial().blocked_by.as_deref(), Some("X-By"));
        }
    }

    #[test]
    fn what_would_end_a_header_becomes_a_space() {
        let policy = policy(
            r#"{"defaultAction":"deny","rules":[{"name":"a\nb","cidrs":["10.0.0.0/8"],"action":"deny"}],
                "denyResponse":{"headers":[{"name":"x-a","value":"b\r\nc"}]}}"#,
        );
        let verdict = policy.judge("10.1.1.1".parse().unwrap());
        assert_eq!(verdict, Verdict::Deny("a b"));
        let headers = [("x-a".to_owned(), "b  c".to_owned())];
        assert_eq!(policy.denial().headers, headers);
    }

    #[test]
    fn every_problem_is_told_with_its_path() {
        let found = problems(
            r#"{"defaultAction":"deny",
                "rules":[{"cidrs":["10.0.0.0/8","nowhere",null,1],"action":"allow"},{"action":"deny"},{"cidr":"::1"},null],
                "denyResponse":{"statusCode":99,"headers":[{"name":"a b","value":"c"},{"name":"c"},{"value":""}],
                                "blockedByHeaderName":":status"}}"#,
        );
        let expected = [
            "RF1140 rules[0].cidrs[1]",
            "RF1001 rules[0].cidrs[2]",
            "RF1001 rules[0].cidrs[3]",
            "RF1023 rules[1].cidrs",
            "RF1023 rules[2]",
            "RF1001 rules[3]",
            "RF1006 denyResponse.statusCode",
            "RF1003 denyResponse.headers[0].name",
            "RF1023 denyResponse.headers[1]",
            "RF1023 denyResponse.headers[2]",
            "RF1003 denyResponse.blockedByHeaderName",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_not_known_or_stands_there_twice_is_refused() {
        for (config, problem) in [
            (
                r#"{"defaultAction":"allow","rule":[{"cidrs":["10.0.0.0/8"],"action":"deny"}]}"#,
                "RF1101 rule",
            ),
            (
                r#"{"defaultAction":"allow","denyResponse":{"headers":[{"name":"x-a","value":"b","append":true}]}}"#,
                "RF1101 denyResponse.headers[0].append",
            ),
            (
                r#"{"defaultAction":"allow","rules":[{"cidrs":["::1"],"action":"deny"}],"rules":[]}"#,
                "RF0002 ",
            ),
            (
                r#"{"defaultAction":"deny","rules":[{"cidrs":["::1"],"cidrs":[{}],"action":"allow"}]}"#,
                "RF0002 ",
            ),
            (
                r#"{"defaultAction":"deny","denyResponse":{"blockedByHeaderName":"a","addBlockedByHeader":"b"}}"#,
                "RF1003 denyResponse.addBlockedByHeader",
            ),
        ] {
            assert_eq!(problems(config), [problem], "{config}");
        }
    }

    #[test]
    fn without_a_default_action_nobody_knows_what_is_meant() {
        assert_eq!(problems("{}"), ["RF1023 "]);
        assert_eq!(problems(""), ["RF1023 "]);
        assert_eq!(
            problems(r#"{"defaultAction":"maybe"}"#),
            ["RF1005 defaultAction"]
        );
    }
}
