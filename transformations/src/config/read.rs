//! From JSON values to [`Config`], collecting every problem with its path.
//!
//! `null` counts as absent everywhere: Go and YAML tool chains produce it for unset fields.

use serde_json::{Map, Value};

use super::bytes::type_name;
use super::fields::shape::{Flag, List, Text, Whole, Words};
use super::fields::{Field, Object, body, top, transform::BODY_HERE};
use super::{Body, Config, HeaderRule, Limits, ParseAs, Variable};
use crate::codes::Code;
use crate::diagnostics::{Diagnostic, nearest};

pub(super) mod access;
mod ai;
mod events;
mod extractors;
mod header;
mod lines;
mod metadata;
mod patch;
pub(super) mod provider;
mod reply;
mod routing;
mod transforms;
mod unknown;

/// Reads a whole configuration.
pub(crate) fn config(value: &Value) -> (Config, Vec<Diagnostic>) {
    let mut reader = Reader { found: Vec::new() };
    let mut config = Config::default();
    if let Some(fields) = reader.object(value, "") {
        reader.known_at_top(fields);
        let on_error = reader
            .choice(fields, "", &top::ON_ERROR)
            .unwrap_or_default();
        config = Config {
            request: reader.transforms(fields, &top::REQUESTS, on_error),
            response: reader.transforms(fields, &top::RESPONSES, on_error),
            vars: reader.vars(fields),
            limits: reader.limits(fields),
            env_allow: reader.env_allow(fields),
            ai: reader.ai(fields),
            provider: reader.provider_here(fields),
        };
    }
    (config, reader.found)
}

struct Reader {
    found: Vec<Diagnostic>,
}

impl Reader {
    fn error(&mut self, code: Code, path: &str, message: impl Into<String>) {
        self.found.push(Diagnostic::error(code, path, message));
    }

    fn wrong_type(&mut self, path: &str, expected: &str, found: &Value) {
        let found = type_name(found);
        self.error(
            Code::WRONG_TYPE,
            path,
            format!("expected {expected}, found {found}"),
        );
    }

