//! The variables of a configuration, `vars`, as one exchange has them.
//!
//! Made by the exchange when the first template that reads some of them is about to be rendered, and
//! shared by everything that it renders from then on: both directions, events, conditions.

use std::sync::{Arc, OnceLock};

use minijinja::Value;

use crate::error::TransformErrorKind;
use crate::value::{Absent, budget};

/// Variables by number, each rendered once or not yet.
#[derive(Debug)]
pub(crate) struct Vars {
    names: Arc<[Box<str>]>,
    values: Box<[OnceLock<Rendered>]>,
}

/// The text of a variable, or why there is none.
type Rendered = Result<Arc<str>, TransformErrorKind>;

impl Vars {
    pub(crate) fn new(names: &Arc<[Box<str>]>) -> Vars {
        Vars {
            names: Arc::clone(names),
            values: names.iter().map(|_| OnceLock::new()).collect(),
        }
    }

    pub(crate) fn is_known(&self, number: usize) -> bool {
        let value = self.values.get(number);
        value.is_none_or(|value| value.get().is_some())
    }

    /// Keeps what a variable was rendered to, or why it could not be; the first time counts.
    pub(crate) fn keep(&self, number: usize, rendered: Rendered) {
        if let Some(value) = self.values.get(number) {
            value.get_or_init(|| rendered);
        }
    }

    /// What a variable was rendered to.
    ///
    /// # Errors
    /// Why it could not be.
    pub(crate) fn text(&self, number: usize) -> Result<&str, TransformErrorKind> {
        match self.values.get(number).and_then(OnceLock::get) {
            Some(Ok(text)) => Ok(text),
            Some(Err(kind)) => Err(*kind),
            None => Ok(""),
        }
    }

    /// The variable of a name as templates see it: one that could not be rendered fails them.
    pub(super) fn value(&self, name: &str) -> Option<Value> {
        let number = self.names.iter().position(|known| **known == *name)?;
        Some(match self.values.get(number)?.get()? {
            Ok(text) => match budget::charge(text.len()) {
                Ok(()) => Value::from(Arc::clone(text)),
                Err(overdrawn) => Value::from(overdrawn),
            },
            Err(kind) => Value::from(Absent::error(*kind)),
        })
    }
}
