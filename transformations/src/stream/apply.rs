//! Applies rendered values: body, set, add, remove, metadata.

use std::borrow::Cow;

use super::scratch::{Rendered, Scratch};
use super::side::Side;
use super::{Applied, BodyAccess, BodyChange};
use crate::config::MetadataKind;
use crate::ops::TransformationOps;
use crate::program::{Action, Half, Rule, is_routing};
use crate::template::{Phase, Template};

/// Applies everything that [`render`](super::render) left in `scratch`.
pub(super) fn half<O: TransformationOps + ?Sized>(
    half: &Half,
    ops: &mut O,
    body: BodyAccess,
    scratch: &Scratch,
) -> Applied {
    let mut apply = Apply {
        side: Side {
            ops,
            phase: half.phase,
        },
        applied: Applied::default(),
    };
    let mut next = 0;
    if let Some(rule) = &half.body {
        if body == BodyAccess::Whole
            && let Some(text) = text(&rule.template, scratch, next)
        {
            apply.body(text);
        }
        next += 1;
    }
    for (index, rule) in half.rules.iter().enumerate() {
        apply.rule(rule, text(&rule.template, scratch, next + index));
    }
    apply.applied
}

/// The rendered text; `None` if the template failed.
fn text<'a>(template: &'a Template, scratch: &'a Scratch, index: usize) -> Option<&'a str> {
    match (scratch.value(index), template) {
        (Rendered::Constant, Template::Constant(text)) => Some(text),
        (Rendered::Text(start, end), _) => scratch.text.get(start..end),
        _ => None,
    }
}

struct Apply<'a, O: ?Sized> {
    side: Side<'a, O>,
    applied: Applied,
}

impl<O: TransformationOps + ?Sized> Apply<'_, O> {
    fn body(&mut self, text: &str) {
        let length = self.side.body_length();
        if length > 0 && !self.side.drain(length) {
            // Appending now would glue two bodies together.
            self.applied.refused += 1;
            return;
        }
        if text.is_empty() {
            let done = self.side.set("content-length", b"0");
            self.count(done);
            let done = self.side.remove("content-type");
            self.count(done);
            self.applied.body = BodyChange::Emptied;
        } else {
            let done = self.side.append(text.as_bytes());
            self.count(done);
            let done = self
                .side
                .set("content-length", text.len().to_string().as_bytes());
            self.count(done);
            self.applied.body = BodyChange::Replaced;
        }
        self.applied.headers = true;
    }

    fn rule(&mut self, rule: &Rule, text: Option<&str>) {
        let text = text.unwrap_or_default();
        match &rule.action {
            // An empty pseudo header is left as it is: no message can be without it.
            Action::Set { name } if text.is_empty() && is_vital(name, self.side.phase) => {}
            Action::Set { name } if text.is_empty() => self.header(name, |side| side.remove(name)),
            Action::Set { name } => self.header(name, |side| side.set(name, text.as_bytes())),
            Action::Add { .. } if text.is_empty() => {}
            Action::Add { name } => self.header(name, |side| side.add(name, text.as_bytes())),
            Action::Remove { name } => self.header(name, |side| side.remove(name)),
            Action::Metadata {
                namespace,
                key,
                kind,
            } => {
                if let Some(value) = metadata_value(*kind, text) {
                    self.metadata(namespace, key, value);
                }
            }
        }
    }

    fn header(&mut self, name: &str, write: impl FnOnce(&mut Side<'_, O>) -> bool) {
        let done = write(&mut self.side);
        self.count(done);
        self.applied.headers = true;
        self.applied.routes |= self.side.phase == Phase::Request && is_routing(name);
    }

    fn metadata(&mut self, namespace: &str, key: &str, value: MetadataValue<'_>) {
        let ops = &mut *self.side.ops;
        let done = match value {
            MetadataValue::Nothing => return,
            MetadataValue::String(text) => ops.set_dynamic_metadata_string(namespace, key, text),
            MetadataValue::Number(number) => {
                ops.set_dynamic_metadata_number(namespace, key, number)
            }
            MetadataValue::Bool(flag) => ops.set_dynamic_metadata_bool(namespace, key, flag),
        };
        self.count(done);
        self.applied.metadata = true;
    }

    fn count(&mut self, done: bool) {
        self.applied.refused += u32::from(!done);
    }
}

fn is_vital(name: &str, phase: Phase) -> bool {
    name.starts_with(':') || (phase == Phase::Request && name == "host")
}

/// A metadata value of the configured type.
pub(super) enum MetadataValue<'a> {
    /// Rendered empty: the entry is skipped.
    Nothing,
    String(&'a str),
    Number(f64),
    Bool(bool),
}

/// Reads rendered text as a metadata value; `None` if it is not of the type.
pub(super) fn metadata_value(kind: MetadataKind, text: &str) -> Option<MetadataValue<'_>> {
    if text.is_empty() {
        return Some(MetadataValue::Nothing);
    }
    match kind {
        MetadataKind::String => Some(MetadataValue::String(text)),
        MetadataKind::Number => {
            let number: f64 = text.trim().parse().ok()?;
            number.is_finite().then_some(MetadataValue::Number(number))
        }
        MetadataKind::Bool => text.trim().parse().ok().map(MetadataValue::Bool),
    }
}

/// A header value without the characters that would end it: CR, LF and NUL become spaces, as RFC
/// 9110 section 5.5 lets a recipient do.
pub(crate) fn clean(value: &str) -> Cow<'_, str> {
    if memchr::memchr3(b'\r', b'\n', 0, value.as_bytes()).is_none() {
        return Cow::Borrowed(value);
    }
    Cow::Owned(value.replace(['\r', '\n', '\0'], " "))
}

/// Whether a pseudo header may hold the value. Envoy and the peers behind it trust that these are
/// well formed.
pub(super) fn is_pseudo_value(name: &str, value: &str) -> bool {
    if value.is_empty() {
        return true;
    }
    let visible = value.bytes().all(|byte| byte > b' ' && byte != 0x7f);
    match name {
        ":status" => value.len() == 3 && matches!(value.parse(), Ok(200..=599)),
        ":method" => value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)),
        _ => visible,
    }
}
