//! What the filter `llm-provider` does: one request of a client becomes one attempt at a provider.
//!
//! [`Providers::compile`] reads a configuration, on the main thread. [`Providers::open`] gives the
//! state of one [`Attempt`], which belongs to one worker: it is told what comes and calls back into
//! the host, as an [`Exchange`](crate::Exchange) does. Nothing of Envoy is known here. Where a host
//! sends a request again, each attempt is a state of its own, and is made from what the client sent:
//! what the first one changes is noted in dynamic metadata before.

mod answer;
mod attempt;
mod compile;
mod keys;
mod members;
mod originals;

pub use attempt::{Attempt, Counts, Refused, Step};
pub use compile::Providers;
pub use keys::{Key, KeyError, Keys, NoKeys};

/// The namespace of what is read and written in metadata.
pub const NAMESPACE: &str = "rustformations.llm";
