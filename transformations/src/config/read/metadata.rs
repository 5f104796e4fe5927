//! `dynamicMetadata`: entries with a value of a stated type.

use serde_json::{Map, Value};

use super::patch::json_template;
use super::{Reader, join};
use crate::codes::Code;
use crate::config::{MetadataKind, MetadataRule, ValueTemplate};
use crate::diagnostics::{Diagnostic, Severity};

impl Reader {
    pub(super) fn metadata(
        &mut self,
        fields: &Map<String, Value>,
        path: &str,
    ) -> Vec<MetadataRule> {
        let list = self.list(fields, path, "dynamicMetadata");
        let path = join(path, "dynamicMetadata");
        let rules = list.iter().enumerate().filter_map(|(index, item)| {
            let path = format!("{path}[{index}]");
            let fields = self.object(item, &path)?;
            self.known(fields, &path, &["namespace", "key", "value"]);
            let namespace = self.string(fields, &path, "namespace").unwrap_or_default();
            let key = self.string(fields, &path, "key").unwrap_or_default();
            let value = self.metadata_value(fields.get("value"), &join(&path, "value"));
            match value {
                Some((kind, value)) if !namespace.is_empty() && !key.is_empty() => {
                    Some(MetadataRule {
                        namespace,
                        key,
                        kind,
                        value,
                    })
                }
                _ => {
                    self.found.push(
                        Diagnostic::error(
                            Code::INCOMPLETE_METADATA,
                            &path,
                            "this entry is ignored: it needs a namespace, a key and a value",
                        )
                        .with_severity(Severity::Warning),
                    );
                    None
                }
            }
        });
        rules.collect()
    }

    /// The value of a metadata entry: a bare string, or an object with one typed field.
    fn metadata_value(
        &mut self,
        value: Option<&Value>,
        path: &str,
    ) -> Option<(MetadataKind, ValueTemplate)> {
        let fields = match value? {
            Value::String(text) => {
                return Some((
                    MetadataKind::String,
                    template(text.clone(), path.to_owned()),
                ));
            }
            other => self.object(other, path)?,
        };
        let known = ["stringValue", "numberValue", "boolValue", "jsonValue"];
        self.known(fields, path, &known);
        let (name, value) = known.into_iter().find_map(|name| {
            let value = fields.get(name).filter(|value| !value.is_null())?;
            Some((name, value))
        })?;
        let path = join(path, name);
        let (kind, text) = match (name, value) {
            ("jsonValue", Value::String(text)) => (MetadataKind::Json, text.clone()),
            ("jsonValue", json) => return Some((MetadataKind::Json, json_template(json, &path))),
            ("stringValue", Value::String(text)) => (MetadataKind::String, text.clone()),
            ("numberValue", Value::String(text)) => (MetadataKind::Number, text.clone()),
            ("numberValue", Value::Number(number)) => (MetadataKind::Number, number.to_string()),
            ("boolValue", Value::String(text)) => (MetadataKind::Bool, text.clone()),
            ("boolValue", Value::Bool(flag)) => (MetadataKind::Bool, flag.to_string()),
            (name, other) => {
                let expected = match name {
                    "numberValue" => "a number or a template",
                    "boolValue" => "a boolean or a template",
                    _ => "a string",
                };
                self.wrong_type(&path, expected, other);
                return None;
            }
        };
        Some((kind, template(text, path)))
    }
}

fn template(value: String, path: String) -> ValueTemplate {
    ValueTemplate::Template { value, path }
}
