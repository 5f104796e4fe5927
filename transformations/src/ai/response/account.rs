//! What the exchange took, said once: when its response has ended, or when it is over otherwise. On its
//! worker.

use std::time::Duration;

use llm::usage::{Ending, Meter};

use super::Reading;
use super::events::Extent;
use super::whole::decoded;
use crate::ai::{AiExchange, AiProgram};
use crate::applied::Applied;
use crate::ops::TransformationOps;

impl AiExchange {
    /// Says what the exchange took, and publishes it. Does so once.
    pub(super) fn finish(
        &mut self,
        program: &AiProgram,
        ending: Ending,
        ops: &mut (impl TransformationOps + ?Sized),
        applied: &mut Applied,
    ) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        let now = ops.unix_nanoseconds();
        let reading = std::mem::take(&mut self.reading);
        let is_stream = matches!(reading, Reading::Events(_));
        if let (Reading::Whole(copied), Ending::Whole) = (reading, ending) {
            match decoded(copied.coding, &copied.body) {
                Ok(body) => {
                    if let Ok(text) = std::str::from_utf8(&body) {
                        self.see_in_passing(text, now);
                    }
                }
                Err(_) => self.pass_unread(copied.body.len()),
            }
        }
        let ending = match self.is_error {
            true => Ending::Refused,
            false => ending,
        };
        if let Some(meter) = self.meter.take() {
            self.account(program, &meter, ending);
        }
        if let Some(first) = self.first_output {
            self.facts.time_to_first_token = Some(between(self.began, first));
            self.facts.generation_time = is_stream.then(|| between(first, now));
        }
        if let Some(rewriting) = self.rewriting.take() {
            for (name, count) in rewriting.found() {
                self.facts.add_masked(name.to_owned(), count);
            }
        }
        self.publish_all(program, ops, applied);
    }

    /// Reads a body that has gone on as it came.
    fn see_in_passing(&mut self, text: &str, now: i64) {
        let is_read = self.see(text, Extent::Body, now);
        // Only what looks on is here: nothing of it is written.
        if let Some(rewriting) = &mut self.rewriting {
            let mut edits = llm::place::Edits::new();
            match is_read {
                true => drop(rewriting.read(&self.view, text, &mut edits, &mut Vec::new())),
                false => drop(rewriting.plain(text)),
            }
        }
    }

    fn account(&mut self, program: &AiProgram, meter: &Meter, ending: Ending) {
        let facts = &mut self.facts;
        let metered = meter.metered(ending, self.input_bytes);
        facts.metered = Some(metered);
        facts.response_model = meter.model().map(str::to_owned);
        facts.finish_reason = meter.finish_reason().map(str::to_owned);
        facts.cost = program.prices.as_ref().map(|prices| {
            let (asked, answered) = (facts.model.as_deref(), facts.response_model.as_deref());
            prices.cost(asked, answered, metered.usage.as_ref())
        });
    }
}

/// From one moment to a later one; clocks that were set back in between give nothing.
fn between(start: i64, end: i64) -> Duration {
    Duration::from_nanos(u64::try_from(end.saturating_sub(start)).unwrap_or_default())
}
