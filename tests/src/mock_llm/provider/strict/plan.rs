//! What a model does next, by what it is asked: it calls what it may call, answers with a document
//! where a schema says how, repeats results, and repeats the user otherwise.
//!
//! Made by the rules of each API; whatever the knobs of a request say goes first.

use serde_json::{Value, json};

use super::door::Refused;
use super::example::example;
use crate::mock_llm::provider::knobs::Knobs;
use crate::mock_llm::provider::speech::signature;

/// What a model thinks.
pub(super) const THOUGHT: &str = "That needs some thought.";

/// Which tools are to be called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Choice {
    #[default]
    Auto,
    None,
    Any,
    Named(String),
}

/// What a request asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Wants {
    /// Names of tools, and the schemas of their arguments.
    pub(super) tools: Vec<(String, Value)>,
    pub(super) choice: Choice,
    /// One call at a time.
    pub(super) one_call: bool,
    /// The results that came with this turn.
    pub(super) results: Vec<String>,
    /// What the answer has to fit.
    pub(super) schema: Option<Value>,
    /// Any JSON.
    pub(super) json: bool,
    /// Thoughts are wanted.
    pub(super) thinks: bool,
    /// The first call of an answer is signed.
    pub(super) signs_calls: bool,
    /// How many calls the conversation has.
    pub(super) calls_before: usize,
    /// What ids of calls begin with.
    pub(super) id_prefix: &'static str,
}

impl Wants {
    /// Sets what the requester did not choose.
    pub(super) fn fill(&self, knobs: &mut Knobs) -> Result<(), Refused> {
        if self.thinks && knobs.reasoning.is_none() {
            knobs.reasoning = Some(THOUGHT.to_owned());
        }
        if self.thinks && knobs.tokens.reasoning.is_none() {
            knobs.tokens.reasoning = Some(5);
            knobs.tokens.output = knobs.tokens.output.or(Some(20));
        }
        if knobs.say.is_some() || !knobs.tools.is_empty() {
            return Ok(());
        }
        knobs.tools = self.calls()?;
        if !knobs.tools.is_empty() {
            return Ok(());
        }
        let document = match &self.schema {
            Some(schema) => Some(example(schema)?),
            None => self.json.then(|| json!({"said": true})),
        };
        knobs.say = Some(match document {
            Some(document) => document.to_string(),
            None if self.results.is_empty() => "You said: $PROMPT".to_owned(),
            None => format!("The tools say: {}", self.results.join(", ")),
        });
        Ok(())
    }

    fn calls(&self) -> Result<Vec<Value>, Refused> {
        let mut called: Vec<&(String, Value)> = match &self.choice {
            Choice::None => Vec::new(),
            Choice::Auto if !self.results.is_empty() => Vec::new(),
            Choice::Auto | Choice::Any => self.tools.iter().collect(),
            Choice::Named(wanted) => {
                let is_it = |(name, _): &&(String, Value)| name == wanted;
                let found = self.tools.iter().find(is_it);
                let refused = || Refused::bad(format!("there is no tool {wanted} to be called"));
                vec![found.ok_or_else(refused)?]
            }
        };
        if self.one_call {
            called.truncate(1);
        }
        let mut calls = Vec::new();
        for (index, (name, schema)) in called.into_iter().enumerate() {
            let arguments = match example(schema)? {
                // Models that call without arguments often say nothing.
                Value::Object(members) if members.is_empty() => json!(""),
                arguments => arguments,
            };
            let id = format!("{}{}", self.id_prefix, self.calls_before + index + 1);
            let mut call = json!({"id": id, "name": name, "arguments": arguments});
            if index == 0 && self.signs_calls {
                call["signature"] = signature(name).into();
            }
            calls.push(call);
        }
        Ok(calls)
    }
}
