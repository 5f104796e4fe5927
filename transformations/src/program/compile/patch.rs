//! `body.patch` compiled: checked operations, and the templates of their values.
//!
//! Compiled on the main thread, applied on workers, to whole bodies and to events. A patch is applied
//! as a whole or not at all.

use super::Compiler;
use crate::codes::Code;
use crate::config::{JsonPiece, PatchOperation, ValueTemplate};
use crate::diagnostics::{Diagnostic, nearest};
use crate::error::{Cause, FieldId, TransformErrorKind};
use crate::on_error::Place;
use crate::program::{DirectionProgram, TemplateField, When};
use crate::template::render::{Renderer, View};
use crate::template::{JsonPart, Template};
use crate::value::print;
use formats::json::Document;
use formats::json::patch::{
    Edited, Operation, Patch, PatchDiagnostic, PatchErrorKind, PatchReason, ValueSlot,
};

const OPERATIONS: [&str; 6] = ["add", "remove", "replace", "move", "copy", "test"];

/// A compiled patch.
#[derive(Debug)]
pub(crate) struct PatchRule {
    patch: Patch,
    /// The values that are not constant, by slot, with the number of their operation.
    values: Box<[(usize, TemplateField)]>,
    /// When each operation applies, and the field to blame for it.
    operations: Box<[(Option<When>, FieldId)]>,
}

/// What a patch is to do to one document.
#[derive(Debug)]
pub(crate) struct RenderedPatch {
    values: Vec<String>,
    /// The operations that do not apply.
    skipped: Vec<usize>,
}

impl PatchRule {
    /// Which operations apply, and their values as JSON text.
    ///
    /// # Errors
    /// What failed in which field.
    pub(crate) fn render<V: View>(
        &self,
        templates: &mut Renderer<'_, V>,
    ) -> Result<RenderedPatch, (Cause, FieldId)> {
        let mut text = String::new();
        let mut skipped = Vec::new();
        for (number, (when, _)) in self.operations.iter().enumerate() {
            let Some(when) = when else { continue };
            let holds = templates.holds(when.field, &when.test, &mut text);
            if !holds.map_err(|cause| (cause, when.field))? {
                skipped.push(number);
            }
        }
        let mut values = Vec::with_capacity(self.values.len());
        for (operation, value) in &self.values {
            let mut text = String::new();
            if !skipped.contains(operation) {
                templates
                    .render(value.field, &value.template, Place::Body, &mut text)
                    .map_err(|cause| (cause, value.field))?;
            }
            values.push(text);
        }
        Ok(RenderedPatch { values, skipped })
    }

    /// Applies the patch as it was `rendered`, which may make the document grow by `room` bytes.
    ///
    /// # Errors
    /// Which operation failed and whose fault it is: a document that does not fit is the fault of
    /// whoever sent it.
    pub(crate) fn apply<'a>(
        &'a self,
        document: &'a Document,
        rendered: &'a RenderedPatch,
        room: usize,
    ) -> Result<Edited<'a>, (Cause, FieldId)> {
        let RenderedPatch { values, skipped } = rendered;
        let wanted = |operation| !skipped.contains(&operation);
        let most = document.text().len().saturating_add(room);
        self.patch
            .apply_those(document, values, most, wanted)
            .map_err(|error| (to_cause(error.kind), self.field(error.operation)))
    }

    fn field(&self, operation: usize) -> FieldId {
        let operation = self.operations.get(operation);
        operation.map_or(FieldId::NONE, |(_, field)| *field)
    }
}

