//! However a stream is cut into chunks, the same frames come out and no byte is lost.

use formats::events::{Decoder, Format, Frame};
use proptest::prelude::*;

/// What was seen: events as bytes, and oversized bytes joined, since their cuts are the chunks' cuts.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    frames: Vec<(char, Vec<u8>)>,
    data: Vec<Option<Vec<u8>>>,
}

impl Seen {
    fn see(&mut self, frame: &Frame<'_>) {
        match frame {
            Frame::Event(event) => {
                self.add('e', event.raw());
                self.data.push(event.data().map(|data| data.to_vec()));
            }
            Frame::Tail(event) => self.add('t', event.raw()),
            Frame::Oversized(bytes) => self.add('o', bytes),
        }
    }

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

fn read<'a>(format: Format, chunks: impl IntoIterator<Item = &'a [u8]>, limit: usize) -> Seen {
    let mut seen = Seen::default();
    let mut decoder = Decoder::new(format, limit);
    for mut chunk in chunks {
        while let Some(frame) = decoder.next(&mut chunk) {
            seen.see(&frame);
        }
        assert!(chunk.is_empty(), "a chunk is read to its end");
    }
    if let Some(frame) = decoder.finish() {
        seen.see(&frame);
    }
    assert!(decoder.finish().is_none(), "a stream ends once");
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

fn format() -> impl Strategy<Value = Format> {
    prop_oneof![Just(Format::Sse), Just(Format::Ndjson)]
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
        format in format(),
        stream in stream(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        limit in 0_usize..60,
    ) {
        let whole = read(format, [stream.as_slice()], limit);
        prop_assert_eq!(&read(format, cut(&stream, &cuts), limit), &whole);
        prop_assert_eq!(&read(format, stream.chunks(1), limit), &whole);
        for at in 0..=stream.len() {
            let (left, right) = stream.split_at(at);
            prop_assert_eq!(&read(format, [left, right], limit), &whole, "cut at {}", at);
        }
    }

    #[test]
    fn no_byte_is_lost(format in format(), stream in stream(), limit in 0_usize..60) {
        prop_assert_eq!(read(format, stream.chunks(3), limit).bytes(), stream);
    }

    #[test]
    fn nothing_above_the_limit_is_given_out_as_an_event(
        format in format(),
        stream in stream(),
        limit in 0_usize..40,
    ) {
        let seen = read(format, stream.chunks(2), limit);
        prop_assert!(seen.frames.iter().all(|(kind, raw)| *kind == 'o' || raw.len() <= limit));
    }

    /// An event above the limit is above it whole: what comes before it and after it is read.
    #[test]
    fn what_is_oversized_is_what_no_limit_would_hold(
        format in format(),
        stream in stream(),
        limit in 1_usize..40,
    ) {
        let all = read(format, [stream.as_slice()], usize::MAX);
        let mut expected = Seen::default();
        for (kind, raw) in &all.frames {
            expected.add(if raw.len() > limit { 'o' } else { *kind }, raw);
        }
        prop_assert_eq!(read(format, stream.chunks(5), limit).frames, expected.frames);
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
        let seen = read(Format::Sse, [stream.as_slice()], usize::MAX);
        prop_assert_eq!(seen.data, expected);
    }
}
