//! Tracing spans (Envoy 1.38+), used on the worker thread of their stream.

/// The span of the stream. Envoy owns and finishes it.
pub trait EnvoySpan {
    /// Sets a tag.
    fn set_tag(&self, key: &str, value: &str);
    /// Renames the operation.
    fn set_operation(&self, operation: &str);
    /// Records an event.
    fn log(&self, event: &str);
    /// Overrides the sampling decision.
    fn set_sampled(&self, sampled: bool);
    /// Keeps Envoy from changing the sampling decision by its own rules later on (Envoy 1.39+;
    /// nothing before).
    fn disable_local_decision(&self) {}
    /// A baggage value, copied; `None` if absent or empty.
    fn get_baggage(&self, key: &str) -> Option<String>;
    /// Sets a baggage value.
    fn set_baggage(&self, key: &str, value: &str);
    /// The trace id in hexadecimal, copied; `None` if the tracer has none.
    fn get_trace_id(&self) -> Option<String>;
    /// The span id in hexadecimal, copied; `None` if the tracer has none.
    fn get_span_id(&self) -> Option<String>;
    /// Starts a child that must be finished before the stream ends.
    fn spawn_child(&self, operation_name: &str) -> Option<Box<dyn EnvoyChildSpan + '_>>;
}

/// A span that the filter started. Finished when dropped, if not before.
pub trait EnvoyChildSpan {
    /// Sets a tag.
    fn set_tag(&self, key: &str, value: &str);
    /// Renames the operation.
    fn set_operation(&self, operation: &str);
    /// Records an event.
    fn log(&self, event: &str);
    /// Overrides the sampling decision.
    fn set_sampled(&self, sampled: bool);
    /// Sets a baggage value.
    fn set_baggage(&self, key: &str, value: &str);
    /// Starts a grandchild.
    fn spawn_child(&self, operation_name: &str) -> Option<Box<dyn EnvoyChildSpan + '_>>;
    /// Finishes the span; a second call does nothing, and so does every other method afterwards.
    fn finish(&mut self);
}
