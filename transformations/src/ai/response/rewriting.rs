//! The texts of a response whose request was masked: restored, masked, or both.
//!
//! Made behind the masking of a request, on its worker, and told of each event or of the whole body.
//! What is not of the dialect has no texts to restore; where the response's own values are masked, every
//! string of it is. Refused is what cannot be looked at, unless the configuration lets it pass.

use llm::apply::Unmasked;
use llm::dialect::Dialect;
use llm::mask::Returns;
use llm::place::Edits;
use llm::refusal::Refusal;
use llm::response::{Response, Texts};

use crate::ai::mask::MaskStage;

/// The texts of one response.
#[derive(Debug)]
pub(in crate::ai) struct Rewriting {
    texts: Texts,
    unmasked: Unmasked,
    dialect: Dialect,
    /// Values that the response has by itself are masked.
    pub(super) masks_own: bool,
    /// What cannot be looked at passes.
    passes_unseen: bool,
    /// Nothing is changed.
    pub(super) is_shadow: bool,
    /// Of the last event that had one.
    sequence_number: u64,
}

/// A response that cannot be looked at. Says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unseen(pub(super) &'static str);

impl Unseen {
    pub(super) const TOO_LARGE: Unseen = Unseen("response_too_large");
    pub(super) const CODING: Unseen = Unseen("response_coding");
    pub(super) const NO_TEXT: Unseen = Unseen("response_not_text");
    pub(super) const NO_JSON: Unseen = Unseen("response_not_json");
    pub(super) const TOO_DEEP: Unseen = Unseen("response_too_deep");
    pub(super) const TOO_MANY_TEXTS: Unseen = Unseen("response_too_many_texts");
    pub(super) const NOT_WRITTEN: Unseen = Unseen("response_not_written");
}

/// What the client is told in the place of a response that cannot be looked at.
pub(super) fn refusal() -> Refusal {
    Refusal::new(
        502,
        "The response cannot be looked at, and is not passed on.",
    )
}

impl Rewriting {
    pub(in crate::ai) fn new(
        stage: &MaskStage,
        returns: Returns,
        dialect: Dialect,
        unmasked: Unmasked,
    ) -> Rewriting {
        Rewriting {
            texts: Texts::new(dialect),
            unmasked,
            dialect,
            masks_own: returns != Returns::Restore,
            passes_unseen: stage.passes_unseen,
            is_shadow: stage.is_shadow,
            sequence_number: 0,
        }
    }

    /// Whether what cannot be looked at is refused.
    pub(super) fn must_see(&self) -> bool {
        !self.passes_unseen && !self.is_shadow
    }

    /// How many bytes of texts wait.
    pub(super) fn waiting(&self) -> usize {
        self.unmasked.waiting()
    }

    /// What the response had by itself.
    pub(super) fn found(&self) -> impl Iterator<Item = (&str, u64)> {
        let counts = self.unmasked.unmasking().counts();
        counts.map(|(name, _, count)| (name, count))
    }

    /// Rewrites the texts of an event, or of a whole body, that was read: adds its changes to `edits`,
    /// and to `before` what must stand before it.
    pub(super) fn read(
        &mut self,
        view: &Response,
        data: &str,
        edits: &mut Edits,
        before: &mut Vec<u8>,
    ) -> Result<(), Unseen> {
        if let Some(number) = view.identity.sequence_number {
            let number = number.of(data).parse();
            self.sequence_number = number.unwrap_or(self.sequence_number);
        }
        let mut own = (Edits::new(), Vec::new());
        let (edits, before) = match self.is_shadow {
            true => (&mut own.0, &mut own.1),
            false => (edits, before),
        };
        let written = self
            .texts
            .event(view, data, &mut self.unmasked, edits, before);
        written.map_err(|_| Unseen::TOO_MANY_TEXTS)?;
        if self.masks_own {
            view.hide_logprobs(data, edits);
        }
        if self.masks_own && (view.is_error || !view.is_known) {
            let foreign = self.unmasked.foreign(view, data, edits);
            foreign.map_err(|_| Unseen::TOO_DEEP)?;
        }
        Ok(())
    }

    /// Rewrites a body that is text, and no JSON; none if it stays.
    pub(super) fn plain(&mut self, text: &str) -> Option<String> {
        let made = self.masks_own.then(|| self.unmasked.plain(text))?;
        made.filter(|_| !self.is_shadow)
    }

    /// Appends what waits when the response ends.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        let mut own = Vec::new();
        let out = match self.is_shadow {
            true => &mut own,
            false => out,
        };
        self.texts.finish(&mut self.unmasked, out);
    }

    /// Appends the event that ends a stream of which something cannot be looked at. What waits is lost.
    pub(super) fn break_off(&self, out: &mut Vec<u8>) {
        out.extend(refusal().event(self.dialect, self.sequence_number));
    }
}
