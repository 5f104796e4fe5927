//! Cuts a stream of bytes into frames, whatever chunks it comes in.
//!
//! Shared by the decoders of Server-Sent Events and newline-delimited JSON, which differ in where a
//! frame ends. A frame that is whole within one chunk is given out without a copy; only an unfinished
//! one is held, and no more than the limit of it.

/// What to do with a frame longer than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oversize {
    /// Fail: the stream cannot be read on. For those who must see every byte (guards, masking).
    Refuse,
    /// Give its bytes out unread, as they come, and read on after it. For those who only count.
    PassThrough,
}

/// Where frames end. Keeps what it must remember between chunks.
pub(crate) trait Boundary {
    /// Reads `bytes` up to the end of the current frame. Gives that end, or none if all of `bytes`
    /// belongs to the frame. The end may be 0: the frame was complete before these bytes.
    fn find_end(&mut self, bytes: &[u8]) -> Option<usize>;

    /// Whether the stream could stop here with the current frame complete.
    fn complete_at_end(&self) -> bool;
}

/// A piece of the stream. Over a stream, pieces hold all of its bytes in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Whole(&'a [u8]),
    /// The stream ended before the frame did.
    Partial(&'a [u8]),
    Oversized(&'a [u8]),
}

/// A frame was longer than allowed, and that was to be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

#[derive(Clone, Debug)]
pub(crate) struct Framing<B> {
    boundary: B,
    limit: usize,
    oversize: Oversize,
    /// The current frame so far.
    held: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Holding,
    /// Inside a frame too long to hold.
    Passing,
    /// A frame was refused; there is no way on.
    Refused,
}

impl<B: Boundary> Framing<B> {
    pub(crate) fn new(boundary: B, limit: usize, oversize: Oversize) -> Self {
        Self {
            boundary,
            limit,
            oversize,
            held: Vec::new(),
            state: State::Holding,
        }
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    pub(crate) fn push(
        &mut self,
        mut chunk: &[u8],
        out: &mut impl FnMut(Piece<'_>),
    ) -> Result<(), TooLong> {
        if self.state == State::Refused {
            return Err(TooLong);
        }
        while !chunk.is_empty() {
            let end = self.boundary.find_end(chunk);
            let (head, rest) = chunk
                .split_at_checked(end.unwrap_or(chunk.len()))
                .unwrap_or((chunk, &[]));
            self.take(head, end.is_some(), out)?;
            chunk = rest;
        }
        Ok(())
    }

    pub(crate) fn finish(&mut self, out: &mut impl FnMut(Piece<'_>)) -> Result<(), TooLong> {
        if self.state == State::Refused {
            return Err(TooLong);
        }
        if !self.held.is_empty() {
            let complete = self.boundary.complete_at_end();
            out(if complete {
                Piece::Whole(&self.held)
            } else {
                Piece::Partial(&self.held)
            });
            self.held = Vec::new();
        }
        Ok(())
    }

    /// Goes on with the current frame by `head`, its end if `ends`.
    fn take(
        &mut self,
        head: &[u8],
        ends: bool,
        out: &mut impl FnMut(Piece<'_>),
    ) -> Result<(), TooLong> {
        if self.state == State::Holding {
            if self.held.len() + head.len() <= self.limit {
                self.hold(head, ends, out);
                return Ok(());
            }
            if self.oversize == Oversize::Refuse {
                self.state = State::Refused;
                return Err(TooLong);
            }
            self.state = State::Passing;
            if !self.held.is_empty() {
                out(Piece::Oversized(&self.held));
                self.held.clear();
            }
        }
        if !head.is_empty() {
            out(Piece::Oversized(head));
        }
        if ends {
            self.state = State::Holding;
        }
        Ok(())
    }

    fn hold(&mut self, head: &[u8], ends: bool, out: &mut impl FnMut(Piece<'_>)) {
        if ends && self.held.is_empty() {
            out(Piece::Whole(head));
            return;
        }
        self.held.extend_from_slice(head);
        if ends {
            out(Piece::Whole(&self.held));
            self.held.clear();
        }
    }
}
