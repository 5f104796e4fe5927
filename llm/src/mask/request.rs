//! The masking of one request: its texts one by one, placeholders, counts.
//!
//! Used on the worker of the exchange.

use std::sync::Arc;

use super::counts::Counts;
use super::detect::{Extent, Next};
use super::edits::{edit, to_raw};
use super::placeholders::{Numbering, Originals, placeholder};
use super::response::{Returns, Unmasking};
use super::scan::Room;
use super::{Action, Edit, Form, MaskError, Masker, escapes};

/// The masking of one request.
#[derive(Debug)]
pub struct Masking {
    masker: Arc<Masker>,
    numbering: Numbering,
    counts: Counts,
    blocked: Option<usize>,
    room: Room,
    passed: Vec<usize>,
}

impl Masking {
    pub(super) fn new(masker: Arc<Masker>) -> Masking {
        Masking {
            numbering: Numbering::new(masker.names.len()),
            counts: Counts::new(masker.rows.len()),
            blocked: None,
            room: Room::default(),
            passed: vec![0; masker.scanner.patterns()],
            masker,
        }
    }

    /// Skips the numbers of placeholders that a text has by itself, so that only ours are restored. To
    /// be called for each text of the request, also those that are not masked, before the first is.
    pub fn reserve(&mut self, text: &str) {
        self.numbering.reserve(text, &self.masker.names);
    }

    /// What has to change in a text. Values whose row says `block` stay, and are told by
    /// [`blocked`](Self::blocked); those that are only counted stay as well.
    ///
    /// # Errors
    /// If the request has more values than are kept: it cannot be masked, and must not go on unmasked.
    pub fn mask(&mut self, text: &str, form: Form) -> Result<Vec<Edit>, MaskError> {
        let decoded = match form {
            Form::Plain => text.into(),
            Form::Json => escapes::decode(text),
        };
        let masker = Arc::clone(&self.masker);
        self.passed.fill(0);
        let (room, passed) = (&mut self.room, &mut self.passed);
        let mut pass = masker.scanner.pass(room, &decoded, Extent::WHOLE, passed);
        let mut edits = Vec::new();
        let mut from = 0;
        while let Next::Found(found) = pass.next(from) {
            from = found.end;
            self.counts.add(found.rule);
            let value = decoded.get(found.start..found.end).unwrap_or_default();
            let Some((row, name)) = masker.row(found.rule) else {
                continue;
            };
            let replacement = match row.action {
                Action::Mask => placeholder(name, self.numbering.number(row.name, value)?),
                Action::Hash => masker.hash_key.placeholder(name, value),
                Action::Monitor => continue,
                Action::Block => {
                    self.blocked.get_or_insert(found.rule);
                    continue;
                }
            };
            edits.push(edit(found, replacement));
        }
        if matches!(decoded, std::borrow::Cow::Owned(_)) {
            to_raw(text, &mut edits);
        }
        Ok(edits)
    }

    /// The name of the first value that must not go on.
    pub fn blocked(&self) -> Option<&str> {
        let (_, name) = self.masker.row(self.blocked?)?;
        Some(name)
    }

    /// How many values were found, whatever was done with them.
    pub fn found(&self) -> u64 {
        self.counts.total()
    }

    /// How many were found of each name: `EMAIL=2,PHONE=1`, in the order of rows.
    pub fn found_kinds(&self) -> String {
        self.counts.text(&self.masker)
    }

    /// How many were found of each row, with its name and what was done with them.
    pub fn counts(&self) -> impl Iterator<Item = (&str, Action, u64)> {
        self.counts.rows(&self.masker)
    }

    /// Goes on to the response, which knows the values.
    pub fn into_response(mut self, returns: Returns) -> Unmasking {
        let originals = match returns {
            Returns::Restore | Returns::Both => self.numbering.originals(&self.masker.names),
            Returns::Mask => Originals::default(),
        };
        Unmasking::new(self.masker, originals, self.numbering.follow(), returns)
    }
}

#[cfg(test)]
mod tests;
