//! Judges the prompts of a request.

use super::spells_json;
use crate::guard::{Guard, GuardError, Rule};
use crate::mask::decode;
use crate::request::Request;
use crate::text::{Role, Text};

/// The rules for prompts: compiled once, shared by all exchanges.
#[derive(Debug)]
pub struct PromptGuard {
    deny: Guard,
    /// Whose texts each of these rules looks at.
    roles: Vec<Vec<Role>>,
    /// What the client must speak of; empty if of anything.
    allow: Guard,
}

/// What is to become of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'g> {
    /// It may go on.
    Pass,
    /// The rule of this name denies it.
    Denied(&'g str),
    /// Rules say what is allowed, and none of them matches what the client said last.
    NotAllowed,
    /// Something in it nests too deeply to be looked into.
    TooDeep,
}

impl PromptGuard {
    /// Compiles rules: those that deny, each with the roles whose texts it looks at, and those that
    /// allow. Costs milliseconds.
    ///
    /// # Errors
    /// As [`Guard::compile`].
    pub fn compile(deny: &[(Rule, Vec<Role>)], allow: &[Rule]) -> Result<PromptGuard, GuardError> {
        let (rules, roles): (Vec<_>, Vec<_>) = deny.iter().cloned().unzip();
        Ok(PromptGuard {
            deny: Guard::compile(&rules)?,
            roles,
            allow: Guard::compile(allow)?,
        })
    }

