//! What of a configuration a kgateway `TrafficPolicy` cannot carry, by the [table of fields](super::fields).
//!
//! The resource definition of a release has the fields that it has: others are refused by the API server, or
//! dropped without a word. Asked by tools, never by a filter, which sees only what has come through.

use serde_json::{Map, Value};

use super::fields::shape::{Forms, View};
use super::fields::{AnyField, Object, Policy, top};
use crate::codes::Code;
use crate::diagnostics::Diagnostic;

/// What a kgateway of this major and minor version has no place for in `spec.transformation`, with the path of
/// each. Fields that are not known at all are the compiler's to tell of.
pub fn beyond_policy(config: &Value, kgateway: (u16, u16)) -> Vec<Diagnostic> {
    let mut walk = Walk {
        kgateway,
        found: Vec::new(),
    };
    if let Value::Object(fields) = config {
        walk.object(fields, &top::CONFIGURATION, "");
    }
    walk.found
}

struct Walk {
    kgateway: (u16, u16),
    found: Vec<Diagnostic>,
}

impl Walk {
    fn object(&mut self, fields: &Map<String, Value>, object: &Object, path: &str) {
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
            if let Some(field) = object.fields().find(|field| field.name == name) {
                self.field(field, value, &super::read::join(path, name));
            }
        }
    }

    fn field(&mut self, field: &AnyField, value: &Value, path: &str) {
        let since = match field.policy {
            Policy::AsHolder => None,
            Policy::Never => return self.tell(path, "this field", None),
            Policy::Since(release) => Some(release),
            Policy::SinceBut(_, (word, later)) if value == word => Some(later),
            Policy::SinceBut(release, _) => Some(release),
        };
        match since {
            Some(release) if numbers(release) > self.kgateway => {
                let what = match field.policy {
                    Policy::SinceBut(earlier, _) if earlier != release => "this value",
                    _ => "this field",
                };
                self.tell(path, what, Some(release));
            }
            _ => self.shape(&field.shape.view(), value, path),
        }
    }

    fn shape(&mut self, view: &View, value: &Value, path: &str) {
        match (view, value) {
            (View::Object(object) | View::OneOf(object), Value::Object(fields)) => {
                self.object(fields, object, path);
            }
            (View::List(list), Value::Array(items)) => {
                let of = list.of.view();
                for (index, item) in items.iter().enumerate() {
                    self.shape(&of, item, &format!("{path}[{index}]"));
                }
            }
            (View::Names(names), Value::Object(fields)) => {
                let of = names.of.view();
                for (name, value) in fields {
                    self.shape(&of, value, &super::read::join(path, name));
                }
            }
            (View::Forms(forms), value) => self.forms(*forms, value, path),
            // What is no such shape at all is the compiler's to tell of.
            _ => {}
        }
    }

    /// A policy has the first of several shapes.
    fn forms(&mut self, forms: Forms, value: &Value, path: &str) {
        let views = forms.all.iter().map(|form| form.shape.view());
        match views.enumerate().find(|(_, view)| fits(view, value)) {
            Some((0, view)) => self.shape(&view, value, path),
            Some(_) => self.tell(path, "a value of this type", None),
            None => {}
        }
    }

    fn tell(&mut self, path: &str, what: &str, since: Option<&str>) {
        let (major, minor) = self.kgateway;
        let message = format!("a TrafficPolicy of kgateway {major}.{minor} cannot carry {what}");
        let help = match since {
            Some(release) => format!("kgateway {release} has it"),
            None => "put it into a profile, which a policy can choose".to_owned(),
        };
        let problem = Diagnostic::error(Code::NOT_IN_POLICY, path, message);
        self.found.push(problem.with_help(help));
    }
}

fn fits(view: &View, value: &Value) -> bool {
    match view {
        View::Text(_) | View::Words(..) => value.is_string(),
        View::Whole(_) | View::Number => value.is_number(),
        View::Flag(_) => value.is_boolean(),
        View::Object(_) | View::OneOf(_) | View::Names(_) => value.is_object(),
        View::List(_) => value.is_array(),
        View::Forms(forms) => forms.all.iter().any(|form| fits(&form.shape.view(), value)),
        View::Json => true,
    }
}

/// The major and minor version of a release in the table.
fn numbers(release: &str) -> (u16, u16) {
    let (major, minor) = release.split_once('.').unwrap_or((release, "0"));
    // The table has no other releases, which a test sees to.
    (major.parse().unwrap_or(0), minor.parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn paths(config: &Value, kgateway: (u16, u16)) -> Vec<String> {
        let found = beyond_policy(config, kgateway);
        found.iter().map(|it| it.path().to_owned()).collect()
    }

    #[test]
    fn fields_that_came_later_or_never_are_told() {
        let config = json!({
            "request": {
                "set": [{"name": "x-a", "value": "1", "when": "true"}],
                "remove": ["x-b", {"name": "x-c"}],
                "body": {"parseAs": "None"},
                "dynamicMetadata": [
                    {"namespace": "a", "key": "b", "value": {"stringValue": "c"}},
                    {"namespace": "a", "key": "d", "value": {"numberValue": 1}},
                ],
            },
            "response": [{"add": []}],
            "ai": {"usage": {}},
            "nobody": "knows",
        });
        let always = [
            "request.set[0].when",
            "request.remove[1]",
            "request.dynamicMetadata[1].value.numberValue",
            "response",
            "ai",
        ];
        assert_eq!(paths(&config, (2, 3)), always);
        let earlier = [
            "request.set[0].when",
            "request.remove[1]",
            "request.body.parseAs",
            "request.dynamicMetadata",
            "response",
            "ai",
        ];
        assert_eq!(paths(&config, (2, 2)), earlier);
    }

    #[test]
    fn what_a_policy_has_is_fine_and_null_is_absent() {
        let config = json!({
            "request": {"body": null, "set": [{"name": "x-a", "value": "1"}], "add": [], "remove": ["x-b"]},
            "response": {"body": {"parseAs": "AsJson", "value": "{{ a }}"}},
            "ai": null,
        });
        assert_eq!(paths(&config, (2, 2)), [""; 0]);
    }

    #[test]
    fn the_help_names_the_release_that_has_it() {
        let config = json!({"request": {"body": {"parseAs": "None"}}});
        let found = beyond_policy(&config, (2, 2));
        assert_eq!(found[0].help(), Some("kgateway 2.3 has it"));
    }
}
