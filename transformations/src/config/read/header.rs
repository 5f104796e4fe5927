//! `set` and `add`: lists, the older map shape, and which headers a rule may give a value.

use serde_json::{Map, Value};

use super::{HeaderRule, Reader, join};
use crate::codes::Code;
use crate::config::fields::shape::{Forms, Text};
use crate::config::fields::when::WHEN_HERE;
use crate::config::fields::{Field, Object, header, transform};
use crate::diagnostics::{Diagnostic, Severity};
use crate::direction::Direction;
use crate::http;

impl Reader {
    /// `set` or `add`: a list of `{name, value}`, or a map of name to value.
    pub(super) fn header_rules(
        &mut self,
        fields: &Map<String, Value>,
        parent: &str,
        direction: Direction,
        field: &Field<Forms>,
    ) -> Vec<HeaderRule> {
        let path = join(parent, field.name);
        let mut rules = Vec::new();
        match fields.get(field.name) {
            None | Some(Value::Null) => {}
            Some(Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    let path = format!("{path}[{index}]");
                    let kind = (&header::HEADER_RULE, &header::VALUE, field.name);
                    rules.extend(self.header_rule(item, &path, kind));
                }
            }
            Some(Value::Object(map)) => {
                for (name, value) in map {
                    let at = format!("{path}[{:?}]", name.chars().take(64).collect::<String>());
                    let value = match value {
                        Value::String(text) => text.clone(),
                        Value::Null => String::new(),
                        other => {
                            self.wrong_type(&at, "a string", other);
                            continue;
                        }
                    };
                    if let Some(name) = self.header_name(name, &at) {
                        rules.push(HeaderRule {
                            name,
                            value,
                            when: None,
                            path: at,
                        });
                    }
                }
            }
            Some(other) => self.wrong_type(&path, "a list of {\"name\", \"value\"}", other),
        }
        rules.retain(|rule| self.allowed(rule, direction, field.name));
        rules
    }

    /// One entry of a list: which object it is, which of its fields is the value, and what the list is
    /// called.
    pub(super) fn header_rule(
        &mut self,
        item: &Value,
        path: &str,
        (object, value, list): (&Object, &Field<Text>, &str),
    ) -> Option<HeaderRule> {
        let Some(fields) = self.object(item, path) else {
            if item.is_null() {
                self.wrong_type(path, "an object with a name and a value", item);
            }
            return None;
        };
        self.known(fields, path, object);
        let text = self.string(fields, path, value).unwrap_or_default();
        let when = self.expression(fields, path, &WHEN_HERE);
        let name = header::NAME.name;
        if fields.get(name).is_none_or(Value::is_null) {
            let message = format!("this {list} rule has no {name}");
            self.error(Code::MISSING_NAME, path, message);
            return None;
        }
        let name = self.string(fields, path, &header::NAME)?;
        let name = self.header_name(&name, &join(path, header::NAME.name))?;
        Some(HeaderRule {
            name,
            value: text,
            when,
            path: join(path, value.name),
        })
    }

    /// The name in lower case, if HTTP allows it.
    pub(super) fn header_name(&mut self, name: &str, path: &str) -> Option<String> {
        let token = name.strip_prefix(':').unwrap_or(name);
        if http::is_token(token) {
            return Some(name.to_ascii_lowercase());
        }
        let message = if token.is_empty() {
            "a header name must not be empty".to_owned()
        } else {
            let bad = token
                .chars()
                .find(|&c| !u8::try_from(c).is_ok_and(http::is_token_byte));
            format!("a header name must not contain {:?}", bad.unwrap_or(' '))
        };
        self.error(Code::BAD_HEADER_NAME, path, message);
        None
    }

    /// Refuses pseudo-headers that HTTP does not have: a message that carries one is malformed (RFC
    /// 9113 section 8.3).
    pub(super) fn is_unknown_pseudo_header(
        &mut self,
        name: &str,
        direction: Direction,
        path: &str,
    ) -> bool {
        let known = http::pseudo_headers(direction);
        if !name.starts_with(':') || known.contains(&name) {
            return false;
        }
        let message = format!("a {} has no {name}", direction.name());
        let help = format!("it has {}", known.join(", "));
        self.found
            .push(Diagnostic::error(Code::BAD_HEADER_NAME, path, message).with_help(help));
        true
    }

    /// Refuses rules that could only break the message, and leaves out those about the connection.
    pub(super) fn allowed(&mut self, rule: &HeaderRule, direction: Direction, list: &str) -> bool {
        // The path leads to the value, which is what other problems are about.
        let path = match rule.path.strip_suffix(header::VALUE.name) {
            Some(item) => format!("{item}{}", header::NAME.name),
            None => rule.path.clone(),
        };
        if self.is_unknown_pseudo_header(&rule.name, direction, &path) {
            return false;
        }
        if http::is_framing(&rule.name) && !rule.value.is_empty() {
            let message = format!("{} cannot be given a value by a rule", rule.name);
            let help = "it is kept right when the body changes; leave the rule out";
            let problem = Diagnostic::error(Code::FRAMING_HEADER, &rule.path, message);
            self.found.push(problem.with_help(help));
            return false;
        }
        // Whether the peer can take trailers is about the message, too.
        let is_about_trailers = rule.name == "te" && rule.value == "trailers";
        if http::is_hop_by_hop(&rule.name) && !rule.value.is_empty() && !is_about_trailers {
            let message = format!(
                "{} is about one connection; this rule is ignored",
                rule.name
            );
            let warning = Diagnostic::error(Code::CONNECTION_HEADER, &rule.path, message)
                .with_severity(Severity::Warning)
                .with_help("Envoy speaks for its own connections; leave the rule out");
            self.found.push(warning);
            return false;
        }
        if !http::is_vital(&rule.name, direction) {
            return true;
        }
        let name = &rule.name;
        let (message, help) = match &rule.value {
            _ if list == transform::ADD.name => (
                format!("{name} cannot be added a second time"),
                format!("use set to give {name} another value"),
            ),
            value if value.is_empty() => (
                format!("an empty value would remove {name}: no message can be without it"),
                format!("give {name} a value"),
            ),
            _ => return true,
        };
        let problem = Diagnostic::error(Code::PROTECTED_HEADER, &rule.path, message);
        self.found.push(problem.with_help(help));
        false
    }
}
