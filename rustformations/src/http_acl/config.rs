//! What kgateway's `TrafficPolicy.spec.acl` sends, and its compilation into [`Rules`].
//!
//! Read on the main thread while a configuration is loaded. Every problem is reported, not just
//! the first. Both spellings that kgateway 2.3 has used are understood: `cidrs` and `cidr`,
//! `blockedByHeaderName` and `addBlockedByHeader`. Unknown fields are refused: a misspelt `rules` must
//! not leave the door open. What would end a header value becomes spaces, as in transformations.

use serde::Deserialize;
use transformations::http;

use super::rules::{Action, Cidr, Rules};
use crate::refusal::Problems;

/// A compiled access policy: whom to let in, and how to turn others away.
#[derive(Debug)]
pub(crate) struct AccessPolicy {
    pub(crate) rules: Rules,
    pub(crate) status: u32,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) blocked_by_header: Option<String>,
}

impl AccessPolicy {
    /// Compiles the JSON text of a policy.
    ///
    /// # Errors
    /// One sentence for every problem, each led by its path in the JSON.
    pub(crate) fn compile(config: &[u8]) -> Result<Self, Problems> {
        let written: Written = serde_json::from_slice(config).map_err(|error| {
            Problems(vec![format!(
                "the access list must be a JSON object with `defaultAction` (\"allow\" or \
                 \"deny\") and optional `rules` and `denyResponse`: {error}"
            )])
        })?;
        let mut problems = Vec::new();
        let mut rules = Rules::new(written.default_action);
        for (index, rule) in written.rules.iter().enumerate() {
            rule.compile_into(&mut rules, index, &mut problems);
        }
        let response = written.deny_response.unwrap_or_default();
        let status = response.status_code.unwrap_or(403);
        if !(200..=599).contains(&status) {
            problems.push(format!(
                "denyResponse.statusCode: {status} cannot end a request; use a status from 200 to \
                 599"
            ));
        }
        for (index, header) in response.headers.iter().enumerate() {
            check_header_name(
                &header.name,
                &format!("denyResponse.headers[{index}].name"),
                &mut problems,
            );
        }
        if let Some(name) = &response.blocked_by_header_name {
            check_header_name(name, "denyResponse.blockedByHeaderName", &mut problems);
        }
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        Ok(Self {
            rules,
            status,
            headers: response
                .headers
                .into_iter()
                .map(|h| (h.name, http::clean(&h.value).into_owned()))
                .collect(),
            blocked_by_header: response.blocked_by_header_name,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    default_action: Action,
    #[serde(default)]
    rules: Vec<WrittenRule>,
    deny_response: Option<WrittenResponse>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    name: Option<String>,
    action: Action,
    #[serde(default)]
    cidrs: Vec<String>,
    cidr: Option<String>,
}

impl WrittenRule {
    fn compile_into(&self, rules: &mut Rules, index: usize, problems: &mut Vec<String>) {
        if self.cidrs.is_empty() && self.cidr.is_none() {
            problems.push(format!(
                "rules[{index}].cidrs: at least one address or range is needed"
            ));
        }
        // Upstream reports a rule with an empty name as a nameless one.
        let name = self.name.as_deref().filter(|name| !name.is_empty());
        // It may become the value of a header.
        let name = name.map(http::clean);
        let listed = self
            .cidrs
            .iter()
            .enumerate()
            .map(|(at, text)| (format!("cidrs[{at}]"), text));
        let single = self.cidr.iter().map(|text| ("cidr".to_owned(), text));
        for (place, text) in listed.chain(single) {
            match text.parse::<Cidr>() {
                Ok(cidr) => rules.add(cidr, self.action, name.as_deref()),
                Err(problem) => problems.push(format!("rules[{index}].{place}: {problem}")),
            }
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenResponse {
    status_code: Option<u32>,
    #[serde(default)]
    headers: Vec<WrittenHeader>,
    #[serde(alias = "addBlockedByHeader")]
    blocked_by_header_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenHeader {
    name: String,
    value: String,
}

fn check_header_name(name: &str, path: &str, problems: &mut Vec<String>) {
    if !http::is_token(name) {
        problems.push(format!(
            "{path}: not a header name; use letters, digits and dashes, without a colon"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules::Verdict;
    use super::*;

    fn problems(config: &str) -> Vec<String> {
        AccessPolicy::compile(config.as_bytes()).unwrap_err().0
    }

    #[test]
    fn the_listener_default_of_kgateway_allows_everyone() {
        let policy = AccessPolicy::compile(br#"{"defaultAction":"allow"}"#).unwrap();
        assert_eq!(
            policy.rules.judge("8.8.8.8".parse().unwrap()),
            Verdict::Allow
        );
        assert_eq!(policy.status, 403);
    }

    #[test]
    fn both_spellings_of_a_rule_and_of_the_header_are_understood() {
        for config in [
            r#"{"defaultAction":"allow","rules":[{"name":"a","cidrs":["10.0.0.0/8"],"action":"deny"}],
               "denyResponse":{"blockedByHeaderName":"x-by"}}"#,
            r#"{"defaultAction":"allow","rules":[{"name":"a","cidr":"10.0.0.0/8","action":"deny"}],
               "denyResponse":{"addBlockedByHeader":"x-by"}}"#,
        ] {
            let policy = AccessPolicy::compile(config.as_bytes()).unwrap();
            assert_eq!(
                policy.rules.judge("10.1.1.1".parse().unwrap()),
                Verdict::Deny("a")
            );
            assert_eq!(policy.blocked_by_header.as_deref(), Some("x-by"));
        }
    }

    #[test]
    fn every_problem_is_reported_with_its_path() {
        let found = problems(
            r#"{"defaultAction":"deny",
                "rules":[{"cidrs":["10.0.0.0/8","nowhere"],"action":"allow"},{"action":"deny"}],
                "denyResponse":{"statusCode":99,"headers":[{"name":"a b","value":"c"}]}}"#,
        );
        let paths: Vec<_> = found
            .iter()
            .map(|p| p.split(": ").next().unwrap())
            .collect();
        assert_eq!(
            paths,
            [
                "rules[0].cidrs[1]",
                "rules[1].cidrs",
                "denyResponse.statusCode",
                "denyResponse.headers[0].name"
            ]
        );
    }

    #[test]
    fn a_misspelt_field_is_refused() {
        let config =
            r#"{"defaultAction":"allow","rule":[{"cidrs":["10.0.0.0/8"],"action":"deny"}]}"#;
        assert!(problems(config)[0].contains("`rule`"));
        let config = r#"{"defaultAction":"allow",
            "denyResponse":{"headers":[{"name":"x-a","value":"b","append":true}]}}"#;
        assert!(problems(config)[0].contains("`append`"));
    }

    #[test]
    fn a_policy_without_a_default_action_is_refused() {
        assert!(problems("{}")[0].contains("defaultAction"));
        assert!(problems(r#"{"defaultAction":"maybe"}"#)[0].contains("\"allow\" or \"deny\""));
        assert!(problems("")[0].contains("JSON object"));
    }
}
