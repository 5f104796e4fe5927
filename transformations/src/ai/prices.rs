//! The prices of an exchange: those of the configuration first, then those of a file that may change.

use std::sync::Arc;

use llm::facts::Cost;
use llm::price::{self, Prices};
use llm::usage::Usage;

use crate::files::LivePrices;

/// Where prices are looked up.
#[derive(Debug)]
pub(super) struct PriceTables {
    /// What the configuration says.
    pub(super) own: Option<Prices>,
    /// What a file says of other models.
    pub(super) file: Option<Arc<dyn LivePrices>>,
}

impl PriceTables {
    /// What `usage` cost with the first of the models that has a price. Asks once for what the file says now.
    pub(super) fn cost<'m>(
        &self,
        models: impl IntoIterator<Item = Option<&'m str>>,
        usage: Option<&Usage>,
    ) -> Cost {
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
