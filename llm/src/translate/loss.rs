//! What a target cannot express: said no to, or left out and counted.
//!
//! Made for one request on its worker thread. Fields are named by constants of
//! [the tables](super::fields), so that what is said can be looked up.

use super::provider::Provider;
use crate::refusal::Refusal;

/// What becomes of what a target cannot express.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unsupported {
    /// The request is answered with 422, which names the field.
    #[default]
    Refuse,
    /// The field is left out, and counted.
    Drop,
}

/// What was lost of a request so far.
#[derive(Debug)]
pub(super) struct Losses {
    unsupported: Unsupported,
    provider: Provider,
    dropped: Vec<&'static str>,
}

impl Losses {
    pub(super) fn new(unsupported: Unsupported, provider: Provider) -> Losses {
        Losses {
            unsupported,
            provider,
            dropped: Vec::new(),
        }
    }

    /// Says that the target cannot express a field. Where fields are dropped, the caller leaves it
    /// out.
    pub(super) fn lose(&mut self, field: &'static str) -> Result<(), Refusal> {
        match self.unsupported {
            Unsupported::Drop => {
                self.drop(field);
                Ok(())
            }
            Unsupported::Refuse => {
                let provider = self.provider;
                let message =
                    format!("`{field}` cannot be expressed for {provider}: leave it out.");
                Err(Refusal::new(422, message)
                    .with_code("unsupported_field")
                    .with_param(field))
            }
        }
    }

    /// The same of a member that no table knows.
    pub(super) fn lose_unknown(&mut self, name: &str) -> Result<(), Refusal> {
        let is_name = |it: char| it.is_ascii_alphanumeric() || it == '_';
        let refused = self.lose("(unknown)");
        // What is no name could be anything, and is not repeated.
        if name.len() > 64 || !name.chars().all(is_name) {
            return refused;
        }
        refused.map_err(|mut refusal| {
            refusal.message = format!("The member `{name}` is not known: leave it out.");
            refusal.param = None;
            refusal
        })
    }

    /// Leaves a field out that is harmless to leave out, and counts it, whatever is done with
    /// others.
    pub(super) fn drop(&mut self, field: &'static str) {
        if !self.dropped.contains(&field) {
            self.dropped.push(field);
        }
    }

    pub(super) fn into_dropped(self) -> Vec<&'static str> {
        self.dropped
    }
}

/// A request that is wrong in its own dialect.
pub(super) fn invalid(param: &'static str, should: &str) -> Refusal {
    Refusal::new(400, format!("`{param}` {should}.")).with_param(param)
}
