//! Content codings: what is behind `content-encoding`, decoded as it comes.
//!
//! Called on the worker thread of a message, chunk by chunk. However a body is cut into chunks, the same
//! bytes come out. The sender is not trusted: how much comes out is bounded while it is decoded, beside
//! the input as well as on the whole, and windows are, so that a small body can neither fill the memory
//! nor take long.
//!
//! Refused: codings that are not known, bodies that end early or go on after their end, checksums that
//! differ, dictionaries, and windows above 8 MiB (`zstd`, the limit of RFC 9659) or 16 MiB (`br`, the
//! limit of RFC 7932). A body of no bytes is one of no bytes, whatever its coding.
//!
//! ```
//! use formats::coding::{CodingError, Decoder, Limits};
//!
//! // "hello", as a sender of zlib streams sends it, in two chunks.
//! let chunks = [b"\x78\x9c\xcb\x48\xcd".as_slice(), b"\xc9\xc9\x07\x00\x06\x2c\x02\x15"];
//! let mut decoder = Decoder::of("deflate", Limits::of_bytes(1 << 20))?;
//! let mut decoded = Vec::new();
//! for chunk in chunks {
//!     decoder.push(chunk, &mut decoded)?;
//! }
//! decoder.finish()?;
//! assert_eq!(decoded, b"hello");
//! # Ok::<(), CodingError>(())
//! ```

use std::borrow::Cow;
use std::fmt;

mod brotli;
mod deflate;
mod gzip;
mod inflate;
mod sink;
mod zstd;

use brotli::Brotli;
use deflate::Deflate;
use gzip::Gzip;
use sink::Sink;
use zstd::Zstd;

/// How many codings a body may have: more than one is a curiosity, many are an attack.
const MAX_CODINGS: usize = 3;

/// How many bytes of a body are decoded at a time.
const PIECE: usize = 4 << 10;

/// How much may be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many bytes may come out of a body, and between its codings.
    pub max_bytes: usize,
    /// How many bytes may come out for each that goes in. Means nothing for the first
    /// [`RATIO_FLOOR`](Self::RATIO_FLOOR) bytes, since small texts repeat themselves.
    pub max_ratio: usize,
}

impl Limits {
    /// The default of [`max_ratio`](Self::max_ratio). JSON and logs seldom come above 30.
    pub const MAX_RATIO: usize = 100;
    /// Up to so many decoded bytes (1 MiB), nothing is refused for its ratio.
    pub const RATIO_FLOOR: usize = 1 << 20;

    /// So many bytes at most, at the default ratio.
    pub fn of_bytes(max_bytes: usize) -> Limits {
        Limits {
            max_bytes,
            max_ratio: Limits::MAX_RATIO,
        }
    }
}

/// Why a body cannot be decoded. Carries nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodingError {
    /// A coding that is not known, or more codings than a body may have.
    Unknown,
    /// The bytes are not in their coding.
    Corrupt,
    /// The body ends before its coding does.
    Truncated,
    /// More would come out than the ratio allows.
    RatioExceeded,
    /// More would come out than is allowed.
    TooLarge,
}

impl fmt::Display for CodingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "the content coding is none of gzip, deflate, br and zstd",
            Self::Corrupt => "the body is not in its content coding",
            Self::Truncated => "the body ends before its content coding does",
            Self::RatioExceeded => "the body decodes to more than its length allows",
            Self::TooLarge => "the body decodes to more than is allowed",
        })
    }
}

impl std::error::Error for CodingError {}

/// Decodes one body.
///
/// Memory: what the codings remember (32 KiB of `gzip` and `deflate`, the window of `br`, up to four times
/// that of `zstd`, if so much came out), and 4 KiB of a chunk, decoded, for each coding but the last.
pub struct Decoder {
    /// In the order of decoding.
    stages: Vec<Stage>,
    limits: Limits,
    /// How many bytes came in.
    read: usize,
    failed: Option<CodingError>,
}

/// One coding, and how many bytes came out of it.
struct Stage {
    coding: Coding,
    written: usize,
    is_started: bool,
}

/// Boxed, since each is as large as its tables.
enum Coding {
    Gzip(Box<Gzip>),
    Deflate(Box<Deflate>),
    Brotli(Box<Brotli>),
    Zstd(Box<Zstd>),
}

