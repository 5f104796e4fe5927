//! Amazon's event streams (`application/vnd.amazon.eventstream`): messages with headers and a
//! payload, each with its lengths in front and two checksums.
//!
//! A message is its length and that of its headers (32 bits each, big end first), the CRC-32 of
//! these eight bytes, the headers, the payload, and the CRC-32 of everything before. A [`Decoder`]
//! cuts a stream into messages on the worker thread of the stream, however it is cut into chunks;
//! nothing is held but an unfinished message, and its lengths are believed only when their checksum
//! fits and the limit is kept.
//!
//! What is refused: a wrong checksum, lengths that contradict each other or exceed the limit,
//! headers that are none. Behind that nothing is known of where messages begin, and nothing is read
//! any more.
//!
//! ```
//! use formats::frames::{Decoder, write};
//!
//! let mut stream = Vec::new();
//! write(&[(":event-type", "messageStop")], b"{}", &mut stream);
//! let mut decoder = Decoder::new(1 << 20);
//! let (mut front, mut back) = stream.split_at(20);
//! assert!(decoder.next(&mut front).is_none());
//! let message = decoder.next(&mut back).ok_or("not whole")?;
//! let message = message.map_err(|fault| fault.to_string())?;
//! assert_eq!(message.header(":event-type"), Some("messageStop"));
//! assert_eq!(message.payload(), b"{}");
//! # Ok::<(), String>(())
//! ```

use std::fmt;

/// The two lengths and their checksum.
const PRELUDE: usize = 12;

/// What a message has beside headers and payload.
const FRAME: usize = 16;

/// Reads one stream. Holds at most one unfinished message.
#[derive(Clone, Debug)]
pub struct Decoder {
    limit: usize,
    /// The current message so far.
    held: Vec<u8>,
    /// How long the current message is, once its prelude was read.
    total: Option<usize>,
    /// What is held was given out; it goes with the next call.
    is_given: bool,
    is_broken: bool,
}

/// A message.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    headers: &'a [u8],
    payload: &'a [u8],
}

/// What is wrong with a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The lengths of a message do not have the checksum that stands behind them.
    PreludeChecksum,
    /// A message does not have the checksum that stands behind it.
    MessageChecksum,
    /// The lengths of a message contradict each other.
    Lengths,
    /// A message is longer than the limit.
    TooLong,
    /// The headers of a message are no headers.
    Headers,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::PreludeChecksum => "the lengths of a message do not have their checksum",
            Fault::MessageChecksum => "a message does not have its checksum",
            Fault::Lengths => "the lengths of a message contradict each other",
            Fault::TooLong => "a message is longer than the limit",
            Fault::Headers => "the headers of a message cannot be read",
        })
    }
}

impl std::error::Error for Fault {}

impl Decoder {
    /// A decoder at the start of a stream, for messages of up to `max_message_bytes`.
    pub fn new(max_message_bytes: usize) -> Decoder {
        Decoder {
            limit: max_message_bytes,
            held: Vec::new(),
            total: None,
            is_given: false,
            is_broken: false,
        }
    }

