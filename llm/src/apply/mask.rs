//! Masks the texts of requests, and puts values back into those of responses.

use std::ops::Range;

use super::{is_json, spells_json};
use crate::mask::{Form, MaskError, Masking, Running, Unmasking};
use crate::place::Edits;
use crate::request::Request;
use crate::response::{Rewrite, TextKey};
use crate::text::{Role, TextKind};

/// A request that cannot be masked, and must not go on unmasked. Carries nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unseen {
    /// Something in it nests too deeply to be looked into.
    #[error("the request nests too deeply to be looked into")]
    TooDeep,
    /// A text was edited before: two edits of it would not both be made.
    #[error("a text of the request was edited twice")]
    EditedTwice,
    /// It has more values than are kept.
    #[error(transparent)]
    Values(#[from] MaskError),
}

/// Masks the texts that somebody of `roles` says. Of a text only the bytes of its values change; one that is
/// JSON, as the results of tools often are, is read with its escapes. What must not go on at all is told by [`Masking::blocked`] afterwards.
///
/// # Errors
/// A request that cannot be looked at as a whole.
///
/// # Cost
/// Two passes over the texts of these roles, one over the others.
pub fn mask_request(
    request: &Request,
    body: &str,
    roles: &[Role],
    masking: &mut Masking,
    edits: &mut Edits,
) -> Result<(), Unseen> {
    if request.is_too_deep {
        return Err(Unseen::TooDeep);
    }
    let contents = |it: &crate::text::Text| it.place.contents(body).unwrap_or_default();
    for text in &request.texts {
        masking.reserve(&contents(text));
    }
    for text in request.texts.iter().filter(|it| roles.contains(&it.role)) {
        let contents = contents(text);
        let form = match spells_json(&contents) {
            true => Form::Json,
            false => form(text.kind),
        };
        let changes = masking.mask(&contents, form)?;
        let parts = changes.iter();
        let parts = parts.map(|it| (it.range.clone(), it.replacement.as_str()));
        if !edits.rewrite(body, text.place, parts) {
            return Err(Unseen::EditedTwice);
        }
    }
    Ok(())
}

/// The texts of a response whose request was masked, for [`Texts`](crate::response::Texts) to rewrite.
#[derive(Debug)]
pub struct Unmasked {
    pub(super) unmasking: Unmasking,
    /// At most as many as texts may be open.
    running: Vec<(TextKey, Running)>,
}

impl Unmasked {
    /// Before the response.
    pub fn new(unmasking: Unmasking) -> Unmasked {
        Unmasked {
            unmasking,
            running: Vec::new(),
        }
    }

    /// How many bytes of texts wait for what comes behind them.
    pub fn waiting(&self) -> usize {
        self.running.iter().map(|(_, it)| it.waiting()).sum()
    }

    /// What was found and restored so far.
    pub fn unmasking(&self) -> &Unmasking {
        &self.unmasking
    }
}

impl Rewrite for Unmasked {
    fn delta(&mut self, key: TextKey, delta: &str, out: &mut String) {
        let at = match self.running.iter().position(|(it, _)| *it == key) {
            Some(at) => at,
            None => {
                self.running.push((key, Running::new(form(key.kind))));
                self.running.len() - 1
            }
        };
        if let Some((_, running)) = self.running.get_mut(at) {
            running.push(&mut self.unmasking, delta, out);
        }
    }

    fn end(&mut self, key: TextKey, out: &mut String) {
        if let Some(at) = self.running.iter().position(|(it, _)| *it == key) {
            let (_, mut running) = self.running.swap_remove(at);
            running.end(&mut self.unmasking, out);
        }
    }

    fn whole(&mut self, key: TextKey, text: &str, change: &mut dyn FnMut(Range<usize>, &str)) {
        // What a model was told to answer as JSON has to stay that.
        let form = match is_json(text) {
            true => Form::Json,
            false => form(key.kind),
        };
        for edit in self.unmasking.edits(text, form) {
            change(edit.range, &edit.replacement);
        }
    }

    fn repeat(&mut self, key: TextKey, text: &str, change: &mut dyn FnMut(Range<usize>, &str)) {
        for edit in self.unmasking.edits_of_repeat(text, form(key.kind)) {
            change(edit.range, &edit.replacement);
        }
    }
}

fn form(kind: TextKind) -> Form {
    match kind {
        TextKind::Arguments => Form::Json,
        _ => Form::Plain,
    }
}
