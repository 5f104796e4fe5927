//! The fake host keeps Envoy's rules: one scripted filter, one rule per test.

mod bodies;
mod host;
mod replies;
mod script;
