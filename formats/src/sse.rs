//! Server-Sent Events: a decoder that gives events as the bytes they came in, and a writer.
//!
//! Pure state machines over bytes, called on the worker thread of the stream as chunks arrive. However
//! the stream is cut into chunks, the same events come out, and the bytes of all [`Frame`]s in order
//! are the bytes that went in: whoever forwards [`Event::raw`] forwards the original.
//!
//! Nothing in a stream is malformed: what is no known field is ignored by readers, as the HTML standard
//! says, and kept in the raw bytes. Only an event longer than the limit can be refused; whether it is
//! refused or let through unread is the caller's [choice](Oversize).
//!
//! An event is given out as soon as its blank line is complete. If that line ends in a carriage return,
//! only the next byte tells whether a line feed belongs to it, so a stream that ends lines with CR alone
//! is one event late.

mod decode;
mod event;
pub(crate) mod framing;
mod write;

pub use decode::{Decoder, Frame, SseError};
pub use event::Event;
pub use framing::Oversize;
pub use write::Writer;

#[cfg(test)]
mod tests;
