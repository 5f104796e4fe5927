//! Writes to the host what the stages made of a message, once, behind the last of them: body, headers,
//! metadata.

use super::BodyAccess;
use super::edits::{Change, StageEdits};
use super::framing::{self, Content, Described};
use super::host::DirectionHost;
use crate::applied::{Applied, BodyChange};
use crate::direction::Direction;
use crate::http::{self, NamePattern};
use crate::metadata::MetadataValue;
use crate::ops::TransformationOps;
use crate::program::{Action, Rule};
use formats::json::patch::Edited;

/// What is to be written.
pub(super) struct Commit<'a, 'p> {
    /// What the stages before the last made, in order.
    pub(super) earlier: &'a [StageEdits<'p>],
    /// What the last one made, unless it was skipped.
    pub(super) last: Option<&'a StageEdits<'p>>,
    /// The body, if a stage made another one.
    pub(super) body: Option<NewBody<'a>>,
    /// Some stage has a rule for the status.
    pub(super) sets_status: bool,
    /// How long the host's body is, if it was read; unless it is empty, it is not compressed then.
    pub(super) read_bytes: Option<usize>,
    /// It is compressed, and was decoded to be read.
    pub(super) was_decoded: bool,
}

/// A body made by the stages.
pub(super) enum NewBody<'a> {
    Text(&'a [u8]),
    Edited(&'a Edited<'a>),
}

impl<'p> Commit<'_, 'p> {
    /// Writes everything, and notes what was written.
    pub(super) fn write<O: TransformationOps + ?Sized>(
        &self,
        ops: &mut O,
        direction: Direction,
        body: BodyAccess,
        applied: &mut Applied,
    ) {
        let mut apply = Apply {
            host: DirectionHost { ops, direction },
            applied,
            read_bytes: self.read_bytes,
            was_decoded: self.was_decoded,
        };
        apply.content(self, body);
        self.earlier.iter().for_each(|made| apply.stage(made));
        if let Some(made) = self.last {
            apply.stage(made);
        }
    }

    fn made(&self) -> impl DoubleEndedIterator<Item = &StageEdits<'p>> {
        self.earlier.iter().chain(self.last)
    }

    /// The status that the edits set at last.
    fn status(&self) -> Option<u16> {
        if !self.sets_status {
            return None;
        }
        let changes = self.made().flat_map(StageEdits::changes);
        let statuses = changes.filter_map(|(rule, change)| match change {
            Change::To(value) if rule.action.sets_status() => http::status(value.as_bytes()),
            _ => None,
        });
        statuses.last()
    }
}

/// Bodies up to this size are handed to the host in one piece.
const JOIN_BYTES: usize = 8 << 10;

struct Apply<'a, O: ?Sized> {
    host: DirectionHost<'a, O>,
    applied: &'a mut Applied,
    /// How long the body is, if it was read; unless it is empty, it is not compressed then.
    read_bytes: Option<usize>,
    was_decoded: bool,
}

