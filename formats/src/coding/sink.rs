//! Where decoded bytes go, as far as they may.

use super::CodingError;

/// How many bytes are decoded at a time: limits are exact to the byte, and no more than this is decoded
/// in vain.
pub(super) const STEP: usize = 16 << 10;

pub(super) struct Sink<'o> {
    out: &'o mut Vec<u8>,
    written: usize,
    max_bytes: usize,
    /// How many bytes may come out for what came in so far.
    by_ratio: usize,
}

impl<'o> Sink<'o> {
    /// Goes on behind `written` bytes.
    pub(super) fn new(
        out: &'o mut Vec<u8>,
        written: usize,
        max_bytes: usize,
        by_ratio: usize,
    ) -> Sink<'o> {
        Sink {
            out,
            written,
            max_bytes,
            by_ratio,
        }
    }

    pub(super) fn written(&self) -> usize {
        self.written
    }

    /// Appends as many of these bytes as may be. An error if that is not all.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), CodingError> {
        let room = self
            .max_bytes
            .min(self.by_ratio)
            .saturating_sub(self.written);
        let (fits, rest) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
        self.out.extend_from_slice(fits);
        self.written += fits.len();
        if rest.is_empty() {
            Ok(())
        } else if self.max_bytes <= self.by_ratio {
            Err(CodingError::TooLarge)
        } else {
            Err(CodingError::RatioExceeded)
        }
    }
}
