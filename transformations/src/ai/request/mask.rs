//! Values in a request, masked or counted. On the worker of the exchange.
//!
//! A request that cannot be looked at as a whole is refused, or passes as it came, as the configuration
//! says. What is told of a refusal is the kind of the value, never the value.

use llm::apply::{Unmasked, Unseen, mask_request};
use llm::dialect::Dialect;
use llm::mask::{Masking, Returns};
use llm::place::Edits;
use llm::refusal::Refusal;
use llm::request::Request;

use super::denial::Denial;
use crate::ai::mask::MaskStage;
use crate::ai::response::Rewriting;
use crate::ai::{AiExchange, AiProgram};

impl AiExchange {
    /// Masks the texts of a request, and gets ready for its response. One that cannot be read has none
    /// here, and has passed the question whether it may.
    pub(super) fn mask(
        &mut self,
        program: &AiProgram,
        dialect: Dialect,
        request: Option<&(Request, &str)>,
        edits: &mut Edits,
    ) -> Result<(), Denial> {
        let Some(stage) = &program.mask else {
            return Ok(());
        };
        let mut masking = stage.masker.open();
        let Some((request, text)) = request else {
            self.expect_response(stage, masking, dialect, false);
            return Ok(());
        };
        let mut own = Edits::new();
        let made = match stage.is_shadow {
            true => &mut own,
            false => edits,
        };
        // What was edited before it failed is not to stay.
        let before = (stage.passes_unseen && !stage.is_shadow).then(|| made.clone());
        let looked = mask_request(request, text, &stage.roles, &mut masking, made);
        self.count(&masking);
        let is_masked = match looked {
            Ok(()) => !stage.is_shadow,
            Err(unseen) if stage.must_see() => return Err(cannot_look(unseen)),
            Err(_) => {
                if let Some(before) = before {
                    *made = before;
                }
                false
            }
        };
        if let Some(kind) = masking.blocked().filter(|_| is_masked) {
            return Err(blocked(kind));
        }
        self.expect_response(stage, masking, dialect, is_masked);
        Ok(())
    }

    /// Adds what was found to the facts.
    fn count(&mut self, masking: &Masking) {
        self.facts.masked.get_or_insert_default();
        for (name, _, count) in masking.counts() {
            self.facts.add_masked(name.to_owned(), count);
        }
    }

    fn expect_response(
        &mut self,
        stage: &MaskStage,
        masking: Masking,
        dialect: Dialect,
        is_masked: bool,
    ) {
        let returns = match stage.returns {
            // What did not go up masked does not come back masked.
            None => return,
            Some(Returns::Restore) if !is_masked => return,
            Some(Returns::Both) if !is_masked => Returns::Mask,
            Some(returns) => returns,
        };
        let unmasking = masking.into_response(returns);
        if !unmasking.is_idle() {
            let unmasked = Unmasked::new(unmasking);
            let rewriting = Rewriting::new(stage, returns, dialect, unmasked);
            self.rewriting = Some(Box::new(rewriting));
        }
    }
}

fn blocked(kind: &str) -> Denial {
    let message = format!("The request has a value of the kind {kind}, which must not be sent.");
    Denial::new("mask", kind, Refusal::new(400, message))
}

fn cannot_look(unseen: Unseen) -> Denial {
    let (status, reason) = match unseen {
        Unseen::TooDeep => (400, "too_deep"),
        Unseen::EditedTwice => (400, "edited_twice"),
        Unseen::Values(_) => (413, "too_many_values"),
    };
    let message = match unseen {
        Unseen::Values(error) => format!("The request {error}."),
        _ => "The request cannot be looked at as a whole.".to_owned(),
    };
    Denial::new("mask", reason, Refusal::new(status, message))
}
