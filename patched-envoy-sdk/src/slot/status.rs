//! The statuses of hooks, as one trait: which of them hold a message, and which also have Envoy keep it.

use crate::abi;

/// A status that a hook answers Envoy with.
pub(crate) trait Status: Copy {
    /// Lets the message pass.
    const PASS: Self;
    /// Holds the message and keeps nothing of it.
    const STOP: Self;
    /// Whether the message is held.
    fn stops(self) -> bool;
    /// The C value.
    fn raw(self) -> u32;
    /// Whether the host keeps what is held.
    fn keeps(self) -> bool {
        self.stops() && self.raw() != Self::STOP.raw()
    }
}

macro_rules! statuses {
    ($($name:ident stops as $stop:ident unless $($pass:ident)|+;)*) => {$(
        impl Status for abi::$name {
            const PASS: Self = Self::Continue;
            const STOP: Self = Self::$stop;
            fn stops(self) -> bool {
                !matches!(self, $(Self::$pass)|+)
            }
            fn raw(self) -> u32 {
                self as u32
            }
        }
    )*};
}

statuses! {
    envoy_dynamic_module_type_on_http_filter_request_headers_status
        stops as StopIteration unless Continue | ContinueAndDontEndStream;
    envoy_dynamic_module_type_on_http_filter_response_headers_status
        stops as StopIteration unless Continue | ContinueAndDontEndStream;
    envoy_dynamic_module_type_on_http_filter_request_body_status
        stops as StopIterationNoBuffer unless Continue;
    envoy_dynamic_module_type_on_http_filter_response_body_status
        stops as StopIterationNoBuffer unless Continue;
    envoy_dynamic_module_type_on_http_filter_request_trailers_status
        stops as StopIteration unless Continue;
    envoy_dynamic_module_type_on_http_filter_response_trailers_status
        stops as StopIteration unless Continue;
}
