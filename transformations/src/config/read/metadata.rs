//! `dynamicMetadata`: entries with a value of a stated type.

use serde_json::{Map, Value};

use super::patch::json_template;
use super::{Reader, join};
use crate::codes::Code;
use crate::config::fields::when::WHEN_HERE;
use crate::config::fields::{metadata, transform};
use crate::config::{MetadataKind, MetadataRule, ValueTemplate};
use crate::diagnostics::{Diagnostic, Severity};

/// The fields of a value, in the order in which they are looked for.
const KINDS: [(&str, MetadataKind); 4] = [
    (metadata::STRING_VALUE.name, MetadataKind::String),
    (metadata::NUMBER_VALUE.name, MetadataKind::Number),
    (metadata::BOOL_VALUE.name, MetadataKind::Bool),
    (metadata::JSON_VALUE.name, MetadataKind::Json),
];

impl Reader {
    pub(super) fn metadata(
        &mut self,
        fields: &Map<String, Value>,
        path: &str,
    ) -> Vec<MetadataRule> {
        let list = self.list(fields, path, &transform::DYNAMIC_METADATA);
        let path = join(path, transform::DYNAMIC_METADATA.name);
        let rules = list.iter().enumerate().filter_map(|(index, item)| {
            let path = format!("{path}[{index}]");
            let fields = self.object(item, &path)?;
            self.known(fields, &path, &metadata::ENTRY);
            let namespace = self
                .string(fields, &path, &metadata::NAMESPACE)
                .unwrap_or_default();
            let key = self
                .string(fields, &path, &metadata::KEY)
                .unwrap_or_default();
            let value = self.metadata_value(
                fields.get(metadata::VALUE.name),
                &join(&path, metadata::VALUE.name),
            );
            let when = self.expression(fields, &path, &WHEN_HERE);
            match value {
                Some((kind, value)) if !namespace.is_empty() && !key.is_empty() => {
                    Some(MetadataRule {
                        namespace,
                        key,
                        kind,
                        value,
                        when,
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
        self.known(fields, path, &metadata::TYPED_VALUE);
        let mut given = KINDS.into_iter().filter_map(|(name, kind)| {
            let value = fields.get(name).filter(|value| !value.is_null())?;
            Some((kind, name, value))
        });
        let (kind, name, value) = given.next()?;
        for (_, other, _) in given {
            let message = format!("this is ignored: there is a {name} already");
            self.ignored(&join(path, other), &message, None);
        }
        let path = join(path, name);
        let text = match (kind, value) {
            (_, Value::String(text)) => text.clone(),
            (MetadataKind::Json, json) => return Some((kind, json_template(json, &path))),
            (MetadataKind::Number, Value::Number(number)) => number.to_string(),
            (MetadataKind::Bool, Value::Bool(flag)) => flag.to_string(),
            (_, other) => {
                let expected = match kind {
                    MetadataKind::Number => "a number or a template",
                    MetadataKind::Bool => "a boolean or a template",
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
