//! Tracing spans of the fake host: a record of what the filter did to them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Capabilities, Capability, EnvoyChildSpan, EnvoySpan};

/// A span and what happened to it. Clones show the same span.
#[derive(Debug, Clone, Default)]
pub struct FakeSpan {
    record: Arc<Mutex<SpanRecord>>,
    /// Whether this host has [`Capability::SpanLocalDecision`].
    has_local_decision: bool,
}

/// What happened to a span.
#[derive(Debug, Clone, Default)]
pub struct SpanRecord {
    /// The last name given to it.
    pub operation: String,
    /// The tags, the last value of each.
    pub tags: BTreeMap<String, String>,
    /// The events, in order.
    pub events: Vec<String>,
    /// The sampling decision, if the filter made one.
    pub sampled: Option<bool>,
    /// Whether the filter turned off the host's own sampling decision.
    pub local_decision_disabled: bool,
    /// The baggage.
    pub baggage: BTreeMap<String, String>,
    /// Child spans, in order.
    pub children: Vec<FakeSpan>,
    /// Whether it was finished; the stream's own span never is by a filter.
    pub finished: bool,
    trace_id: String,
    span_id: String,
}

impl FakeSpan {
    pub(crate) fn new(trace_id: &str, span_id: &str) -> Self {
        let span = Self::default();
        span.edit(|record| {
            record.trace_id = trace_id.to_owned();
            record.span_id = span_id.to_owned();
        });
        span
    }

    /// The same span as a host with these capabilities shows it.
    pub(crate) fn on(&self, host: Capabilities) -> Self {
        Self {
            record: Arc::clone(&self.record),
            has_local_decision: host.has(Capability::SpanLocalDecision),
        }
    }

    /// What happened so far.
    #[must_use]
    pub fn record(&self) -> SpanRecord {
        self.lock().clone()
    }

    pub(crate) fn child(&self, operation: &str) -> Box<dyn EnvoyChildSpan> {
        let span = Self::default();
        span.edit(|record| record.operation = operation.to_owned());
        self.edit(|record| record.children.push(span.clone()));
        Box::new(Child(span))
    }

    fn lock(&self) -> MutexGuard<'_, SpanRecord> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the record, unless the span is finished.
    fn edit(&self, change: impl FnOnce(&mut SpanRecord)) {
        let mut record = self.lock();
        if !record.finished {
            change(&mut record);
        }
    }

    fn tag(&self, key: &str, value: &str) {
        self.edit(|record| _ = record.tags.insert(key.to_owned(), value.to_owned()));
    }

    fn carry(&self, key: &str, value: &str) {
        self.edit(|record| _ = record.baggage.insert(key.to_owned(), value.to_owned()));
    }
}

impl EnvoySpan for FakeSpan {
    fn set_tag(&self, key: &str, value: &str) {
        self.tag(key, value);
    }

    fn set_operation(&self, operation: &str) {
        self.edit(|record| record.operation = operation.to_owned());
    }

    fn log(&self, event: &str) {
        self.edit(|record| record.events.push(event.to_owned()));
    }

    fn set_sampled(&self, sampled: bool) {
        self.edit(|record| record.sampled = Some(sampled));
    }

    fn disable_local_decision(&self) {
        self.edit(|record| record.local_decision_disabled |= self.has_local_decision);
    }

    fn get_baggage(&self, key: &str) -> Option<String> {
        self.lock()
            .baggage
            .get(key)
            .filter(|value| !value.is_empty())
            .cloned()
    }

    fn set_baggage(&self, key: &str, value: &str) {
        self.carry(key, value);
    }

    fn get_trace_id(&self) -> Option<String> {
        Some(self.lock().trace_id.clone()).filter(|id| !id.is_empty())
    }

    fn get_span_id(&self) -> Option<String> {
        Some(self.lock().span_id.clone()).filter(|id| !id.is_empty())
    }

    fn spawn_child(&self, operation_name: &str) -> Option<Box<dyn EnvoyChildSpan + '_>> {
        Some(self.child(operation_name))
    }
}

/// A span that the filter owns; finished when dropped.
struct Child(FakeSpan);

impl EnvoyChildSpan for Child {
    fn set_tag(&self, key: &str, value: &str) {
        self.0.tag(key, value);
    }

    fn set_operation(&self, operation: &str) {
        EnvoySpan::set_operation(&self.0, operation);
    }

    fn log(&self, event: &str) {
        EnvoySpan::log(&self.0, event);
    }

    fn set_sampled(&self, sampled: bool) {
        EnvoySpan::set_sampled(&self.0, sampled);
    }

    fn set_baggage(&self, key: &str, value: &str) {
        self.0.carry(key, value);
    }

    fn spawn_child(&self, operation_name: &str) -> Option<Box<dyn EnvoyChildSpan + '_>> {
        (!self.0.lock().finished).then(|| self.0.child(operation_name))
    }

    fn finish(&mut self) {
        self.0.lock().finished = true;
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_finishes_when_dropped_and_ignores_what_comes_later() {
        let span = FakeSpan::new("t", "s");
        let mut child = span.child("work");
        child.set_tag("k", "v");
        child.finish();
        child.set_tag("k", "late");
        assert!(child.spawn_child("grandchild").is_none());
        let record = span.record().children[0].record();
        assert!(record.finished);
        assert_eq!(record.tags["k"], "v");
        drop(span.child("dropped"));
        assert!(span.record().children[1].record().finished);
    }
}
