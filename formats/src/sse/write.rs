//! Writes events of our own into a stream.
//!
//! Called on the worker thread of the stream. What is written reads back as it was given; line ends,
//! which would end a field early and let its contents pose as other fields, cannot get into a name or id.

use super::event;

/// Appends events to a buffer in the canonical form: `name: value` lines, ended by line feeds.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    /// Starts an event at the end of `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// The name of the event; anything from the first line end on is left out.
    pub fn event(&mut self, name: &str) -> &mut Self {
        self.field(b"event: ", name)
    }

    /// The id of the event; anything from the first line end or NUL on is left out.
    pub fn id(&mut self, id: &str) -> &mut Self {
        self.field(b"id: ", id)
    }

    /// The data of the event: one line for each of its lines.
    pub fn data(&mut self, data: &[u8]) -> &mut Self {
        event::write_data(data, b"\n", self.out);
        self
    }

    /// The blank line that ends the event.
    pub fn end(&mut self) {
        self.out.push(b'\n');
    }

    fn field(&mut self, name: &[u8], value: &str) -> &mut Self {
        let line = value.split(['\n', '\r', '\0']).next().unwrap_or_default();
        self.out.extend_from_slice(name);
        self.out.extend_from_slice(line.as_bytes());
        self.out.push(b'\n');
        self
    }
}
