//! The C boundary, from the other side: small C hosts (`tests/hosts`) load the real module
//! `boundary_probe` and drive its hooks as Envoy would, and as Envoy should not.
//!
//! Needs `cc`. The sanitizer tests need a `cc` with AddressSanitizer, and valgrind; where one is
//! missing they say so on stderr, past the test harness, and pass.

#![cfg(target_os = "linux")]
// A test gives up on what it cannot do without, also in the functions around it.
#![allow(clippy::expect_used)]

#[path = "boundary/bodies.rs"]
mod bodies;
#[path = "boundary/host.rs"]
mod host;
#[path = "boundary/loading.rs"]
mod loading;
#[path = "boundary/manners.rs"]
mod manners;
#[path = "boundary/panics.rs"]
mod panics;
#[path = "boundary/reentry.rs"]
mod reentry;
#[path = "boundary/sanitizers.rs"]
mod sanitizers;
#[path = "boundary/survey.rs"]
mod survey;
#[path = "boundary/upstream.rs"]
mod upstream;
