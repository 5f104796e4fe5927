//! Applies rendered values: body, set, add, remove, metadata.

use super::framing::{self, Content, Described};
use super::host::DirectionHost;
use super::scratch::{Rendered, Scratch};
use super::{Applied, BodyAccess, BodyChange};
use crate::http::{self, NamePattern};
use crate::metadata::MetadataValue;
use crate::ops::TransformationOps;
use crate::program::{Action, BodyRule, DirectionProgram, Rule};
use crate::template::Template;
use formats::json::patch::Edited;

/// Applies everything that [`render`](super::render) left in `scratch`, and the edited body.
pub(super) fn all<O: TransformationOps + ?Sized>(
    compiled: &DirectionProgram,
    ops: &mut O,
    body: BodyAccess,
    scratch: &Scratch,
    edited: Option<&Edited<'_>>,
    read_bytes: Option<usize>,
) -> Applied {
    let mut apply = Apply {
        host: DirectionHost {
            ops,
            direction: compiled.direction,
        },
        applied: Applied {
            reroute: compiled.always_reroutes,
            ..Applied::default()
        },
        read_bytes,
    };
    let first_rule = usize::from(matches!(compiled.body, Some(BodyRule::Template(_))));
    let numbered = compiled.rules.iter().zip(first_rule..);
    let values = numbered.filter_map(|(rule, index)| match scratch.value(index) {
        Rendered::Skipped => None,
        value => Some((rule, value, text(&rule.value.template, scratch, index))),
    });
    let status_of = |(rule, _, text): (&Rule, _, _)| framing::status_to_set(&rule.action, text?);
    let status = values.clone().filter_map(status_of).last();
    apply.content(compiled, body, status, scratch, edited);
    for (rule, value, text) in values {
        match value {
            Rendered::Lines(number) => apply.lines(rule, scratch.lines(number)),
            _ => apply.rule(rule, text),
        }
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
    host: DirectionHost<'a, O>,
    applied: Applied,
    /// How long the body is, if it was read; unless it is empty, it is not compressed then.
    read_bytes: Option<usize>,
}

impl<O: TransformationOps + ?Sized> Apply<'_, O> {
    /// Makes of the body what its rule and the status that the rules set demand.
    fn content(
        &mut self,
        compiled: &DirectionProgram,
        body: BodyAccess,
        status: Option<u16>,
        scratch: &Scratch,
        edited: Option<&Edited<'_>>,
    ) {
        let may_have_some = status.is_some_and(|status| !http::has_no_content(status));
        if may_have_some && self.host.has_no_content() {
            // What it told of does not come.
            self.remove("content-length");
        }
        match framing::content(compiled, &self.host, body, status) {
            Content::Here => match (&compiled.body, edited) {
                (Some(BodyRule::Template(value)), _) => {
                    if let Some(text) = text(&value.template, scratch, 0) {
                        self.rewrite(text);
                    }
                }
                (_, Some(edited)) if !edited.is_unchanged() => {
                    let described = framing::descriptions(&self.host);
                    self.body(edited.len(), edited.segments(), described);
                }
                _ => {}
            },
            Content::Described if compiled.body.is_some() => {
                self.remove("content-length");
                self.forget(framing::descriptions(&self.host));
            }
            Content::Described | Content::Passing => {}
            Content::Forbidden => self.empty(body),
        }
    }

    /// Replaces the body with a text, unless it is the same.
    fn rewrite(&mut self, text: &str) {
        // What describes the bytes is worth a look at them: it stays if they do.
        let described = framing::descriptions(&self.host);
        let same_length = described.contains(&true) && self.length() == text.len();
        if !(same_length && self.host.body() == text.as_bytes()) {
            self.body(text.len(), std::iter::once(text.as_bytes()), described);
        }
    }

    /// How long the body is.
    fn length(&mut self) -> usize {
        match self.read_bytes {
            Some(read) => read,
            None => self.host.body_length(),
        }
    }

    /// Replaces the body with `pieces`, which have `length` bytes together; what is `described` goes
    /// with the old one.
    fn body<'p>(
        &mut self,
        length: usize,
        pieces: impl Iterator<Item = &'p [u8]>,
        described: Described,
    ) {
        let before = self.length();
        if before == 0 && length == 0 {
            return;
        }
        if before > 0 && !self.host.drain(before) {
            // Appending now would glue two bodies together.
            self.applied.refused += 1;
            return;
        }
        // A message that came without a length goes on without one: something may follow its body.
        let has_length = before == 0 || self.host.any("content-length", |_| true);
        if length == 0 {
            self.header(|host| host.set("content-length", b"0"));
            self.remove("content-type");
            self.applied.body = BodyChange::Emptied;
        } else {
            self.append(length, pieces);
            if has_length {
                let mut digits = itoa::Buffer::new();
                let digits = digits.format(length);
                self.header(|host| host.set("content-length", digits.as_bytes()));
            }
            self.applied.body = BodyChange::Replaced;
        }
        self.forget(described);
        if self.read_bytes.unwrap_or_default() == 0 {
            // What was written is not compressed, whatever was there before.
            self.remove("content-encoding");
        }
    }

    /// Takes its content from a response whose status does not allow any.
    fn empty(&mut self, body: BodyAccess) {
        let before = if body == BodyAccess::Whole {
            self.length()
        } else {
            0
        };
        let done = before == 0 || self.host.drain(before);
        self.count(done);
        for name in ["content-length", "transfer-encoding", "content-type"] {
            self.remove(name);
        }
        for name in http::DIGESTS {
            self.remove(name);
        }
        self.applied.body = BodyChange::Forbidden;
    }

    /// Removes the headers that described another body than there is now.
    fn forget(&mut self, described: Described) {
        for (name, _) in framing::DESCRIPTIONS
            .into_iter()
            .zip(described)
            .filter(|(_, is)| *is)
        {
            self.remove(name);
        }
    }

    /// Appends `pieces`, small ones together: a call into the host costs more than copying them.
    fn append<'p>(&mut self, length: usize, pieces: impl Iterator<Item = &'p [u8]>) {
        let mut joined = Vec::new();
        for piece in pieces {
            if length > JOIN_BYTES || piece.len() == length {
                let done = self.host.append(piece);
                self.count(done);
            } else {
                joined.reserve_exact(length - joined.len());
                joined.extend_from_slice(piece);
            }
        }
        if !joined.is_empty() {
            let done = self.host.append(&joined);
            self.count(done);
        }
    }

    /// Replaces the lines of a header by others, of which the empty ones go.
    fn lines<'l>(&mut self, rule: &Rule, lines: impl Iterator<Item = &'l [u8]>) {
        let Some(name) = rule.action.header() else {
            return;
        };
        self.applied.reroute |= rule.reroutes;
        self.remove(name);
        for line in lines.filter(|line| !line.is_empty()) {
            self.header(|host| host.add(name, line));
        }
    }

    /// Removes the headers of a pattern, as far as a message can be without them.
    fn remove_all(&mut self, names: &NamePattern) {
        let direction = self.host.direction;
        let mut found: Vec<String> = Vec::new();
        self.host.for_each(&mut |name, _| {
            let name = str::from_utf8(name).map(str::to_ascii_lowercase);
            if let Ok(name) = name
                && names.matches(&name)
                && !http::is_vital(&name, direction)
                && !found.contains(&name)
            {
                found.push(name);
            }
        });
        found.iter().for_each(|name| self.remove(name));
    }

    fn rule(&mut self, rule: &Rule, text: Option<&str>) {
        let text = text.unwrap_or_default();
        if rule.reroutes && self.changes(&rule.action, text) {
            self.applied.reroute = true;
        }
        match &rule.action {
            // An empty pseudo header is left as it is: no message can be without it.
            Action::Set { name }
                if text.is_empty() && http::is_vital(name, self.host.direction) => {}
            Action::Set { name } if text.is_empty() => self.header(|host| host.remove(name)),
            Action::Set { name } => self.header(|host| host.set(name, text.as_bytes())),
            Action::Add { .. } if text.is_empty() => {}
            Action::Add { name } => self.header(|host| host.add(name, text.as_bytes())),
            Action::Remove { name } => self.header(|host| host.remove(name)),
            Action::RemoveAll { names, .. } => self.remove_all(names),
            // A header without lines has none to edit.
            Action::Edit { .. } => {}
            Action::Metadata {
                namespace,
                key,
                value,
            } => {
                if let Some(value) = value.read(text) {
                    self.metadata(namespace, key, &value);
                }
            }
        }
    }

    fn remove(&mut self, name: &str) {
        self.header(|host| host.remove(name));
    }

    fn header(&mut self, write: impl FnOnce(&mut DirectionHost<'_, O>) -> bool) {
        let done = write(&mut self.host);
        self.count(done);
        self.applied.headers = true;
    }

    /// Whether a rule is about to give the header another value than it has.
    fn changes(&self, action: &Action, text: &str) -> bool {
        if let Action::RemoveAll { routing, .. } = action {
            return routing.iter().any(|name| self.host.any(name, |_| true));
        }
        let Some(name) = action.header() else {
            return false;
        };
        let (mut lines, mut same) = (0, true);
        self.host.for_each_value(name, &mut |value| {
            lines += 1;
            same &= value == text.as_bytes();
        });
        match action {
            Action::Add { .. } => !text.is_empty(),
            Action::Set { .. } if !text.is_empty() => lines != 1 || !same,
            // An empty value removes, unless no message can be without the header.
            _ => lines > 0 && !http::is_vital(name, self.host.direction),
        }
    }

    fn metadata(&mut self, namespace: &str, key: &str, value: &MetadataValue<'_>) {
        let ops = &mut *self.host.ops;
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
            MetadataValue::Nested(json) => ops.set_dynamic_metadata_json(namespace, key, json),
        };
        self.count(done);
        self.applied.metadata = true;
    }

    fn count(&mut self, done: bool) {
        self.applied.refused += u32::from(!done);
    }
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
        // Lists hold scalars only.
        MetadataValue::Nothing | MetadataValue::List(_) | MetadataValue::Nested(_) => false,
    }
}
