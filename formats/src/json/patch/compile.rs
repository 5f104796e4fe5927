//! From operations as configured to a [`Patch`].
//!
//! Called on the main thread while a configuration is loaded. Reports every fault of every operation.

use std::fmt;

use serde_json::Value;

use super::{Patch, Step};
use crate::json::error::ParseError;
use crate::json::pointer::{Pointer, PointerError};
use crate::json::scan;

/// Where an operation's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueSlot {
    /// A constant: JSON text, kept as it is spelled.
    Const(String),
    /// The JSON text that the caller of [`Patch::apply`] passes at this place of its list.
    Slot(usize),
}

/// One operation as configured, unchecked.
#[derive(Clone, Debug, Default)]
pub struct Operation<'a> {
    /// `add`, `remove`, `replace`, `move`, `copy` or `test`.
    pub op: &'a str,
    /// Where to act: a JSON Pointer.
    pub path: &'a str,
    /// Where to take the value: a JSON Pointer, for `move` and `copy`.
    pub from: Option<&'a str>,
    /// The value, for `add`, `replace` and `test`.
    pub value: Option<ValueSlot>,
}

/// One fault in the configuration of a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchDiagnostic {
    /// The operation it is about, counted from 0.
    pub index: usize,
    /// The field of that operation; empty if it is about the operation, or the list, as a whole.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: PatchReason,
}

impl fmt::Display for PatchDiagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "operation {}", self.index)?;
        if !self.field.is_empty() {
            write!(f, ", `{}`", self.field)?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// What can be wrong with an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PatchReason {
    /// The patch is not a list.
    NotAList,
    /// The operation is not an object.
    NotAnObject,
    /// A required field is absent.
    Missing,
    /// A field that must be a string is something else.
    NotAString,
    /// The name of the operation is unknown.
    UnknownOperation,
    /// A path is not a JSON Pointer.
    Pointer(PointerError),
    /// The operation would remove the whole document.
    RemovesDocument,
    /// A value would be moved into itself.
    MovesIntoItself,
    /// The constant is not JSON.
    Value(ParseError),
}

impl fmt::Display for PatchReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAList => "a patch must be a list of operations",
            Self::NotAnObject => "an operation must be an object",
            Self::Missing => "the operation needs this field",
            Self::NotAString => "must be a string",
            Self::UnknownOperation => {
                "unknown operation; the known ones are add, remove, replace, move, copy and test"
            }
            Self::Pointer(error) => return error.fmt(f),
            Self::RemovesDocument => "the whole document cannot be removed",
            Self::MovesIntoItself => "a value cannot be moved into itself",
            Self::Value(error) => return write!(f, "not JSON: {error}"),
        })
    }
}

