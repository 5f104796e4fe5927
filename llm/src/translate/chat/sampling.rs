//! How tokens are chosen, as models of Anthropic's let it be said wherever they run: temperatures go to
//! 1, who thinks is told less, and later models are told one thing alone.

use super::Chat;
use crate::refusal::Refusal;
use crate::translate::anthropic::effort::takes_one_of_sampling;
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
        let mut left = Sampling::default();
        if let Some(value) = self.temperature {
            let temperature = number(value, "temperature")?;
            match temperature > 1.0 || (thinks && temperature != 1.0) {
                true => losses.lose("temperature")?,
                false => left.temperature = Some(value),
            }
        }
        if let Some(value) = self.top_p {
            let is_second = self.temperature.is_some() && takes_one_of_sampling(model);
            match is_second || (number(value, "top_p")? < 0.95 && thinks) {
                true => losses.lose("top_p")?,
                false => left.top_p = Some(value),
            }
        }
        if let Some(value) = self.top_k {
            number(value, "top_k")?;
            match thinks {
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
