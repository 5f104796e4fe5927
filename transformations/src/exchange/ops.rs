//! What an exchange asks of its host beside access to the messages.
//!
//! Implemented by whoever carries exchanges; called on the worker of one, from within its hooks. Stages are
//! given the messages alone.

use std::sync::Arc;

use crate::ops::TransformationOps;
use crate::program::Program;

/// The host of an exchange.
pub trait ExchangeOps: TransformationOps {
    /// What routes match on has changed: has the route of the request chosen again, and answers the program
    /// that its configuration has now, which may be the same. None if there are no routes here. Asked once
    /// an exchange at most, before anything of the request has gone on.
    fn choose_route(&mut self) -> Option<Arc<Program>> {
        None
    }
}
