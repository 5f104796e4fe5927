//! What templates compute with: values of JSON, what working on them costs, and how they print.
//!
//! Used on workers by functions, operators and the message that templates see; knows neither
//! templates nor messages.

mod absent;
pub(crate) mod budget;
mod fault;
pub(crate) mod found;
mod node;
pub(crate) mod numbers;
pub(crate) mod print;
pub(crate) mod weigh;

pub(crate) use absent::Absent;
pub(crate) use fault::Fault;
pub(crate) use node::{NodeValue, lookup, to_value};
