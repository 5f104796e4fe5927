//! `gzip` (RFC 1952): members one behind the other, each a header, a deflate stream and its checksum.
//!
//! The header is read here, since what would read it for us has no way to tell a stream that ends early
//! from one that is whole.

use flate2::Crc;

use super::CodingError;
use super::inflate::Inflate;
use super::sink::Sink;

pub(super) struct Gzip {
    part: Part,
    /// The flags of the header being read.
    flags: u8,
    /// Bytes of the part being read, where it is more than one.
    held: [u8; 8],
    inflate: Inflate,
    checksum: Crc,
}

/// What is read next. Numbers are how many bytes of it were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Fixed(usize),
    ExtraLength(usize),
    /// So many bytes are left.
    Extra(usize),
    Name,
    Comment,
    HeaderChecksum(usize),
    Body,
    Trailer(usize),
    /// Behind a member; another may follow.
    End,
}

const FIXED: usize = 10;
const MAGIC: [u8; 3] = [0x1F, 0x8B, 8];
const HEADER_CHECKSUM: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

impl Default for Gzip {
    fn default() -> Gzip {
        Gzip {
            part: Part::Fixed(0),
            flags: 0,
            held: [0; 8],
            inflate: Inflate::new(false),
            checksum: Crc::new(),
        }
    }
}

impl Gzip {
    pub(super) fn push(
        &mut self,
        mut chunk: &[u8],
        sink: &mut Sink<'_>,
    ) -> Result<(), CodingError> {
        while !chunk.is_empty() {
            if self.part == Part::Body {
                let checksum = &mut self.checksum;
                let see = |decoded: &[u8]| checksum.update(decoded);
                if self.inflate.push(&mut chunk, sink, see)? {
                    self.part = Part::Trailer(0);
                }
                continue;
            }
            if let Part::Extra(left) = self.part {
                let (_, rest) = chunk.split_at(left.min(chunk.len()));
                self.part = self.extra(left - (chunk.len() - rest.len()));
                chunk = rest;
                continue;
            }
            if let Some((&byte, rest)) = chunk.split_first() {
                self.part = self.byte(byte)?;
                chunk = rest;
            }
        }
        Ok(())
    }

    pub(super) fn is_complete(&self) -> bool {
        self.part == Part::End
    }

    /// Reads a byte of a header or trailer; gives what comes next.
    fn byte(&mut self, byte: u8) -> Result<Part, CodingError> {
        Ok(match self.part {
            Part::End => {
                self.inflate.reset();
                self.checksum.reset();
                self.part = Part::Fixed(0);
                return self.byte(byte);
            }
            Part::Fixed(at) => {
                if MAGIC.get(at).is_some_and(|&expected| expected != byte) {
                    return Err(CodingError::Corrupt);
                }
                if at == MAGIC.len() {
                    if byte & RESERVED != 0 {
                        return Err(CodingError::Corrupt);
                    }
                    self.flags = byte;
                }
                match at + 1 {
                    FIXED => self.after_fixed(),
                    read => Part::Fixed(read),
                }
            }
            Part::ExtraLength(at) => {
                self.hold(at, byte);
                match at {
                    0 => Part::ExtraLength(1),
                    _ => {
                        let [low, high, ..] = self.held;
                        self.extra(usize::from(u16::from_le_bytes([low, high])))
                    }
                }
            }
            Part::Name if byte == 0 => self.after_name(),
            Part::Comment if byte == 0 => self.after_comment(),
            Part::HeaderChecksum(0) => Part::HeaderChecksum(1),
            // Few write it and none read it; the checksum of the contents follows.
            Part::HeaderChecksum(_) => Part::Body,
            Part::Trailer(at) => {
                self.hold(at, byte);
                match at + 1 {
                    8 => self.check()?,
                    read => Part::Trailer(read),
                }
            }
            part @ (Part::Name | Part::Comment | Part::Body | Part::Extra(_)) => part,
        })
    }

    fn hold(&mut self, at: usize, byte: u8) {
        if let Some(place) = self.held.get_mut(at) {
            *place = byte;
        }
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    fn after_fixed(&self) -> Part {
        match self.has(EXTRA) {
            true => Part::ExtraLength(0),
            false => self.extra(0),
        }
    }

    fn extra(&self, left: usize) -> Part {
        match left {
            0 if self.has(NAME) => Part::Name,
            0 => self.after_name(),
            left => Part::Extra(left),
        }
    }

    fn after_name(&self) -> Part {
        match self.has(COMMENT) {
            true => Part::Comment,
            false => self.after_comment(),
        }
    }

    fn after_comment(&self) -> Part {
        match self.has(HEADER_CHECKSUM) {
            true => Part::HeaderChecksum(0),
            false => Part::Body,
        }
    }

    /// Compares what the trailer says with what came out.
    fn check(&self) -> Result<Part, CodingError> {
        let [a, b, c, d, e, f, g, h] = self.held;
        let sum = u32::from_le_bytes([a, b, c, d]);
        let length = u32::from_le_bytes([e, f, g, h]);
        match sum == self.checksum.sum() && length == self.checksum.amount() {
            true => Ok(Part::End),
            false => Err(CodingError::Corrupt),
        }
    }
}
