//! `zstd` (RFC 8878): frames one behind the other, some of which are to be skipped.
//!
//! The library decodes a block that is whole; how long headers and blocks are is read here, so that they
//! are held until they are. What it does not check is checked here: reserved bits, the checksum, and how
//! much a frame says it holds.

use std::io;

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::CodingError;
use super::sink::Sink;

/// Encoders must not ask for more of those who decode HTTP (RFC 9659).
const MAX_WINDOW: u64 = 8 << 20;

/// No block is longer.
const MAX_BLOCK: usize = 128 << 10;

pub(super) struct Zstd {
    decoder: FrameDecoder,
    part: Part,
    /// Bytes of a part that is not whole: less than 128 KiB and a header.
    held: Vec<u8>,
    /// What is known of the frame.
    frame: Frame,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// The header of a frame, or the end.
    Header,
    Block,
    /// So many bytes of a frame that is to be skipped.
    Skip(usize),
}

#[derive(Clone, Copy, Debug, Default)]
struct Frame {
    has_checksum: bool,
    /// How many bytes it says it holds.
    length: Option<u64>,
    /// How many came out.
    decoded: u64,
}

impl Default for Zstd {
    fn default() -> Zstd {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW);
        Zstd {
            decoder,
            part: Part::Header,
            held: Vec::new(),
            frame: Frame::default(),
        }
    }
}

impl Zstd {
    pub(super) fn push(&mut self, chunk: &[u8], sink: &mut Sink<'_>) -> Result<(), CodingError> {
        if self.held.is_empty() {
            let read = self.parts(chunk, sink)?;
            self.held
                .extend_from_slice(chunk.get(read..).unwrap_or_default());
            return Ok(());
        }
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(chunk);
        let read = self.parts(&held, sink)?;
        held.drain(..read);
        self.held = held;
        Ok(())
    }

    pub(super) fn is_complete(&self) -> bool {
        self.part == Part::Header && self.held.is_empty()
    }

    /// Reads all parts that are whole; gives how many bytes that is.
    fn parts(&mut self, input: &[u8], sink: &mut Sink<'_>) -> Result<usize, CodingError> {
        let mut at = 0;
        while let Some(rest) = input.get(at..).filter(|rest| !rest.is_empty()) {
            let read = match self.part {
                Part::Header => self.header(rest)?,
                Part::Block => self.block(rest, sink)?,
                Part::Skip(left) => {
                    let skipped = left.min(rest.len());
                    self.part = match left - skipped {
                        0 => Part::Header,
                        left => Part::Skip(left),
                    };
                    skipped
                }
            };
            if read == 0 {
                break;
            }
            at += read;
        }
        Ok(at)
    }

    /// Reads the header of a frame, if it is whole. How many bytes that is.
    fn header(&mut self, input: &[u8]) -> Result<usize, CodingError> {
        let Some((magic, rest)) = input.split_first_chunk() else {
            return Ok(0);
        };
        let magic = u32::from_le_bytes(*magic);
        if (0x184D_2A50..=0x184D_2A5F).contains(&magic) {
            let Some(length) = rest.first_chunk() else {
                return Ok(0);
            };
            let length = usize::try_from(u32::from_le_bytes(*length));
            self.part = match length.map_err(|_| CodingError::Corrupt)? {
                0 => Part::Header,
                length => Part::Skip(length),
            };
            return Ok(8);
        }
        if magic != 0xFD2F_B528 {
            return Err(CodingError::Corrupt);
        }
        let Some(&descriptor) = rest.first() else {
            return Ok(0);
        };
        if descriptor & 0b0000_1000 != 0 {
            return Err(CodingError::Corrupt);
        }
        let is_single = descriptor & 0b0010_0000 != 0;
        let dictionary = [0, 1, 2, 4][usize::from(descriptor & 0b11)];
        let content_size = match descriptor >> 6 {
            0 => usize::from(is_single),
            log => 1 << log,
        };
        let length = 5 + usize::from(!is_single) + dictionary + content_size;
        let Some(mut header) = input.get(..length) else {
            return Ok(0);
        };
        // Windows above the limit and dictionaries are refused.
        self.decoder
            .reset(&mut header)
            .map_err(|_| CodingError::Corrupt)?;
        self.frame = Frame {
            has_checksum: descriptor & 0b0000_0100 != 0,
            length: (content_size > 0).then(|| self.decoder.content_size()),
            decoded: 0,
        };
        self.part = Part::Block;
        Ok(length)
    }

    /// Decodes a block, if it is whole; behind the last one stands the checksum. How many bytes that is.
    fn block(&mut self, input: &[u8], sink: &mut Sink<'_>) -> Result<usize, CodingError> {
        let Some(&[a, b, c]) = input.first_chunk() else {
            return Ok(0);
        };
        let header = usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16;
        let is_last = header & 1 != 0;
        let content = match (header >> 1) & 0b11 {
            // One byte, repeated.
            1 => 1,
            _ => header >> 3,
        };
        let checksum = match is_last && self.frame.has_checksum {
            true => 4,
            false => 0,
        };
        if content > MAX_BLOCK {
            return Err(CodingError::Corrupt);
        }
        let length = 3 + content + checksum;
        let Some(mut block) = input.get(..length) else {
            return Ok(0);
        };
        self.decoder
            .decode_blocks(&mut block, BlockDecodingStrategy::UptoBlocks(1))
            .map_err(|_| CodingError::Corrupt)?;
        let mut drain = Drain {
            sink,
            failed: None,
            written: 0,
        };
        let outcome = self.decoder.collect_to_writer(&mut drain);
        self.frame.decoded = self.frame.decoded.saturating_add(drain.written);
        if let Some(error) = drain.failed {
            return Err(error);
        }
        outcome.map_err(|_| CodingError::Corrupt)?;
        if is_last {
            self.check()?;
            self.part = Part::Header;
        }
        Ok(length)
    }

    /// Compares what a frame says of its contents with what came out.
    fn check(&self) -> Result<(), CodingError> {
        let sum = self.decoder.get_checksum_from_data();
        let is_right = (sum.is_none() || sum == self.decoder.get_calculated_checksum())
            && (self.frame.length).is_none_or(|length| length == self.frame.decoded);
        match is_right {
            true => Ok(()),
            false => Err(CodingError::Corrupt),
        }
    }
}

/// A sink for a library that writes.
struct Drain<'s, 'o> {
    sink: &'s mut Sink<'o>,
    failed: Option<CodingError>,
    written: u64,
}

impl io::Write for Drain<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written = self.written.saturating_add(bytes.len() as u64);
        self.sink.write(bytes).map_err(|error| {
            self.failed = Some(error);
            io::Error::from(io::ErrorKind::FileTooLarge)
        })?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
