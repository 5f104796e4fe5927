//! `deflate`: a zlib stream (RFC 1950), or, as some servers send and all browsers accept, a bare deflate
//! stream (RFC 1951).

use super::CodingError;
use super::inflate::Inflate;
use super::sink::Sink;

#[derive(Default)]
pub(super) struct Deflate {
    /// The first byte, until the second tells which kind of stream it is.
    first: Option<u8>,
    inflate: Option<Inflate>,
    has_ended: bool,
}

impl Deflate {
    pub(super) fn push(
        &mut self,
        mut chunk: &[u8],
        sink: &mut Sink<'_>,
    ) -> Result<(), CodingError> {
        if self.inflate.is_none() {
            let Some((first, second)) = self.start(&mut chunk) else {
                return Ok(());
            };
            self.inflate = Some(Inflate::new(is_zlib(first, second)));
            self.inflate(&mut [first].as_slice(), sink)?;
        }
        self.inflate(&mut chunk, sink)
    }

    pub(super) fn is_complete(&self) -> bool {
        self.has_ended
    }

    /// The first two bytes of the stream. `chunk` moves on behind the first of them.
    fn start(&mut self, chunk: &mut &[u8]) -> Option<(u8, u8)> {
        let first = match self.first {
            Some(first) => first,
            None => {
                let (&first, rest) = chunk.split_first()?;
                *chunk = rest;
                *self.first.insert(first)
            }
        };
        Some((first, *chunk.first()?))
    }

    fn inflate(&mut self, chunk: &mut &[u8], sink: &mut Sink<'_>) -> Result<(), CodingError> {
        if let Some(inflate) = &mut self.inflate
            && !self.has_ended
            && !chunk.is_empty()
        {
            self.has_ended = inflate.push(chunk, sink, |_| {})?;
        }
        match chunk.is_empty() {
            true => Ok(()),
            false => Err(CodingError::Corrupt),
        }
    }
}

/// Whether these start a zlib stream: its method is deflate, and the two are a multiple of 31. A bare
/// stream that starts so would begin with an uncompressed block whose padding is not zero.
fn is_zlib(first: u8, second: u8) -> bool {
    first & 0x0F == 8 && u16::from_be_bytes([first, second]).is_multiple_of(31)
}
