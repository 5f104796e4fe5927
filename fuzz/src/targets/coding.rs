//! Content codings: whatever comes, it is decoded or refused, within the limits, and chunks change
//! nothing.
//!
//! The first line of an input is a `content-encoding`, the rest is a body.

use formats::coding::{CodingError, Decoder, Limits};

use super::{Choices, Outcome};

/// Small, so that limits are met.
const MAX_BYTES: usize = 3 << 20;

pub(super) fn run(input: &[u8]) -> Outcome {
    let line = input.iter().position(|&byte| byte == b'\n');
    let (name, body) = input.split_at(line.unwrap_or(input.len()));
    let body = body.get(1..).unwrap_or_default();
    let mut choices = Choices::of(input);
    let limits = Limits {
        max_bytes: MAX_BYTES,
        max_ratio: 1 + choices.below(400),
    };
    let name = String::from_utf8_lossy(name);
    let Some((whole, out)) = decode(&name, &[body], limits) else {
        return Outcome::of("unknown");
    };
    assert!(out.len() <= MAX_BYTES, "more came out than may");
    let by_ratio = body.len().next_multiple_of(4096) * limits.max_ratio;
    assert!(
        name.is_empty() || out.len() <= by_ratio.max(Limits::RATIO_FLOOR),
        "more came out than the ratio allows"
    );
    let chunked = decode(&name, &choices.chunks(body), limits);
    let (cut, cut_out) = chunked.unwrap_or((Err(CodingError::Unknown), Vec::new()));
    match whole {
        Ok(()) | Err(CodingError::Truncated) => {
            assert_eq!((cut, &cut_out), (whole, &out), "chunks change the bytes");
        }
        // What is wrong may be seen before or after what is too much.
        Err(_) => assert!(cut.is_err(), "chunks let pass what is wrong"),
    }
    Outcome::of((
        whole.err().map(|error| error.to_string()),
        out.len().checked_ilog2(),
    ))
}

fn decode(
    name: &str,
    chunks: &[&[u8]],
    limits: Limits,
) -> Option<(Result<(), CodingError>, Vec<u8>)> {
    let mut decoder = Decoder::of(name, limits).ok()?;
    let mut out = Vec::new();
    let pushed = chunks
        .iter()
        .try_for_each(|chunk| decoder.push(chunk, &mut out));
    Some((pushed.and_then(|()| decoder.finish()), out))
}
