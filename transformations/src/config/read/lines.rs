//! `edit` and `remove`: rules for the lines of headers that are there already.

use serde_json::{Map, Value};

use super::{HeaderRule, Reader, join};
use crate::codes::Code;
use crate::config::RemoveRule;
use crate::config::fields::when::WHEN_HERE;
use crate::config::fields::{header, transform};
use crate::diagnostics::Diagnostic;
use crate::direction::Direction;
use crate::http::{self, NamePattern};

impl Reader {
    /// `edit`: a list of names, each with the template of a line.
    pub(super) fn edits(
        &mut self,
        fields: &Map<String, Value>,
        parent: &str,
        direction: Direction,
    ) -> Vec<HeaderRule> {
        let field = &transform::EDIT;
        let path = join(parent, field.name);
        let mut rules = Vec::new();
        for (index, item) in self.list(fields, parent, field).iter().enumerate() {
            let path = format!("{path}[{index}]");
            let kind = (&header::HEADER_EDIT, &header::NEW_LINE, field.name);
            let Some(rule) = self.header_rule(item, &path, kind) else {
                continue;
            };
            if rule.value.is_empty() {
                let message = "an edit needs a value: the template of each line";
                let problem = Diagnostic::error(Code::MISSING_VALUE, &path, message);
                let help = "in it, value is the line as it came; use remove to remove all lines";
                self.found.push(problem.with_help(help));
            } else if http::is_vital(&rule.name, direction) {
                let message = format!("{} has one value, and no lines to edit", rule.name);
                let path = join(&path, header::NAME.name);
                let problem = Diagnostic::error(Code::PROTECTED_HEADER, &path, message);
                let help = format!("use set to give {} another value", rule.name);
                self.found.push(problem.with_help(help));
            } else if self.allowed(&rule, direction, field.name) {
                rules.push(rule);
            }
        }
        rules
    }

    /// `remove`: a list of names and patterns, with or without a condition.
    pub(super) fn removals(
        &mut self,
        fields: &Map<String, Value>,
        parent: &str,
        direction: Direction,
    ) -> Vec<RemoveRule> {
        let field = &transform::REMOVE;
        let path = join(parent, field.name);
        let list = self.list(fields, parent, field).iter().enumerate();
        let rules = list.filter_map(|(index, item)| {
            let path = format!("{path}[{index}]");
            let (name, at, when) = match item {
                Value::String(name) => (name.clone(), path.clone(), None),
                Value::Object(fields) => {
                    self.known(fields, &path, &header::REMOVAL);
                    let at = join(&path, header::REMOVED.name);
                    let when = self.expression(fields, &path, &WHEN_HERE);
                    if fields.get(header::REMOVED.name).is_none_or(Value::is_null) {
                        let message = format!("this {} rule has no name", field.name);
                        self.error(Code::MISSING_NAME, &path, message);
                        return None;
                    }
                    (self.string(fields, &path, &header::REMOVED)?, at, when)
                }
                other => {
                    self.wrong_type(&path, "a header name", other);
                    return None;
                }
            };
            let name = self.header_name(&name, &at)?;
            let names = NamePattern::new(&name);
            if !self.is_unknown_pseudo_header(&name, direction, &at)
                && self.can_remove(&names, direction, &at)
            {
                Some(RemoveRule { names, when, path })
            } else {
                None
            }
        });
        rules.collect()
    }

    /// Refuses to remove what no message can be without.
    fn can_remove(&mut self, names: &NamePattern, direction: Direction, path: &str) -> bool {
        let Some(name) = names.name() else {
            return true;
        };
        if http::is_vital(name, direction) {
            let message = format!("{name} cannot be removed: no message can be without it");
            let problem = Diagnostic::error(Code::PROTECTED_HEADER, path, message);
            let help = format!("use set to give {name} another value");
            self.found.push(problem.with_help(help));
            return false;
        }
        true
    }
}
