//! Compiles `dynamicMetadata`.

use super::Compiler;
use crate::codes::Code;
use crate::config::{MetadataKind, MetadataRule, ValueTemplate};
use crate::diagnostics::Diagnostic;
use crate::metadata::{MetadataType, MetadataValue};
use crate::program::{Action, DirectionProgram, Rule, TemplateField};
use crate::template::Template;

impl Compiler<'_> {
    pub(super) fn metadata(&mut self, compiled: &mut DirectionProgram, rule: &MetadataRule) {
        let value = match &rule.value {
            ValueTemplate::Template { value, path } => TemplateField {
                template: self.template(compiled, value, path),
                field: self.field(path.clone()),
            },
            json @ ValueTemplate::Json { .. } => self.json(compiled, json),
        };
        self.check_metadata(rule, &value.template);
        let action = Action::Metadata {
            namespace: rule.namespace.as_str().into(),
            key: rule.key.as_str().into(),
            value: MetadataType {
                kind: rule.kind,
                may_nest: self.capabilities.metadata_struct,
            },
        };
        let when = self.when(compiled, rule.when.as_ref());
        compiled.rules.push(Rule {
            when,
            action,
            value,
            reroutes: false,
        });
    }

    /// Refuses values that the host cannot store, as far as that is known by now.
    fn check_metadata(&mut self, rule: &MetadataRule, template: &Template) {
        let (kind, path) = (rule.kind, rule.value.path());
        let constant = match template {
            Template::Constant(text) => {
                let any = MetadataType {
                    kind,
                    may_nest: true,
                };
                let value = any.read(text);
                if value.is_none() {
                    let message = format!("this is not {}", any.expected());
                    self.found
                        .push(Diagnostic::error(Code::BAD_METADATA_VALUE, path, message));
                    return;
                }
                value
            }
            _ => None,
        };
        const FLAT_HELP: &str =
            "use stringValue, or numberValue for a number; Envoy can do it from 1.38 on";
        const NESTED_HELP: &str = "write its parts as entries of their own, or its text as a \
                                   stringValue; Envoy can do it from 1.40 on";
        let can = self.capabilities;
        let nests = rule.value.is_object();
        // What a template renders to is not known: for jsonValue it may be anything.
        let (values, help, is_there) = match (kind, &constant) {
            (_, Some(MetadataValue::Nothing)) => return,
            (_, Some(MetadataValue::Nested(_))) => {
                ("nested values", NESTED_HELP, can.metadata_struct)
            }
            (MetadataKind::Json, None) if nests => {
                ("nested values", NESTED_HELP, can.metadata_struct)
            }
            (MetadataKind::Number, _) => ("numbers", FLAT_HELP, can.metadata_number),
            (MetadataKind::Bool, _) | (_, Some(MetadataValue::Bool(_))) => {
                ("booleans", FLAT_HELP, can.metadata_bool)
            }
            (MetadataKind::Json, None | Some(MetadataValue::List(_))) => {
                ("lists", FLAT_HELP, can.metadata_list)
            }
            _ => return,
        };
        if !is_there {
            let message = format!("this host cannot store {values} in dynamic metadata");
            self.found
                .push(Diagnostic::error(Code::MISSING_CAPABILITY, path, message).with_help(help));
        }
    }
}
