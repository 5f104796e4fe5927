//! Fields that nothing reads: ignored, as kgateway does it, but never in silence. Whoever wrote one
//! counts on it.

use serde_json::{Map, Value};

use super::{Reader, join};
use crate::codes::Code;
use crate::config::fields::transform::{self, OF_BOTH, OF_REQUESTS, OF_RESPONSES};
use crate::config::fields::{AnyField, Object, body, top};
use crate::diagnostics::{Diagnostic, Severity, nearest};

impl Reader {
    /// Warns of the fields of an object that nothing will read.
    pub(super) fn known(&mut self, fields: &Map<String, Value>, path: &str, object: &Object) {
        self.known_or(fields, path, object, &[]);
    }

    /// As [`known`](Self::known), for the whole configuration.
    pub(super) fn known_at_top(&mut self, fields: &Map<String, Value>) {
        self.known_or(fields, "", &top::CONFIGURATION, &top::OLDEST);
        for old in top::OLDEST
            .iter()
            .filter(|old| fields.contains_key(old.name))
        {
            let message = "this is a field of kgateway 2.0 and is ignored";
            let help = "write request.set and response.set, on the route they are for";
            self.ignored(old.name, message, Some(help.to_owned()));
        }
        if !fields.is_empty() && !fields.keys().any(|name| top::CONFIGURATION.has(name)) {
            let message = "no field of this configuration is known, so it does nothing";
            let help = "what it should do stands in \"request\" and \"response\"";
            self.ignored("", message, Some(help.to_owned()));
        }
    }

    fn known_or(
        &mut self,
        fields: &Map<String, Value>,
        path: &str,
        object: &Object,
        others: &[&'static AnyField],
    ) {
        let known = || object.fields().chain(others.iter().copied());
        for name in fields.keys() {
            if known().any(|field| field.name == name) {
                continue;
            }
            let shown: String = name.chars().take(64).collect();
            let message = "this field is not known and is ignored";
            let help = belongs_elsewhere(object, name)
                .map(str::to_owned)
                .or_else(|| {
                    let near = nearest(&shown, known().map(|field| field.name))?;
                    Some(format!("did you mean \"{near}\"?"))
                });
            self.ignored(&join(path, &shown), message, help);
        }
    }

    pub(super) fn ignored(&mut self, path: &str, message: &str, help: Option<String>) {
        let warning =
            Diagnostic::error(Code::UNKNOWN_FIELD, path, message).with_severity(Severity::Warning);
        self.found.push(match help {
            Some(help) => warning.with_help(help),
            None => warning,
        });
    }
}

fn has<'f>(fields: impl IntoIterator<Item = &'f &'static AnyField>, name: &str) -> bool {
    fields.into_iter().any(|field| field.name == name)
}

/// Where a field belongs that is known, but not in this object.
fn belongs_elsewhere(object: &Object, name: &str) -> Option<&'static str> {
    let is = |other: &Object| std::ptr::eq(object, other);
    let at_top = is(&top::CONFIGURATION);
    let (in_request, in_response) = (is(&transform::REQUEST), is(&transform::RESPONSE));
    if at_top && has(&OF_BOTH, name) {
        Some("it belongs into \"request\" or \"response\"")
    } else if (at_top || in_response) && has(&OF_REQUESTS, name) {
        Some("it belongs into \"request\"")
    } else if (at_top || in_request) && has(&OF_RESPONSES, name) {
        Some("it belongs into \"response\"")
    } else if (in_request || in_response) && top::CONFIGURATION.has(name) {
        Some("it belongs at the top")
    } else if (in_request || in_response) && body::BODY.has(name) {
        Some("it belongs into \"body\"")
    } else {
        None
    }
}
