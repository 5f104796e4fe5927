//! Deflate streams (RFC 1951), which both `gzip` and `deflate` wrap.

use flate2::{Decompress, FlushDecompress, Status};

use super::CodingError;
use super::sink::{STEP, Sink};

pub(super) struct Inflate {
    stream: Decompress,
    /// Whether a zlib header and checksum (RFC 1950) are around it.
    zlib: bool,
}

impl Inflate {
    pub(super) fn new(zlib: bool) -> Inflate {
        Inflate {
            stream: Decompress::new(zlib),
            zlib,
        }
    }

    /// Starts another stream of the same kind.
    pub(super) fn reset(&mut self) {
        self.stream.reset(self.zlib);
    }

    /// Decodes up to the end of the chunk, or of the stream; `chunk` moves on behind what was read. Each
    /// piece of what comes out is also shown to `see`. Whether the stream has ended.
    pub(super) fn push(
        &mut self,
        chunk: &mut &[u8],
        sink: &mut Sink<'_>,
        mut see: impl FnMut(&[u8]),
    ) -> Result<bool, CodingError> {
        let mut buffer = [0; STEP];
        loop {
            let (read, written) = (self.stream.total_in(), self.stream.total_out());
            let step = self
                .stream
                .decompress(chunk, &mut buffer, FlushDecompress::None)
                .map_err(|_| CodingError::Corrupt)?;
            let read = difference(read, self.stream.total_in());
            let decoded = difference(written, self.stream.total_out());
            *chunk = chunk.get(read..).unwrap_or_default();
            let decoded = buffer.get(..decoded).unwrap_or_default();
            see(decoded);
            sink.write(decoded)?;
            match step {
                Status::StreamEnd => return Ok(true),
                // With room left in the buffer, there is nothing more to be had.
                _ if chunk.is_empty() && decoded.len() < STEP => return Ok(false),
                _ if read == 0 && decoded.is_empty() => return Err(CodingError::Corrupt),
                _ => {}
            }
        }
    }
}

/// How far a count of 64 bits went on within one step, which fits.
fn difference(before: u64, after: u64) -> usize {
    usize::try_from(after.saturating_sub(before)).unwrap_or(usize::MAX)
}
