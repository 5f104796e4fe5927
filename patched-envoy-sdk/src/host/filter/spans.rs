//! Tracing spans, 1.38 and later.
//!
//! On the stream's worker thread. A span borrows the handle it was asked of, so it ends with the
//! hook at the latest, while Envoy's span is alive.

use super::EnvoyHttpFilterImpl;
use crate::capabilities::Capability;
use crate::host::later::Later;
use crate::host::raw::{Buf, FilterPtr, SpanPtr};
use crate::host::{self, once};
use crate::http::{EnvoyChildSpan, EnvoySpan};

/// A span of Envoy's and the stream it belongs to.
#[derive(Clone, Copy)]
pub(super) struct Span<'a> {
    later: &'static Later,
    envoy: FilterPtr,
    span: SpanPtr,
    /// Nothing that ends the stream can be called while the handle is borrowed.
    _borrowed: std::marker::PhantomData<&'a EnvoyHttpFilterImpl>,
}

/// A span that this module must finish once.
pub(super) struct ChildSpan<'a> {
    /// `None` once finished, when the pointer is dead.
    span: Option<Span<'a>>,
}

fn text(text: &str) -> Buf {
    Buf::of(text.as_bytes())
}

impl EnvoyHttpFilterImpl {
    pub(super) fn active_span(&self) -> Option<Span<'_>> {
        let (host, envoy) = self.live()?;
        let get = host.later.http_get_active_span?;
        // SAFETY: live.
        let span = unsafe { get(envoy) };
        (!span.is_null()).then_some(Span {
            later: &host.later,
            envoy,
            span,
            _borrowed: std::marker::PhantomData,
        })
    }
}

impl<'a> Span<'a> {
    pub(super) fn child(self, operation: &str) -> Option<ChildSpan<'a>> {
        // Without the way to finish it a child would leak.
        self.later.http_child_span_finish?;
        let spawn = self.later.http_span_spawn_child?;
        // SAFETY: stream and span are alive while the handle is borrowed; the name is copied.
        let span = unsafe { spawn(self.envoy, self.span, text(operation)) };
        (!span.is_null()).then_some(ChildSpan {
            span: Some(Span { span, ..self }),
        })
    }

    fn tag(self, key: &str, value: &str) {
        if let Some(set) = self.later.http_span_set_tag {
            // SAFETY: the span is alive while the handle is borrowed; strings are copied.
            unsafe { set(self.span, text(key), text(value)) }
        }
    }

    fn operation(self, operation: &str) {
        if let Some(set) = self.later.http_span_set_operation {
            // SAFETY: as in `tag`.
            unsafe { set(self.span, text(operation)) }
        }
    }

    fn event(self, event: &str) {
        if let Some(log) = self.later.http_span_log {
            // SAFETY: as in `tag`; the stream is alive as well.
            unsafe { log(self.envoy, self.span, text(event)) }
        }
    }

    fn sampled(self, sampled: bool) {
        if let Some(set) = self.later.http_span_set_sampled {
            // SAFETY: as in `tag`.
            unsafe { set(self.span, sampled) }
        }
    }

    fn put_baggage(self, key: &str, value: &str) {
        if let Some(set) = self.later.http_span_set_baggage {
            // SAFETY: as in `tag`.
            unsafe { set(self.span, text(key), text(value)) }
        }
    }
}

/// Copies what a span getter returned: it sits in scratch memory until the next tracing call.
/// Absent and empty are the same.
fn copied(get: impl FnOnce(&mut Buf) -> bool) -> Option<String> {
    let mut value = Buf::EMPTY;
    if !get(&mut value) {
        return None;
    }
    // SAFETY: Envoy has just filled the buffer in, and nothing else was asked of it since.
    let bytes = unsafe { value.as_slice() };
    (!bytes.is_empty()).then(|| String::from_utf8_lossy(bytes).into_owned())
}

impl EnvoySpan for Span<'_> {
    fn set_tag(&self, key: &str, value: &str) {
        self.tag(key, value);
    }

    fn set_operation(&self, operation: &str) {
        self.operation(operation);
    }

    fn log(&self, event: &str) {
        self.event(event);
    }

    fn set_sampled(&self, sampled: bool) {
        self.sampled(sampled);
    }

    fn disable_local_decision(&self) {
        match self.later.http_span_disable_local_decision {
            // SAFETY: the span is alive while the handle is borrowed.
            Some(disable) => unsafe { disable(self.span) },
            None => {
                if let Some(host) = host::current() {
                    let capability = Capability::SpanLocalDecision;
                    once::warn_unsupported(host, capability, "disable_local_decision");
                }
            }
        }
    }

    fn get_baggage(&self, key: &str) -> Option<String> {
        let get = self.later.http_span_get_baggage?;
        // SAFETY: the span is alive while the handle is borrowed.
        copied(|value| unsafe { get(self.span, text(key), value) })
    }

    fn set_baggage(&self, key: &str, value: &str) {
        self.put_baggage(key, value);
    }

    fn get_trace_id(&self) -> Option<String> {
        let get = self.later.http_span_get_trace_id?;
        // SAFETY: the span is alive while the handle is borrowed.
        copied(|value| unsafe { get(self.span, value) })
    }

    fn get_span_id(&self) -> Option<String> {
        let get = self.later.http_span_get_span_id?;
        // SAFETY: the span is alive while the handle is borrowed.
        copied(|value| unsafe { get(self.span, value) })
    }

    fn spawn_child(&self, operation_name: &str) -> Option<Box<dyn EnvoyChildSpan + '_>> {
        Some(Box::new(self.child(operation_name)?))
    }
}

impl EnvoyChildSpan for ChildSpan<'_> {
    fn set_tag(&self, key: &str, value: &str) {
        if let Some(span) = self.span {
            span.tag(key, value);
        }
    }

    fn set_operation(&self, operation: &str) {
        if let Some(span) = self.span {
            span.operation(operation);
        }
    }

    fn log(&self, event: &str) {
        if let Some(span) = self.span {
            span.event(event);
        }
    }

    fn set_sampled(&self, sampled: bool) {
        if let Some(span) = self.span {
            span.sampled(sampled);
        }
    }

    fn set_baggage(&self, key: &str, value: &str) {
        if let Some(span) = self.span {
            span.put_baggage(key, value);
        }
    }

    fn spawn_child(&self, operation_name: &str) -> Option<Box<dyn EnvoyChildSpan + '_>> {
        Some(Box::new(self.span?.child(operation_name)?))
    }

    fn finish(&mut self) {
        if let Some(span) = self.span.take()
            && let Some(finish) = span.later.http_child_span_finish
        {
            // SAFETY: taken, so it is finished once and never used again.
            unsafe { finish(span.span) }
        }
    }
}

impl Drop for ChildSpan<'_> {
    fn drop(&mut self) {
        self.finish();
    }
}
