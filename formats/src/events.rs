//! Event streams: what is sent piece by piece, as Server-Sent Events or as lines of JSON.
//!
//! A [`Decoder`] cuts a stream into [`Frame`]s, a [`Format`] writes events of our own. Both are pure
//! state machines over bytes, called on the worker thread of a stream as chunks arrive. However the
//! stream is cut into chunks, the same events come out, and the bytes of all frames in order are the
//! bytes that went in: whoever forwards [`Event::raw`] forwards the original.
//!
//! Nothing in a stream is malformed. Of Server-Sent Events, readers ignore what is no known field, as
//! the HTML standard says; lines are not checked to be JSON. Nothing is refused either: an event longer
//! than the limit is given out unread, and the caller decides whether the stream may go on.
//!
//! ```
//! use formats::events::{Decoder, Format, Frame};
//!
//! let mut decoder = Decoder::new(Format::Sse, 64 << 10);
//! let mut seen = Vec::new();
//! for mut chunk in [b"data: {\"n\"".as_slice(), b": 1}\n\ndata: [DO", b"NE]\n\n"] {
//!     while let Some(frame) = decoder.next(&mut chunk) {
//!         let Frame::Event(event) = frame else { continue };
//!         seen.extend(event.data().map(|data| data.into_owned()));
//!     }
//! }
//! assert_eq!(seen, [b"{\"n\": 1}".as_slice(), b"[DONE]"]);
//! ```

mod boundary;
mod decode;
mod event;
mod fields;

pub use decode::{Decoder, Frame};
pub use event::Event;

/// How the events of a stream are set apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Server-Sent Events: fields of one line each, a blank line after each event (the HTML standard,
    /// section 9.2).
    Sse,
    /// Newline-delimited JSON: each line is an event.
    Ndjson,
}

impl Format {
    /// The format that a content type names, whatever its parameters. None for everything else.
    pub fn of(content_type: &str) -> Option<Format> {
        const NDJSON: [&str; 6] = [
            "application/x-ndjson",
            "application/ndjson",
            "application/jsonl",
            "application/x-jsonl",
            "application/jsonlines",
            "application/x-jsonlines",
        ];
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let is = |known: &str| media_type.eq_ignore_ascii_case(known);
        if is("text/event-stream") {
            Some(Format::Sse)
        } else if NDJSON.into_iter().any(is) {
            Some(Format::Ndjson)
        } else {
            None
        }
    }

    /// Appends an event of our own in the canonical form: `name: value` lines ended by line feeds, or
    /// one line.
    ///
    /// It reads back as it was given: line ends, which would end a field early and let its contents
    /// pose as other fields, cannot get into a name (what follows the first is left out), and data of
    /// several lines becomes as many fields. Lines have no name; of their data, line ends become
    /// spaces.
    pub fn write(self, name: Option<&str>, data: &[u8], out: &mut Vec<u8>) {
        match self {
            Format::Sse => {
                if let Some(name) = name {
                    fields::write_name(name, out);
                }
                fields::write_data(data, b"\n", out);
            }
            Format::Ndjson => fields::write_line(data, out),
        }
        out.push(b'\n');
    }

    /// Appends what is missing behind an event that ended with this byte, so that another can follow:
    /// a stream may stop in the middle of one. A blank line too many means nothing to readers.
    pub fn separate(self, last: u8, out: &mut Vec<u8>) {
        match (self, last) {
            (Format::Ndjson, b'\n') => {}
            (Format::Ndjson, _) | (Format::Sse, b'\n') => out.push(b'\n'),
            (Format::Sse, _) => out.extend_from_slice(b"\n\n"),
        }
    }
}

#[cfg(test)]
mod tests;
