//! Applies rendered values: body, set, add, remove, metadata.

use std::borrow::Cow;

use super::scratch::{Rendered, Scratch};
use super::side::Side;
use super::{Applied, BodyAccess, BodyChange};
use crate::json::patch::Edited;
use crate::metadata::{self, MetadataValue};
use crate::ops::TransformationOps;
use crate::program::{Action, BodyRule, Half, Rule};
use crate::template::{Phase, Template};

/// Applies everything that [`render`](super::render) left in `scratch`, and the edited body.
pub(super) fn half<O: TransformationOps + ?Sized>(
    half: &Half,
    ops: &mut O,
    body: BodyAccess,
    scratch: &Scratch,
    edited: Option<&Edited<'_>>,
    read_bytes: Option<usize>,
) -> Applied {
    let mut apply = Apply {
        side: Side {
            ops,
            phase: half.phase,
        },
        applied: Applied {
            reroute: half.always_reroutes,
            ..Applied::default()
        },
        read_bytes,
    };
    let mut next = 0;
    if let Some(BodyRule::Template(value)) = &half.body {
        if body == BodyAccess::Whole
            && let Some(text) = text(&value.template, scratch, next)
        {
            apply.body(text.len(), std::iter::once(text.as_bytes()));
        }
        next += 1;
    }
    if let Some(edited) = edited.filter(|edited| !edited.is_unchanged()) {
        apply.body(edited.len(), edited.segments());
    }
    for (index, rule) in half.rules.iter().enumerate() {
        if matches!(scratch.value(next + index), Rendered::Skipped) {
            continue;
        }
        apply.rule(rule, text(&rule.value.template, scratch, next + index));
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

/// Bodies up to this size are handed to the host in one piece.
const JOIN_BYTES: usize = 8 << 10;

struct Apply<'a, O: ?Sized> {
    side: Side<'a, O>,
    applied: Applied,
    /// How long the body is, if it was read; unless it is empty, it is not compressed then.
    read_bytes: Option<usize>,
}

impl<O: TransformationOps + ?Sized> Apply<'_, O> {
    /// Replaces the body with `pieces`, which have `length` bytes together.
    fn body<'p>(&mut self, length: usize, pieces: impl Iterator<Item = &'p [u8]>) {
        let before = match self.read_bytes {
            Some(read) => read,
            None => self.side.body_length(),
        };
        if before > 0 && !self.side.drain(before) {
            // Appending now would glue two bodies together.
            self.applied.refused += 1;
            return;
        }
        if length == 0 {
            self.header(|side| side.set("content-length", b"0"));
            self.header(|side| side.remove("content-type"));
            self.applied.body = BodyChange::Emptied;
        } else {
            self.append(length, pieces);
            let mut digits = itoa::Buffer::new();
            let digits = digits.format(length);
            self.header(|side| side.set("content-length", digits.as_bytes()));
            self.applied.body = BodyChange::Replaced;
        }
        if self.read_bytes.unwrap_or_default() == 0 {
            // What was written is not compressed, whatever was there before.
            self.header(|side| side.remove("content-encoding"));
        }
    }

    /// Appends `pieces`, small ones together: a call into the host costs more than copying them.
    fn append<'p>(&mut self, length: usize, pieces: impl Iterator<Item = &'p [u8]>) {
        let mut joined = Vec::new();
        for piece in pieces {
            if length > JOIN_BYTES || piece.len() == length {
                let done = self.side.append(piece);
                self.count(done);
            } else {
                joined.reserve_exact(length - joined.len());
                joined.extend_from_slice(piece);
            }
        }
        if !joined.is_empty() {
            let done = self.side.append(&joined);
            self.count(done);
        }
    }

    fn rule(&mut self, rule: &Rule, text: Option<&str>) {
        let text = text.unwrap_or_default();
        if rule.reroutes && self.changes(&rule.action, text) {
            self.applied.reroute = true;
        }
        match &rule.action {
            // An empty pseudo header is left as it is: no message can be without it.
            Action::Set { name } if text.is_empty() && is_vital(name, self.side.phase) => {}
            Action::Set { name } if text.is_empty() => self.header(|side| side.remove(name)),
            Action::Set { name } => self.header(|side| side.set(name, text.as_bytes())),
            Action::Add { .. } if text.is_empty() => {}
            Action::Add { name } => self.header(|side| side.add(name, text.as_bytes())),
            Action::Remove { name } => self.header(|side| side.remove(name)),
            Action::Metadata {
                namespace,
                key,
                kind,
            } => {
                if let Some(value) = metadata::to_value(*kind, text) {
                    self.metadata(namespace, key, &value);
                }
            }
        }
    }

    fn header(&mut self, write: impl FnOnce(&mut Side<'_, O>) -> bool) {
        let done = write(&mut self.side);
        self.count(done);
        self.applied.headers = true;
    }

    /// Whether a rule is about to give the header another value than it has.
    fn changes(&self, action: &Action, text: &str) -> bool {
        let Some(name) = action.header() else {
            return false;
        };
        let (mut lines, mut same) = (0, true);
        let mut visit = |value: &[u8]| {
            lines += 1;
            same &= value == text.as_bytes();
        };
        match self.side.phase {
            Phase::Request => self
                .side
                .ops
                .for_each_request_header_value(name, &mut visit),
            Phase::Response => self
                .side
                .ops
                .for_each_response_header_value(name, &mut visit),
        }
        match action {
            Action::Add { .. } => !text.is_empty(),
            Action::Set { .. } if !text.is_empty() => lines != 1 || !same,
            // An empty value removes, unless no message can be without the header.
            _ => lines > 0 && !is_vital(name, self.side.phase),
        }
    }

    fn metadata(&mut self, namespace: &str, key: &str, value: &MetadataValue<'_>) {
        let ops = &mut *self.side.ops;
        let done = match value {
            MetadataValue::Nothing => return,
            MetadataValue::String(text) => ops.set_dynamic_metadata_string(namespace, key, text),
            MetadataValue::Number(number) => {
                ops.set_dynamic_metadata_number(namespace, key, *number)
            }
            MetadataValue::Bool(flag) => ops.set_dynamic_metadata_bool(namespace, key, *flag),
            MetadataValue::List(items) => items
                .iter()
                .all(|item| append_to_list(ops, namespace, key, item)),
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

fn append_to_list<O: TransformationOps + ?Sized>(
    ops: &mut O,
    namespace: &str,
    key: &str,
    item: &MetadataValue<'_>,
) -> bool {
    match item {
        MetadataValue::String(text) => ops.add_dynamic_metadata_list_string(namespace, key, text),
        MetadataValue::Number(number) => {
            ops.add_dynamic_metadata_list_number(namespace, key, *number)
        }
        MetadataValue::Bool(flag) => ops.add_dynamic_metadata_list_bool(namespace, key, *flag),
        // Lists hold scalars only: see `metadata::to_value`.
        MetadataValue::Nothing | MetadataValue::List(_) => false,
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
