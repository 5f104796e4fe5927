//! `body.patch`: a list of RFC 6902 operations whose values may hold templates.

use serde_json::{Map, Value};

use super::{Reader, has_markers, join};
use crate::codes::Code;
use crate::config::fields::patch;
use crate::config::fields::when::WHEN_HERE;
use crate::config::{JsonPiece, PatchOperation, ValueTemplate};

impl Reader {
    /// The operations of the field `patch`.
    pub(super) fn patch(
        &mut self,
        fields: &Map<String, Value>,
        parent: &str,
    ) -> Vec<PatchOperation> {
        let list = self.list(fields, parent, &patch::PATCH);
        let path = join(parent, patch::PATCH.name);
        let operations = list.iter().enumerate().filter_map(|(index, item)| {
            let path = format!("{path}[{index}]");
            let Value::Object(fields) = item else {
                self.wrong_type(&path, "an object with an op and a path", item);
                return None;
            };
            self.operation(fields, path)
        });
        operations.collect()
    }

    fn operation(&mut self, fields: &Map<String, Value>, path: String) -> Option<PatchOperation> {
        self.known(fields, &path, &patch::OPERATION);
        let before = self.found.len();
        let (op, pointer) = (
            self.string(fields, &path, &patch::OP),
            self.pointer(fields, &path, &patch::PATH),
        );
        for (field, missing) in [
            (&patch::OP, op.is_none()),
            (&patch::PATH, pointer.is_none()),
        ] {
            // A field of the wrong type was reported as such.
            if missing && self.found.len() == before {
                let message = format!("this operation has no \"{}\"", field.name);
                self.error(Code::BAD_PATCH, &path, message);
            }
        }
        let from = self.pointer(fields, &path, &patch::FROM);
        // Here null is a value like others.
        let value = fields
            .get(patch::OPERAND.name)
            .map(|value| json_template(value, &join(&path, patch::OPERAND.name)));
        let at = join(&path, patch::RENDERED_OPERAND.name);
        let rendered = self
            .string(fields, &path, &patch::RENDERED_OPERAND)
            .map(|value| ValueTemplate::Template { value, path: at });
        if value.is_some() && rendered.is_some() {
            let message = "an operation has either a \"value\" or a \"valueJson\"";
            self.error(Code::BAD_PATCH, &path, message);
        }
        Some(PatchOperation {
            op: op?,
            pointer: pointer?,
            from,
            value: value.or(rendered),
            when: self.expression(fields, &path, &WHEN_HERE),
            path,
        })
    }
}

/// JSON text, cut where a string is a template.
pub(super) fn json_template(value: &Value, path: &str) -> ValueTemplate {
    let mut writer = Writer {
        pieces: Vec::new(),
        text: String::new(),
    };
    writer.value(value, path);
    writer.cut();
    ValueTemplate::Json {
        pieces: writer.pieces,
        path: path.to_owned(),
    }
}

struct Writer {
    pieces: Vec<JsonPiece>,
    /// JSON text since the last template.
    text: String,
}

impl Writer {
    fn cut(&mut self) {
        if !self.text.is_empty() {
            self.pieces
                .push(JsonPiece::Text(std::mem::take(&mut self.text)));
        }
    }

    // Configurations come out of a JSON parser that limits their depth.
    fn value(&mut self, value: &Value, path: &str) {
        match value {
            Value::String(template) if has_markers(template) => {
                self.cut();
                self.pieces.push(JsonPiece::String {
                    value: template.clone(),
                    path: path.to_owned(),
                });
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.text.push(if index == 0 { '[' } else { ',' });
                    self.value(item, &format!("{path}[{index}]"));
                }
                self.text
                    .push_str(if items.is_empty() { "[]" } else { "]" });
            }
            Value::Object(fields) => {
                for (index, (key, member)) in fields.iter().enumerate() {
                    self.text.push(if index == 0 { '{' } else { ',' });
                    self.text.push_str(&Value::from(key.as_str()).to_string());
                    self.text.push(':');
                    self.value(member, &join(path, key));
                }
                self.text
                    .push_str(if fields.is_empty() { "{}" } else { "}" });
            }
            scalar => self.text.push_str(&scalar.to_string()),
        }
    }
}
