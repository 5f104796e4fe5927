//! The place of a template in a configuration. Made by the compiler, on the main thread.

use crate::ai::known::FactsHere;
use crate::direction::Direction;
use crate::functions::Extractors;
use crate::functions::environment::EnvAccess;
use crate::options::Capabilities;

/// Where a template stands, and what that lets it see.
pub(crate) struct FieldContext<'a> {
    pub(crate) path: &'a str,
    pub(crate) direction: Direction,
    /// The body is parsed as JSON, so unknown names may be its fields.
    pub(crate) as_json: bool,
    /// It is decided before a body is there, so that nothing of it can be read.
    pub(crate) before_body: bool,
    /// The message is an event of a stream, which has a name of its own.
    pub(crate) event: bool,
    /// The template makes a line of a header from the one that it knows as `value`.
    pub(crate) line: bool,
    /// What is known here of the exchange as LLM traffic.
    pub(crate) facts: FactsHere,
    /// The variables of the configuration.
    pub(crate) vars: &'a [Box<str>],
    pub(crate) env: &'a EnvAccess,
    pub(crate) extractors: &'a Extractors,
    pub(crate) capabilities: Capabilities,
    /// In a header value: the number of its first command operator.
    pub(crate) first_command: Option<usize>,
}

impl<'a> FieldContext<'a> {
    /// A plain value of a message that may be read as a whole, though not as JSON.
    pub(crate) fn new(
        path: &'a str,
        direction: Direction,
        env: &'a EnvAccess,
        extractors: &'a Extractors,
    ) -> FieldContext<'a> {
        FieldContext {
            path,
            direction,
            as_json: false,
            before_body: false,
            event: false,
            line: false,
            facts: FactsHere::NoBlock,
            vars: &[],
            env,
            extractors,
            capabilities: Capabilities::all(),
            first_command: None,
        }
    }
}
