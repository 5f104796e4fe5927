//! How tokens are chosen, as models of Anthropic's let it be said wherever they run: temperatures go to
//! 1, who thinks is told less, models since 4.1 are told one thing alone, and models since 4.7 nothing.
//! What they would do anyway is left out.

use super::Chat;
use crate::refusal::Refusal;
use crate::translate::anthropic::effort::version;
use crate::translate::json::Value;
use crate::translate::loss::{Losses, invalid};

/// What is left of it.
#[derive(Debug, Default)]
pub(in crate::translate) struct Sampling<'t> {
    pub(in crate::translate) temperature: Option<Value<'t>>,
    pub(in crate::translate) top_p: Option<Value<'t>>,
    pub(in crate::translate) top_k: Option<Value<'t>>,
}

impl<'t> Chat<'t> {
    /// What this model takes, which thinks or does not.
    pub(in crate::translate) fn sampling(
        &self,
        model: &str,
        thinks: bool,
        losses: &mut Losses,
    ) -> Result<Sampling<'t>, Refusal> {
        let version = version(model);
        let takes_none = version.is_some_and(|it| it >= (4, 7));
        let takes_one = version.is_some_and(|it| it >= (4, 1));
        let mut left = Sampling::default();
        if let Some(value) = self.temperature {
            let temperature = number(value, "temperature")?;
            let is_usual = temperature == 1.0;
            if temperature > 1.0 || ((thinks || takes_none) && !is_usual) {
                losses.lose("temperature")?;
            } else if !takes_none {
                left.temperature = Some(value);
            }
        }
        if let Some(value) = self.top_p {
            let top_p = number(value, "top_p")?;
            let is_barred = takes_none || (takes_one && left.temperature.is_some());
            if is_barred && top_p == 1.0 {
                // Everything is likely enough, told or not.
            } else if is_barred || (thinks && top_p < 0.95) {
                losses.lose("top_p")?;
            } else {
                left.top_p = Some(value);
            }
        }
        if let Some(value) = self.top_k {
            number(value, "top_k")?;
            match thinks || takes_none {
                true => losses.lose("top_k")?,
                false => left.top_k = Some(value),
            }
        }
        Ok(left)
    }
}

/// The number that a member is.
pub(in crate::translate) fn number(value: Value<'_>, param: &'static str) -> Result<f64, Refusal> {
    let number = value.float();
    number.ok_or_else(|| invalid(param, "must be a number"))
}
