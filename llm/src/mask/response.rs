//! The response of a request that was masked: placeholders become values again, values that the
//! response has by itself are masked, or both.
//!
//! Used on the worker of the exchange, for texts that are there as a whole and, through
//! [`Running`](super::Running), for texts that come in pieces.

use std::sync::Arc;

use super::counts::Counts;
use super::detect::{Extent, Next};
use super::edits::{edit, to_raw};
use super::placeholders::{At, Numbering, Originals, placeholder};
use super::scan::Room;
use super::{Action, Edit, Form, Masker, escapes};

/// What is done with the texts of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// Placeholders of the request become its values again.
    Restore,
    /// Values that the response has by itself are masked; nothing is restored.
    Mask,
    /// The response's own values are masked, then placeholders of the request are restored.
    Both,
}

/// The response of one exchange.
#[derive(Debug)]
pub struct Unmasking {
    pub(super) masker: Arc<Masker>,
    pub(super) originals: Originals,
    numbering: Numbering,
    pub(super) counts: Counts,
    pub(super) returns: Returns,
    pub(super) room: Room,
}

impl Unmasking {
    pub(super) fn new(
        masker: Arc<Masker>,
        originals: Originals,
        numbering: Numbering,
        returns: Returns,
    ) -> Unmasking {
        Unmasking {
            counts: Counts::new(masker.rows.len()),
            masker,
            originals,
            numbering,
            returns,
            room: Room::default(),
        }
    }

    /// Whether texts can pass unseen: nothing is to be masked, and nothing to be restored.
    pub fn is_idle(&self) -> bool {
        self.returns == Returns::Restore && self.originals.is_empty()
    }

    /// What has to change in a text that is there as a whole.
    pub fn edits(&mut self, text: &str, form: Form) -> Vec<Edit> {
        let mut own = Vec::new();
        if self.returns != Returns::Restore {
            own = self.mask(text, form);
        }
        if self.originals.is_empty() {
            return own;
        }
        let mut edits = Vec::new();
        let mut at = 0;
        for found in own {
            self.restore(text, at, found.range.start, form, &mut edits);
            at = found.range.end;
            edits.push(found);
        }
        self.restore(text, at, text.len(), form, &mut edits);
        edits
    }

    /// The same for a text that came before: what it has by itself was counted then.
    pub fn edits_of_repeat(&mut self, text: &str, form: Form) -> Vec<Edit> {
        let counts = std::mem::replace(&mut self.counts, Counts::new(0));
        let edits = self.edits(text, form);
        self.counts = counts;
        edits
    }

    /// How many values the response had by itself.
    pub fn found(&self) -> u64 {
        self.counts.total()
    }

    /// How many it had of each name: `EMAIL=2,PHONE=1`, in the order of rows.
    pub fn found_kinds(&self) -> String {
        self.counts.text(&self.masker)
    }

    /// How many it had of each row, with its name and what its row says is done.
    pub fn counts(&self) -> impl Iterator<Item = (&str, Action, u64)> {
        self.counts.rows(&self.masker)
    }

    fn mask(&mut self, text: &str, form: Form) -> Vec<Edit> {
        let decoded = match form {
            Form::Plain => text.into(),
            Form::Json => escapes::decode(text),
        };
        let masker = Arc::clone(&self.masker);
        let mut room = std::mem::take(&mut self.room);
        let mut passed = vec![0; masker.scanner.patterns()];
        let mut pass = masker
            .scanner
            .pass(&mut room, &decoded, Extent::WHOLE, &mut passed);
        let mut edits = Vec::new();
        let mut from = 0;
        while let Next::Found(found) = pass.next(from) {
            from = found.end;
            let value = decoded.get(found.start..found.end).unwrap_or_default();
            if let Some(replacement) = self.own(found.rule, value) {
                edits.push(edit(found, replacement));
            }
        }
        if matches!(decoded, std::borrow::Cow::Owned(_)) {
            to_raw(text, &mut edits);
        }
        self.room = room;
        edits
    }

    /// Counts a value that the response has by itself, and gives what stands in its place; nothing, if
    /// it stays.
    pub(super) fn own(&mut self, rule: usize, value: &str) -> Option<String> {
        self.counts.add(rule);
        let (row, name) = self.masker.row(rule)?;
        Some(match row.action {
            Action::Monitor => return None,
            Action::Hash => self.masker.hash_key.placeholder(name, value),
            // What was to be refused has begun to arrive: it is masked.
            Action::Mask | Action::Block => match self.numbering.number(row.name, value) {
                Ok(number) => placeholder(name, number),
                // Nobody restores it: without a number it is as good.
                Err(_) => format!("[{name}]"),
            },
        })
    }

    /// Restores placeholders between two places.
    fn restore(&self, text: &str, from: usize, to: usize, form: Form, edits: &mut Vec<Edit>) {
        let text = text.get(..to).unwrap_or_default();
        let mut at = from;
        while let Some(open) = memchr::memchr(b'[', text.as_bytes().get(at..).unwrap_or_default()) {
            let start = at + open;
            at = start + 1;
            let rest = text.get(start..).unwrap_or_default();
            if let At::Placeholder(length, value) = self.originals.at(rest) {
                at = start + length;
                edits.push(Edit {
                    range: start..at,
                    replacement: written(value, form),
                });
            }
        }
    }
}

/// A value as it stands in a text.
pub(super) fn written(value: &str, form: Form) -> String {
    let mut written = String::with_capacity(value.len());
    write_into(value, form, &mut written);
    written
}

pub(super) fn write_into(value: &str, form: Form, out: &mut String) {
    match form {
        Form::Plain => out.push_str(value),
        Form::Json => escapes::escape_into(value, out),
    }
}
