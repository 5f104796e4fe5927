//! `br` (RFC 7932).

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::CodingError;
use super::sink::{STEP, Sink};

pub(super) struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    has_ended: bool,
}

impl Default for Brotli {
    fn default() -> Brotli {
        let alloc = StandardAlloc::default;
        Brotli {
            // Strict is what RFC 7932 allows: windows of up to 16 MiB, where the extension for large
            // windows goes up to a gigabyte.
            state: BrotliState::new_strict(alloc(), alloc(), alloc()),
            has_ended: false,
        }
    }
}

impl Brotli {
    pub(super) fn push(&mut self, chunk: &[u8], sink: &mut Sink<'_>) -> Result<(), CodingError> {
        if self.has_ended {
            return Err(CodingError::Corrupt);
        }
        let mut buffer = [0; STEP];
        let (mut left, mut at, mut total) = (chunk.len(), 0, 0);
        loop {
            let (mut room, mut decoded) = (STEP, 0);
            let step = BrotliDecompressStream(
                &mut left,
                &mut at,
                chunk,
                &mut room,
                &mut decoded,
                &mut buffer,
                &mut total,
                &mut self.state,
            );
            sink.write(buffer.get(..decoded).unwrap_or_default())?;
            match step {
                BrotliResult::NeedsMoreOutput => {}
                BrotliResult::NeedsMoreInput => return Ok(()),
                BrotliResult::ResultSuccess if left == 0 => {
                    self.has_ended = true;
                    return Ok(());
                }
                BrotliResult::ResultSuccess | BrotliResult::ResultFailure => {
                    return Err(CodingError::Corrupt);
                }
            }
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.has_ended
    }
}
