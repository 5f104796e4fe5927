//! `zstd` (RFC 8878): frames one behind the other, some of which are to be skipped.
//!
//! The library decodes a block that is whole; how long headers and blocks are is read here, so that they
//! are held until they are. What it does not check is checked here: reserved bits, the checksum, and how
//! much a frame says it holds.
//!
//! It would also give out no more than what later blocks cannot refer to any more, so that the events of a
//! stream would wait for megabytes of others. But of a frame that has ended it shows everything, and it
//! decodes further blocks all the same: each frame is told to have ended when it begins, what comes is
//! looked at and left where it is, and what the window no longer reaches is thrown away from time to time.

use std::hash::Hasher;
use std::io::{self, Read, Write};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use twox_hash::XxHash64;

use super::CodingError;
use super::sink::Sink;

/// Encoders must not ask for more of those who decode HTTP (RFC 9659).
const MAX_WINDOW: u64 = 8 << 20;

/// No block is longer.
const MAX_BLOCK: usize = 128 << 10;

/// The last block of a frame, which is empty, and a checksum, which is only read where there is one.
const END: &[u8] = &[1, 0, 0, 0, 0, 0, 0];

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

#[derive(Default)]
struct Frame {
    /// Of what came out, if the frame ends with one.
    checksum: Option<XxHash64>,
    /// How many bytes it says it holds.
    length: Option<u64>,
    /// How many came out.
    decoded: u64,
    /// How far back blocks may refer.
    window: usize,
    /// How many bytes the library has that were given out.
    seen: usize,
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
        let window = match input.get(5) {
            Some(&descriptor) if !is_single => window(descriptor),
            _ => self.decoder.content_size(),
        };
        self.frame = Frame {
            checksum: (descriptor & 0b0000_0100 != 0).then(|| XxHash64::with_seed(0)),
            length: (content_size > 0).then(|| self.decoder.content_size()),
            window: usize::try_from(window).map_err(|_| CodingError::Corrupt)?,
            ..Frame::default()
        };
        self.decode(END)?;
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
        let checksum = match is_last && self.frame.checksum.is_some() {
            true => 4,
            false => 0,
        };
        if content > MAX_BLOCK {
            return Err(CodingError::Corrupt);
        }
        let length = 3 + content + checksum;
        let Some(block) = input.get(..length) else {
            return Ok(0);
        };
        self.decode(block)?;
        self.give_out(sink)?;
        if is_last {
            self.check()?;
            self.part = Part::Header;
        } else if self.frame.seen > self.frame.window + self.frame.window.max(MAX_BLOCK) {
            self.forget()?;
        }
        Ok(length)
    }

    fn decode(&mut self, block: impl Read) -> Result<(), CodingError> {
        let decoded = self
            .decoder
            .decode_blocks(block, BlockDecodingStrategy::UptoBlocks(1));
        decoded.map(drop).map_err(|_| CodingError::Corrupt)
    }

    /// Gives out what the library has and has not given out yet. It stays where it is.
    fn give_out(&mut self, sink: &mut Sink<'_>) -> Result<(), CodingError> {
        let mut look = Look {
            frame: &mut self.frame,
            sink,
            outcome: Ok(()),
        };
        // It ends with the error of a writer that takes nothing, or has nothing to write.
        let _ = self.decoder.collect_to_writer(&mut look);
        look.outcome?;
        match self.frame.seen == self.decoder.can_collect() {
            true => Ok(()),
            false => Err(CodingError::Corrupt),
        }
    }

    /// Has the library forget what the window does not reach. It forgets everything or nothing, so it is
    /// given what it is to keep, in blocks of that; there is as much else, so that this is done seldom.
    fn forget(&mut self) -> Result<(), CodingError> {
        let all = self.decoder.collect().unwrap_or_default();
        let window = all.len().saturating_sub(self.frame.window);
        let window = all.get(window..).unwrap_or_default();
        let most = self.frame.window.clamp(1, MAX_BLOCK);
        for piece in window.chunks(most) {
            // At most 128 KiB, which takes 18 bits; the three lower ones say that it is neither the last
            // nor compressed.
            let [a, b, c, ..] = (piece.len() << 3).to_le_bytes();
            self.decode([a, b, c].as_slice().chain(piece))?;
        }
        self.frame.seen = window.len();
        Ok(())
    }

    /// Compares what a frame says of its contents with what came out.
    fn check(&self) -> Result<(), CodingError> {
        let Frame {
            checksum,
            length,
            decoded,
            ..
        } = &self.frame;
        // The lower half, as the format has it.
        let sum = checksum.as_ref().map(|sum| sum.finish() as u32);
        let is_right = (sum.is_none() || sum == self.decoder.get_checksum_from_data())
            && length.is_none_or(|length| length == *decoded);
        match is_right {
            true => Ok(()),
            false => Err(CodingError::Corrupt),
        }
    }
}

/// The size of a window (RFC 8878, section 3.1.1.1.2).
fn window(descriptor: u8) -> u64 {
    let base = 1024 << (descriptor >> 3);
    base + base / 8 * u64::from(descriptor & 0b111)
}

/// A writer for a library that writes all it has: what is new goes to the sink, and nothing is taken.
struct Look<'f, 's, 'o> {
    frame: &'f mut Frame,
    sink: &'s mut Sink<'o>,
    outcome: Result<(), CodingError>,
}

impl Write for Look<'_, '_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let new = bytes.get(self.frame.seen..).unwrap_or_default();
        self.outcome = self.sink.write(new);
        if let Some(checksum) = &mut self.frame.checksum {
            checksum.write(new);
        }
        self.frame.decoded = self.frame.decoded.saturating_add(new.len() as u64);
        self.frame.seen = bytes.len();
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
