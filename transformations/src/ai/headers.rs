//! Facts as headers of responses that were held as a whole, for clients that read no metadata.
//!
//! Compiled on the main thread, written on the worker of an exchange. Streams get none: their headers
//! are gone when anything is known. What does not fit into a header is left out.

use llm::facts::{Fact, FactTime, Facts};
use llm::model::fits_header;

use super::known::Known;
use crate::applied::Applied;
use crate::config::PublishedHeader;
use crate::diagnostics::Diagnostic;
use crate::ops::TransformationOps;

/// The headers that tell facts.
#[derive(Debug)]
pub(super) struct Headers {
    all: Box<[(Box<str>, Fact)]>,
    /// One of them is known when the response has ended, and not before; or templates read such a fact.
    waits: bool,
}

impl Headers {
    pub(super) fn compile(
        headers: &[PublishedHeader],
        known: &Known,
        found: &mut Vec<Diagnostic>,
    ) -> Headers {
        for PublishedHeader { from, path, .. } in headers {
            known.warn_in_response(*from, path, found);
        }
        let entry = |it: &PublishedHeader| (it.name.as_str().into(), it.from);
        Headers {
            all: headers.iter().map(entry).collect(),
            waits: (headers.iter()).any(|it| it.from.when() == FactTime::End),
        }
    }

    /// Whether there is nothing to be told.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty() && !self.waits
    }

    /// Templates read what is known when the response has ended.
    pub(super) fn wait(&mut self) {
        self.waits = true;
    }

    /// Whether the head of a response has to wait for its end.
    pub(super) fn waits(&self) -> bool {
        self.waits
    }

    /// Says what is known, in the place of what the provider says under the same name.
    pub(super) fn write(
        &self,
        facts: &Facts,
        ops: &mut (impl TransformationOps + ?Sized),
        applied: &mut Applied,
    ) {
        for (name, fact) in &self.all {
            let Some(value) = fact.of(facts) else {
                continue;
            };
            let value = value.to_text();
            if !fits_header(&value) {
                continue;
            }
            applied.headers = true;
            applied.refused += u32::from(!ops.set_response_header(name, value.as_bytes()));
        }
    }
}