impl<O: TransformationOps + ?Sized> Apply<'_, O> {
    /// Makes of the body what its rules and the status that they set demand.
    fn content(&mut self, commit: &Commit<'_, '_>, body: BodyAccess) {
        let status = commit.status();
        let may_have_some = status.is_some_and(|status| !http::has_no_content(status));
        if may_have_some && self.host.has_no_content() {
            // What it told of does not come.
            self.remove("content-length");
        }
        match framing::content(commit.sets_status, &self.host, body, status) {
            Content::Here => match &commit.body {
                Some(NewBody::Text(text)) => self.rewrite(text),
                Some(NewBody::Edited(edited)) if !edited.is_unchanged() => {
                    let described = framing::descriptions(&self.host);
                    self.body(edited.len(), edited.segments(), described);
                }
                _ => {}
            },
            Content::Described if commit.made().any(|made| made.stage.body.is_some()) => {
                self.remove("content-length");
                self.forget(framing::descriptions(&self.host));
            }
            Content::Described | Content::Passing => {}
            Content::Forbidden => self.empty(body),
        }
    }

    /// Replaces the body with a text, unless it is the same.
    fn rewrite(&mut self, text: &[u8]) {
        // What describes the bytes is worth a look at them: it stays if they do.
        let described = framing::descriptions(&self.host);
        let same_length = described.by.contains(&true) && self.length() == text.len();
        if !(same_length && self.host.body() == text) {
            self.body(text.len(), std::iter::once(text), described);
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
        let has_length = before == 0 || described.has_length;
        if length == 0 {
            self.header(|host| host.set("content-length", b"0"));
            self.remove("content-type");
            self.applied.body = BodyChange::Emptied;
        } else {
            self.host.expect_body(length);
            self.append(length, pieces);
            if has_length {
                let mut digits = itoa::Buffer::new();
                let digits = digits.format(length);
                self.header(|host| host.set("content-length", digits.as_bytes()));
            }
            self.applied.body = BodyChange::Replaced;
        }
        self.forget(described);
        if self.was_decoded || self.read_bytes.unwrap_or_default() == 0 {
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
            .zip(described.by)
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

    fn stage(&mut self, made: &StageEdits<'_>) {
        self.applied.reroute |= made.stage.always_reroutes;
        for (rule, change) in made.changes() {
            self.rule(rule, &change, made);
        }
    }

    #[inline]
    fn rule(&mut self, rule: &Rule, change: &Change<'_>, made: &StageEdits<'_>) {
        if rule.reroutes && self.changes(&rule.action, change) {
            self.applied.reroute = true;
        }
        match (&rule.action, change) {
            // An empty pseudo header is left as it is: no message can be without it.
            (Action::Set { name }, Change::To("")) if http::is_vital(name, self.host.direction) => {
            }
            (Action::Set { name }, Change::To("")) | (Action::Remove { name }, _) => {
                self.remove(name);
            }
            (Action::Set { name }, Change::To(value)) => {
                self.header(|host| host.set(name, value.as_bytes()));
            }
            (Action::Add { .. }, Change::To("")) => {}
            (Action::Add { name }, Change::To(value)) => {
                self.header(|host| host.add(name, value.as_bytes()));
            }
            (Action::RemoveAll { names, .. }, _) => self.remove_all(names),
            (Action::Edit { name }, Change::Lines(lines)) => {
                self.remove(name);
                let lines = lines.iter().map(|line| made.edits.line(line));
                for line in lines.filter(|line| !line.is_empty()) {
                    self.header(|host| host.add(name, line));
                }
            }
            (
                Action::Metadata {
                    namespace,
                    key,
                    value: of,
                },
                Change::To(value),
            ) => {
                if let Some(value) = of.read(value) {
                    self.metadata(namespace, key, &value);
                }
            }
            // Only the lines of a header are edited, and nothing else of it.
            (Action::Edit { .. }, Change::To(_)) | (_, Change::Lines(_)) => {}
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

    fn remove(&mut self, name: &str) {
        self.header(|host| host.remove(name));
    }

    fn header(&mut self, write: impl FnOnce(&mut DirectionHost<'_, O>) -> bool) {
        let done = write(&mut self.host);
        self.count(done);
        self.applied.headers = true;
    }

    /// Whether the header is about to have another value than it has.
    fn changes(&self, action: &Action, change: &Change<'_>) -> bool {
        let Change::To(value) = change else {
            return true;
        };
        let (mut lines, mut same) = (0, true);
        let mut look_at = |name: &str| {
            self.host.for_each_value(name, &mut |line| {
                lines += 1;
                same &= line == value.as_bytes();
            });
        };
        let removes = match action {
            Action::RemoveAll { routing, .. } => {
                routing.iter().for_each(|name| look_at(name));
                return lines > 0;
            }
            Action::Add { .. } => return !value.is_empty(),
            Action::Set { name } if !value.is_empty() => {
                look_at(name);
                return lines != 1 || !same;
            }
            Action::Set { name } | Action::Remove { name } | Action::Edit { name } => name,
            Action::Metadata { .. } => return false,
        };
        // An empty value removes, unless no message can be without the header.
        look_at(removes);
        lines > 0 && !http::is_vital(removes, self.host.direction)
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
