//! Header rules and names: lists, the older map shape, and what makes a name acceptable.

use serde_json::{Map, Value};

use super::{HeaderName, HeaderRule, Reader, join};
use crate::codes::Code;
use crate::config::fields::shape::Forms;
use crate::config::fields::{Field, transform};
use crate::diagnostics::{Diagnostic, Severity};
use crate::direction::Direction;
use crate::http;

impl Reader {
    /// `set` or `add`: a list of `{name, value}`, or a map of name to value.
    pub(super) fn header_rules(
        &mut self,
        fields: &Map<String, Value>,
        parent: &str,
        field: &Field<Forms>,
    ) -> Vec<HeaderRule> {
        let path = join(parent, field.name);
        let mut rules = Vec::new();
        match fields.get(field.name) {
            None | Some(Value::Null) => {}
            Some(Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    rules.extend(self.header_rule(item, &format!("{path}[{index}]"), field));
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
                            path: at,
                        });
                    }
                }
            }
            Some(other) => self.wrong_type(&path, "a list of {\"name\", \"value\"}", other),
        }
        rules.retain(|rule| self.allowed(rule, parent, field));
        rules
    }

    fn header_rule(
        &mut self,
        item: &Value,
        path: &str,
        field: &Field<Forms>,
    ) -> Option<HeaderRule> {
        let Some(fields) = self.object(item, path) else {
            if item.is_null() {
                self.wrong_type(path, "an object with a name and a value", item);
            }
            return None;
        };
        self.known(fields, path, &transform::HEADER_RULE);
        let value = self
            .string(fields, path, &transform::VALUE)
            .unwrap_or_default();
        let name = transform::NAME.name;
        if fields.get(name).is_none_or(Value::is_null) {
            let message = format!("this {} rule has no {name}", field.name);
            self.error(Code::MISSING_NAME, path, message);
            return None;
        }
        let name = self.string(fields, path, &transform::NAME)?;
        let name = self.header_name(&name, &join(path, transform::NAME.name))?;
        let path = join(path, transform::VALUE.name);
        Some(HeaderRule { name, value, path })
    }

    /// `remove`: a list of names.
    pub(super) fn header_names(
        &mut self,
        fields: &Map<String, Value>,
        parent: &str,
    ) -> Vec<HeaderName> {
        let mut names = Vec::new();
        let path = join(parent, transform::REMOVE.name);
        for (index, item) in self
            .list(fields, parent, &transform::REMOVE)
            .iter()
            .enumerate()
        {
            let path = format!("{path}[{index}]");
            let Value::String(name) = item else {
                self.wrong_type(&path, "a header name", item);
                continue;
            };
            let Some(name) = self.header_name(name, &path) else {
                continue;
            };
            if self.is_unknown_pseudo_header(&name, parent, &path) {
                continue;
            }
            if http::is_vital(&name, direction(parent)) {
                self.found.push(
                    Diagnostic::error(
                        Code::PROTECTED_HEADER,
                        &path,
                        format!("{name} cannot be removed: no message can be without it"),
                    )
                    .with_help(format!("use set to give {name} another value")),
                );
                continue;
            }
            names.push(HeaderName { name, path });
        }
        names
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
    fn is_unknown_pseudo_header(&mut self, name: &str, parent: &str, path: &str) -> bool {
        let known = http::pseudo_headers(direction(parent));
        if !name.starts_with(':') || known.contains(&name) {
            return false;
        }
        let message = format!("a {parent} has no {name}");
        let help = format!("it has {}", known.join(", "));
        self.found
            .push(Diagnostic::error(Code::BAD_HEADER_NAME, path, message).with_help(help));
        true
    }

    /// Refuses rules that could only break the message, and leaves out those about the connection.
    fn allowed(&mut self, rule: &HeaderRule, parent: &str, field: &Field<Forms>) -> bool {
        // The path leads to the value, which is what other problems are about.
        let path = match rule.path.strip_suffix(transform::VALUE.name) {
            Some(item) => format!("{item}{}", transform::NAME.name),
            None => rule.path.clone(),
        };
        if self.is_unknown_pseudo_header(&rule.name, parent, &path) {
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
        if !http::is_vital(&rule.name, direction(parent)) {
            return true;
        }
        let name = &rule.name;
        let (message, help) = match &rule.value {
            _ if field.name == transform::ADD.name => (
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

fn direction(name: &str) -> Direction {
    if name == Direction::Request.name() {
        Direction::Request
    } else {
        Direction::Response
    }
}
