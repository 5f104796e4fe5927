//! `ai`: what is done about LLM traffic. Unlike elsewhere, what is not known is an error here.

use serde_json::{Map, Value};

mod mask;
mod publish;
mod stages;

use super::{Reader, join};
use crate::codes::Code;
use crate::config::ai::{Ai, Cost, PriceFile, Usage};
use crate::config::fields::shape::Text;
use crate::config::fields::{Field, Object, ai, top};
use crate::diagnostics::{Diagnostic, nearest};

impl Reader {
    pub(super) fn ai(&mut self, root: &Map<String, Value>) -> Option<Ai> {
        let (fields, path) = self.strict_field(root, "", &top::AI_HERE)?;
        Some(Ai {
            dialect: self.choice(fields, &path, &ai::DIALECT).flatten(),
            body_bytes: (self.whole(fields, &path, &ai::BODY_BYTES)).unwrap_or_default(),
            refuses_unknown: self.choice(fields, &path, &ai::ON_UNKNOWN),
            model: self.model(fields, &path),
            limits: self.ai_limits(fields, &path),
            guard: self.guard(fields, &path),
            mask: self.mask(fields, &path),
            prompt: self.prompt(fields, &path),
            usage: self.usage(fields, &path),
            cost: self.cost(fields, &path),
            publish: self.publish(fields, &path),
        })
    }

    fn usage(&mut self, fields: &Map<String, Value>, parent: &str) -> Option<Usage> {
        let (fields, path) = self.strict_field(fields, parent, &ai::USAGE_HERE)?;
        let usual = Usage::default();
        Some(Usage {
            force: self.flag(fields, &path, &ai::FORCE).unwrap_or(usual.force),
            estimate: (self.flag(fields, &path, &ai::ESTIMATE)).unwrap_or(usual.estimate),
        })
    }

    fn cost(&mut self, fields: &Map<String, Value>, parent: &str) -> Option<Cost> {
        let (fields, path) = self.strict_field(fields, parent, &ai::COST_HERE)?;
        let prices = fields.get(ai::PRICES.name).unwrap_or(&Value::Null);
        let file = fields.get(ai::PRICE_FILE.name).unwrap_or(&Value::Null);
        if prices.is_null() && file.is_null() {
            let message = "a cost needs prices, or a file of them";
            self.error(Code::MISSING_VALUE, &path, message);
            return None;
        }
        let prices_the_answered = self.choice(fields, &path, &ai::PRICED).unwrap_or_default();
        let file = match file.is_null() {
            true => None,
            false => Some(PriceFile {
                name: self.needed_text(fields, &path, &ai::PRICE_FILE)?,
                path: join(&path, ai::PRICE_FILE.name),
            }),
        };
        let path = join(&path, ai::PRICES.name);
        let prices = self.object(prices, &path).map(|_| without_nulls(prices));
        Some(Cost {
            prices: prices.map(|it| it.to_string()),
            path,
            file,
            prices_the_answered,
        })
    }

    /// A text that must be there and say something.
    pub(super) fn needed_text(
        &mut self,
        fields: &Map<String, Value>,
        path: &str,
        field: &Field<Text>,
    ) -> Option<String> {
        let given = fields.get(field.name).is_some_and(|it| !it.is_null());
        let text = self.string(fields, path, field);
        match text.filter(|text| !text.is_empty()) {
            Some(text) => Some(text),
            None => {
                // What is there and of another type was told.
                if !given || fields.get(field.name).is_some_and(|it| it == "") {
                    self.missing(path, field.name);
                }
                None
            }
        }
    }

    pub(super) fn missing(&mut self, path: &str, name: &str) {
        let message = format!("this needs a \"{name}\"");
        self.error(Code::MISSING_VALUE, path, message);
    }

    /// An object in which every field must be known, with its path.
    pub(super) fn strict_field<'a>(
        &mut self,
        fields: &'a Map<String, Value>,
        path: &str,
        field: &Field<&'static Object>,
    ) -> Option<(&'a Map<String, Value>, String)> {
        self.strict(fields, path, field.name, field.shape)
    }

    pub(super) fn strict<'a>(
        &mut self,
        fields: &'a Map<String, Value>,
        path: &str,
        name: &str,
        object: &Object,
    ) -> Option<(&'a Map<String, Value>, String)> {
        let path = join(path, name);
        let inside = self.object(fields.get(name)?, &path)?;
        self.only(inside, &path, object);
        Some((inside, path))
    }

    /// Refuses the fields of an object that are not known.
    pub(super) fn only(&mut self, fields: &Map<String, Value>, path: &str, object: &Object) {
        for name in fields.keys().filter(|name| !object.has(name)) {
            let shown: String = name.chars().take(64).collect();
            let path = join(path, &shown);
            let message = "this field is not known";
            let problem = Diagnostic::error(Code::UNKNOWN_AI_FIELD, &path, message);
            let near = nearest(&shown, object.fields().map(|field| field.name));
            self.found.push(match near {
                Some(near) => problem.with_help(format!("did you mean \"{near}\"?")),
                None => {
                    let names: Vec<_> = object.fields().map(|field| field.name).collect();
                    problem.with_help(format!("the fields are {}", names.join(", ")))
                }
            });
        }
    }
}

/// What is `null` counts as absent.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let there = fields.iter().filter(|(_, value)| !value.is_null());
            let there = there.map(|(name, value)| (name.clone(), without_nulls(value)));
            Value::Object(there.collect())
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}