    /// The next message that is complete with the bytes of `chunk`, which moves on behind what was
    /// read. None when all of `chunk` was read: to be called until then, and then with the next
    /// chunk.
    ///
    /// # Errors
    ///
    /// What is wrong with the stream, once; all that comes is stepped over then.
    ///
    /// # Cost
    ///
    /// One pass for the checksum; bytes are copied only if their message is not whole in this
    /// chunk.
    pub fn next<'a, 'c: 'a>(
        &'a mut self,
        chunk: &mut &'c [u8],
    ) -> Option<Result<Message<'a>, Fault>> {
        if std::mem::take(&mut self.is_given) {
            self.held.clear();
            self.total = None;
        }
        if self.is_broken {
            *chunk = &[];
            return None;
        }
        if self.held.is_empty()
            && let Some(prelude) = chunk.first_chunk::<PRELUDE>()
        {
            let total = match self.total_of(prelude) {
                Ok(total) => total,
                Err(fault) => return Some(Err(self.fail(fault))),
            };
            if let Some((message, rest)) = chunk.split_at_checked(total) {
                *chunk = rest;
                return Some(Message::read(message).map_err(|fault| self.fail(fault)));
            }
        }
        let total = match self.total {
            Some(total) => total,
            None => {
                self.hold(PRELUDE, chunk);
                let prelude = self.held.first_chunk::<PRELUDE>()?;
                match self.total_of(prelude) {
                    Ok(total) => *self.total.insert(total),
                    Err(fault) => return Some(Err(self.fail(fault))),
                }
            }
        };
        self.hold(total, chunk);
        if self.held.len() < total {
            return None;
        }
        // Whether it is good must be known before it is given out, since it is borrowed from here.
        if let Err(fault) = Message::read(&self.held) {
            return Some(Err(self.fail(fault)));
        }
        self.is_given = true;
        Some(Message::split(&self.held).ok_or(Fault::Lengths))
    }

    /// Whether a stream may end here: no message is unfinished.
    pub fn is_between_messages(&self) -> bool {
        self.is_given || self.held.is_empty()
    }

    fn fail(&mut self, fault: Fault) -> Fault {
        self.is_broken = true;
        fault
    }

    /// Takes bytes of the chunk until so many are held.
    fn hold(&mut self, length: usize, chunk: &mut &[u8]) {
        let missing = length.saturating_sub(self.held.len());
        let (taken, rest) = chunk.split_at_checked(missing).unwrap_or((chunk, &[]));
        self.held.extend_from_slice(taken);
        *chunk = rest;
    }

    /// How long the message is that begins so.
    fn total_of(&self, prelude: &[u8; PRELUDE]) -> Result<usize, Fault> {
        let [a, b, c, d, e, f, g, h, checksum @ ..] = *prelude;
        if crc32fast::hash(&[a, b, c, d, e, f, g, h]) != u32::from_be_bytes(checksum) {
            return Err(Fault::PreludeChecksum);
        }
        let total = length([a, b, c, d]);
        let headers = length([e, f, g, h]);
        if total < FRAME || headers > total - FRAME {
            return Err(Fault::Lengths);
        }
        if total > self.limit {
            return Err(Fault::TooLong);
        }
        Ok(total)
    }
}

impl<'a> Message<'a> {
    /// The value of a header that is a string; the first one of this name.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let mut rest = self.headers;
        while !rest.is_empty() {
            let header = Header::read(&mut rest)?;
            if header.name == name.as_bytes() {
                return std::str::from_utf8(header.string?).ok();
            }
        }
        None
    }

    /// The payload.
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// Checks a whole message.
    fn read(bytes: &'a [u8]) -> Result<Message<'a>, Fault> {
        let (checked, checksum) = bytes.split_last_chunk::<4>().ok_or(Fault::Lengths)?;
        if crc32fast::hash(checked) != u32::from_be_bytes(*checksum) {
            return Err(Fault::MessageChecksum);
        }
        let message = Message::split(bytes).ok_or(Fault::Lengths)?;
        let mut rest = message.headers;
        while !rest.is_empty() {
            Header::read(&mut rest).ok_or(Fault::Headers)?;
        }
        Ok(message)
    }

    /// Takes a message apart whose lengths were checked.
    fn split(bytes: &'a [u8]) -> Option<Message<'a>> {
        let headers = length(*bytes.get(4..)?.first_chunk()?);
        let inner = bytes.get(PRELUDE..bytes.len().checked_sub(4)?)?;
        let (headers, payload) = inner.split_at_checked(headers)?;
        Some(Message { headers, payload })
    }
}

/// Says how long the message is, never what it says: streams do not belong in logs.
impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("headers", &self.headers.len())
            .field("payload", &self.payload.len())
            .finish()
    }
}

struct Header<'a> {
    name: &'a [u8],
    /// The value, if it is a string.
    string: Option<&'a [u8]>,
}