impl Compiler<'_> {
    /// Compiles a patch; `None` if something is wrong with it, which is then among the problems.
    pub(super) fn patch(
        &mut self,
        compiled: &mut DirectionProgram,
        operations: &[PatchOperation],
    ) -> Option<PatchRule> {
        let mut values = Vec::new();
        let checked: Vec<_> = operations
            .iter()
            .enumerate()
            .map(|(number, operation)| Operation {
                op: &operation.op,
                path: &operation.pointer,
                from: operation.from.as_deref(),
                value: operation
                    .value
                    .as_ref()
                    .map(|value| self.slot(compiled, number, value, &mut values)),
            })
            .collect();
        match Patch::compile(&checked) {
            Ok(patch) => Some(PatchRule {
                patch,
                values: values.into(),
                operations: operations
                    .iter()
                    .map(|operation| {
                        let when = self.when(compiled, operation.when.as_ref());
                        (when, self.field(operation.path.clone()))
                    })
                    .collect(),
            }),
            Err(faults) => {
                for fault in &faults {
                    if let Some(operation) = operations.get(fault.index) {
                        self.found.push(problem(fault, operation));
                    }
                }
                None
            }
        }
    }

    fn slot(
        &mut self,
        compiled: &mut DirectionProgram,
        operation: usize,
        value: &ValueTemplate,
        values: &mut Vec<(usize, TemplateField)>,
    ) -> ValueSlot {
        let json = self.json(compiled, value);
        if let Template::Constant(text) = json.template {
            return ValueSlot::Const(text.into());
        }
        values.push((operation, json));
        ValueSlot::Slot(values.len() - 1)
    }

    /// A JSON value in the cheapest form that gives its text.
    pub(super) fn json(
        &mut self,
        compiled: &mut DirectionProgram,
        value: &ValueTemplate,
    ) -> TemplateField {
        let template = match value {
            ValueTemplate::Template { value, path } => self.template(compiled, value, path),
            ValueTemplate::Json { pieces, .. } => self.written(compiled, pieces),
        };
        TemplateField {
            template,
            field: self.field(value.path().to_owned()),
        }
    }

    fn written(&mut self, compiled: &mut DirectionProgram, pieces: &[JsonPiece]) -> Template {
        let mut parts: Vec<JsonPart> = Vec::new();
        for piece in pieces {
            let part = match piece {
                JsonPiece::Text(text) => JsonPart::Text(text.as_str().into()),
                JsonPiece::String { value, path } => match self.template(compiled, value, path) {
                    Template::Constant(text) => JsonPart::Text(to_json(&text)),
                    other => JsonPart::String(other),
                },
            };
            match (parts.last_mut(), part) {
                (Some(JsonPart::Text(before)), JsonPart::Text(text)) => {
                    *before = format!("{before}{text}").into();
                }
                (_, part) => parts.push(part),
            }
        }
        match parts.as_mut_slice() {
            [JsonPart::Text(text)] => Template::Constant(std::mem::take(text)),
            _ => Template::Json(parts.into()),
        }
    }
}

fn to_cause(kind: PatchErrorKind) -> Cause {
    match kind {
        PatchErrorKind::TooLarge => TransformErrorKind::TooMuchOutput.into(),
        PatchErrorKind::InvalidValue | PatchErrorKind::MissingValue => {
            TransformErrorKind::InvalidPatchValue.into()
        }
        misfit => Cause::because(TransformErrorKind::PatchFailed, misfit),
    }
}

fn to_json(text: &str) -> Box<str> {
    let mut json = String::with_capacity(text.len() + 2);
    // Writing to a string cannot fail.
    let _ = print::string(&mut json, text);
    json.into()
}

fn problem(fault: &PatchDiagnostic, operation: &PatchOperation) -> Diagnostic {
    let path = match (fault.field, &operation.value) {
        ("value", Some(value)) => value.path().to_owned(),
        ("", _) | ("value", None) => operation.path.clone(),
        (field, _) => format!("{}.{field}", operation.path),
    };
    let missing = fault.reason == PatchReason::Missing;
    let message = if missing {
        format!("the operation {} needs a \"{}\"", operation.op, fault.field)
    } else {
        fault.reason.to_string()
    };
    let mut problem = Diagnostic::error(Code::BAD_PATCH, &path, message);
    if fault.reason == PatchReason::UnknownOperation
        && let Some(near) = nearest(&operation.op, OPERATIONS)
    {
        problem = problem.with_help(format!("did you mean \"{near}\"?"));
    }
    problem
}
