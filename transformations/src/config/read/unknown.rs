//! Fields that nothing reads: ignored, as kgateway does it, but never in silence. Whoever wrote one
//! counts on it.

use serde_json::{Map, Value};

use super::{Reader, join};
use crate::codes::Code;
use crate::diagnostics::{Diagnostic, Severity, nearest};

/// The fields at the top.
const TOP: [&str; 5] = ["request", "response", "limits", "envAllow", "onError"];

/// The fields of both directions.
pub(super) const OF_TRANSFORMS: [&str; 8] = [
    "set",
    "add",
    "remove",
    "body",
    "dynamicMetadata",
    "extractors",
    "onError",
    "maxBodyBytes",
];

/// The fields that only requests have.
pub(super) const OF_REQUESTS: [&str; 2] = ["clearRouteCache", "clearRouteCacheHeaders"];

/// The fields that only responses have.
pub(super) const OF_RESPONSES: [&str; 1] = ["stream"];

/// The fields of a body.
pub(super) const OF_BODIES: [&str; 3] = ["parseAs", "value", "patch"];

/// The fields of kgateway 2.0, which moved twice since.
const OLDEST: [&str; 3] = [
    "request_headers_setter",
    "response_headers_setter",
    "route_specific",
];

impl Reader {
    /// Warns of the fields of an object that nothing will read.
    pub(super) fn known(&mut self, fields: &Map<String, Value>, path: &str, known: &[&str]) {
        for name in fields.keys().filter(|name| !known.contains(&name.as_str())) {
            let shown: String = name.chars().take(64).collect();
            let message = "this field is not known and is ignored";
            let help = belongs_elsewhere(path, name)
                .map(str::to_owned)
                .or_else(|| {
                    let near = nearest(&shown, known.iter().copied())?;
                    Some(format!("did you mean \"{near}\"?"))
                });
            self.ignored(&join(path, &shown), message, help);
        }
    }

    /// As [`known`](Self::known), for the whole configuration.
    pub(super) fn known_at_top(&mut self, fields: &Map<String, Value>) {
        self.known(fields, "", &[&TOP[..], &OLDEST].concat());
        for name in OLDEST.iter().filter(|name| fields.contains_key(**name)) {
            let message = "this is a field of kgateway 2.0 and is ignored";
            let help = "write request.set and response.set, on the route they are for";
            self.ignored(name, message, Some(help.to_owned()));
        }
        if !fields.is_empty() && !fields.keys().any(|name| TOP.contains(&name.as_str())) {
            let message = "no field of this configuration is known, so it does nothing";
            let help = "what it should do stands in \"request\" and \"response\"";
            self.ignored("", message, Some(help.to_owned()));
        }
    }

    fn ignored(&mut self, path: &str, message: &str, help: Option<String>) {
        let warning =
            Diagnostic::error(Code::UNKNOWN_FIELD, path, message).with_severity(Severity::Warning);
        self.found.push(match help {
            Some(help) => warning.with_help(help),
            None => warning,
        });
    }
}

/// Where a field belongs that is known, but not here.
fn belongs_elsewhere(path: &str, name: &str) -> Option<&'static str> {
    match path {
        "" if OF_TRANSFORMS.contains(&name) => Some("it belongs into \"request\" or \"response\""),
        "" | "response" if OF_REQUESTS.contains(&name) => Some("it belongs into \"request\""),
        "" | "request" if OF_RESPONSES.contains(&name) => Some("it belongs into \"response\""),
        "request" | "response" if TOP.contains(&name) => Some("it belongs at the top"),
        "request" | "response" if OF_BODIES.contains(&name) => Some("it belongs into \"body\""),
        _ => None,
    }
}
