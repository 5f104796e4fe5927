//! From chunks of a stream to its events.
//!
//! Called on the worker thread of the stream for each chunk, and once at its end. An event that is whole
//! within one chunk is given out without a copy; only an unfinished one is held, and no more than the
//! limit of it.

use super::Format;
use super::boundary::Boundary;
use super::event::Event;

/// Reads one stream. Holds at most one unfinished event.
#[derive(Clone, Debug)]
pub struct Decoder {
    format: Format,
    boundary: Boundary,
    limit: usize,
    /// The current event so far.
    held: Vec<u8>,
    /// What is held was given out; it goes with the next call.
    is_given: bool,
    /// Inside an event too long to hold.
    is_passing: bool,
    /// Nothing was given out yet, so a byte order mark may come.
    is_first: bool,
}

/// A piece of a stream. The bytes of all pieces in order are the stream.
#[derive(Clone, Copy, Debug)]
pub enum Frame<'a> {
    /// A complete event. A blank line or a comment that stands alone is one too, without data.
    Event(Event<'a>),
    /// What came after the last complete event, at the end of the stream. The HTML standard does not
    /// count it; some servers leave out the last blank line all the same, and most the last line feed.
    Tail(Event<'a>),
    /// Bytes of an event that is longer than the limit, cut wherever chunks were. None of the event was
    /// given out before. Those who only count forward it; those who must see every byte (guards,
    /// masking) end the stream here.
    Oversized(&'a [u8]),
}

impl Decoder {
    /// A decoder at the start of a stream. An event longer than `max_event_bytes`, its end included, is
    /// given out as [`Frame::Oversized`].
    pub fn new(format: Format, max_event_bytes: usize) -> Decoder {
        Decoder {
            format,
            boundary: Boundary::new(format),
            limit: max_event_bytes,
            held: Vec::new(),
            is_given: false,
            is_passing: false,
            is_first: true,
        }
    }

    /// The next frame that is complete with the bytes of `chunk`, which moves on behind what was read.
    /// None when all of `chunk` was read: to be called until then, and then with the next chunk.
    ///
    /// An event is given out as soon as its end is complete. If a blank line ends in a carriage return,
    /// only the next byte tells whether a line feed belongs to it, so a stream that ends lines with CR
    /// alone is one event late.
    ///
    /// # Cost
    ///
    /// One search for line ends; bytes are copied only if their event is not whole in this chunk.
    pub fn next<'a, 'c: 'a>(&'a mut self, chunk: &mut &'c [u8]) -> Option<Frame<'a>> {
        self.forget_given();
        while !chunk.is_empty() {
            let searched_from = self.boundary;
            let end = self.boundary.find_end(chunk);
            let length = end.unwrap_or(chunk.len());
            if !self.is_passing && self.held.len().saturating_add(length) > self.limit {
                self.is_passing = true;
                if !self.held.is_empty() {
                    // What is held goes first; the chunk is searched again after it.
                    self.boundary = searched_from;
                    self.is_given = true;
                    self.is_first = false;
                    return Some(Frame::Oversized(&self.held));
                }
            }
            let (head, rest) = match end {
                Some(end) => chunk.split_at_checked(end).unwrap_or((chunk, &[])),
                None => (*chunk, [].as_slice()),
            };
            *chunk = rest;
            if self.is_passing {
                self.is_passing = end.is_none();
                if !head.is_empty() {
                    self.is_first = false;
                    return Some(Frame::Oversized(head));
                }
                continue;
            }
            if end.is_some() && self.held.is_empty() {
                return Some(Frame::Event(self.event(head)));
            }
            self.held.extend_from_slice(head);
            if end.is_some() {
                return Some(Frame::Event(self.held_event()));
            }
        }
        None
    }

    /// What is left at the end of the stream.
    pub fn finish(&mut self) -> Option<Frame<'_>> {
        self.forget_given();
        if self.held.is_empty() {
            return None;
        }
        let is_complete = self.boundary.is_complete_at_end();
        let event = self.held_event();
        Some(if is_complete {
            Frame::Event(event)
        } else {
            Frame::Tail(event)
        })
    }

    fn forget_given(&mut self) {
        if std::mem::take(&mut self.is_given) {
            self.held.clear();
        }
    }

    fn held_event(&mut self) -> Event<'_> {
        self.is_given = true;
        let starts_stream = std::mem::take(&mut self.is_first);
        Event::new(self.format, &self.held, starts_stream)
    }

    fn event<'c>(&mut self, raw: &'c [u8]) -> Event<'c> {
        Event::new(self.format, raw, std::mem::take(&mut self.is_first))
    }
}