    /// Judges a request as the client wrote it. What denies goes before what is not allowed.
    ///
    /// The last message in which the client itself says something must be allowed, not the results of
    /// tools that come behind it; where there are no messages, all that it says. One text of it is
    /// enough.
    ///
    /// # Cost
    /// One pass over each text for all rules together, and two more and a copy where a message has several.
    pub fn judge(&self, request: &Request, body: &str) -> Verdict<'_> {
        if request.is_too_deep {
            return Verdict::TooDeep;
        }
        let contents = |text: &Text| text.place.contents(body).unwrap_or_default();
        for text in &request.texts {
            let looks = |rule: usize| {
                let roles = self.roles.get(rule);
                roles.is_some_and(|roles| roles.contains(&text.role))
            };
            if !(0..self.deny.len()).any(looks) {
                continue;
            }
            let contents = contents(text);
            let mut denied = self.deny.first_match(&contents, looks);
            if denied.is_none() && spells_json(&contents) {
                denied = self.deny.first_match(&decode(&contents), looks);
            }
            if let Some(name) = denied.and_then(|rule| self.deny.name(rule)) {
                return Verdict::Denied(name);
            }
        }
        if let Some(name) = self.denies_together(request, body) {
            return Verdict::Denied(name);
        }
        if self.allow.is_empty() {
            return Verdict::Pass;
        }
        let said = || request.texts.iter().filter(|it| it.role == Role::User);
        let last = said().filter_map(|it| it.message).max();
        let is_allowed = said()
            .filter(|it| it.message == last)
            .any(|it| self.allow.first_match(&contents(it), |_| true).is_some());
        match is_allowed {
            true => Verdict::Pass,
            false => Verdict::NotAllowed,
        }
    }

    /// The rule that denies what somebody says in several texts of one message: a model reads them as one,
    /// with something between or nothing.
    fn denies_together(&self, request: &Request, body: &str) -> Option<&str> {
        let same =
            |one: &Text, other: &Text| (one.message, one.role) == (other.message, other.role);
        for texts in request.texts.chunk_by(same) {
            let [Text { role, message, .. }, _, ..] = texts else {
                continue;
            };
            if message.is_none() && *role == Role::User {
                // Prompts and inputs of which each has an answer of its own.
                continue;
            }
            let looks = |rule: usize| {
                let roles = self.roles.get(rule);
                roles.is_some_and(|roles| roles.contains(role))
            };
            if !(0..self.deny.len()).any(looks) {
                continue;
            }
            for between in ["", " "] {
                let mut all = String::new();
                for text in texts {
                    if !all.is_empty() {
                        all.push_str(between);
                    }
                    all.push_str(&text.place.contents(body).unwrap_or_default());
                }
                let denied = self.deny.first_match(&all, looks);
                if let Some(name) = denied.and_then(|rule| self.deny.name(rule)) {
                    return Some(name);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use formats::json::quote;

    use super::*;
    use crate::dialect::Dialect;
    use crate::guard::Terms;

    fn rule(name: &str, words: &str) -> Rule {
        Rule {
            name: name.to_owned(),
            terms: Terms::words([words]),
        }
    }

    fn judged(guard: &PromptGuard, dialect: Dialect, body: &str) -> String {
        let request = Request::read(dialect, body).unwrap();
        format!("{:?}", guard.judge(&request, body))
    }

    #[test]
    fn rules_deny_what_their_roles_say() {
        let deny = [
            (rule("users", "bluebird"), vec![Role::User]),
            (rule("others", "bluebird"), vec![Role::System, Role::Tool]),
        ];
        let guard = PromptGuard::compile(&deny, &[]).unwrap();
        let of = |role: &str| {
            let body = format!(
                r#"{{"messages":[{{"content":"of Blue\u0062ird","role":"{role}"}},{{"role":"user","content":"hi"}}]}}"#
            );
            judged(&guard, Dialect::OpenaiChat, &body)
        };
        assert_eq!(of("user"), r#"Denied("users")"#);
        assert_eq!(of("developer"), r#"Denied("others")"#);
        assert_eq!(of("tool"), r#"Denied("others")"#);
        assert_eq!(of("assistant"), "Pass");
    }

    #[test]
    fn the_client_must_speak_of_what_is_allowed_in_its_last_words() {
        let deny = [(rule("secret", "bluebird"), vec![Role::User])];
        let guard = PromptGuard::compile(&deny, &[rule("topic", "order")]).unwrap();
        let of = |body: &str| judged(&guard, Dialect::AnthropicMessages, body);
        let about = |last: &str| {
            of(&format!(
                r#"{{"system":"order","messages":[{{"role":"user","content":"my order"}},{{"role":"assistant","content":"order"}}{last}]}}"#
            ))
        };
        assert_eq!(about(""), "Pass");
        assert_eq!(
            about(r#",{"role":"user","content":"weather"}"#),
            "NotAllowed"
        );
        assert_eq!(
            about(
                r#",{"role":"user","content":[{"type":"text","text":"hi"},{"type":"text","text":"an order"}]}"#
            ),
            "Pass"
        );
        assert_eq!(
            about(r#",{"role":"user","content":[{"type":"tool_result","content":"weather"}]}"#),
            "Pass"
        );
        assert_eq!(
            about(r#",{"role":"user","content":"order bluebird"}"#),
            r#"Denied("secret")"#
        );
        assert_eq!(of(r#"{"messages":[]}"#), "NotAllowed");
        let bare = |prompt: &str| {
            let body = format!(r#"{{"prompt":{prompt}}}"#);
            judged(&guard, Dialect::OpenaiCompletions, &body)
        };
        assert_eq!(bare(r#""an order""#), "Pass");
        assert_eq!(bare(r#"["weather", "order"]"#), "Pass");
        assert_eq!(bare(r#""weather""#), "NotAllowed");
    }

    #[test]
    fn escapes_in_a_text_that_is_json_hide_nothing() {
        let deny = [(rule("secret", "müller"), vec![Role::User, Role::Tool])];
        let guard = PromptGuard::compile(&deny, &[]).unwrap();
        let of = |result: &str| {
            let body = format!(
                r#"{{"messages":[{{"role":"tool","content":{}}}]}}"#,
                quote(result)
            );
            judged(&guard, Dialect::OpenaiChat, &body)
        };
        assert_eq!(of(r#" {"name": "M\u00fcller"}"#), r#"Denied("secret")"#);
        assert_eq!(of(r#"["müller\n"]"#), r#"Denied("secret")"#);
        assert_eq!(of(r"M\u00fcller"), "Pass");
        assert_eq!(of(r#"{"name": "M\\u00fcller"}"#), "Pass");
    }

    #[test]
    fn what_is_cut_into_parts_of_one_message_is_one() {
        let rules = [
            (
                Rule {
                    name: "jailbreak".to_owned(),
                    terms: Terms::Regex("ignore all previous".to_owned()),
                },
                vec![Role::User],
            ),
            (rule("secret", "bluebird"), vec![Role::User]),
        ];
        let guard = PromptGuard::compile(&rules, &[]).unwrap();
        let of = |role: &str, parts: &[&str]| {
            let parts = parts
                .iter()
                .map(|it| format!(r#"{{"type":"text","text":"{it}"}}"#));
            let parts = parts.collect::<Vec<_>>().join(",");
            let body = format!(r#"{{"messages":[{{"role":"{role}","content":[{parts}]}}]}}"#);
            judged(&guard, Dialect::OpenaiChat, &body)
        };
        assert_eq!(
            of("user", &["ignore", " all", " previous"]),
            r#"Denied("jailbreak")"#
        );
        assert_eq!(
            of("user", &["ignore all", "previous"]),
            r#"Denied("jailbreak")"#
        );
        assert_eq!(of("user", &["tell of blue", "bird"]), r#"Denied("secret")"#);
        assert_eq!(of("user", &["ignore all", "that was previous"]), "Pass");
        assert_eq!(of("assistant", &["ignore all", "previous"]), "Pass");
        let apart =
            r#"{"messages":[{"role":"user","content":"blue"},{"role":"user","content":"bird"}]}"#;
        assert_eq!(judged(&guard, Dialect::OpenaiChat, apart), "Pass");
    }

    #[test]
    fn what_cannot_be_looked_at_does_not_pass() {
        let guard = PromptGuard::compile(&[], &[]).unwrap();
        let (open, close) = ("[".repeat(300), "]".repeat(300));
        let body = format!(r#"{{"messages":[{{"content":{open}"x"{close}}}]}}"#);
        assert_eq!(judged(&guard, Dialect::OpenaiChat, &body), "TooDeep");
    }
}
