//! The two wire formats of event streams behind one face: how events are cut out and written.
//!
//! Used by [`EventStream`](super::EventStream) on the stream's worker.

use std::borrow::Cow;

use crate::config::StreamFormat;
use formats::{ndjson, sse};

/// The byte order mark that an event stream may start with.
pub(super) const BOM: &[u8] = b"\xEF\xBB\xBF";

/// The format of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    Sse,
    Ndjson,
}

impl Wire {
    /// The format that a content type names.
    pub(super) fn of(content_type: &str) -> Option<Wire> {
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
            Some(Wire::Sse)
        } else if NDJSON.into_iter().any(is) {
            Some(Wire::Ndjson)
        } else {
            None
        }
    }

    /// Whether a configuration that asks for this format means streams of this one.
    pub(super) fn is_of(self, wanted: StreamFormat) -> bool {
        match self {
            Wire::Sse => wanted != StreamFormat::Ndjson,
            Wire::Ndjson => wanted != StreamFormat::Sse,
        }
    }

    /// Appends an event of our own.
    pub(super) fn write(self, name: Option<&str>, data: &str, out: &mut Vec<u8>) {
        match self {
            Wire::Sse => {
                let mut writer = sse::Writer::new(out);
                if let Some(name) = name {
                    writer.event(name);
                }
                writer.data(data.as_bytes()).end();
            }
            Wire::Ndjson => {
                write_line(data.as_bytes(), out);
                out.push(b'\n');
            }
        }
    }

    /// Appends what is missing to the end of an event that ended with this byte, so that another
    /// can follow. A blank line too many means nothing to readers of events.
    pub(super) fn separate(self, last: u8, out: &mut Vec<u8>) {
        match (self, last) {
            (Wire::Ndjson, b'\n') => {}
            (Wire::Ndjson, _) | (Wire::Sse, b'\n') => out.push(b'\n'),
            (Wire::Sse, _) => out.extend_from_slice(b"\n\n"),
        }
    }
}

/// Cuts a stream into frames.
#[derive(Debug)]
pub(super) enum Decoder {
    Sse(sse::Decoder),
    Ndjson(ndjson::Decoder),
}

/// A piece of a stream. The bytes of all pieces in order are the stream.
pub(super) enum Piece<'a> {
    /// A complete event.
    Whole(Event<'a>),
    /// What the stream ended with, without the end of an event.
    Tail(Event<'a>),
    /// Bytes of an event that is too large to be read.
    Oversized(&'a [u8]),
}

impl Decoder {
    pub(super) fn new(wire: Wire, max_event_bytes: usize) -> Decoder {
        let oversize = sse::Oversize::PassThrough;
        match wire {
            Wire::Sse => Decoder::Sse(sse::Decoder::new(max_event_bytes, oversize)),
            Wire::Ndjson => Decoder::Ndjson(ndjson::Decoder::new(max_event_bytes, oversize)),
        }
    }

    /// Reads a chunk, or with `None` the end of the stream. Decoders that let large events pass
    /// never refuse a stream, so there is no failure to answer.
    pub(super) fn read(&mut self, chunk: Option<&[u8]>, each: &mut impl FnMut(Piece<'_>)) {
        match self {
            Decoder::Sse(decoder) => {
                let mut frame = |frame: sse::Frame<'_>| {
                    each(match frame {
                        sse::Frame::Event(event) => Piece::Whole(Event::Sse(event)),
                        sse::Frame::Tail(event) => Piece::Tail(Event::Sse(event)),
                        sse::Frame::Oversized(bytes) => Piece::Oversized(bytes),
                    });
                };
                let _ = match chunk {
                    Some(chunk) => decoder.push(chunk, &mut frame),
                    None => decoder.finish(&mut frame),
                };
            }
            Decoder::Ndjson(decoder) => {
                let mut frame = |frame: ndjson::Frame<'_>| {
                    each(match frame {
                        ndjson::Frame::Line(line) => Piece::Whole(Event::Line(line)),
                        ndjson::Frame::Tail(line) => Piece::Tail(Event::Line(line)),
                        ndjson::Frame::Oversized(bytes) => Piece::Oversized(bytes),
                    });
                };
                let _ = match chunk {
                    Some(chunk) => decoder.push(chunk, &mut frame),
                    None => decoder.finish(&mut frame),
                };
            }
        }
    }
}

/// An event of either format.
#[derive(Clone, Copy)]
pub(super) enum Event<'a> {
    Sse(sse::Event<'a>),
    Line(ndjson::Line<'a>),
}

impl<'a> Event<'a> {
    /// The bytes as they came, its end included.
    pub(super) fn raw(&self) -> &'a [u8] {
        match self {
            Event::Sse(event) => event.raw(),
            Event::Line(line) => line.raw(),
        }
    }

    /// The data; none for comments, blank lines and whatever else reaches no reader.
    pub(super) fn data(&self) -> Option<Cow<'a, [u8]>> {
        match self {
            Event::Sse(event) => event.data(),
            Event::Line(line) => Some(Cow::Borrowed(line.text())).filter(|text| !text.is_empty()),
        }
    }

    /// The name; lines have none.
    pub(super) fn name(&self) -> Option<Cow<'a, str>> {
        match self {
            Event::Sse(event) => Some(event.event().unwrap_or(Cow::Borrowed("message"))),
            Event::Line(_) => None,
        }
    }

    /// The id, if it has one.
    pub(super) fn id(&self) -> Option<Cow<'a, str>> {
        match self {
            Event::Sse(event) => event.id(),
            Event::Line(_) => None,
        }
    }

    /// Appends the event with other data; everything else of it stays as it is.
    pub(super) fn write_with_data(&self, data: &[u8], out: &mut Vec<u8>) {
        match self {
            Event::Sse(event) => event.write_with_data(data, out),
            Event::Line(line) => {
                write_line(data, out);
                out.extend_from_slice(line.raw().get(line.text().len()..).unwrap_or_default());
            }
        }
    }
}

/// Appends text as one line. Line ends become spaces, which mean the same between JSON tokens and
/// cannot stand inside of them.
fn write_line(text: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(text);
    for byte in out
        .iter_mut()
        .skip(start)
        .filter(|byte| matches!(byte, b'\n' | b'\r'))
    {
        *byte = b' ';
    }
}
