//! However a stream is cut into chunks, the same frames come out and no byte is lost.

use formats::ndjson;
use formats::sse::{Decoder, Frame, Oversize, SseError};
use proptest::prelude::*;

/// What was seen: events as bytes, and oversized bytes joined, since their cuts are the chunks' cuts.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    frames: Vec<(char, Vec<u8>)>,
    data: Vec<Option<Vec<u8>>>,
    refused: bool,
}

impl Seen {
    fn add(&mut self, kind: char, raw: &[u8]) {
        match self.frames.last_mut() {
            Some(('o', bytes)) if kind == 'o' => bytes.extend_from_slice(raw),
            _ => self.frames.push((kind, raw.to_vec())),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        self.frames
            .iter()
            .flat_map(|(_, raw)| raw.clone())
            .collect()
    }
}

fn read_sse<'a>(
    chunks: impl IntoIterator<Item = &'a [u8]>,
    limit: usize,
    oversize: Oversize,
) -> Seen {
    let mut seen = Seen::default();
    let mut out = |frame: Frame<'_>| match frame {
        Frame::Event(event) => {
            seen.add('e', event.raw());
            seen.data.push(event.data().map(|data| data.to_vec()));
        }
        Frame::Tail(event) => seen.add('t', event.raw()),
        Frame::Oversized(bytes) => seen.add('o', bytes),
    };
    let mut decoder = Decoder::new(limit, oversize);
    let mut outcome = Ok(());
    for chunk in chunks {
        outcome = decoder.push(chunk, &mut out);
        if outcome.is_err() {
            break;
        }
    }
    let outcome = outcome.and_then(|()| decoder.finish(&mut out));
    seen.refused = outcome == Err(SseError::EventTooLarge { limit });
    seen
}

fn read_ndjson<'a>(
    chunks: impl IntoIterator<Item = &'a [u8]>,
    limit: usize,
    oversize: ndjson::Oversize,
) -> Seen {
    let mut seen = Seen::default();
    let mut out = |frame: ndjson::Frame<'_>| match frame {
        ndjson::Frame::Line(line) => seen.add('l', line.raw()),
        ndjson::Frame::Tail(line) => seen.add('t', line.raw()),
        ndjson::Frame::Oversized(bytes) => seen.add('o', bytes),
    };
    let mut decoder = ndjson::Decoder::new(limit, oversize);
    let pushed = chunks
        .into_iter()
        .try_for_each(|chunk| decoder.push(chunk, &mut out));
    let outcome = pushed.and_then(|()| decoder.finish(&mut out));
    seen.refused = outcome.is_err();
    seen
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        Just("\n"),
        Just("\r"),
        Just("\r\n"),
        Just("\n\n"),
        Just("\r\n\r\n"),
        Just("\r\r"),
        Just("data: {\"a\":1}"),
        Just("data:x"),
        Just("data"),
        Just("event: e"),
        Just(": c"),
        Just("\u{feff}"),
        Just("é"),
        Just(" "),
        Just(":"),
    ];
    let start = prop_oneof![
        Just(&b""[..]),
        Just(&b"\xEF\xBB\xBF"[..]),
        Just(&b"\xEF\xBB"[..])
    ];
    (start, prop::collection::vec(token, 0..24))
        .prop_map(|(start, tokens)| [start, tokens.concat().as_bytes()].concat())
}

fn oversize() -> impl Strategy<Value = Oversize> {
    prop_oneof![Just(Oversize::Refuse), Just(Oversize::PassThrough)]
}

/// The pieces between `cuts`, some of them empty.
fn cut<'a>(stream: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
    at.extend([0, stream.len()]);
    at.sort_unstable();
    at.windows(2)
        .map(|pair| &stream[pair[0]..pair[1]])
        .collect()
}

proptest! {
    #[test]
    fn every_cut_gives_the_same_frames(
        stream in stream(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        limit in 0_usize..60,
        oversize in oversize(),
    ) {
        let whole = read_sse([stream.as_slice()], limit, oversize);
        prop_assert_eq!(&read_sse(cut(&stream, &cuts), limit, oversize), &whole);
        prop_assert_eq!(&read_sse(stream.chunks(1), limit, oversize), &whole);
        for at in 0..=stream.len() {
            let (left, right) = stream.split_at(at);
            prop_assert_eq!(&read_sse([left, right], limit, oversize), &whole, "cut at {}", at);
        }
    }

    #[test]
    fn every_cut_gives_the_same_lines(
        stream in stream(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        limit in 0_usize..60,
        oversize in oversize(),
    ) {
        let whole = read_ndjson([stream.as_slice()], limit, oversize);
        prop_assert_eq!(&read_ndjson(cut(&stream, &cuts), limit, oversize), &whole);
        prop_assert_eq!(&read_ndjson(stream.chunks(1), limit, oversize), &whole);
    }

    #[test]
    fn no_byte_is_lost(stream in stream(), limit in 0_usize..60) {
        let seen = read_sse(stream.chunks(3), limit, Oversize::PassThrough);
        prop_assert_eq!(seen.bytes(), stream.clone());
        let seen = read_ndjson(stream.chunks(3), limit, Oversize::PassThrough);
        prop_assert_eq!(seen.bytes(), stream);
    }

    #[test]
    fn nothing_above_the_limit_is_given_out_as_an_event(stream in stream(), limit in 0_usize..40) {
        let seen = read_sse(stream.chunks(2), limit, Oversize::PassThrough);
        prop_assert!(seen.frames.iter().all(|(kind, raw)| *kind == 'o' || raw.len() <= limit));
    }

    /// The reader of the standard, written down plainly: lines, then fields.
    #[test]
    fn data_is_what_the_standard_says(stream in stream()) {
        let text = String::from_utf8_lossy(&stream).replace("\r\n", "\n").replace('\r', "\n");
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let mut expected = Vec::new();
        let mut data: Option<Vec<&str>> = None;
        for line in text.split_inclusive('\n') {
            let Some(line) = line.strip_suffix('\n') else { break };
            if line.is_empty() {
                expected.push(data.take().map(|lines| lines.join("\n").into_bytes()));
                continue;
            }
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            if name == "data" {
                let value = value.strip_prefix(' ').unwrap_or(value);
                data.get_or_insert_default().push(value);
            }
        }
        let seen = read_sse([stream.as_slice()], usize::MAX, Oversize::Refuse);
        prop_assert_eq!(seen.data, expected);
    }
}