    fn object<'a>(&mut self, value: &'a Value, path: &str) -> Option<&'a Map<String, Value>> {
        match value {
            Value::Object(fields) => Some(fields),
            Value::Null => None,
            other => {
                self.wrong_type(path, "an object", other);
                None
            }
        }
    }

    /// A string field; absent and `null` are `None`.
    fn string(
        &mut self,
        fields: &Map<String, Value>,
        path: &str,
        field: &Field<Text>,
    ) -> Option<String> {
        self.text_of(fields, path, field.name)
    }

    fn text_of(&mut self, fields: &Map<String, Value>, path: &str, name: &str) -> Option<String> {
        self.text_at(fields.get(name), &join(path, name))
    }

    fn text_at(&mut self, value: Option<&Value>, path: &str) -> Option<String> {
        match value {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => {
                self.wrong_type(path, "a string", other);
                None
            }
        }
    }

    /// A JSON Pointer, which is never a template: it is parsed once, when the configuration is
    /// loaded. One that was meant to be a template is among the problems, and another pointer
    /// stands in for it, of which there is nothing more to say.
    fn pointer(
        &mut self,
        fields: &Map<String, Value>,
        path: &str,
        field: &Field<Text>,
    ) -> Option<String> {
        let pointer = self.string(fields, path, field)?;
        if !has_markers(&pointer) {
            return Some(pointer);
        }
        let message = "a JSON Pointer is not a template: these characters would be looked for";
        let help = "write the place out; json_set(document, pointer, value) takes computed ones";
        let path = join(path, field.name);
        let problem = Diagnostic::error(Code::TEMPLATE_IN_POINTER, &path, message);
        self.found.push(problem.with_help(help));
        Some("/".to_owned())
    }

    fn list<'a>(
        &mut self,
        fields: &'a Map<String, Value>,
        path: &str,
        field: &Field<List>,
    ) -> &'a [Value] {
        match fields.get(field.name) {
            None | Some(Value::Null) => &[],
            Some(Value::Array(items)) => items,
            Some(other) => {
                self.wrong_type(&join(path, field.name), "a list", other);
                &[]
            }
        }
    }

    /// A boolean; absent and `null` are `None`.
    fn flag(
        &mut self,
        fields: &Map<String, Value>,
        path: &str,
        field: &Field<Flag>,
    ) -> Option<bool> {
        match fields.get(field.name) {
            None | Some(Value::Null) => None,
            Some(Value::Bool(flag)) => Some(*flag),
            Some(other) => {
                self.wrong_type(&join(path, field.name), "a boolean", other);
                None
            }
        }
    }

    /// A whole number within its bounds; absent and `null` are its default, if it has one.
    fn whole(
        &mut self,
        fields: &Map<String, Value>,
        path: &str,
        field: &Field<Whole>,
    ) -> Option<u64> {
        let Whole {
            least,
            most,
            default,
            ..
        } = field.shape;
        let Some(value) = fields.get(field.name).filter(|value| !value.is_null()) else {
            return default;
        };
        let number = value
            .as_u64()
            .filter(|number| (least..=most).contains(number));
        if number.is_none() {
            let path = join(path, field.name);
            match most {
                u64::MAX => {
                    let message = format!("expected a whole number from {least}");
                    self.error(Code::WRONG_TYPE, &path, message);
                }
                _ => {
                    let message = format!("expected a whole number from {least} to {most}");
                    self.error(Code::BAD_LIMIT, &path, message);
                }
            }
        }
        number
    }

    /// An object, with its path.
    fn object_field<'a>(
        &mut self,
        fields: &'a Map<String, Value>,
        path: &str,
        field: &Field<&'static Object>,
    ) -> Option<(&'a Map<String, Value>, String)> {
        let path = join(path, field.name);
        let inside = self.object(fields.get(field.name)?, &path)?;
        self.known(inside, &path, field.shape);
        Some((inside, path))
    }

    /// One of several words, spelt exactly; absent and `null` are the default, if there is one.
    fn choice<T: Copy>(
        &mut self,
        fields: &Map<String, Value>,
        path: &str,
        field: &Field<Words<T>>,
    ) -> Option<T> {
        let path = join(path, field.name);
        self.word(fields.get(field.name), &path, field.shape)
    }

    /// The meaning of a value that must be one of several words.
    fn word<T: Copy>(&mut self, value: Option<&Value>, path: &str, words: Words<T>) -> Option<T> {
        let Words { all, default } = words;
        let Some(word) = self.text_at(value, path) else {
            return default;
        };
        let known = || all.iter().map(|(known, _)| *known);
        if let Some((_, value)) = all.iter().find(|(known, _)| *known == word) {
            return Some(*value);
        }
        let quoted: Vec<_> = known().map(|known| format!("\"{known}\"")).collect();
        let mut problem = Diagnostic::error(
            Code::UNKNOWN_CHOICE,
            path,
            format!("expected one of {}", quoted.join(", ")),
        );
        if let Some(near) = nearest(&word, known()) {
            problem = problem.with_help(format!("did you mean \"{near}\"?"));
        }
        self.found.push(problem);
        None
    }

    fn body(&mut self, fields: &Map<String, Value>, path: &str) -> Body {
        let Some((fields, path)) = self.object_field(fields, path, &BODY_HERE) else {
            return Body::default();
        };
        let mut body = Body {
            parse_as: self
                .choice(fields, &path, &body::PARSE_AS)
                .unwrap_or_default(),
            value: self.string(fields, &path, &body::VALUE).unwrap_or_default(),
            path: join(&path, body::VALUE.name),
            patch: self.patch(fields, &path),
            decode: self.flag(fields, &path, &body::DECODE).unwrap_or_default(),
        };
        if !body.patch.is_empty() {
            if !body.value.is_empty() {
                let message = "a body has either a \"value\" or a \"patch\"";
                self.error(Code::CONFLICTING_BODY, &path, message);
            }
            let parse_as = body::PARSE_AS.name;
            let is_chosen = fields.get(parse_as).is_some_and(|choice| !choice.is_null());
            if is_chosen && body.parse_as != ParseAs::AsJson {
                let message = "a patch needs the body as JSON";
                let path = join(&path, parse_as);
                let problem = Diagnostic::error(Code::CONFLICTING_BODY, &path, message);
                let help = "use \"AsJson\", or leave parseAs out";
                self.found.push(problem.with_help(help));
            }
            body.parse_as = ParseAs::AsJson;
        }
        body
    }

    fn limits(&mut self, root: &Map<String, Value>) -> Limits {
        let mut limits = Limits::default();
        let Some((fields, path)) = self.object_field(root, "", &top::LIMITS_OF_ALL) else {
            return limits;
        };
        if let Some(fuel) = self.whole(fields, &path, &top::FUEL) {
            limits.fuel = fuel;
        }
        let mut size = |field| {
            let size = self.whole(fields, &path, field)?;
            usize::try_from(size).ok()
        };
        if let Some(bytes) = size(&top::OUTPUT_BYTES) {
            limits.output_bytes = bytes;
        }
        if let Some(depth) = size(&top::RECURSION) {
            limits.recursion = depth;
        }
        if let Some(ratio) = size(&top::DECODE_RATIO) {
            limits.decode_ratio = ratio;
        }
        limits
    }

    fn vars(&mut self, root: &Map<String, Value>) -> Vec<Variable> {
        let field = &top::VARS;
        let vars = root.get(field.name);
        let Some(vars) = vars.and_then(|value| self.object(value, field.name)) else {
            return Vec::new();
        };
        let vars = vars.iter().filter_map(|(name, value)| {
            let shown: String = name.chars().take(64).collect();
            let path = join(field.name, &shown);
            let Value::String(value) = value else {
                self.wrong_type(&path, "a template", value);
                return None;
            };
            let (name, value) = (name.clone(), value.clone());
            Some(Variable { name, value, path })
        });
        vars.collect()
    }

    fn env_allow(&mut self, root: &Map<String, Value>) -> Option<Vec<String>> {
        let name = top::ENV_ALLOW.name;
        root.get(name).filter(|value| !value.is_null())?;
        let mut names = Vec::new();
        for (index, item) in self.list(root, "", &top::ENV_ALLOW).iter().enumerate() {
            match item {
                Value::String(name) => names.push(name.clone()),
                other => self.wrong_type(&format!("{name}[{index}]"), "a string", other),
            }
        }
        // Even a malformed list is a list: it must never end up allowing everything.
        Some(names)
    }
}

/// Whether the template language sees more in a text than text.
pub(crate) fn has_markers(text: &str) -> bool {
    ["{{", "{%", "{#"]
        .iter()
        .any(|marker| text.contains(marker))
}

/// A field's path below its parent's.
pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
