//! The prices of an exchange: those of the configuration first, then those of a file that may change.

use std::sync::Arc;

use llm::facts::Cost;
use llm::price::{self, Prices};
use llm::usage::Usage;

use crate::live::Live;

/// Where prices are looked up.
#[derive(Debug)]
pub(super) struct PriceTables {
    /// What the configuration says.
    pub(super) own: Option<Prices>,
    /// What a file says of other models.
    pub(super) file: Option<Arc<dyn Live<Prices>>>,
    /// The price of the model that answers goes before that of the one that is asked.
    pub(super) prices_the_answered: bool,
}

impl PriceTables {
    /// What `usage` cost with the first of the two models that has a price: a path may name a deployment
    /// that nobody else knows, and a provider may choose a model. Asks once for what the file says now.
    pub(super) fn cost(
        &self,
        asked: Option<&str>,
        answered: Option<&str>,
        usage: Option<&Usage>,
    ) -> Cost {
        let models = match self.prices_the_answered {
            true => [answered, asked],
            false => [asked, answered],
        };
        let live = self.file.as_ref().map(|file| file.current());
        let (both, one);
        let tables: &[&Prices] = match (&self.own, live.as_deref()) {
            (Some(own), Some(live)) => {
                both = [own, live];
                &both
            }
            (Some(only), None) | (None, Some(only)) => {
                one = [only];
                &one
            }
            (None, None) => &[],
        };
        let mut cost = Cost::UnknownModel;
        for model in models {
            cost = price::cost(tables, model, usage);
            if cost != Cost::UnknownModel {
                break;
            }
        }
        cost
    }
}
