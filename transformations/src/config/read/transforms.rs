//! `request` and `response`: one transform, or a list of which the first whose condition holds is applied.

use serde_json::{Map, Value};

use super::{Reader, join};
use crate::codes::Code;
use crate::config::fields::shape::{Forms, Text};
use crate::config::fields::when::WHEN;
use crate::config::fields::{Field, Object, top, transform};
use crate::config::{Expression, OnError, Transform};
use crate::diagnostics::{Diagnostic, Severity};
use crate::direction::Direction;

impl Reader {
    /// The transforms of a direction, in the order in which they are tried.
    pub(super) fn transforms(
        &mut self,
        root: &Map<String, Value>,
        field: &Field<Forms>,
        on_error: OnError,
    ) -> Vec<Transform> {
        let direction = match field.name == top::REQUESTS.name {
            true => Direction::Request,
            false => Direction::Response,
        };
        let Some(Value::Array(items)) = root.get(field.name) else {
            let fields = root.get(field.name);
            let fields = fields.and_then(|value| self.object(value, field.name));
            let transform = fields.map(|it| self.transform(it, field.name, direction, on_error));
            return transform.into_iter().collect();
        };
        let mut transforms: Vec<Transform> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let path = format!("{}[{index}]", field.name);
            let Value::Object(fields) = item else {
                self.wrong_type(&path, "an object", item);
                continue;
            };
            let before = transforms.last().filter(|before| before.when.is_none());
            if let Some(before) = before {
                let message = format!("this is never reached: {} has no condition", before.path);
                let warning = Diagnostic::error(Code::NEVER_REACHED, &path, message);
                self.found.push(
                    warning
                        .with_severity(Severity::Warning)
                        .with_help("give that one a \"when\", or put it last"),
                );
            }
            transforms.push(self.transform(fields, &path, direction, on_error));
        }
        transforms
    }

    fn transform(
        &mut self,
        fields: &Map<String, Value>,
        path: &str,
        direction: Direction,
        on_error: OnError,
    ) -> Transform {
        let object: &Object = match direction {
            Direction::Request => &transform::REQUEST,
            Direction::Response => &transform::RESPONSE,
        };
        self.known(fields, path, object);
        let mut transform = Transform {
            path: path.to_owned(),
            when: self.expression(fields, path, &WHEN),
            ..Transform::default()
        };
        if direction == Direction::Request {
            transform.reply = self.reply(fields, path);
        } else {
            transform.stream = self.event_rules(fields, path);
        }
        transform.edit = self.edits(fields, path, direction);
        transform.set = self.header_rules(fields, path, direction, &transform::SET);
        transform.add = self.header_rules(fields, path, direction, &transform::ADD);
        transform.remove = self.removals(fields, path, direction);
        transform.body = self.body(fields, path);
        transform.dynamic_metadata = self.metadata(fields, path);
        transform.extractors = self.extractors(fields, path);
        transform.on_error = self
            .choice(fields, path, &transform::ON_ERROR)
            .unwrap_or(on_error);
        transform.max_body_bytes = self.whole(fields, path, &transform::MAX_BODY_BYTES);
        if direction == Direction::Request {
            transform.clear_route_cache = self
                .choice(fields, path, &transform::CLEAR_ROUTE_CACHE)
                .unwrap_or_default();
            transform.route_headers = self.route_headers(fields, path);
        }
        transform
    }

    /// A condition, as it is written.
    pub(super) fn expression(
        &mut self,
        fields: &Map<String, Value>,
        path: &str,
        field: &Field<Text>,
    ) -> Option<Expression> {
        let text = self.string(fields, path, field)?;
        let path = join(path, field.name);
        Some(Expression { text, path })
    }
}
