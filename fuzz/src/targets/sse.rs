//! Server-Sent Events: any chunks give the same events, and all bytes come out again.

use formats::sse::{Decoder, Frame, Oversize};

use super::{Choices, Outcome};

pub(super) fn run(input: &[u8]) -> Outcome {
    let mut choices = Choices::of(input);
    let (limit, oversize) = choices.limit(input);
    let whole = read(&[input], limit, oversize);
    let chunked = read(&choices.chunks(input), limit, oversize);
    assert_eq!(whole, chunked, "chunks change the events");
    if !whole.refused {
        assert_eq!(whole.bytes(), input, "bytes were lost");
    }
    let unlimited = read(&choices.chunks(input), usize::MAX, Oversize::Refuse);
    assert_eq!(unlimited.bytes(), input, "bytes were lost");
    let kinds: String = whole
        .frames
        .iter()
        .map(|frame| frame.kind)
        .take(4)
        .collect();
    Outcome::of((
        kinds,
        whole
            .frames
            .iter()
            .take(3)
            .map(|it| it.read)
            .collect::<Vec<_>>(),
        whole.refused,
    ))
}

/// What was seen of a stream.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    frames: Vec<Piece>,
    refused: bool,
}

#[derive(Debug, PartialEq)]
struct Piece {
    kind: char,
    raw: Vec<u8>,
    /// Which of name, id and data the event has.
    read: [bool; 3],
}

impl Seen {
    fn add(&mut self, kind: char, raw: &[u8], read: [bool; 3]) {
        match self.frames.last_mut() {
            // Oversized bytes are cut where the chunks were.
            Some(last) if kind == 'o' && last.kind == 'o' => last.raw.extend_from_slice(raw),
            _ => self.frames.push(Piece {
                kind,
                raw: raw.to_vec(),
                read,
            }),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        self.frames
            .iter()
            .flat_map(|frame| frame.raw.iter().copied())
            .collect()
    }
}

fn read(chunks: &[&[u8]], limit: usize, oversize: Oversize) -> Seen {
    let mut seen = Seen::default();
    let mut out = |frame: Frame<'_>| match frame {
        Frame::Event(event) => {
            let read = [
                event.event().is_some(),
                event.id().is_some(),
                event.data().is_some(),
            ];
            seen.add('e', event.raw(), read);
        }
        Frame::Tail(event) => seen.add('t', event.raw(), [false; 3]),
        Frame::Oversized(bytes) => seen.add('o', bytes, [false; 3]),
    };
    let mut decoder = Decoder::new(limit, oversize);
    let pushed = chunks
        .iter()
        .try_for_each(|chunk| decoder.push(chunk, &mut out));
    let ended = pushed.and_then(|()| decoder.finish(&mut out));
    seen.refused = ended.is_err();
    seen
}
