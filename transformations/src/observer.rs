//! Whoever looks on: what an exchange did, step by step, for tools that explain it.
//!
//! No filter has one. An exchange without costs a comparison where a step would be told. Steps hold pieces of the
//! message, for whoever may see the message itself; they are told in the order in which they happen, on the
//! worker of the exchange.

use std::sync::{Arc, Mutex, PoisonError};

use crate::direction::Direction;
use crate::error::{Cause, FieldId, TransformErrorKind};

/// Keeps the steps of one exchange until they are taken. Clones keep the same.
#[derive(Clone, Debug, Default)]
pub struct Observer(Arc<Mutex<Vec<Step>>>);

/// Something that an exchange did. Fields are those of [`Program::field_path`](crate::Program::field_path).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// A condition was asked.
    Condition {
        /// Where it stands.
        field: FieldId,
        /// Whether it held, or why that could not be said.
        held: Result<bool, TransformErrorKind>,
        /// What it took of the engine's fuel: 0 if it needs no engine.
        fuel: u64,
    },
    /// A message waits for its end.
    Held {
        /// Which message.
        direction: Direction,
        /// The fields that read its body, or write another.
        fields: Vec<FieldId>,
        /// The stages for LLM traffic that read it.
        stages: Vec<&'static str>,
    },
    /// The body was read as a whole.
    BodyRead {
        /// Of which message.
        direction: Direction,
        /// How long it is, without the coding that it came in.
        bytes: usize,
        /// It came in one.
        was_decoded: bool,
    },
    /// A rule applied whose value is always the same; an empty one removes.
    Constant {
        /// Where it stands.
        field: FieldId,
        /// The value.
        text: String,
    },
    /// A template that is not constant was rendered.
    Rendered {
        /// Where it stands.
        field: FieldId,
        /// What it came to, or why it failed.
        text: Result<String, TransformErrorKind>,
        /// What it took of the engine's fuel: 0 if it needs no engine.
        fuel: u64,
    },
    /// A rule for events applied to one.
    EventRule {
        /// Its number, from 0.
        rule: usize,
    },
    /// A stage for LLM traffic changed something.
    Stage {
        /// Its name in the configuration.
        stage: &'static str,
        /// How many places of the body, or of the event, are other ones.
        edits: usize,
        /// Bytes of events that go on before this one, or behind the last.
        added: usize,
    },
    /// Texts of a stream wait, since a value to be restored or masked may begin in their ends.
    Waiting {
        /// How much of them.
        bytes: usize,
    },
    /// What the host was told to do with a piece of a message.
    Answered {
        /// Which message.
        direction: Direction,
        /// `pass`, `hold`, `drop`, `end` or `reply`.
        next: &'static str,
        /// What of the body went on then.
        body: Vec<u8>,
    },
}

impl Observer {
    /// The steps since they were last taken.
    pub fn take(&self) -> Vec<Step> {
        // Who panicked while a step was told has left a list that is one all the same.
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps a step.
    pub(crate) fn tell(&self, step: Step) {
        let mut steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        steps.push(step);
    }

    /// Keeps that a template was rendered.
    pub(crate) fn rendered(
        &self,
        field: FieldId,
        text: &str,
        result: &Result<(), Cause>,
        fuel: u64,
    ) {
        let text = match result {
            Ok(()) => Ok(text.to_owned()),
            Err(cause) => Err(cause.kind),
        };
        self.tell(Step::Rendered { field, text, fuel });
    }

    /// Keeps that a condition was asked.
    pub(crate) fn asked(&self, field: FieldId, result: &Result<bool, Cause>, fuel: u64) {
        let held = match result {
            Ok(held) => Ok(*held),
            Err(cause) => Err(cause.kind),
        };
        self.tell(Step::Condition { field, held, fuel });
    }

    /// Keeps what a stage did, if that is anything.
    pub(crate) fn stage(&self, stage: &'static str, edits: usize, added: usize) {
        if edits > 0 || added > 0 {
            self.tell(Step::Stage {
                stage,
                edits,
                added,
            });
        }
    }
}