impl<'a> Header<'a> {
    /// Reads one header, and moves behind it.
    fn read(rest: &mut &'a [u8]) -> Option<Header<'a>> {
        let name_length = usize::from(take(rest, 1)?.first().copied()?);
        let name = take(rest, name_length)?;
        let kind = take(rest, 1)?.first().copied()?;
        let length = match kind {
            // True and false have no value.
            0 | 1 => 0,
            2 => 1,
            3 => 2,
            4 => 4,
            // A long integer, a time.
            5 | 8 => 8,
            // Bytes, a string.
            6 | 7 => usize::from(u16::from_be_bytes(*take(rest, 2)?.first_chunk()?)),
            // A UUID.
            9 => 16,
            _ => return None,
        };
        let value = take(rest, length)?;
        let string = (kind == 7).then_some(value);
        Some(Header { name, string })
    }
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(taken)
}

/// A length that does not fit is longer than every limit.
fn length(bytes: [u8; 4]) -> usize {
    usize::try_from(u32::from_be_bytes(bytes)).unwrap_or(usize::MAX)
}

/// Appends a message whose headers are strings. Names longer than 255 bytes and values longer than
/// 65535 are cut.
///
/// A message cannot be longer than 32 bits say; what is, is not written.
pub fn write(headers: &[(&str, &str)], payload: &[u8], out: &mut Vec<u8>) {
    let mut encoded = Vec::new();
    for (name, value) in headers {
        let name = name.as_bytes().get(..255).unwrap_or(name.as_bytes());
        let value = value.as_bytes().get(..65535).unwrap_or(value.as_bytes());
        // Both were cut to what fits.
        encoded.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        encoded.extend_from_slice(name);
        encoded.push(7);
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        encoded.extend_from_slice(&length.to_be_bytes());
        encoded.extend_from_slice(value);
    }
    let total = FRAME
        .saturating_add(encoded.len())
        .saturating_add(payload.len());
    let (Ok(total), Ok(length)) = (u32::try_from(total), u32::try_from(encoded.len())) else {
        return;
    };
    let start = out.len();
    out.extend_from_slice(&total.to_be_bytes());
    out.extend_from_slice(&length.to_be_bytes());
    let checksum = crc32fast::hash(out.get(start..).unwrap_or_default());
    out.extend_from_slice(&checksum.to_be_bytes());
    out.extend_from_slice(&encoded);
    out.extend_from_slice(payload);
    let checksum = crc32fast::hash(out.get(start..).unwrap_or_default());
    out.extend_from_slice(&checksum.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two messages, with a header of every type before the string in the second.
    fn stream() -> Vec<u8> {
        let mut stream = Vec::new();
        write(
            &[(":event-type", "messageStart"), (":message-type", "event")],
            br#"{"role":"assistant"}"#,
            &mut stream,
        );
        let mut headers = Vec::new();
        for (kind, length) in [
            (0, 0),
            (1, 0),
            (2, 1),
            (3, 2),
            (4, 4),
            (5, 8),
            (8, 8),
            (9, 16),
        ] {
            headers.extend_from_slice(&[1, b'a' + kind, kind]);
            headers.extend(std::iter::repeat_n(0xFF, length));
        }
        headers.extend_from_slice(&[1, b'b', 6, 0, 2, 7, 7]);
        headers.extend_from_slice(&[1, b's', 7, 0, 2]);
        headers.extend_from_slice("ß".as_bytes());
        raw(&headers, b"x", &mut stream);
        write(&[], b"", &mut stream);
        stream
    }

    fn raw(headers: &[u8], payload: &[u8], out: &mut Vec<u8>) {
        let mut message = Vec::new();
        let total = (FRAME + headers.len() + payload.len()) as u32;
        message.extend_from_slice(&total.to_be_bytes());
        message.extend_from_slice(&(headers.len() as u32).to_be_bytes());
        message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
        message.extend_from_slice(headers);
        message.extend_from_slice(payload);
        message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
        out.extend_from_slice(&message);
    }

    type Seen = (
        Vec<(Option<String>, Option<String>, Vec<u8>)>,
        Option<Fault>,
        bool,
    );

    fn read(limit: usize, chunks: &[&[u8]]) -> Seen {
        let mut decoder = Decoder::new(limit);
        let (mut seen, mut fault) = (Vec::new(), None);
        for mut chunk in chunks.iter().copied() {
            while let Some(message) = decoder.next(&mut chunk) {
                match message {
                    Ok(message) => {
                        let header = |name: &str| message.header(name).map(str::to_owned);
                        seen.push((
                            header(":event-type"),
                            header("s"),
                            message.payload().to_vec(),
                        ));
                    }
                    Err(it) => assert_eq!(fault.replace(it), None, "a fault is told once"),
                }
            }
            assert!(chunk.is_empty());
        }
        (seen, fault, decoder.is_between_messages())
    }

    #[test]
    fn chunks_change_nothing() {
        let stream = stream();
        let expected = vec![
            (
                Some("messageStart".to_owned()),
                None,
                br#"{"role":"assistant"}"#.to_vec(),
            ),
            (None, Some("ß".to_owned()), b"x".to_vec()),
            (None, None, Vec::new()),
        ];
        let whole = read(1 << 10, &[&stream]);
        assert_eq!(whole, (expected, None, true));
        for cut in 0..=stream.len() {
            let (front, back) = stream.split_at(cut);
            assert_eq!(read(1 << 10, &[front, back]), whole, "cut at {cut}");
        }
        let single: Vec<_> = stream.chunks(1).collect();
        assert_eq!(read(1 << 10, &single), whole);
    }

    #[test]
    fn a_stream_that_is_cut_off_is_not_between_messages() {
        let stream = stream();
        let mut ends = vec![0];
        let mut rest = stream.as_slice();
        let mut decoder = Decoder::new(1 << 10);
        while let Some(message) = decoder.next(&mut rest) {
            assert!(message.is_ok());
            ends.push(stream.len() - rest.len());
        }
        for cut in 0..stream.len() {
            let (_, fault, is_between) = read(1 << 10, &[&stream[..cut]]);
            assert_eq!(
                (fault, is_between),
                (None, ends.contains(&cut)),
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn no_byte_can_change_unseen() {
        let mut stream = Vec::new();
        write(&[("a", "b")], b"payload", &mut stream);
        for place in 0..stream.len() {
            let mut changed = stream.clone();
            changed[place] ^= 0x10;
            let expected = match place {
                0..12 => Fault::PreludeChecksum,
                _ => Fault::MessageChecksum,
            };
            for chunks in [vec![changed.as_slice()], changed.chunks(1).collect()] {
                let (seen, fault, _) = read(1 << 10, &chunks);
                assert_eq!((seen.len(), fault), (0, Some(expected)), "{place}");
            }
        }
    }

    #[test]
    fn lengths_are_believed_only_within_limits() {
        let prelude = |total: u32, headers: u32| {
            let mut prelude = [total.to_be_bytes(), headers.to_be_bytes()].concat();
            prelude.extend_from_slice(&crc32fast::hash(&prelude).to_be_bytes());
            prelude
        };
        let table = [
            (prelude(u32::MAX, 0), Fault::TooLong),
            (prelude(1025, 0), Fault::TooLong),
            (prelude(15, 0), Fault::Lengths),
            (prelude(20, 5), Fault::Lengths),
            (prelude(20, u32::MAX), Fault::Lengths),
        ];
        for (prelude, expected) in table {
            for chunks in [vec![prelude.as_slice()], prelude.chunks(1).collect()] {
                assert_eq!(read(1024, &chunks).1, Some(expected));
            }
        }
    }

    #[test]
    fn headers_that_are_none_are_refused() {
        for headers in [
            &[1][..],
            &[1, b'a'],
            &[1, b'a', 10],
            &[1, b'a', 7, 0, 9, b'x'],
            &[9, b'a', 0],
        ] {
            let mut stream = Vec::new();
            raw(headers, b"", &mut stream);
            assert_eq!(
                read(1 << 10, &[&stream]).1,
                Some(Fault::Headers),
                "{headers:?}"
            );
        }
    }
}
