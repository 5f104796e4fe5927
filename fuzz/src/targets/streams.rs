//! Event streams in both formats: any chunks give the same events, and all bytes come out again.

use formats::events::{Decoder, Format, Frame};

use super::{Choices, Outcome};

pub(super) fn sse(input: &[u8]) -> Outcome {
    run(Format::Sse, input)
}

pub(super) fn ndjson(input: &[u8]) -> Outcome {
    run(Format::Ndjson, input)
}

fn run(format: Format, input: &[u8]) -> Outcome {
    let mut choices = Choices::of(input);
    let limit = choices.limit(input);
    let chunks = choices.chunks(input);
    let whole = read(format, &[input], limit);
    assert_eq!(
        whole,
        read(format, &chunks, limit),
        "chunks change the events"
    );
    for limit in [limit, usize::MAX] {
        let bytes: Vec<u8> = read(format, &chunks, limit)
            .iter()
            .flat_map(|piece| piece.raw.iter().copied())
            .collect();
        assert_eq!(bytes, input, "bytes were lost");
    }
    let kinds: String = whole.iter().map(|piece| piece.kind).take(4).collect();
    let fields: Vec<_> = whole.iter().map(|piece| piece.has).take(3).collect();
    Outcome::of((kinds, fields))
}

#[derive(Debug, PartialEq)]
struct Piece {
    kind: char,
    raw: Vec<u8>,
    /// Which of name, id and data the event has.
    has: [bool; 3],
}

/// What was seen of a stream.
#[derive(Default)]
struct Seen(Vec<Piece>);

impl Seen {
    fn see(&mut self, frame: &Frame<'_>) {
        let (kind, event) = match frame {
            Frame::Event(event) => ('e', event),
            Frame::Tail(event) => ('t', event),
            Frame::Oversized(bytes) => return self.oversized(bytes),
        };
        let has = [
            event.name().is_some_and(|name| name != "message"),
            event.id().is_some(),
            event.data().is_some(),
        ];
        self.0.push(Piece {
            kind,
            raw: event.raw().to_vec(),
            has,
        });
    }

    /// Oversized bytes are cut where the chunks were.
    fn oversized(&mut self, bytes: &[u8]) {
        match self.0.last_mut() {
            Some(last) if last.kind == 'o' => last.raw.extend_from_slice(bytes),
            _ => self.0.push(Piece {
                kind: 'o',
                raw: bytes.to_vec(),
                has: [false; 3],
            }),
        }
    }
}

fn read(format: Format, chunks: &[&[u8]], limit: usize) -> Vec<Piece> {
    let mut seen = Seen::default();
    let mut decoder = Decoder::new(format, limit);
    for chunk in chunks {
        let mut rest = *chunk;
        while let Some(frame) = decoder.next(&mut rest) {
            seen.see(&frame);
        }
    }
    if let Some(frame) = decoder.finish() {
        seen.see(&frame);
    }
    seen.0
}