impl Decoder {
    /// A decoder for what a `content-encoding` field lists (RFC 9110, section 8.4): names in any case,
    /// in the order in which they were applied; several fields are joined by commas. `identity` is
    /// none, so that its bytes pass.
    ///
    /// # Errors
    /// [`Unknown`](CodingError::Unknown).
    pub fn of(content_encoding: &str, limits: Limits) -> Result<Decoder, CodingError> {
        let names = content_encoding.split(',').map(str::trim);
        let is_coding = |name: &&str| !name.is_empty() && !name.eq_ignore_ascii_case("identity");
        let mut stages = names
            .filter(is_coding)
            .take(MAX_CODINGS + 1)
            .map(Stage::of)
            .collect::<Option<Vec<_>>>()
            .filter(|stages| stages.len() <= MAX_CODINGS)
            .ok_or(CodingError::Unknown)?;
        stages.reverse();
        Ok(Decoder {
            stages,
            limits,
            read: 0,
            failed: None,
        })
    }

    /// Whether nothing is to be decoded.
    pub fn is_identity(&self) -> bool {
        self.stages.is_empty()
    }

    /// Decodes the next chunk: appends to `out` all that is known by it.
    ///
    /// # Errors
    /// All but [`Unknown`](CodingError::Unknown) and [`Truncated`](CodingError::Truncated). Some of what
    /// came before the fault was appended; every later call fails the same way.
    ///
    /// # Cost
    /// Linear in what comes in and out.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), CodingError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let outcome = self.decode(chunk, out);
        self.failed = outcome.err();
        outcome
    }

    /// Says whether the body was whole, when it has ended.
    ///
    /// # Errors
    /// [`Truncated`](CodingError::Truncated), or what [`push`](Self::push) failed with.
    pub fn finish(&self) -> Result<(), CodingError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        match self.stages.iter().all(Stage::is_complete) {
            true => Ok(()),
            false => Err(CodingError::Truncated),
        }
    }

    /// Goes piece by piece, each up to a place that does not depend on how the body was cut, so that
    /// neither does what the ratio allows.
    fn decode(&mut self, mut chunk: &[u8], out: &mut Vec<u8>) -> Result<(), CodingError> {
        while !chunk.is_empty() {
            let until = (self.read / PIECE + 1).saturating_mul(PIECE);
            let piece = chunk.len().min(until - self.read);
            let (piece, rest) = chunk.split_at_checked(piece).unwrap_or((chunk, &[]));
            let by_ratio = until.saturating_mul(self.limits.max_ratio);
            self.piece(piece, by_ratio.max(Limits::RATIO_FLOOR), out)?;
            self.read += piece.len();
            chunk = rest;
        }
        Ok(())
    }

    fn piece(
        &mut self,
        piece: &[u8],
        by_ratio: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), CodingError> {
        let max_bytes = self.limits.max_bytes;
        let Some((last, first)) = self.stages.split_last_mut() else {
            return Sink::new(out, self.read, max_bytes, usize::MAX).write(piece);
        };
        let mut input = Cow::Borrowed(piece);
        for stage in first {
            let mut decoded = Vec::new();
            stage.push(&input, &mut decoded, max_bytes, by_ratio)?;
            input = Cow::Owned(decoded);
        }
        last.push(&input, out, max_bytes, by_ratio)
    }
}

impl Stage {
    fn of(name: &str) -> Option<Stage> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let coding = if is("gzip") || is("x-gzip") {
            Coding::Gzip(Box::default())
        } else if is("deflate") {
            Coding::Deflate(Box::default())
        } else if is("br") {
            Coding::Brotli(Box::default())
        } else if is("zstd") {
            Coding::Zstd(Box::default())
        } else {
            return None;
        };
        Some(Stage {
            coding,
            written: 0,
            is_started: false,
        })
    }

    fn push(
        &mut self,
        chunk: &[u8],
        out: &mut Vec<u8>,
        max_bytes: usize,
        by_ratio: usize,
    ) -> Result<(), CodingError> {
        if chunk.is_empty() {
            return Ok(());
        }
        self.is_started = true;
        let mut sink = Sink::new(out, self.written, max_bytes, by_ratio);
        let outcome = match &mut self.coding {
            Coding::Gzip(gzip) => gzip.push(chunk, &mut sink),
            Coding::Deflate(deflate) => deflate.push(chunk, &mut sink),
            Coding::Brotli(brotli) => brotli.push(chunk, &mut sink),
            Coding::Zstd(zstd) => zstd.push(chunk, &mut sink),
        };
        self.written = sink.written();
        outcome
    }

    fn is_complete(&self) -> bool {
        !self.is_started
            || match &self.coding {
                Coding::Gzip(gzip) => gzip.is_complete(),
                Coding::Deflate(deflate) => deflate.is_complete(),
                Coding::Brotli(brotli) => brotli.is_complete(),
                Coding::Zstd(zstd) => zstd.is_complete(),
            }
    }
}

/// Says how far it is, never what it decodes: bodies do not belong in logs.
impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("codings", &self.stages.len())
            .field("limits", &self.limits)
            .field("read", &self.read)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