impl Patch {
    /// Checks a list of operations.
    ///
    /// # Errors
    ///
    /// Every fault of every operation, in order. Fields an operation has no use for are ignored.
    pub fn compile(operations: &[Operation<'_>]) -> Result<Self, Vec<PatchDiagnostic>> {
        Self::check(operations.iter().enumerate(), Vec::new())
    }

    /// Checks a JSON Patch document: operations with constant values.
    ///
    /// # Errors
    ///
    /// As [`compile`](Self::compile); also if the document is not a list of objects, or a field has
    /// the wrong type.
    pub fn parse(operations: &Value) -> Result<Self, Vec<PatchDiagnostic>> {
        let fault = |index, field, reason| PatchDiagnostic {
            index,
            field,
            reason,
        };
        let Some(list) = operations.as_array() else {
            return Err(vec![fault(0, "", PatchReason::NotAList)]);
        };
        let mut faults = Vec::new();
        let mut read = Vec::with_capacity(list.len());
        for (index, operation) in list.iter().enumerate() {
            let Some(operation) = operation.as_object() else {
                faults.push(fault(index, "", PatchReason::NotAnObject));
                continue;
            };
            let mut text = |field| match operation.get(field) {
                None => None,
                Some(Value::String(text)) => Some(text.as_str()),
                Some(_) => {
                    faults.push(fault(index, field, PatchReason::NotAString));
                    None
                }
            };
            let (op, path, from) = (text("op"), text("path"), text("from"));
            for (field, read) in [("op", op), ("path", path)] {
                if read.is_none() && !operation.contains_key(field) {
                    faults.push(fault(index, field, PatchReason::Missing));
                }
            }
            if let (Some(op), Some(path)) = (op, path) {
                let value = operation
                    .get("value")
                    .map(|value| ValueSlot::Const(value.to_string()));
                read.push((
                    index,
                    Operation {
                        op,
                        path,
                        from,
                        value,
                    },
                ));
            }
        }
        Self::check(
            read.iter().map(|(index, operation)| (*index, operation)),
            faults,
        )
    }

    /// Adds the faults of `operations` to those already known of the same list.
    fn check<'a>(
        operations: impl Iterator<Item = (usize, &'a Operation<'a>)>,
        mut faults: Vec<PatchDiagnostic>,
    ) -> Result<Self, Vec<PatchDiagnostic>> {
        let mut steps = Vec::new();
        for (index, operation) in operations {
            steps.extend(
                Fields {
                    index,
                    operation,
                    faults: &mut faults,
                }
                .step(),
            );
        }
        if faults.is_empty() {
            return Ok(Self { steps });
        }
        faults.sort_by_key(|fault| fault.index);
        Err(faults)
    }
}

/// Reads one operation, noting its faults.
struct Fields<'a> {
    index: usize,
    operation: &'a Operation<'a>,
    faults: &'a mut Vec<PatchDiagnostic>,
}

impl Fields<'_> {
    fn step(&mut self) -> Option<Step> {
        let place = self.pointer("path", Some(self.operation.path));
        match self.operation.op {
            "add" => {
                let value = self.value();
                Some(Step::Add(place?, value?))
            }
            "remove" => {
                let place = place?;
                if place.tokens().is_empty() {
                    return self.fault("path", PatchReason::RemovesDocument);
                }
                Some(Step::Remove(place))
            }
            "replace" => {
                let value = self.value();
                Some(Step::Replace(place?, value?))
            }
            "test" => {
                let value = self.value();
                Some(Step::Test(place?, value?))
            }
            "move" => {
                let from = self.pointer("from", self.operation.from);
                let (from, path) = (from?, place?);
                if from.is_proper_prefix_of(&path) {
                    return self.fault("from", PatchReason::MovesIntoItself);
                }
                Some(Step::Move { from, path })
            }
            "copy" => {
                let from = self.pointer("from", self.operation.from);
                Some(Step::Copy {
                    from: from?,
                    path: place?,
                })
            }
            _ => self.fault("op", PatchReason::UnknownOperation),
        }
    }

    fn pointer(&mut self, field: &'static str, text: Option<&str>) -> Option<Pointer> {
        match text.map(Pointer::parse) {
            None => self.fault(field, PatchReason::Missing),
            Some(Err(error)) => self.fault(field, PatchReason::Pointer(error)),
            Some(Ok(pointer)) => Some(pointer),
        }
    }

    fn value(&mut self) -> Option<ValueSlot> {
        match &self.operation.value {
            None => self.fault("value", PatchReason::Missing),
            Some(ValueSlot::Slot(slot)) => Some(ValueSlot::Slot(*slot)),
            Some(ValueSlot::Const(text)) => match scan::document(text) {
                Ok((span, _)) => Some(ValueSlot::Const(span.of(text).to_owned())),
                Err(error) => self.fault("value", PatchReason::Value(error)),
            },
        }
    }

    /// Notes a fault, unless the field is known to be faulty already.
    fn fault<T>(&mut self, field: &'static str, reason: PatchReason) -> Option<T> {
        let index = self.index;
        if !self
            .faults
            .iter()
            .any(|fault| fault.index == index && fault.field == field)
        {
            self.faults.push(PatchDiagnostic {
                index,
                field,
                reason,
            });
        }
        None
    }
}
