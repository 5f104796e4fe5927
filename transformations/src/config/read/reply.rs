//! `reply`: an answer that does not come from the upstream.

use serde_json::{Map, Value};

use super::{HeaderRule, Reader, join};
use crate::codes::Code;
use crate::config::Reply;
use crate::config::fields::header::{self, HEADER_RULE};
use crate::config::fields::when::WHEN_HERE;
use crate::config::fields::{reply, transform};
use crate::diagnostics::Diagnostic;
use crate::direction::Direction;

impl Reader {
    pub(super) fn reply(&mut self, fields: &Map<String, Value>, parent: &str) -> Option<Reply> {
        let (fields, path) = self.object_field(fields, parent, &transform::REPLY)?;
        let status = self.status(fields, &path);
        let headers = self.reply_headers(fields, &path);
        let body = self.string(fields, &path, &reply::BODY);
        Some(Reply {
            status: status?,
            headers,
            body: body.filter(|body| !body.is_empty()),
            when: self.expression(fields, &path, &WHEN_HERE),
            path,
        })
    }

    /// The status, as the text of a template.
    fn status(&mut self, fields: &Map<String, Value>, path: &str) -> Option<String> {
        let name = reply::STATUS.name;
        match fields.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            None | Some(Value::Null) => {
                let message = "a reply needs a status";
                self.error(Code::MISSING_VALUE, path, message);
                None
            }
            Some(other) => {
                self.wrong_type(&join(path, name), "a status or a template", other);
                None
            }
        }
    }

    fn reply_headers(&mut self, fields: &Map<String, Value>, parent: &str) -> Vec<HeaderRule> {
        let field = &reply::HEADERS;
        let path = join(parent, field.name);
        let mut rules = Vec::new();
        for (index, item) in self.list(fields, parent, field).iter().enumerate() {
            let path = format!("{path}[{index}]");
            let kind = (&HEADER_RULE, &header::VALUE, field.name);
            let Some(rule) = self.header_rule(item, &path, kind) else {
                continue;
            };
            if rule.name.starts_with(':') {
                let message = format!("a reply has no header {}", rule.name);
                let path = join(&path, header::NAME.name);
                let problem = Diagnostic::error(Code::BAD_HEADER_NAME, &path, message);
                let help = format!("its {} is a field of its own", reply::STATUS.name);
                self.found.push(problem.with_help(help));
            } else if self.allowed(&rule, Direction::Response, field.name) {
                rules.push(rule);
            }
        }
        rules
    }
}
