//! Newline-delimited JSON: any chunks give the same lines, and all bytes come out again.

use formats::ndjson::{Decoder, Frame, Oversize};

use super::{Choices, Outcome};

pub(super) fn run(input: &[u8]) -> Outcome {
    let mut choices = Choices::of(input);
    let (limit, oversize) = choices.limit(input);
    let (whole, refused) = read(&[input], limit, oversize);
    let chunked = read(&choices.chunks(input), limit, oversize);
    assert_eq!(
        (&whole, refused),
        (&chunked.0, chunked.1),
        "chunks change the lines"
    );
    let bytes = |frames: &[(char, Vec<u8>)]| {
        frames
            .iter()
            .flat_map(|(_, raw)| raw.clone())
            .collect::<Vec<u8>>()
    };
    if !refused {
        assert_eq!(bytes(&whole), input, "bytes were lost");
    }
    let kinds: String = whole.iter().map(|(kind, _)| *kind).take(4).collect();
    Outcome::of((kinds, refused))
}

fn read(chunks: &[&[u8]], limit: usize, oversize: Oversize) -> (Vec<(char, Vec<u8>)>, bool) {
    let mut frames: Vec<(char, Vec<u8>)> = Vec::new();
    let mut add = |kind: char, raw: &[u8]| match frames.last_mut() {
        // Oversized bytes are cut where the chunks were.
        Some(('o', bytes)) if kind == 'o' => bytes.extend_from_slice(raw),
        _ => frames.push((kind, raw.to_vec())),
    };
    let mut out = |frame: Frame<'_>| match frame {
        Frame::Line(line) => add('l', line.raw()),
        Frame::Tail(line) => add('t', line.raw()),
        Frame::Oversized(bytes) => add('o', bytes),
    };
    let mut decoder = Decoder::new(limit, oversize);
    let pushed = chunks
        .iter()
        .try_for_each(|chunk| decoder.push(chunk, &mut out));
    let ended = pushed.and_then(|()| decoder.finish(&mut out));
    (frames, ended.is_err())
}
