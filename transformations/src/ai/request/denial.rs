//! Refusals: who says no to a request, why, and what its client is told. On the worker of the exchange.

use llm::dialect::path::PathFacts;
use llm::refusal::Refusal;

use crate::ai::{AiExchange, AiProgram, Refused};
use crate::applied::Applied;
use crate::direction::Direction;
use crate::message::append_header;
use crate::ops::TransformationOps;

/// Why a request is refused: who says so, why, and what the client is told.
pub(super) struct Denial {
    pub(super) stage: &'static str,
    pub(super) reason: String,
    pub(super) refusal: Refusal,
    /// No other route says otherwise, since what the request asks for cannot be told.
    pub(super) is_final: bool,
}

impl Denial {
    pub(super) fn new(stage: &'static str, reason: impl Into<String>, refusal: Refusal) -> Denial {
        Denial {
            stage,
            reason: reason.into(),
            refusal,
            is_final: false,
        }
    }

    /// The same of a request that asks for nobody knows what.
    pub(super) fn at_once(
        stage: &'static str,
        reason: impl Into<String>,
        refusal: Refusal,
    ) -> Denial {
        Denial {
            is_final: true,
            ..Denial::new(stage, reason, refusal)
        }
    }
}

impl AiExchange {
    /// The request is larger than what is held.
    pub(crate) fn refuse_size(
        &mut self,
        program: &AiProgram,
        ops: &mut (impl TransformationOps + ?Sized),
    ) -> (Refused, Applied) {
        self.learn_dialect(program, ops);
        let limit = program.body_bytes;
        let refusal = Refusal::new(413, format!("The request has more than {limit} bytes."));
        let denial = Denial::new("body", "too_large", refusal);
        self.refuse(program, ops, &denial)
    }

    /// What the client speaks, as far as that is known without its body.
    pub(super) fn learn_dialect(
        &mut self,
        program: &AiProgram,
        ops: &(impl TransformationOps + ?Sized),
    ) {
        let mut path = String::new();
        append_header(ops, Direction::Request, ":path", &mut path);
        self.facts.dialect = program.dialect.or(PathFacts::of(&path).dialect);
    }

    /// Says no, and publishes who did and why.
    pub(super) fn refuse(
        &mut self,
        program: &AiProgram,
        ops: &mut (impl TransformationOps + ?Sized),
        denial: &Denial,
    ) -> (Refused, Applied) {
        let Denial {
            stage,
            reason,
            refusal,
            ..
        } = denial;
        let mut applied = Applied::default();
        self.facts.refused = Some(format!("{stage}:{reason}"));
        self.publish_request(program, ops, &mut applied);
        let refused = Refused {
            status: refusal.status,
            stage,
            body: refusal.body(self.facts.dialect),
        };
        (refused, applied)
    }
}

pub(super) fn unknown() -> Refusal {
    Refusal::new(
        415,
        "This is no request of a dialect that is supported here.",
    )
}

pub(super) fn unreadable() -> Refusal {
    Refusal::new(
        400,
        "The request is not a JSON object in UTF-8 without content coding.",
    )
}

pub(super) fn repeats() -> Refusal {
    Refusal::new(400, "The request has a member more than once.")
}

/// The host does not take what the request was made.
pub(super) fn unwritten() -> Denial {
    let refusal = Refusal::new(500, "The request could not be masked.");
    Denial::new("mask", "not_written", refusal)
}
