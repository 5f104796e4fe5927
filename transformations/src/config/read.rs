//! From JSON values to [`Config`], collecting every problem with its path.
//!
//! `null` counts as absent everywhere: Go and YAML tool chains produce it for unset fields.

use serde_json::{Map, Value};

use super::bytes::type_name;
use super::{Body, Config, HeaderName, HeaderRule, Limits, OnError, ParseAs, Transform};
use crate::codes::Code;
use crate::diagnostics::{Diagnostic, nearest};

mod events;
mod extractors;
mod header;
mod metadata;
mod patch;
mod routing;
mod unknown;

use unknown::{OF_BODIES, OF_REQUESTS, OF_RESPONSES, OF_TRANSFORMS};

/// Reads a whole configuration.
pub(super) fn config(value: &Value) -> (Config, Vec<Diagnostic>) {
    let mut reader = Reader { found: Vec::new() };
    let mut config = Config::default();
    if let Some(fields) = reader.object(value, "") {
        reader.known_at_top(fields);
        let on_error = reader.on_error(fields, "").unwrap_or_default();
        config = Config {
            request: reader.transform(fields, "request", on_error),
            response: reader.transform(fields, "response", on_error),
            limits: reader.limits(fields),
            env_allow: reader.env_allow(fields),
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
    fn string(&mut self, fields: &Map<String, Value>, path: &str, name: &str) -> Option<String> {
        match fields.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => {
                self.wrong_type(&join(path, name), "a string", other);
                None
            }
        }
    }

    /// A JSON Pointer, which is never a template: it is parsed once, when the configuration is
    /// loaded. One that was meant to be a template is among the problems, and another pointer
    /// stands in for it, of which there is nothing more to say.
    fn pointer(&mut self, fields: &Map<String, Value>, path: &str, name: &str) -> Option<String> {
        let pointer = self.string(fields, path, name)?;
        if !has_markers(&pointer) {
            return Some(pointer);
        }
        let message = "a JSON Pointer is not a template: these characters would be looked for";
        let help = "write the place out; json_set(document, pointer, value) takes computed ones";
        let problem = Diagnostic::error(Code::TEMPLATE_IN_POINTER, &join(path, name), message);
        self.found.push(problem.with_help(help));
        Some("/".to_owned())
    }

    fn list<'a>(&mut self, fields: &'a Map<String, Value>, path: &str, name: &str) -> &'a [Value] {
        match fields.get(name) {
            None | Some(Value::Null) => &[],
            Some(Value::Array(items)) => items,
            Some(other) => {
                self.wrong_type(&join(path, name), "a list", other);
                &[]
            }
        }
    }

    /// One of several words, spelt exactly.
    fn choice<T: Copy>(
        &mut self,
        fields: &Map<String, Value>,
        path: &str,
        name: &str,
        choices: &[(&'static str, T)],
    ) -> Option<T> {
        let word = self.string(fields, path, name)?;
        if let Some((_, value)) = choices.iter().find(|(known, _)| *known == word) {
            return Some(*value);
        }
        let known: Vec<_> = choices
            .iter()
            .map(|(known, _)| format!("\"{known}\""))
            .collect();
        let mut problem = Diagnostic::error(
            Code::UNKNOWN_CHOICE,
            &join(path, name),
            format!("expected one of {}", known.join(", ")),
        );
        if let Some(near) = nearest(&word, choices.iter().map(|(known, _)| *known)) {
            problem = problem.with_help(format!("did you mean \"{near}\"?"));
        }
        self.found.push(problem);
        None
    }

    fn on_error(&mut self, fields: &Map<String, Value>, path: &str) -> Option<OnError> {
        let choices = [
            ("auto", OnError::Auto),
            ("fail", OnError::Fail),
            ("skip", OnError::Skip),
            ("continue", OnError::Continue),
        ];
        self.choice(fields, path, "onError", &choices)
    }

    fn transform(&mut self, root: &Map<String, Value>, name: &str, on_error: OnError) -> Transform {
        let mut transform = Transform {
            on_error,
            ..Transform::default()
        };
        let Some(fields) = root.get(name).and_then(|value| self.object(value, name)) else {
            return transform;
        };
        let one_sided: &[_] = match name {
            "request" => &OF_REQUESTS,
            _ => &OF_RESPONSES,
        };
        self.known(fields, name, &[&OF_TRANSFORMS[..], one_sided].concat());
        if name == "response" {
            transform.stream = self.event_rules(fields, name);
        }
        transform.set = self.header_rules(fields, name, "set");
        transform.add = self.header_rules(fields, name, "add");
        transform.remove = self.header_names(fields, name);
        transform.body = self.body(fields, name);
        transform.dynamic_metadata = self.metadata(fields, name);
        transform.extractors = self.extractors(fields, name);
        transform.on_error = self.on_error(fields, name).unwrap_or(on_error);
        transform.max_body_bytes = self.max_body_bytes(fields, name);
        if name == "request" {
            transform.clear_route_cache = self.clear_route_cache(fields, name);
            transform.route_headers = self.route_headers(fields, name);
        }
        transform
    }

    fn body(&mut self, fields: &Map<String, Value>, path: &str) -> Body {
        let path = join(path, "body");
        let Some(fields) = fields
            .get("body")
            .and_then(|value| self.object(value, &path))
        else {
            return Body::default();
        };
        self.known(fields, &path, &OF_BODIES);
        let choices = [
            ("AsString", ParseAs::AsString),
            ("AsJson", ParseAs::AsJson),
            ("None", ParseAs::None),
        ];
        let mut body = Body {
            parse_as: self
                .choice(fields, &path, "parseAs", &choices)
                .unwrap_or_default(),
            value: self.string(fields, &path, "value").unwrap_or_default(),
            path: join(&path, "value"),
            patch: self.patch(fields, &path),
        };
        if !body.patch.is_empty() {
            if !body.value.is_empty() {
                let message = "a body has either a \"value\" or a \"patch\"";
                self.error(Code::CONFLICTING_BODY, &path, message);
            }
            if fields
                .get("parseAs")
                .is_some_and(|choice| !choice.is_null())
                && body.parse_as != ParseAs::AsJson
            {
                let message = "a patch needs the body as JSON";
                let problem =
                    Diagnostic::error(Code::CONFLICTING_BODY, &join(&path, "parseAs"), message);
                self.found
                    .push(problem.with_help("use \"AsJson\", or leave parseAs out"));
            }
            body.parse_as = ParseAs::AsJson;
        }
        body
    }

    fn limits(&mut self, root: &Map<String, Value>) -> Limits {
        let mut limits = Limits::default();
        let Some(fields) = root
            .get("limits")
            .and_then(|value| self.object(value, "limits"))
        else {
            return limits;
        };
        self.known(fields, "limits", &["fuel", "outputBytes", "recursion"]);
        if let Some(fuel) = self.limit(fields, "fuel", Limits::MAX_FUEL) {
            limits.fuel = fuel;
        }
        let most = Limits::MAX_OUTPUT_BYTES as u64;
        if let Some(bytes) = self.limit(fields, "outputBytes", most) {
            limits.output_bytes = usize::try_from(bytes).unwrap_or(Limits::MAX_OUTPUT_BYTES);
        }
        let most = Limits::MAX_RECURSION as u64;
        if let Some(depth) = self.limit(fields, "recursion", most) {
            limits.recursion = usize::try_from(depth).unwrap_or(Limits::MAX_RECURSION);
        }
        limits
    }

    fn limit(&mut self, fields: &Map<String, Value>, name: &str, most: u64) -> Option<u64> {
        let value = fields.get(name).filter(|value| !value.is_null())?;
        match value.as_u64().filter(|n| (1..=most).contains(n)) {
            Some(n) => Some(n),
            None => {
                let path = join("limits", name);
                let message = format!("expected a whole number from 1 to {most}");
                self.error(Code::BAD_LIMIT, &path, message);
                None
            }
        }
    }

    fn env_allow(&mut self, root: &Map<String, Value>) -> Option<Vec<String>> {
        root.get("envAllow").filter(|value| !value.is_null())?;
        let mut names = Vec::new();
        for (index, item) in self.list(root, "", "envAllow").iter().enumerate() {
            match item {
                Value::String(name) => names.push(name.clone()),
                other => self.wrong_type(&format!("envAllow[{index}]"), "a string", other),
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
fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
